/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any command line: words one to a line, the first a command. It is parsed and checked, and what a command reads of its
 * options before it looks at anything else is read: formats, limits of --fail-if, names of functions. Nothing is run.
 */
#include <argp.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <stdnoreturn.h>

#include "base/utf8.h"
#include "cmd/cmd.h"
#include "cmd/fail_if.h"
#include "cmd/help.h"
#include "plan/opname.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/replay.h"

enum { WORDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The parser leaks what it has when it ends the program, as it may. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static jmp_buf ended;
static bool parsing;

/* Usage errors and --help end the program: here, the input. */
noreturn void exit(int status)
{
	if (parsing) {
		require(status == EXIT_STATUS_OK || status == EXIT_STATUS_USAGE ||
			status == EXIT_STATUS_FAILURE);
		longjmp(ended, 1);
	}
	void (*real)(int) = (void (*)(int))(uintptr_t)dlsym(RTLD_NEXT, "exit");
	real(status);
	abort();
}

/* Usage errors are told, and go on: exit() of the C library's own can't be caught. */
error_t argp_parse(const struct argp *argp, int argc, char **argv, unsigned flags, int *arg_index,
		   void *input)
{
	error_t (*real)(const struct argp *, int, char **, unsigned, int *,
			void *) = (error_t(*)(const struct argp *, int, char **, unsigned, int *,
					      void *))(uintptr_t)dlsym(RTLD_NEXT, "argp_parse");

	if (real(argp, argc, argv, flags | ARGP_NO_EXIT | ARGP_NO_ERRS, arg_index, input))
		exit(EXIT_STATUS_USAGE);
	return 0;
}

/* Every line is gallop's own, whatever it quotes: no character in it moves a cursor or begins another line. */
static void check_line(const char *line, size_t len)
{
	require(len > 6 && (!memcmp(line, "gallop", 6) || !memcmp(line, "hint: ", 6)));
	for (size_t n; len; line += n, len -= n) {
		int32_t c = utf8_decode(line, len, &n);
		require(c != UTF8_INVALID && utf8_is_printable(c));
	}
}

static void check_talk(const char *text, size_t len)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		require(end != NULL);
		check_line(text, (size_t)(end - text));
		len -= (size_t)(end + 1 - text);
		text = end + 1;
	}
}

static void tell(const struct err *err)
{
	require(err->code && err->msg[0]);
	print_err(err);
}

static void read_limits(const struct options *opts)
{
	for (size_t i = 0; i < opts->fail_if.nr; i++) {
		struct err err = { 0 };
		struct fail_if limit;
		struct diff_value v = { .side = { 1, 2 }, .change = 1, .ci95 = 0.5 };

		if (fail_if_parse(opts->fail_if.v[i], &limit, &err)) {
			tell(&err);
			continue;
		}
		require(limit.measure < DIFF_MEASURES_NR && limit.change == limit.change);
		fail_if_judge(&limit, &v);
	}
}

static void read_names(const struct options *opts)
{
	static const char *const funcs[] = { "main.main", "main.(*T).Do", "a/b.Map[...]",
					     "x.(*****************************).*a*a*a*a*b" };

	for (size_t i = 0; i < opts->funcs.nr; i++) {
		struct opname name;
		char plain[OPNAME_MAX];

		if (opname_init(&name, opts->funcs.v[i]))
			continue;
		for (size_t f = 0; f < sizeof(funcs) / sizeof(funcs[0]); f++) {
			opname_match(&name, funcs[f], opname_plain(funcs[f], plain, sizeof(plain)));
			opname_distance(&name, funcs[f]);
		}
	}
}

static void read_options(const struct cmd *cmd, const struct options *opts)
{
	struct err err = { 0 };
	int status = options_check(cmd, opts, &err);

	if (status) {
		require(status == err.code);
		tell(&err);
		return;
	}
	require(opts->pid >= 0 && opts->budget > 0 && opts->budget <= 1);
	require(opts->duration_ns <= INT64_MAX && opts->delay_ns <= INT64_MAX);
	read_limits(opts);
	read_names(opts);
	if (!choose_renderer(opts, &err))
		tell(&err);
	render_opts_of(opts);
}

static void parse(const struct cmd *cmd, int argc, char **argv)
{
	struct options opts;

	parsing = true;
	if (__lsan_disable)
		__lsan_disable();
	int over = setjmp(ended);
	if (!over)
		options_parse(cmd, argc, argv, &opts);
	if (__lsan_enable)
		__lsan_enable();
	parsing = false;
	if (!over)
		read_options(cmd, &opts);
}

static void run(char **words, int nr)
{
	char *argv[WORDS_MAX + 1];
	struct err err = { 0 };

	memcpy(argv, words, sizeof(argv));
	const struct cmd *cmd = command_find(words[0]);
	if (cmd) {
		parse(cmd, nr, argv);
		return;
	}
	require(suggest_command(words[0], &err) == -EINVAL);
	tell(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct input in = { data, data + size };
	char *words[WORDS_MAX + 1] = { NULL };
	char *told = NULL;
	size_t told_len = 0;
	int nr = 0;

	/* Help is printed. */
	if (!null)
		null = freopen("/dev/null", "w", stdout);
	while (nr < WORDS_MAX && (input_left(&in) || !nr))
		words[nr++] = input_text(&in, '\n');
	FILE *real = stderr;
	stderr = open_memstream(&told, &told_len);
	require(stderr != NULL);
	run(words, nr);
	fclose(stderr);
	stderr = real;
	check_talk(told, told_len);
	free(told);
	for (int i = 0; i < nr; i++)
		free(words[i]);
	return 0;
}

const char replay_corpus[] = "tests/fuzz/corpus/options";

void replay_input(const uint8_t *data, size_t size)
{
	LLVMFuzzerTestOneInput(data, size);
}
