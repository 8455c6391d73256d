/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "probe/files.h"

/* The smallest program: return 0. */
static const struct bpf_insn return_zero[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load_trivial(enum bpf_attach_type attach)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "gallop_feature", "Dual BSD/GPL", return_zero,
			     sizeof(return_zero) / sizeof(return_zero[0]), &opts);
}

/* What the kernel answers to a link that can't be made: path "/" is not a file that has code. */
static int try_multi(int prog_fd, int pid)
{
	unsigned long offset = 0;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .uprobe_multi.path = "/",
		    .uprobe_multi.offsets = &offset, .uprobe_multi.cnt = 1,
		    .uprobe_multi.pid = (__u32)pid);
	int fd = bpf_link_create(prog_fd, 0, BPF_TRACE_UPROBE_MULTI, &opts);

	if (fd >= 0)
		close(fd);
	return fd;
}

/*
 * A program for uprobe_multi loads on kernels that have no such link, so only a link attempt tells.
 * -EBADF means that the path was looked at: the link type exists. A pid of -1 is refused (-EINVAL) by
 * kernels whose filter is by process; older ones look for a thread of that id (-ESRCH) and would later
 * see only that thread (kernel commit "bpf: fix multi-uprobe PID filtering logic", 6.10).
 */
static void detect_multi(struct features *ret)
{
	_cleanup_close_ int fd = load_trivial(BPF_TRACE_UPROBE_MULTI);

	if (fd < 0)
		return;
	ret->multi = try_multi(fd, 0) == -EBADF;
	ret->multi_pid = ret->multi && try_multi(fd, -1) == -EINVAL;
}

/* Without the capabilities, for the moment: an old kernel refuses whatever is asked of it, whoever has the descriptor. */
static void detect_free(struct features *ret)
{
	_cleanup_close_ int table = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gallop_feature", 4, 4, 1,
						   NULL);
	_cleanup_close_ int prog = ret->multi ? load_trivial(BPF_TRACE_UPROBE_MULTI) : -1;
	_cleanup_(caps_restore) uint64_t caps = caps_set_effective(0);
	uint32_t key = 0, value;

	ret->free_tables = table >= 0 && !bpf_map_lookup_elem(table, &key, &value);
	ret->free_links = prog >= 0 && try_multi(prog, 0) == -EBADF;
}

void features_detect(struct features *ret)
{
	struct err ignored;

	memset(ret, 0, sizeof(*ret));
	libbpf_set_print(NULL);
	ret->bpf_errno = -files_reserve(FILES_NEEDED, &ignored);
	if (ret->bpf_errno)
		return;

	_cleanup_close_ int fd = load_trivial(0);
	ret->bpf = fd >= 0;
	ret->bpf_errno = fd < 0 ? -fd : 0;
	ret->perf_uprobe = access("/sys/bus/event_source/devices/uprobe/type", R_OK) == 0;
	if (!ret->bpf)
		return;
	ret->ringbuf = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1;
	ret->cookie = libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_attach_cookie,
					      NULL) == 1;
	ret->loop = libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_loop, NULL) == 1;
	detect_multi(ret);
	detect_free(ret);
}

int features_check(const struct features *f, struct err *err)
{
	if (!f->bpf && (f->bpf_errno == EPERM || f->bpf_errno == EACCES)) {
		err_set(err, -EPERM, "cannot load BPF programs: operation not permitted");
		caps_explain(err, CAPS_LOAD);
		return -EPERM;
	}
	if (f->bpf_errno == EMFILE) {
		/* It has the numbers; but what was full a moment ago need not be so any more. */
		if (!files_reserve(FILES_NEEDED, err))
			err_set(err, -EMFILE, "cannot load BPF programs: %s", strerror(EMFILE));
		files_hint(err);
		return -EMFILE;
	}
	if (!f->bpf)
		return err_set(err, -ENOTSUP, "cannot load BPF programs: %s",
			       strerror(f->bpf_errno));
	if (!f->ringbuf || !f->cookie) {
		err_set(err, -ENOTSUP, "this kernel is too old: it has no BPF %s",
			f->ringbuf ? "attach cookies" : "ring buffer");
		err_hint(err, "Linux 5.15 or newer is needed");
		return -ENOTSUP;
	}
	return 0;
}

int features_choose(const struct features *f, enum probe_attach wanted, enum probe_attach *ret,
		    struct err *err)
{
	if (wanted == PROBE_ATTACH_MULTI && !f->multi)
		return err_set(err, -ENOTSUP, "this kernel has no uprobe_multi links");
	if (wanted == PROBE_ATTACH_MULTI && !f->multi_pid)
		return err_set(err, -ENOTSUP,
			       "the uprobe_multi links of this kernel see one thread only");
	enum probe_attach best = f->multi_pid ? PROBE_ATTACH_MULTI : PROBE_ATTACH_PERF;

	if (wanted == PROBE_ATTACH_AUTO)
		wanted = best;
	if (wanted == PROBE_ATTACH_PERF && !f->perf_uprobe)
		return err_set(err, -ENOTSUP, "this kernel has no perf uprobes%s",
			       best == PROBE_ATTACH_PERF ? ", and no sound uprobe_multi links"
							 : "");
	*ret = wanted;
	return 0;
}

uint64_t features_caps_kept(const struct features *f, enum probe_attach attach, bool switches)
{
	uint64_t kept = 0;

	if (!f->free_tables)
		kept |= CAPS(CAP_BPF);
	if (switches && !(attach == PROBE_ATTACH_MULTI && f->free_links))
		kept |= CAPS_LOAD | CAPS(CAP_SYS_ADMIN);
	/* Who hasn't these two has them by that one. */
	if (kept & CAPS_LOAD & ~caps_permitted())
		kept |= CAPS(CAP_SYS_ADMIN);
	return kept;
}
