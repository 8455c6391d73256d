/* SPDX-License-Identifier: BSD-2-Clause */
/* runtime.firstmoduledata: where Go's linker says text, types and inline trees are. */
#ifndef GALLOP_GOBIN_MODULEDATA_H
#define GALLOP_GOBIN_MODULEDATA_H

#include <stdint.h>

#include "base/err.h"

struct elf_file;
struct image;
struct pclntab;

struct moduledata {
	uint64_t va;
	uint64_t text, etext;
	uint64_t types, etypes;
	uint64_t gofunc; /* the base of funcdata offsets: go:func.* */
};

/* Find the one that belongs to a pclntab. 0, or -ENOEXEC if there is none or it is damaged. */
int moduledata_find(struct moduledata *md, int minor, const struct pclntab *tab,
		    const struct elf_file *elf, struct image *img, struct err *err);

#endif
