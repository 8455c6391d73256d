/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the reader says of files of every kind: small executables made by hand (tests/fuzz/corpus),
 * whole or damaged, Go programs without sections and build info, and things that are no program.
 */
#include "fixture.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "gobin/layout.h"

#define SEEDS "tests/fuzz/corpus/gobin/"

enum {
	FILE_MAX = 64 << 20,
	/* Of the seeds: tests/fuzz/gobin_seeds.py. */
	SEED_TEXT = 0x400200,
	SEED_MEMSTATS = 0x502000,
	SEED_GC_CONTROLLER = 0x502100,
	SEED_ALLP = 0x502200,
	SEED_EMPTYMSPAN = 0x502300,
};

struct bytes {
	uint8_t *data;
	size_t size;
};

static void bytes_free(struct bytes *b)
{
	free(b->data);
}

static struct bytes bytes_read(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "rb");
	if (!f) {
		print_message("skipped: no %s: run from the top of the source tree\n", path);
		skip();
	}
	struct stat st;
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_in_range(st.st_size, 1, FILE_MAX);
	struct bytes b = { malloc((size_t)st.st_size), (size_t)st.st_size };
	assert_non_null(b.data);
	assert_int_equal(fread(b.data, 1, b.size, f), b.size);
	return b;
}

/* Open bytes as a file that has no name. The descriptor may be closed: the gobin has its own. */
static int open_bytes(const uint8_t *data, size_t size, struct gobin **ret, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("gobin", MFD_CLOEXEC);
	char path[64];

	assert_true(fd >= 0);
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, data + done, size - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return gobin_open(path, ret, err);
}

static void expect_error(const char *path, int code, const char *text)
{
	struct gobin *bin = NULL;
	struct err err = { 0 };

	assert_int_equal(gobin_open(path, &bin, &err), code);
	assert_null(bin);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, text))
		fail_msg("'%s' is not in '%s'", text, err.msg);
}

static void expect_bytes_error(const void *data, size_t size, int code, const char *text)
{
	struct gobin *bin = NULL;
	struct err err = { 0 };

	assert_int_equal(open_bytes(data, size, &bin, &err), code);
	assert_null(bin);
	if (!strstr(err.msg, text))
		fail_msg("'%s' is not in '%s'", text, err.msg);
}

static void test_not_go(void **state)
{
	char dir[] = "/tmp/gallop-test-XXXXXX", fifo[64];

	(void)state;
	expect_error("/no/such/file", -ESRCH, "cannot open '/no/such/file'");
	expect_error("/tmp", -ENOEXEC, "is a directory");
	expect_error("/proc/self/exe", -ENOEXEC,
		     "'/proc/self/exe' is not a Go program: it has no table of Go's functions "
		     "(pclntab)");
	expect_bytes_error("", 0, -ENOEXEC, "is not an ELF file: it is empty");
	expect_bytes_error("hello", 5, -ENOEXEC, "is not an ELF file");
	expect_bytes_error("#!/bin/sh\n", 10, -ENOEXEC, "is a script");
	expect_bytes_error("\177ELF", 4, -ENOEXEC, "damaged: it ends inside its ELF header");

	assert_non_null(mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect_error(fifo, -ENOEXEC, "not a regular file");
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* One field of a good file's ELF header changed: each has its own explanation. */
static void test_header(void **state)
{
	_cleanup_(bytes_free) struct bytes b = bytes_read(SEEDS "go1.23");
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)b.data, good = *eh;

	(void)state;
	eh->e_ident[EI_CLASS] = ELFCLASS32;
	expect_bytes_error(b.data, b.size, -ENOTSUP, "is for another machine");
	*eh = good;
	eh->e_machine = EM_S390;
	expect_bytes_error(b.data, b.size, -ENOTSUP, "is for another machine (ELF machine 22)");
	*eh = good;
	eh->e_type = ET_REL;
	expect_bytes_error(b.data, b.size, -ENOEXEC, "is an ELF file, but not an executable");
	*eh = good;
	eh->e_phnum = 40000;
	expect_bytes_error(b.data, b.size, -ENOEXEC, "damaged: 40000 program headers");
	*eh = good;
	eh->e_shnum = 60000;
	expect_bytes_error(b.data, b.size, -ENOEXEC, "damaged: 60000 section headers");
	*eh = good;
	expect_bytes_error(b.data, b.size - 1500, -ENOEXEC, "damaged: it is cut off at");
}

/* Cut anywhere, a file is refused with a reason or read. */
static void test_truncated(void **state)
{
	_cleanup_(bytes_free) struct bytes b = bytes_read(SEEDS "go1.27-pie");

	(void)state;
	for (size_t size = 0; size < b.size; size += 7) {
		_cleanup_(fixture_gobin_freep) struct gobin *bin = NULL;
		struct err err = { 0 };
		int r = open_bytes(b.data, size, &bin, &err);
		if (r < 0) {
			assert_int_equal(r, -ENOEXEC);
			assert_true(err.msg[0]);
		}
	}
}

static void test_refused(void **state)
{
	(void)state;
	expect_error(SEEDS "go1.28", -ENOTSUP, "was built with Go 1.28");
	expect_error(SEEDS "go1.26-unknown-experiment", -ENOTSUP, "GOEXPERIMENT 'madeup'");

	/* The magic number of Go 1.16 and 1.17. */
	_cleanup_(bytes_free) struct bytes b = bytes_read(SEEDS "go1.23");
	uint8_t *magic = memmem(b.data, b.size, "\xf1\xff\xff\xff\0\0\1\x08", 8);
	assert_non_null(magic);
	*magic = 0xfa;
	expect_bytes_error(b.data, b.size, -ENOTSUP, "was built with Go 1.17 or older");
}

static void check_seed(struct gobin *bin, int minor, const char *inlined)
{
	const struct gobin_info *info = gobin_info(bin);
	struct gobin_globals g;
	struct gobin_frame frames[4];
	char name[64] = "";

	assert_int_equal(info->go_minor, minor);
	assert_int_equal(gobin_layout(bin)->minor, minor);
	assert_int_equal(info->text, SEED_TEXT);
	assert_true(info->cgo && info->stripped && !info->dwarf);

	assert_int_equal(gobin_find_globals(bin, &g), 0);
	assert_int_equal(g.memstats, SEED_MEMSTATS);
	assert_int_equal(g.gc_controller, SEED_GC_CONTROLLER);
	assert_int_equal(g.allp, SEED_ALLP);
	assert_int_equal(g.emptymspan, SEED_EMPTYMSPAN);

	assert_int_equal(gobin_frames(bin, SEED_TEXT + 9, frames, 4), 2);
	assert_string_equal(frames[0].func, inlined);
	assert_string_equal(frames[0].file, "/src/list.go");
	assert_int_equal(frames[0].line, 20);
	assert_true(frames[0].inlined);
	assert_string_equal(frames[1].func, "main.main");
	assert_string_equal(frames[1].file, "/src/main.go");
	assert_int_equal(frames[1].line, 10);
	assert_false(frames[1].inlined);
	assert_int_equal(gobin_frames(bin, SEED_TEXT + 9, frames, 1), 1);
	assert_int_equal(gobin_frames(bin, SEED_TEXT + 1, frames, 4), 1);

	/* The type follows the pclntab at some aligned place. */
	for (uint64_t va = 0x400400; va < 0x400c00 && !name[0]; va += 8)
		if (gobin_type_name(bin, va, name, sizeof(name)) < 0)
			name[0] = '\0';
	assert_string_equal(name, "main.node");
}

static void check_seed_file(const char *name, int minor, const char *inlined)
{
	_cleanup_(bytes_free) struct bytes b = bytes_read(name);
	_cleanup_(fixture_gobin_freep) struct gobin *bin = NULL;
	struct err err = { 0 };

	if (open_bytes(b.data, b.size, &bin, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	check_seed(bin, minor, inlined);
}

/*
 * Every version by its build info, and by its functions alone; Go 1.20 has no toolchain to test
 * with.
 */
static void test_seeds(void **state)
{
	static const char *const shape = "main.(*list[...]).push";

	(void)state;
	for (int minor = GO_MINOR_MIN; minor <= GO_MINOR_MAX; minor++) {
		char path[64];
		snprintf(path, sizeof(path), SEEDS "go1.%d", minor);
		check_seed_file(path, minor, shape);
		snprintf(path, sizeof(path), SEEDS "go1.%d-nobuildinfo", minor);
		check_seed_file(path, minor, shape);
	}
	check_seed_file(SEEDS "go1.19-pie-nosections", 19, shape);
	check_seed_file(SEEDS "go1.23-bare", 23, shape);
	check_seed_file(SEEDS "go1.25-pie", 25, shape);
	check_seed_file(SEEDS "go1.27-pie", 27, shape);
	check_seed_file(SEEDS "go1.25-experiments", 25, shape);
	check_seed_file(SEEDS "go1.27-generic-method", 27, "main.(*list[...]).mapped[...].func1");
}

/*
 * Tables that make a reader which believes them take long: functions that are not in order, steps
 * that lead nowhere, a call that was inlined into itself.
 */
static void test_endless(void **state)
{
	static const char *const names[] = { "go1.19-inline-loop", "go1.25-inline-loop",
					     "go1.25-zero-steps" };

	(void)state;
	expect_error(SEEDS "go1.25-backwards", -ENOEXEC, "is damaged: bad function table");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];
		_cleanup_(fixture_gobin_freep) struct gobin *bin = NULL;
		struct gobin_frame frames[4];
		struct err err = { 0 };
		snprintf(path, sizeof(path), SEEDS "%s", names[i]);
		if (gobin_open(path, &bin, &err) < 0)
			fail_msg("%s", err.msg);
		assert_int_equal(gobin_frames(bin, SEED_TEXT + 9, frames, 4), -EINVAL);
	}
}

enum {
	HUGE_FUNCS_NR = 150000,
	HUGE_FUNCTAB = 32 << 20, /* from the pclntab */
	HUGE_FUNC_SZ = 44,
	HUGE_BLOCK = 64 << 10, /* what is read at once */
	SEED_RODATA = 0x400,
	SEED_HEADER_FUNCS_NR = 8,
	SEED_HEADER_FUNCTAB = 64,
};

static void put_at(int fd, const void *data, size_t size, off_t at)
{
	assert_int_equal(pwrite(fd, data, size, at), size);
}

/* Each function's name in another block of a file of 4 GiB, which takes a few MB of memory. */
static void make_huge(int fd)
{
	_cleanup_(bytes_free) struct bytes b = bytes_read(SEEDS "go1.25");
	Elf64_Phdr *ph = (Elf64_Phdr *)(void *)(b.data + sizeof(Elf64_Ehdr)), ro = ph[1];
	uint64_t nr = HUGE_FUNCS_NR, functab = HUGE_FUNCTAB;

	/* The data first: it lies within the addresses of the other, which is made longer. */
	ph[1] = ph[2];
	ro.p_filesz = ro.p_memsz = (UINT64_C(4) << 30) - SEED_RODATA;
	ph[2] = ro;
	memcpy(b.data + SEED_RODATA + SEED_HEADER_FUNCS_NR, &nr, sizeof(nr));
	memcpy(b.data + SEED_RODATA + SEED_HEADER_FUNCTAB, &functab, sizeof(functab));
	put_at(fd, b.data, b.size, 0);
	assert_int_equal(ftruncate(fd, (off_t)4 << 30), 0);

	_cleanup_free_ uint32_t *tab = calloc(2 * nr + 1, sizeof(tab[0]));
	_cleanup_free_ uint32_t *funcs = calloc(nr, HUGE_FUNC_SZ);
	assert_true(tab && funcs);
	size_t tab_sz = (2 * nr + 1) * sizeof(tab[0]);
	for (uint32_t i = 0; i < nr; i++) {
		tab[2 * i + 1] = (uint32_t)tab_sz + HUGE_FUNC_SZ * i;
		funcs[HUGE_FUNC_SZ / 4 * i + 1] = i * 7919 % 65000 * HUGE_BLOCK;
	}
	put_at(fd, tab, tab_sz, SEED_RODATA + HUGE_FUNCTAB);
	put_at(fd, funcs, nr * HUGE_FUNC_SZ, SEED_RODATA + HUGE_FUNCTAB + (off_t)tab_sz);
}

/* A file may be larger than any that is worth the time of reading it. */
static void test_huge(void **state)
{
	_cleanup_close_ int fd = memfd_create("gobin", MFD_CLOEXEC);
	char path[64];

	(void)state;
	make_huge(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	expect_error(path, -ENOEXEC, "is damaged: bad function table");
}

/* Nothing that a file says may drive a terminal: neither by C0 nor by C1, nor hide what follows. */
static void test_printable(void **state)
{
	_cleanup_(bytes_free) struct bytes b = bytes_read(SEEDS "go1.25");
	_cleanup_(fixture_gobin_freep) struct gobin *bin = NULL;
	struct err err = { 0 };
	char *path = memmem(b.data, b.size, "path\texample.com/seed", 21);
	char *version = memmem(b.data, b.size, "go1.25.1", 8);
	char *func = memmem(b.data, b.size, "main.main", 9);

	(void)state;
	assert_true(path && version && func);
	memcpy(path + 5, "a\033b\302\2332J\177\377", 10);
	memcpy(version + 6, "\302\233", 2);
	memcpy(func, "\342\200\256\033[2", 6);
	assert_int_equal(open_bytes(b.data, b.size, &bin, &err), 0);
	assert_string_equal(gobin_info(bin)->go_version, "go1.25?");
	assert_memory_equal(gobin_info(bin)->main_path, "a?b?2J?\357\277\275", 10);

	struct gobin_frame frame;
	assert_int_equal(gobin_frames(bin, SEED_TEXT + 1, &frame, 1), 1);
	assert_string_equal(frame.func, "??[2ain");
}

/* No section headers, and nothing that is recognised as build info. */
static void make_bare(struct bytes *b)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)b->data;
	uint8_t *info;

	eh->e_shoff = 0;
	eh->e_shnum = eh->e_shstrndx = 0;
	while ((info = memmem(b->data, b->size, "\xff Go buildinf:", 14)))
		info[0] = 0;
}

/* The version is deduced, and all is found as if nothing was missing. */
static void test_bare(void **state)
{
	for (int mode = 0; mode < FIXTURE_MODES_NR; mode++) {
		char path[FIXTURE_PATH_CAP];
		fixture_need(*state, fixture_modes[mode], "gobinfix", path, sizeof(path));
		_cleanup_(bytes_free) struct bytes b = bytes_read(path);
		_cleanup_(fixture_gobin_freep) struct gobin *whole = NULL, *bare = NULL;
		struct err err = { 0 };
		struct gobin_globals g[2];

		make_bare(&b);
		assert_int_equal(gobin_open(path, &whole, &err), 0);
		if (open_bytes(b.data, b.size, &bare, &err) < 0)
			fail_msg("%s: %s", path, err.msg);
		assert_string_equal(gobin_info(bare)->go_version, "");
		assert_int_equal(gobin_info(bare)->go_minor, gobin_info(whole)->go_minor);
		assert_int_equal(gobin_info(bare)->text, gobin_info(whole)->text);
		assert_int_equal(gobin_find_globals(whole, &g[0]), 0);
		assert_int_equal(gobin_find_globals(bare, &g[1]), 0);
		assert_memory_equal(&g[0], &g[1], sizeof(g[0]));
	}
}

/* A program that shrinks while it is open is an error, not a crash. */
static void test_shrinks(void **state)
{
	char path[FIXTURE_PATH_CAP], copy[64];
	fixture_need(*state, "stripped", "gobinfix", path, sizeof(path));
	_cleanup_(bytes_free) struct bytes b = bytes_read(path);
	_cleanup_close_ int fd = memfd_create("gobin", MFD_CLOEXEC);
	_cleanup_(fixture_gobin_freep) struct gobin *bin = NULL;
	struct err err = { 0 };
	uint8_t byte;

	assert_int_equal(write(fd, b.data, b.size), b.size);
	snprintf(copy, sizeof(copy), "/proc/self/fd/%d", fd);
	assert_int_equal(gobin_open(copy, &bin, &err), 0);
	assert_int_equal(gobin_read(bin, gobin_info(bin)->text, &byte, 1), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	/* Far from what is cached. */
	assert_int_equal(gobin_read(bin, gobin_info(bin)->etext - (128 << 10), &byte, 1), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_go),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_printable),
		cmocka_unit_test_prestate(test_bare, (void *)(uintptr_t) "1.19"),
		cmocka_unit_test_prestate(test_bare, (void *)(uintptr_t) "1.21"),
		cmocka_unit_test_prestate(test_bare, (void *)(uintptr_t) "1.22"),
		cmocka_unit_test_prestate(test_bare, (void *)(uintptr_t) "1.23"),
		cmocka_unit_test_prestate(test_bare, (void *)(uintptr_t) "1.24"),
		cmocka_unit_test_prestate(test_bare, (void *)(uintptr_t) "1.25"),
		cmocka_unit_test_prestate(test_bare, (void *)(uintptr_t) "1.26"),
		cmocka_unit_test_prestate(test_bare, (void *)(uintptr_t) "1.27"),
		cmocka_unit_test_prestate(test_shrinks, (void *)(uintptr_t) "1.25"),
	};

	return cmocka_run_group_tests_name("gobin files", tests, NULL, NULL);
}
