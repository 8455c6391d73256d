/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding runtime.firstmoduledata without symbols: it is the place in the data segment whose first
 * word is the address of the pclntab and whose second is that of its name table (runtime/symtab.go
 * moduledata: pcHeader, funcnametab). Since Go 1.26 it has a section of its own; before, .noptrdata
 * holds it.
 *
 * A position-independent executable may have zeroes in the file where pointers belong: there they
 * are taken from the relocations that the loader applies.
 */
#include "gobin/moduledata.h"

#include <errno.h>
#include <string.h>

#include "gobin/elf.h"
#include "gobin/image.h"
#include "gobin/pclntab.h"

enum {
	WORDS = 80, /* of the structure: more than the fields below need, in every version */
	CANDIDATES_MAX = 16, /* places that point to the pclntab; 1 was seen */
	TRIES_MAX = 4, /* each reads all relocations once */
	SCAN_MAX = 256 << 20, /* bytes of the data segments */
	FALSE_COST = 512, /* bytes of that which another pointer to the pclntab counts as */
	/* Words of the structure that did not move from 1.18 to 1.27. */
	WORD_PC_HEADER = 0,
	WORD_FUNCNAMETAB = 1,
	WORD_TEXT = 22,
	WORD_ETEXT = 23,
};

/* The words that did move; read from the DWARF of each version. */
static const struct fields {
	int since_minor;
	int types, etypes, gofunc;
} fields[] = {
	{ 27, 0x128 / 8, 0x138 / 8, 0x158 / 8 },
	{ 20, 0x128 / 8, 0x130 / 8, 0x140 / 8 },
	{ 0, 0x118 / 8, 0x120 / 8, 0x130 / 8 },
};

/* Addresses where a relocation stores the address of the pclntab. */
struct candidates {
	uint64_t pclntab;
	uint64_t va[CANDIDATES_MAX];
	size_t nr;
};

static int add_candidate(uint64_t va, uint64_t addend, void *ctx)
{
	struct candidates *c = ctx;

	if (addend == c->pclntab && c->nr < CANDIDATES_MAX)
		c->va[c->nr++] = va;
	return 0;
}

struct window {
	uint64_t va;
	uint64_t word[WORDS];
};

/* What is looked for where, and how much more work it may take. */
struct search {
	const struct pclntab *tab;
	const struct elf_file *elf;
	struct image *img;
	uint64_t bytes_left;
	int tries_left;
};

static int relocate_window(uint64_t va, uint64_t addend, void *ctx)
{
	struct window *w = ctx;
	uint64_t at = va - w->va;

	if (at < sizeof(w->word) && at % 8 == 0)
		w->word[at / 8] = addend;
	return 0;
}

static bool is_moduledata(const struct window *w, const struct pclntab *tab)
{
	const uint64_t *names = &w->word[WORD_FUNCNAMETAB]; /* a slice: pointer, len, cap */

	return w->word[WORD_PC_HEADER] == tab->va && names[0] == tab->names && names[1] == names[2];
}

/* Take the words at va, as they will be when loaded at bias 0, if they are a moduledata. */
static bool try_window(struct search *s, uint64_t va, struct window *w)
{
	if (s->tries_left-- <= 0)
		return false;
	w->va = va;
	if (image_read(s->img, va, w->word, sizeof(w->word)) < 0)
		return false;
	if (s->elf->pie && elf_file_each_relative(s->elf, s->img, relocate_window, w) < 0)
		return false;
	return is_moduledata(w, s->tab);
}

static bool find_in_relocations(struct search *s, struct window *w)
{
	struct candidates c = { .pclntab = s->tab->va };

	if (elf_file_each_relative(s->elf, s->img, add_candidate, &c) < 0)
		return false;
	for (size_t i = 0; i < c.nr; i++)
		if (try_window(s, c.va[i], w))
			return true;
	return false;
}

/* Where in a run of aligned words the address of the pclntab is; n if it isn't. */
static size_t find_pointer(const struct search *s, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += 8)
		if (memcmp(bytes + i, &s->tab->va, 8) == 0)
			return i;
	return n;
}

static void spend(struct search *s, uint64_t bytes)
{
	s->bytes_left -= bytes < s->bytes_left ? bytes : s->bytes_left;
}

/*
 * Look at each aligned word in [va, va + size). Blocks hold whole words where addresses and offsets
 * are aligned alike, as the loader needs.
 */
static bool find_in_range(struct search *s, uint64_t va, uint64_t size, struct window *w)
{
	uint64_t at = -va & 7, off, avail;
	if (image_offset(s->img, va, &off, &avail) < 0 || (va ^ off) & 7)
		return false;
	if (size > avail)
		size = avail;

	while (at < size && s->bytes_left > 0) {
		const uint8_t *bytes;
		size_t n;
		if (image_view(s->img, off + at, &bytes, &n) < 0)
			break;
		if (n > size - at)
			n = (size_t)(size - at);
		n &= ~(size_t)7;
		if (n == 0)
			break;
		size_t i = find_pointer(s, bytes, n);
		at += i;
		spend(s, i);
		if (i == n)
			continue;
		uint64_t names;
		if (image_read(s->img, va + at + 8, &names, sizeof(names)) == 0 &&
		    names == s->tab->names && try_window(s, va + at, w))
			return true;
		at += 8;
		spend(s, FALSE_COST);
	}
	return false;
}

static bool find_window(struct search *s, struct window *w)
{
	static const enum elf_section hints[] = { ELF_SECTION_MODULE, ELF_SECTION_NOPTRDATA };

	if (s->elf->pie && find_in_relocations(s, w))
		return true;
	/* Packed relocations (DT_RELR) leave the pointers in the file: a PIE is searched too. */
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		const struct elf_range *range = &s->elf->sections[hints[i]];
		if (find_in_range(s, range->va, range->size, w))
			return true;
	}
	for (size_t i = 0; i < s->img->segs_nr; i++) {
		const struct image_seg *seg = &s->img->segs[i];
		if (seg->write && find_in_range(s, seg->va, seg->filesz, w))
			return true;
	}
	return false;
}

static bool is_sane(const struct moduledata *md, const struct pclntab *tab, struct image *img)
{
	uint64_t off, avail;

	return md->text < md->etext && image_offset(img, md->text, &off, &avail) == 0 &&
	       avail >= md->etext - md->text && md->types < md->etypes &&
	       image_offset(img, md->types, &off, &avail) == 0 && avail >= md->etypes - md->types &&
	       image_offset(img, md->gofunc, &off, NULL) == 0 &&
	       (tab->text_start == 0 || tab->text_start == md->text);
}

int moduledata_find(struct moduledata *md, int minor, const struct pclntab *tab,
		    const struct elf_file *elf, struct image *img, struct err *err)
{
	struct search search = { tab, elf, img, SCAN_MAX, TRIES_MAX };
	struct window w;
	if (!find_window(&search, &w))
		return err_set(err, -ENOEXEC, "'%s' is damaged: no moduledata for its pclntab",
			       img->path);

	const struct fields *f = fields;
	while (minor < f->since_minor)
		f++;
	struct moduledata found = {
		.va = w.va,
		.text = w.word[WORD_TEXT],
		.etext = w.word[WORD_ETEXT],
		.types = w.word[f->types],
		.etypes = w.word[f->etypes],
		.gofunc = w.word[f->gofunc],
	};
	if (!is_sane(&found, tab, img))
		return err_set(err, -ENOEXEC, "'%s' is damaged: its moduledata makes no sense",
			       img->path);
	*md = found;
	return 0;
}
