/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do BPF programs that are loaded have a stack for each CPU, or that of the thread they run in?
 *
 *	own_stack_test ID...
 *
 * Looks at the machine code that the kernel made of them. First at a program of its own that must have one for each
 * CPU, if this kernel knows such: exit status 77 and the reason if it doesn't. Prints the names of those of ID... that have.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CODE_MAX = 1 << 20, SKIPPED = 77 };

static uint8_t code[CODE_MAX];

static void die(const char *what)
{
	fprintf(stderr, "own_stack_test: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The kernel's arch/x86/net/bpf_jit_comp.c emit_priv_frame_ptr(): add %gs:this_cpu_off,%r9. */
static bool has_stack_per_cpu(size_t size)
{
	static const uint8_t add_cpu_off[] = { 0x65, 0x4c, 0x03, 0x0c, 0x25 };

	return memmem(code, size, add_cpu_off, sizeof(add_cpu_off)) != NULL;
}

/* The machine code of a program, into code[]; its size, 0 if there's none or it isn't shown. */
static size_t read_code(int fd, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = { .jited_prog_insns = (uintptr_t)code,
				      .jited_prog_len = sizeof(code) };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		die("cannot read a program");
	memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	if (!info.jited_prog_insns || info.jited_prog_len > sizeof(code))
		return 0;
	return info.jited_prog_len;
}

/* *(u64 *)(r10 - 128) = 0; return 0 */
static int load_large_stack(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -128 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "large_stack", "Dual BSD/GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), NULL);
}

int main(int argc, char **argv)
{
	char name[BPF_OBJ_NAME_LEN];
	int fd = load_large_stack();

	if (fd < 0)
		die("cannot load a program");
	if (!has_stack_per_cpu(read_code(fd, name))) {
		puts("this kernel gives no program a stack for each CPU");
		return SKIPPED;
	}
	close(fd);
	for (int i = 1; i < argc; i++) {
		fd = bpf_prog_get_fd_by_id((uint32_t)strtoul(argv[i], NULL, 10));
		if (fd < 0)
			die("no such program");
		size_t size = read_code(fd, name);
		if (!size)
			die("no machine code");
		if (has_stack_per_cpu(size))
			printf("%.*s\n", BPF_OBJ_NAME_LEN, name);
		close(fd);
	}
	return 0;
}
