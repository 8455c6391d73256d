/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc and a pidfd say about a process.
 *
 * The one idea is identity: the pidfd is opened first and asked last, so all that was read from
 * /proc/PID in between belongs to the process the pidfd stands for, however fast pids are reused.
 * Everything in /proc that a process can choose itself (its name, its arguments, the names of the
 * files it maps) is taken as hostile text.
 */
#include "proc/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "gobin/gobin.h"

enum {
	STAT_SZ = 1024, /* 52 numbers of at most 20 digits, and a name of at most 64 bytes */
	STATUS_SZ = 4096, /* what is wanted of it comes before the list of groups, which is long */
	MAPS_PIECE_SZ = 256, /* the numbers of a line of maps take less than 80 */
	KTHREAD_FLAG = 0x00200000, /* PF_KTHREAD, include/linux/sched.h */
};

static const char deleted_suffix[] = " (deleted)";

/* The fields of /proc/PID/stat that are used; numbered as in proc_pid_stat(5). */
struct stat_line {
	char comm[32];
	char state; /* 3 */
	uint64_t flags; /* 9 */
	uint64_t start_time; /* 22 */
	uint64_t start_code; /* 26 */
	uint64_t start_stack; /* 28 */
};

/* Whole processes only (no PIDFD_THREAD): -1 and errno. glibc has a wrapper only since 2.36. */
static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool has_exited(int pidfd)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* The start of /proc/PID/name as a string: its length or -errno. */
static ssize_t read_start(pid_t pid, const char *name, char *buf, size_t cap)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	size_t len = 0;
	while (len < cap - 1) {
		ssize_t n = read(fd, buf + len, cap - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return (ssize_t)len;
}

/* Field number `field` (> 3) of a stat line, of which `rest` starts at field 3. */
static uint64_t stat_field(const char *rest, int field)
{
	for (int i = 3; i < field; i++) {
		rest = strchr(rest, ' ');
		if (!rest)
			return 0;
		rest++;
	}
	return strtoull(rest, NULL, 10);
}

/*
 * The name may hold blanks, parentheses and newlines, but all that follows it are numbers and one
 * letter: the last ')' of the file ends it.
 */
static int parse_stat(const char *text, struct stat_line *ret)
{
	const char *name = strchr(text, '(');
	const char *end = strrchr(text, ')');
	if (!name || !end || end < name || end[1] != ' ' || !end[2])
		return -EPROTO;

	const char *rest = end + 2;
	char raw[STAT_SZ];
	snprintf(raw, sizeof(raw), "%.*s", (int)(end - name - 1), name + 1);
	utf8_clean(ret->comm, sizeof(ret->comm), raw);
	ret->state = rest[0];
	ret->flags = stat_field(rest, 9);
	ret->start_time = stat_field(rest, 22);
	ret->start_code = stat_field(rest, 26);
	ret->start_stack = stat_field(rest, 28);
	return 0;
}

static int read_stat(pid_t pid, struct stat_line *ret)
{
	char text[STAT_SZ];
	ssize_t n = read_start(pid, "stat", text, sizeof(text));

	return n < 0 ? (int)n : parse_stat(text, ret);
}

/*
 * A number from /proc/PID/status; nth counts from 0. The kernel escapes newlines in the Name line,
 * so no process can fake a key.
 */
static bool status_number(const char *status, const char *key, int nth, uint32_t *ret)
{
	const char *at = strstr(status, key);
	if (!at)
		return false;

	at += strlen(key);
	for (int i = 0; i <= nth; i++) {
		char *end;
		*ret = (uint32_t)strtoul(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	return true;
}

/* The fourth number of /proc/PID/statm, which takes no permission. */
static int read_text_pages(pid_t pid, uint64_t *ret)
{
	char text[STAT_SZ];
	ssize_t n = read_start(pid, "statm", text, sizeof(text));

	if (n < 0)
		return (int)n;
	return sscanf(text, "%*u %*u %*u %" SCNu64, ret) == 1 ? 0 : -EPROTO;
}

static int no_access(const struct proc *p, const char *why, struct err *err)
{
	err_set(err, -EACCES, "cannot look at process %d%s%s%s: %s", p->pid, p->comm[0] ? " (" : "",
		p->comm, p->comm[0] ? ")" : "", why);
	caps_explain(err, CAPS(CAP_SYS_PTRACE));
	return -EACCES;
}

/*
 * Explain a failure to read `what` of /proc/PID. A file that isn't there means that the process is
 * gone, unless the pidfd knows better: then /proc is mounted with hidepid.
 */
static int explain(const struct proc *p, int code, const char *what, struct err *err)
{
	if (has_exited(p->pidfd) || code == -ESRCH)
		return err_set(err, -ESRCH, "process %d has exited", p->pid);
	if (code == -ENOENT)
		return no_access(p, "/proc hides it", err);
	if (code == -EACCES || code == -EPERM)
		return no_access(p, strerror(-code), err);
	return err_set(err, code, "cannot read '/proc/%d/%s': %s", p->pid, what, strerror(-code));
}

static int explain_pidfd(pid_t pid, int code, struct err *err)
{
	/* The id of a thread: EINVAL, or ENOENT since Linux 6.15. */
	if (code == -EINVAL || code == -ENOENT) {
		char status[STATUS_SZ];
		uint32_t tgid = 0;
		err_set(err, -ESRCH, "%d is a thread, not a process", pid);
		if (read_start(pid, "status", status, sizeof(status)) > 0 &&
		    status_number(status, "\nTgid:", 0, &tgid))
			err_hint(err, "it belongs to process %u", tgid);
		return -ESRCH;
	}
	if (code == -ESRCH)
		return err_set(err, code, "no process %d", pid);
	if (code == -ENOSYS) {
		err_set(err, -ENOTSUP, "this kernel has no pidfd_open");
		err_hint(err, "Linux 5.3 or newer is needed");
		return -ENOTSUP;
	}
	return err_set(err, code, "cannot open process %d: %s", pid, strerror(-code));
}

static int look_at_stat(struct proc *p, struct err *err)
{
	struct stat_line st;
	int r = read_stat(p->pid, &st);
	if (r < 0)
		return explain(p, r, "stat", err);

	memcpy(p->comm, st.comm, sizeof(p->comm));
	p->start_time = st.start_time;
	p->start_code = st.start_code;
	p->start_stack = st.start_stack;
	p->stopped = st.state == 'T' || st.state == 't';
	if (st.flags & KTHREAD_FLAG)
		return err_set(err, -ESRCH, "process %d (%s) is a kernel thread", p->pid, p->comm);
	if (st.state == 'Z' || st.state == 'X')
		return err_set(err, -ESRCH, "process %d (%s) has exited and is a zombie", p->pid,
			       p->comm);
	return 0;
}

static int look_at_status(struct proc *p, struct err *err)
{
	char status[STATUS_SZ];
	ssize_t n = read_start(p->pid, "status", status, sizeof(status));
	if (n < 0)
		return explain(p, (int)n, "status", err);

	uint32_t uid;
	if (!status_number(status, "\nUid:", 1, &uid))
		return err_set(err, -EPROTO, "cannot read '/proc/%d/status': no line 'Uid'",
			       p->pid);
	p->uid = uid;
	const char *caps = strstr(status, "\nCapPrm:");
	/* One that doesn't say may have all. */
	p->caps = caps ? strtoull(caps + strlen("\nCapPrm:"), NULL, 16) : UINT64_MAX;
	n = read_text_pages(p->pid, &p->text_pages);
	return n < 0 ? explain(p, (int)n, "statm", err) : 0;
}

/* Whether the file is really called "x (deleted)", seen with the process's own root and mounts. */
static bool name_ends_in_suffix(const struct proc *p, const char *link)
{
	char path[PATH_MAX + 64];
	struct stat st;
	snprintf(path, sizeof(path), "/proc/%d/root%s", p->pid, link);

	return stat(path, &st) == 0 && st.st_dev == p->exe_dev && st.st_ino == p->exe_ino;
}

static void set_exe(struct proc *p, char *link)
{
	size_t len = strlen(link);
	size_t suffix_len = sizeof(deleted_suffix) - 1;

	if (len > suffix_len && strcmp(link + len - suffix_len, deleted_suffix) == 0 &&
	    !name_ends_in_suffix(p, link)) {
		p->exe_deleted = true;
		len -= suffix_len;
	}
	link[len] = '\0';
	utf8_clean(p->exe, sizeof(p->exe), link);
}

static int look_at_exe(struct proc *p, struct err *err)
{
	snprintf(p->exe_path, sizeof(p->exe_path), "/proc/%d/exe", p->pid);

	struct stat st;
	if (stat(p->exe_path, &st) < 0) {
		/* No executable but a live pidfd: its memory is gone, it is about to be a zombie. */
		if (errno == ENOENT)
			return err_set(err, -ESRCH, "process %d (%s) is exiting", p->pid, p->comm);
		return explain(p, -errno, "exe", err);
	}
	p->exe_dev = st.st_dev;
	p->exe_ino = st.st_ino;

	/* The text is for people only; a path longer than a page has none. */
	char link[PATH_MAX + sizeof(deleted_suffix)] = "?";
	ssize_t n = readlink(p->exe_path, link, sizeof(link) - 1);
	if (n > 0)
		link[n] = '\0';
	else if (errno != ENAMETOOLONG)
		return explain(p, -errno, "exe", err);
	set_exe(p, link);
	return 0;
}

static void proc_freep(struct proc **p)
{
	proc_free(*p);
}

int proc_check_pids(struct err *err)
{
	char self[16] = "", own[16];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	snprintf(own, sizeof(own), "%d", getpid());
	if (n > 0 && !strcmp(self, own))
		return 0;
	if (n < 0 && access("/proc/version", F_OK)) {
		err_set(err, -ENOTSUP, "'/proc' is not mounted");
		err_hint(err, "mount -t proc proc /proc");
		return -ENOTSUP;
	}
	err_set(err, -ENOTSUP,
		"the pids of '/proc' are those of another pid namespace than gallop's");
	err_hint(err,
		 "start gallop in that one ('nsenter -t 1 -p -m', 'docker run --pid=host'), or "
		 "'mount -t proc proc /proc' here");
	return -ENOTSUP;
}

bool proc_sees_host(void)
{
	enum { INIT_PID_NAMESPACE = 0xeffffffc }; /* Linux include/linux/proc_ns.h */
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == INIT_PID_NAMESPACE;
}

int proc_open(pid_t pid, struct proc **ret, struct err *err)
{
	if (pid <= 0)
		return err_set(err, -ESRCH, "no process %d", pid);
	int checked = proc_check_pids(err);
	if (checked < 0)
		return checked;
	_cleanup_(proc_freep) struct proc *p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, -ENOMEM, "out of memory");

	p->pid = pid;
	p->pidfd = open_pidfd(pid);
	if (p->pidfd < 0)
		return explain_pidfd(pid, -errno, err);

	int r = look_at_stat(p, err);
	if (r == 0)
		r = look_at_status(p, err);
	if (r == 0)
		r = look_at_exe(p, err);
	if (r < 0)
		return r;
	if (has_exited(p->pidfd))
		return err_set(err, -ESRCH, "process %d (%s) has exited", pid, p->comm);
	*ret = take_ptr(p);
	return 0;
}

void proc_free(struct proc *p)
{
	if (!p)
		return;
	if (p->pidfd >= 0)
		close(p->pidfd);
	free(p);
}

enum proc_state proc_state(const struct proc *p)
{
	struct stat st;
	struct stat_line now;
	uint64_t text_pages = 0;
	bool looked = stat(p->exe_path, &st) == 0;
	bool denied = !looked && (errno == EACCES || errno == EPERM);
	bool read = read_stat(p->pid, &now) == 0;

	/* Who may not know where it starts is told 0. */
	denied |= looked && read && !now.start_stack && p->start_stack;
	/* One without memory is about to be a zombie. */
	if (denied)
		read = read && read_text_pages(p->pid, &text_pages) == 0 && text_pages;

	/* Asked last: what was read above is the process's own only if it is still there now. */
	if (has_exited(p->pidfd) || (!looked && !denied) || !read)
		return PROC_EXITED;
	/*
	 * What we could look at and now can't has changed its user, or we have given up too much: the same program. Or it has
	 * executed a setuid file.
	 */
	if (denied)
		return text_pages == p->text_pages ? PROC_SAME : PROC_EXECED;
	if (st.st_dev != p->exe_dev || st.st_ino != p->exe_ino)
		return PROC_EXECED;
	return now.start_stack == p->start_stack ? PROC_SAME : PROC_EXECED;
}

int proc_cmdline(const struct proc *p, char *buf, size_t cap)
{
	if (cap == 0)
		return -EINVAL;
	ssize_t n = read_start(p->pid, "cmdline", buf, cap);
	if (n < 0)
		return (int)n;

	while (n > 0 && buf[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	return utf8_clean_in_place(buf, cap);
}

/*
 * The file offset that is mapped at an address of code. maps is read piece by piece: a line is as
 * long as the mapped file's name, which is not wanted (a newline in it is escaped by the kernel).
 */
static int find_mapped_offset(pid_t pid, uint64_t addr, uint64_t *ret)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	_cleanup_fclose_ FILE *maps = fopen(path, "re");
	if (!maps)
		return -errno;

	char piece[MAPS_PIECE_SZ];
	bool at_line_start = true;
	while (fgets(piece, sizeof(piece), maps)) {
		uint64_t start, end, offset, ino;
		char perms[5];
		if (at_line_start &&
		    sscanf(piece, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64,
			   &start, &end, perms, &offset, &ino) == 5 &&
		    addr >= start && addr < end && perms[2] == 'x' && ino != 0) {
			*ret = offset + (addr - start);
			return 0;
		}
		at_line_start = strchr(piece, '\n') != NULL;
	}
	return -ESRCH;
}

int proc_open_exe(const struct proc *p, struct gobin **ret, struct err *err)
{
	uint64_t needed = CAPS(CAP_DAC_READ_SEARCH);
	_cleanup_(caps_restore) uint64_t caps = caps_raise(needed);
	int rc = gobin_open(p->exe_path, ret, err);

	if (rc == -EACCES)
		caps_explain(err, needed);
	return rc;
}

/*
 * The mapping of the executable is the one that holds start_code of /proc/PID/stat: the lowest address of the
 * executable's code, which the kernel put there when it loaded the file (Linux fs/binfmt_elf.c, load_elf_binary).
 * The auxiliary vector would tell as much, but to read it takes CAP_DAC_READ_SEARCH. Looking for the file's
 * dev:inode instead would fail where maps and stat disagree about them: on overlayfs (every container) maps may
 * show the layer below, and on btrfs another device.
 */
int proc_load_bias(const struct proc *p, struct gobin *bin, uint64_t *ret, struct err *err)
{
	const struct gobin_info *info = gobin_info(bin);
	if (info->exe_dev != p->exe_dev || info->exe_ino != p->exe_ino)
		return err_set(err, -ESRCH, "process %d (%s) does not run '%s'", p->pid, p->comm,
			       info->path);

	uint64_t offset, va;
	/* Who may not know is told 1. */
	if (p->start_code <= 1)
		return explain(p, -EACCES, "stat", err);
	int r = find_mapped_offset(p->pid, p->start_code, &offset);
	if (r < 0 && r != -ESRCH)
		return explain(p, r, "maps", err);
	if (has_exited(p->pidfd))
		return err_set(err, -ESRCH, "process %d (%s) has exited", p->pid, p->comm);
	if (r < 0 || gobin_va_of_offset(bin, offset, &va) < 0)
		return err_set(err, -ESRCH, "'%s' is not mapped in process %d (%s)", info->path,
			       p->pid, p->comm);

	uint64_t bias = p->start_code - va;
	if (bias % (uint64_t)sysconf(_SC_PAGESIZE) != 0 || (bias != 0 && !info->pie))
		return err_set(err, -ESRCH, "'%s' is mapped oddly in process %d (%s)", info->path,
			       p->pid, p->comm);
	*ret = bias;
	return 0;
}

int proc_readv(const struct proc *p, const struct iovec *bufs, size_t bufs_nr,
	       const struct iovec *addrs, size_t addrs_nr)
{
	size_t len = 0;
	for (size_t i = 0; i < addrs_nr; i++)
		len += addrs[i].iov_len;

	ssize_t n = process_vm_readv(p->pid, bufs, bufs_nr, addrs, addrs_nr, 0);
	int code = n < 0 ? -errno : 0;
	/* The pid may be another's by now: only the pidfd can tell. */
	if (has_exited(p->pidfd))
		return -ESRCH;
	if (code < 0)
		return code;
	return (size_t)n == len ? 0 : -EFAULT;
}

int proc_read(const struct proc *p, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { .iov_base = buf, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr, .iov_len = len };

	return proc_readv(p, &local, 1, &remote, 1);
}

int proc_check_memory(const struct proc *p, struct err *err)
{
	uint8_t byte;
	int rc = proc_read(p, p->start_code, &byte, sizeof(byte));

	return rc == -EPERM || rc == -EACCES ? explain(p, rc, "mem", err) : 0;
}

/* The kernel lists processes in ascending order (Linux 2.6.18 .. 6.18 fs/proc/base.c next_tgid). */
int proc_each(int (*fn)(pid_t pid, void *ctx), void *ctx)
{
	DIR *dir = opendir("/proc");
	if (!dir)
		return -errno;

	int r = 0;
	struct dirent *entry;
	while (r == 0 && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		if (isdigit((unsigned char)entry->d_name[0]) && *end == '\0' && pid <= INT_MAX)
			r = fn((pid_t)pid, ctx);
	}
	closedir(dir);
	return r;
}
