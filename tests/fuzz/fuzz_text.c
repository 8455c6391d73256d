/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small texts from outside, each read by what reads it: the first byte says which. Limits of --fail-if, a process's
 * control groups, its name in /proc/PID/stat, names to be shown, patterns of functions, regular expressions, files of
 * container engines.
 */
#include <sys/prctl.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cmd/fail_if.h"
#include "plan/opname.h"
#include "proc/container.h"
#include "proc/container_name.h"
#include "proc/proc.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/replay.h"
#include "tui/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_shown(const char *text)
{
	for (size_t left = strlen(text), n; left; text += n, left -= n) {
		int32_t c = utf8_decode(text, left, &n);
		require(c != UTF8_INVALID && utf8_is_printable(c));
	}
}

static void read_limit(struct input *in)
{
	char *text = input_text(in, '\n');
	struct err err = { 0 };
	struct fail_if limit;

	if (fail_if_parse(text, &limit, &err))
		require(err.msg[0] && err.hint[0]);
	else
		require(limit.measure < DIFF_MEASURES_NR && limit.change == limit.change);
	free(text);
}

static void read_cgroup(struct input *in)
{
	size_t size = input_left(in);
	FILE *f = size ? fmemopen((void *)(uintptr_t)in->at, size, "r") : NULL;

	if (!f)
		return;
	struct container_id id = container_parse(f);
	require(strspn(id.text, "0123456789abcdef") == strlen(id.text));
	require(!id.text[0] || strlen(id.text) == CONTAINER_ID_LEN);
	fclose(f);
}

/* The kernel writes it as it is between two brackets. */
static void read_comm(struct input *in)
{
	char *text = input_text(in, '\0');
	struct err err = { 0 };
	struct proc *proc = NULL;
	char buf[256];

	prctl(PR_SET_NAME, text);
	require(proc_open(getpid(), &proc, &err) == 0);
	require(proc->start_time && proc->start_code > 1 && proc->start_stack);
	require(proc_state(proc) == PROC_SAME);
	check_shown(proc->comm);
	check_shown(proc->exe);
	require(proc_cmdline(proc, buf, sizeof(buf)) == 0);
	check_shown(buf);
	proc_free(proc);
	free(text);
}

static void clean(struct input *in)
{
	size_t room = input_u8(in) + 1;
	char *text = input_text(in, '\0'), *small = malloc(room);

	require(small != NULL);
	require(utf8_clean(small, room, text) == strlen(small) && strlen(small) < room);
	check_shown(small);
	size_t n = utf8_prefix(small, room / 2);
	require(n <= strlen(small) && utf8_width(small) <= strlen(small));
	require(utf8_clean_in_place(text, strlen(text) + 1) == 0);
	check_shown(text);
	free(small);
	free(text);
}

static void match_name(struct input *in)
{
	char *written = input_text(in, '\n'), *func = input_text(in, '\n');
	char plain[OPNAME_MAX];
	struct opname_list list;
	struct opname name;

	if (opname_init(&name, written) == 0) {
		const char *p = opname_plain(func, plain, sizeof(plain));
		require(opname_match(&name, func, p) <= OPNAME_EXACT);
		opname_distance(&name, p);
	}
	opname_list_init(&list, OPNAME_LIST_SZ / 2);
	opname_list_add(&list, written);
	opname_list_add(&list, func);
	require(strlen(opname_list_end(&list)) < OPNAME_LIST_SZ);
	free(written);
	free(func);
}

static void match_pattern(struct input *in)
{
	char *text = input_text(in, '\n'), *name = input_text(in, '\n');
	struct pattern p = { 0 };
	struct err err = { 0 };

	if (pattern_set(&p, text, true, &err))
		require(err.msg[0]);
	else if (pattern_regex(&p))
		regexec(pattern_regex(&p), name, 0, NULL, 0);
	pattern_clear(&p);
	free(text);
	free(name);
}

/* The file ends where its memory does, and may hold NULs. */
static void read_names(struct input *in)
{
	const struct container_id id = {
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	};
	enum container_file kind = input_u8(in) % (CONTAINER_FILE_STORAGE + 1);
	char *name = input_text(in, '\n');
	size_t len = input_left(in);
	char *text = malloc(len + 1);

	require(text != NULL);
	input_take(in, text, len);
	text[len] = '\0';
	bool found = container_named_in(kind, text, len, &id, name);
	/* None but the names of this id. */
	if (found && kind == CONTAINER_FILE_STORAGE && !memchr(text, '\\', len))
		require(memmem(text, len, id.text, CONTAINER_ID_LEN) != NULL);
	free(text);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(struct input * in) = {
		read_limit, read_cgroup, read_comm, clean, match_name, match_pattern, read_names
	};
	struct input in = { data, data + size };

	readers[input_u8(&in) % (sizeof(readers) / sizeof(readers[0]))](&in);
	return 0;
}

const char replay_corpus[] = "tests/fuzz/corpus/text";

void replay_input(const uint8_t *data, size_t size)
{
	LLVMFuzzerTestOneInput(data, size);
}
