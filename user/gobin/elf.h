/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ELF headers say: the machine, the segments, the few sections that help to find Go's own
 * tables, the build id, and the relocations that a position-independent executable keeps its
 * pointers in.
 *
 * Sections are only hints, for a binary may have none: whatever is found through them is checked,
 * and looked for in the segments when they lack it.
 */
#ifndef GALLOP_GOBIN_ELF_H
#define GALLOP_GOBIN_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct image;

/* Sections that are remembered. Adding one: its name in elf.c, section_names[]. */
enum elf_section {
	ELF_SECTION_PCLNTAB,
	ELF_SECTION_MODULE,
	ELF_SECTION_NOPTRDATA,
	ELF_SECTION_BUILDINFO,
	ELF_SECTION_NR,
};

struct elf_range {
	uint64_t va, size; /* size 0: there is none */
};

struct elf_file {
	uint16_t machine;
	bool pie;
	bool stripped;
	bool dwarf;
	char gnu_build_id[129]; /* hex, or "" */
	char go_build_id[257];
	bool may_be_go; /* false: it has sections and notes, and none that every Go program has */
	struct elf_range sections[ELF_SECTION_NR];
	struct elf_range rela; /* the dynamic relocations */
};

/*
 * Read the headers and tell img its segments. 0; -ENOEXEC if this is no ELF executable or a damaged
 * one; -ENOTSUP for a machine that is not known.
 */
int elf_file_read(struct elf_file *elf, struct image *img, struct err *err);

/*
 * Call fn for each relative relocation, in file order: the loader will store `addend` (plus the
 * load bias) at `va`. Stops with the first result of fn that is not 0 and returns it. 0 or -errno.
 */
int elf_file_each_relative(const struct elf_file *elf, struct image *img,
			   int (*fn)(uint64_t va, uint64_t addend, void *ctx), void *ctx);

#endif
