/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * empty OBJECT OFFSETS EXE [ARG...]: run a program with a BPF program that does nothing at some offsets of its
 * file (comma-separated): the measure that a real one is held against.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OFFSETS_MAX = 256 };

static size_t parse_offsets(char *list, unsigned long *ret)
{
	size_t nr = 0;

	for (char *word = strtok(list, ","); word && nr < OFFSETS_MAX; word = strtok(NULL, ","))
		ret[nr++] = strtoul(word, NULL, 0);
	return nr;
}

int main(int argc, char **argv)
{
	unsigned long offsets[OFFSETS_MAX];
	int status;

	if (argc < 4) {
		fprintf(stderr, "usage: empty OBJECT OFFSETS EXE [ARG...]\n");
		return 2;
	}
	struct bpf_object *obj = bpf_object__open_file(argv[1], NULL);
	if (!obj || bpf_object__load(obj)) {
		fprintf(stderr, "empty: cannot load %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets,
		    .cnt = parse_offsets(argv[2], offsets));
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "nothing");
	if (!bpf_program__attach_uprobe_multi(prog, -1, argv[3], NULL, &opts)) {
		fprintf(stderr, "empty: cannot attach: %s\n", strerror(errno));
		return 1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		execv(argv[3], argv + 3);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
