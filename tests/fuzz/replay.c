/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays files to a fuzzer and prints TAP, a test for each: those named, or the whole corpus.
 *
 * Each is read in a process of its own, so that one that crashes, hangs or takes too much memory
 * fails and the rest is still tried. Memory is what the process had in use at most; under a
 * sanitizer, whose own it would be, no single allocation may be larger instead.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/fuzz/replay.h"

enum {
	MEMORY_MAX_MB = 256, /* what gallop promises of any file */
	MEMORY_CEILING_MB = 1024, /* beyond this the kernel says no: the machine is shared */
	SECONDS_MAX = 60,
};

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "max_allocation_size_mb=256";
}
#else
enum { SANITIZED = 0 };
#endif

static void read_and_try(const char *path)
{
	struct rlimit ceiling = { (rlim_t)MEMORY_CEILING_MB << 20,
				  (rlim_t)MEMORY_CEILING_MB << 20 };
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ uint8_t *data = NULL;
	long size = -1;

	if (f && !fseek(f, 0, SEEK_END))
		size = ftell(f);
	if (size >= 0)
		data = malloc((size_t)size + 1);
	if (data)
		rewind(f);
	if (!data || fread(data, 1, (size_t)size, f) != (size_t)size) {
		perror(path);
		exit(1);
	}
	if (!SANITIZED && setrlimit(RLIMIT_DATA, &ceiling)) {
		perror("setrlimit");
		exit(1);
	}
	alarm(SECONDS_MAX);
	replay_input(data, (size_t)size);
}

static void replay(int nr, const char *path)
{
	struct rusage used;
	int status = -1;

	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		read_and_try(path);
		exit(0);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid) {
		printf("not ok %d - %s\n# cannot fork\n", nr, path);
		return;
	}
	bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool small = SANITIZED || used.ru_maxrss <= MEMORY_MAX_MB * 1024L;
	printf("%sok %d - %s%s\n", ended && small ? "" : "not ", nr, path,
	       SANITIZED ? ", sanitized" : "");
	if (!ended && WIFSIGNALED(status))
		printf("# %s\n", strsignal(WTERMSIG(status)));
	else if (!ended)
		printf("# exit status %d\n", WEXITSTATUS(status));
	if (!small)
		printf("# it took %ld KiB of memory\n", used.ru_maxrss);
}

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_directory(const char *dir)
{
	struct dirent **names;
	int nr = scandir(dir, &names, is_file, alphasort);

	if (nr <= 0) {
		fprintf(stderr, "no corpus in '%s'\n", dir);
		return 1;
	}
	printf("1..%d\n", nr);
	for (int i = 0; i < nr; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		replay(i + 1, path);
		free(names[i]);
	}
	free(names);
	return 0;
}

/* What failed is in the output, which tests/run reads. */
int main(int argc, char **argv)
{
	if (argc == 1)
		return replay_directory(replay_corpus);
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++)
		replay(i, argv[i]);
	return 0;
}
