/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF headers through libelf, after a look at the sizes that libelf would allocate by.
 *
 * libelf takes memory for as many sections as the header claims and for the whole section name
 * table. Both are bounded here first, so that a hostile file costs at most a few megabytes.
 */
#include "gobin/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "gobin/image.h"

enum {
	SECTIONS_MAX = 4096, /* linked executables have some 40 */
	SECTION_NAMES_MAX = 1 << 20, /* bytes */
	NOTES_MAX = 64 << 10, /* bytes of one PT_NOTE that are looked at */
	DYNAMIC_MAX = 4096, /* entries */
	RELA_MAX = 4 << 20, /* entries; a 75 MB executable has 244 000 */
	NOTE_GO_BUILD_ID = 4, /* cmd/link/internal/ld/elf.go ELF_NOTE_GOBUILDID_TAG */
};

/* Position-independent executables of Go's own linker prefix what the loader must relocate. */
static const char *const section_names[ELF_SECTION_NR][2] = {
	[ELF_SECTION_PCLNTAB] = { ".gopclntab", ".data.rel.ro.gopclntab" },
	[ELF_SECTION_MODULE] = { ".go.module", ".data.rel.ro.go.module" },
	[ELF_SECTION_NOPTRDATA] = { ".noptrdata", NULL },
	[ELF_SECTION_BUILDINFO] = { ".go.buildinfo", NULL },
};

static void elf_endp(Elf **e)
{
	elf_end(*e);
}

static int not_elf(const struct image *img, const unsigned char *magic, struct err *err)
{
	if (img->size >= 2 && memcmp(magic, "#!", 2) == 0) {
		err_set(err, -ENOEXEC, "'%s' is a script, not a Go program", img->path);
		err_hint(err, "name the program that the script runs");
		return -ENOEXEC;
	}
	if (img->size == 0)
		return err_set(err, -ENOEXEC, "'%s' is not an ELF file: it is empty", img->path);
	return err_set(err, -ENOEXEC, "'%s' is not an ELF file", img->path);
}

/* Only what libelf would believe too much of, and what makes the file useless to us. */
static int check_header(struct image *img, struct err *err)
{
	Elf64_Ehdr eh = { 0 };
	size_t n = img->size < sizeof(eh) ? (size_t)img->size : sizeof(eh);
	int r = image_pread(img, 0, &eh, n);
	if (r < 0)
		return err_set(err, r, "cannot read '%s': %s", img->path, strerror(-r));
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0)
		return not_elf(img, eh.e_ident, err);
	if (n < sizeof(eh))
		return err_set(err, -ENOEXEC, "'%s' is damaged: it ends inside its ELF header",
			       img->path);
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (eh.e_machine != EM_X86_64 && eh.e_machine != EM_AARCH64)) {
		err_set(err, -ENOTSUP, "'%s' is for another machine (ELF machine %u)", img->path,
			eh.e_machine);
		err_hint(err, "programs for x86-64 and arm64 can be read");
		return -ENOTSUP;
	}
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return err_set(err, -ENOEXEC, "'%s' is an ELF file, but not an executable",
			       img->path);
	if (eh.e_phnum == 0 || eh.e_phnum > IMAGE_SEGS_MAX || eh.e_phentsize != sizeof(Elf64_Phdr))
		return err_set(err, -ENOEXEC, "'%s' is damaged: %u program headers of %u bytes",
			       img->path, eh.e_phnum, eh.e_phentsize);
	/* e_shnum 0 with a table means that the number is in the table: more than 65279. */
	if (eh.e_shnum > SECTIONS_MAX || (eh.e_shnum == 0 && eh.e_shoff != 0) ||
	    (eh.e_shnum > 0 && eh.e_shentsize != sizeof(Elf64_Shdr)))
		return err_set(err, -ENOEXEC, "'%s' is damaged: %u section headers of %u bytes",
			       img->path, eh.e_shnum, eh.e_shentsize);
	return 0;
}

static void hex(const char *bytes, size_t len, char *buf, size_t cap)
{
	for (size_t i = 0; i < len && 2 * i + 2 < cap; i++)
		snprintf(buf + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
}

static uint64_t align4(uint64_t n)
{
	return (n + 3) & ~(uint64_t)3;
}

/* The notes of one segment; what doesn't parse ends it, for a build id is only good to have. */
static void read_notes(struct elf_file *elf, struct image *img, const GElf_Phdr *ph)
{
	uint64_t left = ph->p_filesz < NOTES_MAX ? ph->p_filesz : NOTES_MAX;
	uint64_t off = ph->p_offset;
	Elf64_Nhdr nh;

	while (left >= sizeof(nh) && image_pread(img, off, &nh, sizeof(nh)) == 0) {
		uint64_t size = sizeof(nh) + align4(nh.n_namesz) + align4(nh.n_descsz);
		if (size > left)
			return;
		char name[4] = "";
		char desc[257] = "";
		size_t desc_sz = nh.n_descsz < sizeof(desc) ? nh.n_descsz : sizeof(desc) - 1;
		if (nh.n_namesz == 4 &&
		    image_pread(img, off + sizeof(nh), name, sizeof(name)) == 0 &&
		    image_pread(img, off + sizeof(nh) + 4, desc, desc_sz) == 0) {
			if (nh.n_type == NT_GNU_BUILD_ID && memcmp(name, "GNU", 4) == 0)
				hex(desc, desc_sz < 64 ? desc_sz : 64, elf->gnu_build_id,
				    sizeof(elf->gnu_build_id));
			else if (nh.n_type == NOTE_GO_BUILD_ID && memcmp(name, "Go\0", 4) == 0)
				utf8_clean(elf->go_build_id, sizeof(elf->go_build_id), desc);
		}
		off += size;
		left -= size;
	}
}

static int add_segment(struct image *img, const GElf_Phdr *ph, struct err *err)
{
	if (ph->p_filesz > ph->p_memsz || ph->p_vaddr + ph->p_memsz < ph->p_vaddr)
		return err_set(err, -ENOEXEC, "'%s' is damaged: bad segment at 0x%llx", img->path,
			       (unsigned long long)ph->p_vaddr);
	if (ph->p_offset > img->size || ph->p_filesz > img->size - ph->p_offset)
		return err_set(err, -ENOEXEC,
			       "'%s' is damaged: it is cut off at %llu bytes, inside a segment",
			       img->path, (unsigned long long)img->size);
	img->segs[img->segs_nr++] = (struct image_seg){
		.va = ph->p_vaddr,
		.off = ph->p_offset,
		.filesz = ph->p_filesz,
		.memsz = ph->p_memsz,
		.exec = ph->p_flags & PF_X,
		.write = ph->p_flags & PF_W,
	};
	return 0;
}

static int read_segments(struct elf_file *elf, Elf *e, struct image *img, GElf_Phdr *dynamic,
			 struct err *err)
{
	size_t nr;
	if (elf_getphdrnum(e, &nr) < 0 || nr > IMAGE_SEGS_MAX)
		return err_set(err, -ENOEXEC, "'%s' is damaged: %s", img->path, elf_errmsg(-1));

	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;
		if (!gelf_getphdr(e, (int)i, &ph))
			return err_set(err, -ENOEXEC, "'%s' is damaged: %s", img->path,
				       elf_errmsg(-1));
		int r = 0;
		if (ph.p_type == PT_LOAD && ph.p_memsz > 0)
			r = add_segment(img, &ph, err);
		else if (ph.p_type == PT_NOTE)
			read_notes(elf, img, &ph);
		else if (ph.p_type == PT_DYNAMIC)
			*dynamic = ph;
		if (r < 0)
			return r;
	}
	return 0;
}

static void note_section(struct elf_file *elf, const char *name, const GElf_Shdr *sh)
{
	if (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0)
		elf->dwarf = true;
	for (int i = 0; i < ELF_SECTION_NR; i++)
		for (int j = 0; j < 2; j++)
			if (section_names[i][j] && strcmp(name, section_names[i][j]) == 0 &&
			    sh->sh_type != SHT_NOBITS && sh->sh_addr + sh->sh_size >= sh->sh_addr)
				elf->sections[i] = (struct elf_range){ sh->sh_addr, sh->sh_size };
	if (strncmp(name, ".go", 3) == 0 || strncmp(name, ".note.go.", 9) == 0)
		elf->may_be_go = true;
}

/*
 * A name table that is too large or compressed leaves the sections without names: they are hints.
 */
static bool names_are_sane(Elf *e, size_t strndx)
{
	GElf_Shdr sh;
	Elf_Scn *scn = elf_getscn(e, strndx);

	return scn && gelf_getshdr(scn, &sh) && sh.sh_type == SHT_STRTAB &&
	       sh.sh_size <= SECTION_NAMES_MAX && !(sh.sh_flags & SHF_COMPRESSED);
}

static void read_sections(struct elf_file *elf, Elf *e)
{
	size_t strndx;
	elf->stripped = true;
	elf->may_be_go = true;
	if (elf_getshdrstrndx(e, &strndx) < 0)
		return;
	bool named = names_are_sane(e, strndx);
	if (named)
		elf->may_be_go = elf->go_build_id[0];

	for (Elf_Scn *scn = elf_nextscn(e, NULL); scn; scn = elf_nextscn(e, scn)) {
		GElf_Shdr sh;
		if (!gelf_getshdr(scn, &sh))
			continue;
		if (sh.sh_type == SHT_SYMTAB)
			elf->stripped = false;
		const char *name = named ? elf_strptr(e, strndx, sh.sh_name) : NULL;
		if (name)
			note_section(elf, name, &sh);
	}
}

/*
 * DT_RELA: where the loader itself finds the relocations; a stripped binary needs no section for
 * it.
 */
static void read_dynamic(struct elf_file *elf, struct image *img, const GElf_Phdr *dynamic)
{
	struct elf_range rela = { 0 };
	uint64_t entry = sizeof(Elf64_Rela);
	uint64_t nr = dynamic->p_filesz / sizeof(Elf64_Dyn);

	for (uint64_t i = 0; i < nr && i < DYNAMIC_MAX; i++) {
		Elf64_Dyn dyn;
		if (image_pread(img, dynamic->p_offset + i * sizeof(dyn), &dyn, sizeof(dyn)) < 0 ||
		    dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_RELA)
			rela.va = dyn.d_un.d_ptr;
		else if (dyn.d_tag == DT_RELASZ)
			rela.size = dyn.d_un.d_val;
		else if (dyn.d_tag == DT_RELAENT)
			entry = dyn.d_un.d_val;
	}
	if (entry == sizeof(Elf64_Rela))
		elf->rela = rela;
}

int elf_file_read(struct elf_file *elf, struct image *img, struct err *err)
{
	*elf = (struct elf_file){ 0 };
	int r = check_header(img, err);
	if (r < 0)
		return r;

	elf_version(EV_CURRENT);
	_cleanup_(elf_endp) Elf *e = elf_begin(img->fd, ELF_C_READ, NULL);
	GElf_Ehdr eh;
	if (!e || elf_kind(e) != ELF_K_ELF || !gelf_getehdr(e, &eh))
		return err_set(err, -ENOEXEC, "'%s' is damaged: %s", img->path, elf_errmsg(-1));
	elf->machine = eh.e_machine;
	elf->pie = eh.e_type == ET_DYN;

	GElf_Phdr dynamic = { 0 };
	r = read_segments(elf, e, img, &dynamic, err);
	if (r < 0)
		return r;
	read_sections(elf, e);
	read_dynamic(elf, img, &dynamic);
	return 0;
}

int elf_file_each_relative(const struct elf_file *elf, struct image *img,
			   int (*fn)(uint64_t va, uint64_t addend, void *ctx), void *ctx)
{
	uint32_t relative = elf->machine == EM_AARCH64 ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE;
	uint64_t nr = elf->rela.size / sizeof(Elf64_Rela);
	if (nr == 0)
		return 0;
	if (nr > RELA_MAX)
		return -EINVAL;

	uint64_t off, avail;
	int r = image_offset(img, elf->rela.va, &off, &avail);
	if (r < 0 || avail / sizeof(Elf64_Rela) < nr)
		return -EFAULT;
	for (uint64_t i = 0; i < nr; i++) {
		Elf64_Rela rela;
		r = image_pread(img, off + i * sizeof(rela), &rela, sizeof(rela));
		if (r < 0)
			return r;
		if (ELF64_R_TYPE(rela.r_info) != relative)
			continue;
		r = fn(rela.r_offset, (uint64_t)rela.r_addend, ctx);
		if (r != 0)
			return r;
	}
	return 0;
}
