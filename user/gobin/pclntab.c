/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding and reading the pclntab. The format is runtime/symtab.go's (pcHeader, functab, _func,
 * step) and cmd/link/internal/ld/pcln.go's; debug/gosym/pclntab.go is the standard library's reader
 * of it.
 */
#include "gobin/pclntab.h"

#include <errno.h>
#include <string.h>

#include "gobin/elf.h"
#include "gobin/gobin.h"
#include "gobin/layout.h"

enum {
	MAGIC_GO12 = 0xfffffffb,
	MAGIC_GO116 = 0xfffffffa, /* 1.16, 1.17 */
	MAGIC_GO118 = 0xfffffff0, /* 1.18, 1.19 */
	MAGIC_GO120 = 0xfffffff1, /* 1.20 to 1.27 at least */
	HEADER_SZ = 72,
	FUNCTAB_ENTRY_SZ = 8, /* {u32 entry offset, u32 _func offset} */
	FUNC_SZ_GO118 = 40,
	FUNC_SZ_GO120 = 44,
	FUNCS_MAX = 2 << 20, /* a 500 MB executable has 1 M */
	SCAN_MAX = 512 << 20, /* bytes */
	SCAN_CHECK_COST = 4096, /* bytes of that which a false magic counts as */
};

/* runtime/symtab.go pcHeader. Offsets are from the header itself. */
struct pc_header {
	uint32_t magic;
	uint8_t pad[2], min_lc, ptr_size;
	uint64_t funcs_nr, files_nr, text_start;
	uint64_t names_off, cus_off, files_off, pctab_off, functab_off;
};
/*
 * Bytes of blocks and names that all passes over the functions may read of a file together: 2 s of
 * work. A pass reads the tables once, some 20 MB of an executable of 95 MB.
 */
#define PASSES_WORK_MAX (UINT64_C(4) << 30)

_Static_assert(sizeof(struct pc_header) == HEADER_SZ, "runtime/symtab.go pcHeader");

/* Whether a word can begin a pclntab: f0, f1, fa or fb, ff ff ff, 00 00, min_lc, pointer size 8. */
static bool is_magic(uint64_t word)
{
	uint8_t low = word & 0xff, min_lc = word >> 48;

	return (word & 0xff00ffffffffff00) == 0x08000000ffffff00 && (min_lc == 1 || min_lc == 4) &&
	       (low == 0xf0 || low == 0xf1 || low == 0xfa || low == 0xfb);
}

/*
 * 0 if a whole pclntab of a version that is read starts at va; -ENOTSUP if of an older one;
 * -ENOENT.
 */
static int check_at(struct pclntab *tab, struct image *img, uint64_t va)
{
	uint64_t off, avail, word;
	if (image_offset(img, va, &off, &avail) < 0 ||
	    image_read(img, va, &word, sizeof(word)) < 0 || !is_magic(word))
		return -ENOENT;

	struct pc_header h;
	if (image_read(img, va, &h, sizeof(h)) < 0)
		return -ENOENT;
	if (h.magic == MAGIC_GO12 || h.magic == MAGIC_GO116)
		return h.funcs_nr > 0 && h.funcs_nr <= FUNCS_MAX ? -ENOTSUP : -ENOENT;

	bool old = h.magic == MAGIC_GO118;
	uint64_t functab_sz = h.funcs_nr * FUNCTAB_ENTRY_SZ + 4;
	uint64_t funcs_sz = h.funcs_nr * (old ? FUNC_SZ_GO118 : FUNC_SZ_GO120);
	if (h.funcs_nr == 0 || h.funcs_nr > FUNCS_MAX || h.names_off < HEADER_SZ ||
	    h.names_off >= avail || h.cus_off >= avail || h.files_off >= avail ||
	    h.pctab_off >= avail || h.functab_off >= avail ||
	    functab_sz + funcs_sz > avail - h.functab_off)
		return -ENOENT;
	*tab = (struct pclntab){
		.img = img,
		.format = old ? PCLNTAB_GO118 : PCLNTAB_GO120,
		.va = va,
		.min_lc = h.min_lc,
		.funcs_nr = (uint32_t)h.funcs_nr,
		.text_start = h.text_start,
		.names = va + h.names_off,
		.cus = va + h.cus_off,
		.files = va + h.files_off,
		.pctab = va + h.pctab_off,
		.functab = va + h.functab_off,
		.passes_work = PASSES_WORK_MAX,
	};
	return 0;
}

static size_t find_magic(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t word;
		memcpy(&word, bytes + i, sizeof(word));
		if (is_magic(word))
			return i;
	}
	return n;
}

/* Look at each aligned word of a segment. *budget bounds the work over all segments. */
static int scan_segment(struct pclntab *tab, struct image *img, const struct image_seg *seg,
			uint64_t *budget)
{
	int best = -ENOENT;
	uint64_t at = -seg->va & 7;

	/*
	 * Blocks hold whole words where addresses and offsets are aligned alike, as the loader
	 * needs.
	 */
	if ((seg->va ^ seg->off) & 7)
		return -ENOENT;
	while (at < seg->filesz && seg->filesz - at >= 8 && *budget > SCAN_CHECK_COST) {
		const uint8_t *bytes;
		size_t n;
		if (image_view(img, seg->off + at, &bytes, &n) < 0)
			break;
		if (n > seg->filesz - at)
			n = (size_t)(seg->filesz - at);
		n &= ~(size_t)7;
		if (n == 0)
			break;
		size_t i = find_magic(bytes, n);
		at += i;
		*budget -= i < *budget ? i : *budget;
		if (i == n)
			continue;
		int r = check_at(tab, img, seg->va + at);
		if (r == 0)
			return 0;
		if (r == -ENOTSUP)
			best = r;
		at += 8;
		*budget -= SCAN_CHECK_COST < *budget ? SCAN_CHECK_COST : *budget;
	}
	return best;
}

/*
 * Where a pclntab without a section is: .data.rel.ro, .rodata, or with the code in old linkers'
 * files.
 */
static int scan_rank(const struct image_seg *seg)
{
	return seg->exec ? 2 : seg->write ? 0 : 1;
}

/*
 * Linked by the system's linker, a position-independent executable before Go 1.26 has the pclntab
 * inside .data.rel.ro; and a file may have no sections at all.
 */
static int scan_segments(struct pclntab *tab, struct image *img)
{
	uint64_t budget = SCAN_MAX;
	int best = -ENOENT;

	for (int rank = 0; rank < 3; rank++) {
		for (size_t i = 0; i < img->segs_nr; i++) {
			if (scan_rank(&img->segs[i]) != rank)
				continue;
			int r = scan_segment(tab, img, &img->segs[i], &budget);
			if (r == 0)
				return 0;
			if (r == -ENOTSUP)
				best = r;
		}
	}
	return best;
}

/*
 * Packers leave their mark right behind the headers: the process unpacks itself, the file has no
 * Go.
 */
static bool is_packed(struct image *img)
{
	uint8_t head[4096];
	size_t n = img->size < sizeof(head) ? (size_t)img->size : sizeof(head);

	return image_pread(img, 0, head, n) == 0 && memmem(head, n, "UPX!", 4) != NULL;
}

int pclntab_find(struct pclntab *tab, const struct elf_file *elf, struct image *img,
		 struct err *err)
{
	const struct elf_range *section = &elf->sections[ELF_SECTION_PCLNTAB];
	int r = section->va ? check_at(tab, img, section->va) : -ENOENT;
	if (r == -ENOENT && elf->may_be_go)
		r = scan_segments(tab, img);
	if (r == 0)
		return 0;

	if (r == -ENOTSUP) {
		err_set(err, r, "'%s' was built with Go 1.17 or older", img->path);
		err_hint(err, "build it with Go 1.%d or newer", GO_MINOR_MIN);
		return r;
	}
	if (section->va)
		return err_set(err, -ENOEXEC, "'%s' is damaged: its pclntab makes no sense",
			       img->path);
	err_set(err, -ENOEXEC,
		"'%s' is not a Go program: it has no table of Go's functions (pclntab)", img->path);
	if (is_packed(img))
		err_hint(err, "it is packed: unpack it with 'upx -d' and run that");
	return -ENOEXEC;
}

int pclntab_name(struct pclntab *tab, uint32_t name_off, char *buf, size_t cap)
{
	return image_string(tab->img, tab->names + name_off, buf, cap);
}

int pclntab_file(struct pclntab *tab, uint32_t cu_off, uint32_t file, char *buf, size_t cap)
{
	uint32_t off;
	int r = image_u32(tab->img, tab->cus + 4 * ((uint64_t)cu_off + file), &off);
	if (r < 0)
		return r;
	/* cmd/link/internal/ld/pcln.go: files that no function needs have ^0 here. */
	if (off == UINT32_MAX) {
		memcpy(buf, "?", 2);
		return 0;
	}
	return image_string(tab->img, tab->files + off, buf, cap);
}

static size_t func_size(const struct pclntab *tab)
{
	return tab->format == PCLNTAB_GO118 ? FUNC_SZ_GO118 : FUNC_SZ_GO120;
}

int pclntab_get(struct pclntab *tab, uint32_t idx, struct gobin_func *ret)
{
	/* {entry, _func} of this one and of the next; behind the last there is only an entry. */
	bool last = idx + 1 >= tab->funcs_nr;
	uint32_t entry[4];
	int r = image_read(tab->img, tab->functab + (uint64_t)idx * FUNCTAB_ENTRY_SZ, entry,
			   last ? 3 * sizeof(entry[0]) : sizeof(entry));
	if (r < 0)
		return r;
	/* The linker writes them one behind the other: a pass reads forward, and ends. */
	if (entry[2] < entry[0] ||
	    entry[1] < (uint64_t)tab->funcs_nr * FUNCTAB_ENTRY_SZ + sizeof(entry[0]) ||
	    (!last && entry[3] < (uint64_t)entry[1] + func_size(tab)))
		return -EINVAL;
	uint64_t func_va = tab->functab + entry[1];
	uint32_t name_off;
	r = image_u32(tab->img, func_va + 4, &name_off);
	if (r < 0)
		return r;

	*ret = (struct gobin_func){
		.idx = idx,
		.entry = tab->text + entry[0],
		.end = tab->text + entry[2],
		.func_off = func_va - tab->va,
		.name_off = name_off,
	};
	return 0;
}

int pclntab_each(struct pclntab *tab, char *name, size_t cap,
		 int (*fn)(const struct gobin_func *func, void *ctx), void *ctx)
{
	for (uint32_t i = 0; i < tab->funcs_nr; i++) {
		struct gobin_func func;
		uint64_t before = tab->img->work;
		int r = pclntab_get(tab, i, &func);
		if (r == 0)
			r = pclntab_name(tab, func.name_off, name, cap);
		if (r < 0)
			return r;
		uint64_t work = tab->img->work - before;
		if (work > tab->passes_work)
			return -EINVAL;
		tab->passes_work -= work;
		r = fn(&func, ctx);
		if (r != 0)
			return r;
	}
	return 0;
}

int pclntab_find_func(struct pclntab *tab, uint64_t va, struct gobin_func *ret)
{
	if (va < tab->text || va >= tab->etext)
		return -ENOENT;

	/* The last entry that is not above va: lo is below or at it, hi above. */
	uint32_t lo = 0, hi = tab->funcs_nr;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2, entry;
		int r = image_u32(tab->img, tab->functab + (uint64_t)mid * FUNCTAB_ENTRY_SZ,
				  &entry);
		if (r < 0)
			return r;
		if (tab->text + entry <= va)
			lo = mid;
		else
			hi = mid;
	}
	struct gobin_func func;
	int r = pclntab_get(tab, lo, &func);
	if (r < 0)
		return r;
	if (va < func.entry || va >= func.end)
		return -ENOENT;
	*ret = func;
	return 0;
}

int pclntab_read_func(struct pclntab *tab, const struct gobin_func *func, struct pclntab_func *ret)
{
	/*
	 * Fields are 4 bytes: entry, name, args, deferreturn, pcsp, pcfile, pcln, npcdata, cu, ...
	 */
	size_t size = func_size(tab);
	uint32_t word[FUNC_SZ_GO120 / 4];
	int r = image_read(tab->img, tab->va + func->func_off, word, size);
	if (r < 0)
		return r;

	uint32_t last = word[size / 4 - 1]; /* funcID u8, flag u8, pad u8, nfuncdata u8 */
	*ret = (struct pclntab_func){
		.name_off = word[1],
		.pcsp = word[4],
		.pcfile = word[5],
		.pcln = word[6],
		.npcdata = word[7],
		.cu_off = word[8],
		.func_id = last & 0xff,
		.flags = last >> 8 & 0xff,
		.nfuncdata = last >> 24,
		.tables = tab->va + func->func_off + size,
	};
	return 0;
}

int pclntab_pcdata(struct pclntab *tab, const struct pclntab_func *fn, uint32_t kind, uint32_t *ret)
{
	if (kind >= fn->npcdata) {
		*ret = 0;
		return 0;
	}
	return image_u32(tab->img, fn->tables + 4 * (uint64_t)kind, ret);
}

int pclntab_funcdata(struct pclntab *tab, const struct pclntab_func *fn, uint32_t kind,
		     uint32_t *ret)
{
	if (kind >= fn->nfuncdata) {
		*ret = UINT32_MAX;
		return 0;
	}
	return image_u32(tab->img, fn->tables + 4 * ((uint64_t)fn->npcdata + kind), ret);
}

void pcvalue_init(struct pcvalue *pv, struct pclntab *tab, const struct gobin_func *func,
		  uint32_t off, uint32_t *steps_left)
{
	image_cursor_init(&pv->cur, tab->img, tab->pctab + off);
	pv->pc = pv->end = func->entry;
	pv->limit = off ? func->end : func->entry;
	pv->min_lc = tab->min_lc;
	pv->value = -1; /* runtime/symtab.go pcvalue: the first delta is from -1 */
	pv->first = true;
	pv->steps_left = steps_left;
}

int pcvalue_next(struct pcvalue *pv)
{
	if (pv->end >= pv->limit)
		return 0;
	if (*pv->steps_left == 0)
		return -EINVAL;
	(*pv->steps_left)--;
	uint32_t value_delta, pc_delta;
	int r = image_cursor_uvarint(&pv->cur, &value_delta);
	if (r < 0)
		return r;
	if (value_delta == 0 && !pv->first) {
		pv->limit = pv->end;
		return 0;
	}
	pv->first = false;
	r = image_cursor_uvarint(&pv->cur, &pc_delta);
	if (r < 0)
		return r;
	/* cmd/internal/obj/pcln.go funcpctab: a step covers code. */
	if (pc_delta == 0)
		return -EINVAL;

	/* Zigzag: the sign is the lowest bit. Unsigned, for a hostile sum must not overflow. */
	uint32_t delta = (value_delta >> 1) ^ -(value_delta & 1);
	pv->value = (int32_t)((uint32_t)pv->value + delta);
	pv->pc = pv->end;
	pv->end += (uint64_t)pc_delta * pv->min_lc;
	if (pv->end > pv->limit)
		pv->end = pv->limit;
	return 1;
}

int pcvalue_at(struct pclntab *tab, const struct gobin_func *func, uint32_t off, uint64_t va,
	       uint32_t *steps_left, int32_t *ret)
{
	struct pcvalue pv;
	int r;

	pcvalue_init(&pv, tab, func, off, steps_left);
	while ((r = pcvalue_next(&pv)) > 0) {
		if (va < pv.end) {
			*ret = pv.value;
			return 0;
		}
	}
	if (r == 0)
		*ret = -1;
	return r;
}
