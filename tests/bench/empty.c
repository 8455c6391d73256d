/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * empty OBJECT PID OFFSET...: attach a BPF program that does nothing to file offsets of a process's executable,
 * say "ready", and stay until killed. The measure that a real program is held against.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OFFSETS_MAX = 256 };

int main(int argc, char **argv)
{
	unsigned long offsets[OFFSETS_MAX];
	char path[64];
	size_t nr = 0;

	if (argc < 4 || argc - 3 > OFFSETS_MAX) {
		fprintf(stderr, "usage: empty OBJECT PID OFFSET...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		offsets[nr++] = strtoul(argv[i], NULL, 0);
	snprintf(path, sizeof(path), "/proc/%s/exe", argv[2]);

	struct bpf_object *obj = bpf_object__open_file(argv[1], NULL);
	if (!obj || bpf_object__load(obj)) {
		fprintf(stderr, "empty: cannot load %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets, .cnt = nr);
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "nothing");
	if (!bpf_program__attach_uprobe_multi(prog, atoi(argv[2]), path, NULL, &opts)) {
		fprintf(stderr, "empty: cannot attach: %s\n", strerror(errno));
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}
