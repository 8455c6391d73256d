/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a Go executable: nothing may crash, hang or take memory by what the file claims.
 *
 * A replay reads each file as it is, then many times with damage done to it: cut short, or a few
 * bytes changed in the headers and in Go's own tables. The damage is the same on every run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "gobin/layout.h"
#include "plan/place.h"
#include "tests/fuzz/replay.h"

enum { FRAMES_MAX = 16, PROBES = 16, TYPES = 400, RUNS_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_gobin: %s\n", what);
	abort();
}

static int count_run(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	int *nr = ctx;

	(void)sp_delta;
	require(end >= va, "a pcsp run ends before it begins");
	return ++*nr > RUNS_MAX;
}

static int visit_func(const struct gobin_func *func, const char *name, void *ctx)
{
	int *left = ctx;

	require(strlen(name) > 0 || func->end >= func->entry, "a function ends before it begins");
	return --*left == 0;
}

static int visit_inlined(const struct gobin_func *host, uint32_t name_off, void *ctx)
{
	int *left = ctx;

	(void)name_off;
	require(host->end >= host->entry, "a host ends before it begins");
	return --*left == 0;
}

/* Where its calls begin and end, as far as that can be told. */
static void ask_places(struct gobin *bin, const struct gobin_func *func)
{
	uint64_t returns[FRAMES_MAX];
	const char *why = NULL;
	struct place place;

	if (place_begin(bin, func, &place, &why) == 0)
		require(place.va >= func->entry && place.insn, "a place in the function");
	else
		require(why != NULL, "a reason");
	int nr = place_returns(bin, func, returns, FRAMES_MAX);
	for (int i = 0; i < nr; i++)
		require(returns[i] >= func->entry && returns[i] < func->end,
			"a RET in the function");
}

static void ask_about(struct gobin *bin, uint64_t va)
{
	struct gobin_frame frames[FRAMES_MAX];
	struct gobin_func func;
	char buf[256];
	uint64_t off, back;
	int runs = 0;

	int nr = gobin_frames(bin, va, frames, FRAMES_MAX);
	require(nr <= FRAMES_MAX && nr != 0, "the number of frames");
	for (int i = 0; i < nr; i++)
		require(strlen(frames[i].func) < sizeof(frames[i].func) &&
				strlen(frames[i].file) < sizeof(frames[i].file),
			"the text of a frame");
	gobin_type_name(bin, va & ~(uint64_t)7, buf, sizeof(buf));
	gobin_read(bin, va, buf, sizeof(buf));
	if (gobin_file_offset(bin, va, &off) == 0)
		gobin_va_of_offset(bin, off, &back);
	if (gobin_func_at(bin, va, &func) < 0)
		return;
	require(va >= func.entry && va < func.end, "the function at an address covers it");
	gobin_func_name(bin, &func, buf, sizeof(buf));
	gobin_each_pcsp(bin, &func, count_run, &runs);
	ask_places(bin, &func);
}

static void exercise(struct gobin *bin)
{
	static const char *const names[] = { "runtime.mallocgc", "main.main" };
	const struct gobin_info *info = gobin_info(bin);
	struct gobin_globals globals;
	struct gobin_func func;
	int left = 100, inlined_left = 10000;

	require(gobin_layout(bin) && gobin_layout(bin)->minor == info->go_minor, "the layout");
	require(info->text < info->etext, "the text");
	gobin_find_globals(bin, &globals);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		gobin_find_func(bin, names[i], &func);
	gobin_each_func(bin, "", visit_func, &left);
	gobin_each_inlined(bin, visit_inlined, &inlined_left);
	for (uint64_t i = 0; i < PROBES; i++) {
		ask_about(bin, info->text + (info->etext - info->text) / PROBES * i + i);
		ask_about(bin, info->text + 3 * i);
	}
	/* Where types are is not public; in the seeds they follow the code. */
	for (uint64_t i = 0; i < TYPES; i++) {
		char name[64];
		gobin_type_name(bin, (info->text & ~(uint64_t)7) + 8 * i, name, sizeof(name));
	}
}

static void try_fd(int fd)
{
	struct gobin *bin = NULL;
	struct err err = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int r = gobin_open(path, &bin, &err);
	if (r < 0) {
		require(err.code == r && err.msg[0] && !strchr(err.msg, '\n'),
			"one line of explanation");
		require(r == -ENOEXEC || r == -ENOTSUP || r == -ENOMEM, "the code of a bad file");
		return;
	}
	exercise(bin);
	gobin_free(bin);
}

/* A file without a name, made once: making one for each input costs more than reading it. */
static int scratch_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz_gobin", MFD_CLOEXEC);
	require(fd >= 0, "memfd_create");
	return fd;
}

static void store(int fd, const uint8_t *data, size_t size, off_t at)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, at);
		require(n > 0, "pwrite");
		data += n;
		size -= (size_t)n;
		at += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = scratch_fd();

	require(ftruncate(fd, 0) == 0, "ftruncate");
	store(fd, data, size, 0);
	try_fd(fd);
	return 0;
}

/* --- replay ----------------------------------------------------------------------------------- */

enum { DAMAGED_NR = 100, CHANGES_MAX = 8, HEADER_SZ = 4096, AREAS_MAX = 8 };

const char replay_corpus[] = "tests/fuzz/corpus/gobin";

/* xorshift64: the same damage on every run and machine. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/*
 * Where damage is of interest: the headers at both ends, and around what Go's own tables begin
 * with.
 */
static size_t find_areas(const uint8_t *data, size_t size, size_t *areas)
{
	static const char *const marks[] = { "\xf0\xff\xff\xff\0\0\1\x08",
					     "\xf1\xff\xff\xff\0\0\1\x08", "\xff Go buil",
					     "runtime." };
	size_t nr = 0;

	areas[nr++] = 0;
	areas[nr++] = size > HEADER_SZ ? size - HEADER_SZ : 0;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const uint8_t *hit = memmem(data, size, marks[i], 8);
		if (hit)
			areas[nr++] = (size_t)(hit - data);
	}
	return nr;
}

static void change_bytes(int fd, const uint8_t *data, size_t size, uint64_t *state)
{
	size_t areas[AREAS_MAX], at[CHANGES_MAX];
	size_t areas_nr = find_areas(data, size, areas);
	size_t nr = next_random(state) % CHANGES_MAX + 1;

	for (size_t i = 0; i < nr; i++) {
		size_t area = next_random(state) % (areas_nr + 1);
		size_t span = area < areas_nr && size > HEADER_SZ ? 256 : size;
		at[i] = ((area < areas_nr ? areas[area] : 0) + next_random(state) % span) % size;
		uint8_t byte = next_random(state) % 4 ? (uint8_t)next_random(state) : 0xff;
		store(fd, &byte, 1, (off_t)at[i]);
	}
	try_fd(fd);
	for (size_t i = 0; i < nr; i++)
		store(fd, data + at[i], 1, (off_t)at[i]);
}

void replay_input(const uint8_t *data, size_t size)
{
	int fd = scratch_fd();
	uint64_t state = 0x9e3779b97f4a7c15;

	LLVMFuzzerTestOneInput(data, size);
	for (int i = 0; i < DAMAGED_NR && size > 0; i++) {
		if (i % 4 != 0) {
			change_bytes(fd, data, size, &state);
			continue;
		}
		size_t cut = next_random(&state) % size;
		require(ftruncate(fd, (off_t)cut) == 0, "ftruncate");
		try_fd(fd);
		store(fd, data + cut, size - cut, (off_t)cut);
	}
}
