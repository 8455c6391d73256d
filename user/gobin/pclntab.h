/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pclntab: Go's own table of functions, names, files and lines, which the runtime needs for
 * tracebacks and which no stripping removes (Go 1.18+: runtime/symtab.go pcHeader, functab, _func).
 */
#ifndef GALLOP_GOBIN_PCLNTAB_H
#define GALLOP_GOBIN_PCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "gobin/image.h"

struct elf_file;
struct gobin_func;

enum pclntab_format {
	PCLNTAB_GO118, /* 1.18 and 1.19: _func of 40 bytes, inline tree entries of 20 */
	PCLNTAB_GO120, /* 1.20 and later: 44 and 16 */
};

enum {
	PCLNTAB_NAME_MAX = 8192,
	/* Of all tables that one question needs: functions of 1 MB of code have some 100 000 each. */
	PCVALUE_STEPS_MAX = 2 << 20,
};

struct pclntab {
	struct image *img; /* borrowed */
	enum pclntab_format format;
	uint64_t va;
	uint32_t min_lc; /* what pc deltas are multiplied by: 1 on amd64, 4 on arm64 */
	uint32_t funcs_nr;
	uint64_t text_start; /* as the header has it; 0 since Go 1.26 and in PIEs */
	uint64_t names, cus, files, pctab, functab; /* va of the tables */
	uint64_t passes_work; /* what may yet be read by pclntab_each() */
	/* Known only from the moduledata; 0 until it is found. */
	uint64_t text, etext;
	uint64_t gofunc;
};

/* One function as its _func has it. */
struct pclntab_func {
	uint32_t name_off, pcsp, pcfile, pcln, npcdata, cu_off;
	uint8_t func_id, flags, nfuncdata; /* flags: internal/abi/symtab.go FuncFlag */
	uint64_t tables; /* va of its pcdata offsets, which the funcdata offsets follow */
};

/*
 * Find it by section, else by looking through the segments. 0; -ENOEXEC if there is none; -ENOTSUP.
 */
int pclntab_find(struct pclntab *tab, const struct elf_file *elf, struct image *img,
		 struct err *err);

/* The idx-th function; entry and end need tab->text. 0 or -errno. */
int pclntab_get(struct pclntab *tab, uint32_t idx, struct gobin_func *ret);

/*
 * Call fn for each function, until it returns non-zero (which is then returned); its name, cut to
 * cap, is in `name`. -EINVAL where the file makes all passes together too much work; or -errno.
 */
int pclntab_each(struct pclntab *tab, char *name, size_t cap,
		 int (*fn)(const struct gobin_func *func, void *ctx), void *ctx);

/* The function whose code covers va. 0, -ENOENT outside, or -errno. */
int pclntab_find_func(struct pclntab *tab, uint64_t va, struct gobin_func *ret);

/* A name, cut to cap. 0 or -errno. */
int pclntab_name(struct pclntab *tab, uint32_t name_off, char *buf, size_t cap);

/* A file of the compilation unit at cu_off; "?" if it has no name. 0 or -errno. */
int pclntab_file(struct pclntab *tab, uint32_t cu_off, uint32_t file, char *buf, size_t cap);

/* The _func of a function. 0 or -errno. */
int pclntab_read_func(struct pclntab *tab, const struct gobin_func *func, struct pclntab_func *ret);

/*
 * The offset of a pcdata table, 0 if the function has none; and of a funcdata, UINT32_MAX if none.
 */
int pclntab_pcdata(struct pclntab *tab, const struct pclntab_func *fn, uint32_t kind,
		   uint32_t *ret);
int pclntab_funcdata(struct pclntab *tab, const struct pclntab_func *fn, uint32_t kind,
		     uint32_t *ret);

/* Steps through a pc-value table: each step is a run [pc, end) with one value. */
struct pcvalue {
	struct image_cursor cur;
	uint64_t pc, end;
	uint64_t limit; /* the function's end: nothing valid lies beyond */
	uint32_t min_lc;
	uint32_t *steps_left;
	int32_t value;
	bool first;
};

/*
 * `off` is an offset into the pctab; 0 is an empty table. *steps_left is counted down: tables that
 * are read for one question share it.
 */
void pcvalue_init(struct pcvalue *pv, struct pclntab *tab, const struct gobin_func *func,
		  uint32_t off, uint32_t *steps_left);

/* 1 with the next run, 0 at the end of the table, -EINVAL if it is damaged or no step is left. */
int pcvalue_next(struct pcvalue *pv);

/* The value at va, -1 if the table has none there. 0 or -errno. */
int pcvalue_at(struct pclntab *tab, const struct gobin_func *func, uint32_t off, uint64_t va,
	       uint32_t *steps_left, int32_t *ret);

#endif
