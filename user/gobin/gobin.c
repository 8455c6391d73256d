/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object behind gobin.h: opens a file in the order in which each step can trust the one before,
 * and answers questions from the tables that were found.
 */
#include "gobin/gobin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "gobin/buildinfo.h"
#include "gobin/elf.h"
#include "gobin/frames.h"
#include "gobin/globals.h"
#include "gobin/image.h"
#include "gobin/index.h"
#include "gobin/layout.h"
#include "gobin/moduledata.h"
#include "gobin/pclntab.h"
#include "gobin/types.h"
#include "gobin/version.h"

struct gobin {
	char *path;
	struct image img;
	struct elf_file elf;
	struct buildinfo build;
	struct pclntab tab;
	struct moduledata md;
	struct index index;
	const struct go_layout *layout;
	struct gobin_info info;
};

/* An empty one, or NULL when out of memory. */
static struct gobin *gobin_new(const char *path)
{
	struct gobin *bin = calloc(1, sizeof(*bin));
	char *copy = strdup(path);

	if (!bin || !copy) {
		free(bin);
		free(copy);
		return NULL;
	}
	bin->path = copy;
	bin->img.fd = -1;
	return bin;
}

void gobin_free(struct gobin *bin)
{
	if (!bin)
		return;
	index_deinit(&bin->index);
	image_deinit(&bin->img);
	free(bin->path);
	free(bin);
}

static void gobin_freep(struct gobin **bin)
{
	gobin_free(*bin);
}

/* crosscall2 is assembly of runtime/cgo and only ever linked with it. */
static int find_cgo(struct gobin *bin, struct err *err)
{
	struct gobin_func func;
	int r = gobin_find_func(bin, "crosscall2", &func);
	if (r < 0 && r != -ENOENT)
		return err_set(err, -ENOEXEC, "'%s' is damaged: bad function table", bin->path);
	bin->info.cgo = r == 0;
	return 0;
}

static void fill_info(struct gobin *bin, int minor)
{
	const char *build_id = bin->elf.gnu_build_id[0] ? bin->elf.gnu_build_id
							: bin->elf.go_build_id;

	bin->info = (struct gobin_info){
		.path = bin->path,
		.go_version = bin->build.version,
		.go_minor = minor,
		.main_path = bin->build.main_path,
		.module = bin->build.module,
		.experiments = bin->build.experiments,
		.build_id = build_id,
		.machine = bin->elf.machine,
		.pie = bin->elf.pie,
		.stripped = bin->elf.stripped,
		.dwarf = bin->elf.dwarf,
		.funcs_nr = bin->tab.funcs_nr,
		.text = bin->md.text,
		.etext = bin->md.etext,
		.exe_dev = bin->img.dev,
		.exe_ino = bin->img.ino,
	};
}

static int read_tables(struct gobin *bin, struct err *err)
{
	int minor;
	int r = elf_file_read(&bin->elf, &bin->img, err);
	if (r < 0)
		return r;
	buildinfo_read(&bin->build, &bin->elf, &bin->img);
	r = pclntab_find(&bin->tab, &bin->elf, &bin->img, err);
	if (r == 0)
		r = version_find(&bin->build, &bin->tab, &minor, err);
	if (r == 0)
		r = version_check_experiments(&bin->build, bin->path, err);
	if (r == 0)
		r = moduledata_find(&bin->md, minor, &bin->tab, &bin->elf, &bin->img, err);
	if (r < 0)
		return r;

	bin->tab.text = bin->md.text;
	bin->tab.etext = bin->md.etext;
	bin->tab.gofunc = bin->md.gofunc;
	bin->layout = go_layout_find(minor);
	if (!bin->layout)
		return err_set(err, -ENOTSUP, "no runtime layout for Go 1.%d of '%s'", minor,
			       bin->path);
	fill_info(bin, minor);
	return find_cgo(bin, err);
}

int gobin_open(const char *path, struct gobin **ret, struct err *err)
{
	_cleanup_(gobin_freep) struct gobin *bin = gobin_new(path);
	if (!bin)
		return err_set(err, -ENOMEM, "cannot open '%s': out of memory", path);

	int r = image_init(&bin->img, bin->path, err);
	if (r < 0)
		return r;
	/*
	 * The file says what it likes: from here on nothing of it is read with privileges. What looks through it later gives
	 * them up for as long itself; what looks up an address, who asks for many (symbol.c, plan.c).
	 */
	_cleanup_(caps_restore) uint64_t caps = caps_set_effective(0);
	r = read_tables(bin, err);
	if (r < 0)
		return r;
	*ret = take_ptr(bin);
	return 0;
}

const struct gobin_info *gobin_info(const struct gobin *bin)
{
	return &bin->info;
}

const struct go_layout *gobin_layout(const struct gobin *bin)
{
	return bin->layout;
}

int gobin_fd(const struct gobin *bin)
{
	return bin->img.fd;
}

struct find_pass {
	const char *prefix;
	size_t prefix_len;
	int (*fn)(const struct gobin_func *func, const char *name, void *ctx);
	void *ctx;
	char name[PCLNTAB_NAME_MAX];
};

static int tell_func(const struct gobin_func *func, void *ctx)
{
	const struct find_pass *pass = ctx;

	if (strncmp(pass->name, pass->prefix, pass->prefix_len) != 0)
		return 0;
	return pass->fn(func, pass->name, pass->ctx);
}

int gobin_each_func(struct gobin *bin, const char *prefix,
		    int (*fn)(const struct gobin_func *func, const char *name, void *ctx),
		    void *ctx)
{
	struct find_pass pass = { prefix, strlen(prefix), fn, ctx, "" };
	_cleanup_(caps_restore) uint64_t caps = caps_set_effective(0);

	if (!index_covers(prefix))
		return pclntab_each(&bin->tab, pass.name, sizeof(pass.name), tell_func, &pass);
	int r = index_build(&bin->index, &bin->tab);
	for (size_t i = index_first(&bin->index, prefix); r == 0 && i < bin->index.nr; i++) {
		const struct index_row *row = &bin->index.rows[i];
		if (strncmp(row->name, prefix, pass.prefix_len) != 0)
			break;
		r = fn(&row->func, row->name, ctx);
	}
	return r;
}

struct exact {
	const char *name;
	struct gobin_func func;
};

static int is_exact(const struct gobin_func *func, const char *name, void *ctx)
{
	struct exact *exact = ctx;

	if (strcmp(name, exact->name) != 0)
		return 0;
	exact->func = *func;
	return 1;
}

int gobin_find_func(struct gobin *bin, const char *name, struct gobin_func *ret)
{
	struct exact exact = { .name = name };
	int r = gobin_each_func(bin, name, is_exact, &exact);

	if (r > 0)
		*ret = exact.func;
	return r < 0 ? r : r ? 0 : -ENOENT;
}

int gobin_func_at(struct gobin *bin, uint64_t va, struct gobin_func *ret)
{
	return pclntab_find_func(&bin->tab, va, ret);
}

int gobin_func_name(struct gobin *bin, const struct gobin_func *func, char *buf, size_t cap)
{
	return gobin_name(bin, func->name_off, buf, cap);
}

int gobin_name(struct gobin *bin, uint32_t name_off, char *buf, size_t cap)
{
	return cap ? pclntab_name(&bin->tab, name_off, buf, cap) : -EINVAL;
}

int gobin_is_assembly(struct gobin *bin, const struct gobin_func *func, bool *ret)
{
	enum { FUNC_FLAG_ASM = 1 << 2 }; /* internal/abi/symtab.go FuncFlagAsm, since 1.18 */
	struct pclntab_func pf;
	int r = pclntab_read_func(&bin->tab, func, &pf);

	if (r == 0)
		*ret = pf.flags & FUNC_FLAG_ASM;
	return r;
}

int gobin_is_wrapper(struct gobin *bin, const struct gobin_func *func, bool *ret)
{
	struct pclntab_func pf;
	int r = pclntab_read_func(&bin->tab, func, &pf);

	if (r == 0)
		*ret = frames_is_wrapper(bin->info.go_minor, pf.func_id);
	return r;
}

int gobin_each_inlined(struct gobin *bin,
		       int (*fn)(const struct gobin_func *host, uint32_t name_off, void *ctx),
		       void *ctx)
{
	return frames_each_inlined(&bin->tab, fn, ctx);
}

int gobin_frames(struct gobin *bin, uint64_t va, struct gobin_frame *frames, size_t max)
{
	if (max == 0)
		return -EINVAL;

	struct gobin_func func;
	int r = pclntab_find_func(&bin->tab, va, &func);
	if (r < 0)
		return r;
	return frames_at(&bin->tab, bin->info.go_minor, &func, va, frames, max);
}

int gobin_each_pcsp(struct gobin *bin, const struct gobin_func *func,
		    int (*fn)(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx), void *ctx)
{
	struct pclntab_func pf;
	int r = pclntab_read_func(&bin->tab, func, &pf);
	if (r < 0)
		return r;

	uint32_t steps_left = PCVALUE_STEPS_MAX;
	struct pcvalue pv;
	pcvalue_init(&pv, &bin->tab, func, pf.pcsp, &steps_left);
	while ((r = pcvalue_next(&pv)) > 0) {
		r = fn(pv.pc, pv.end, pv.value, ctx);
		if (r != 0)
			return r;
	}
	return r;
}

int gobin_read(struct gobin *bin, uint64_t va, void *buf, size_t len)
{
	return image_read(&bin->img, va, buf, len);
}

int gobin_file_offset(struct gobin *bin, uint64_t va, uint64_t *ret)
{
	return image_offset(&bin->img, va, ret, NULL);
}

int gobin_va_of_offset(struct gobin *bin, uint64_t off, uint64_t *ret)
{
	for (size_t i = 0; i < bin->img.segs_nr; i++) {
		const struct image_seg *seg = &bin->img.segs[i];
		if (!seg->exec || off < seg->off || off - seg->off >= seg->filesz)
			continue;
		*ret = seg->va + (off - seg->off);
		return 0;
	}
	return -EFAULT;
}

int gobin_type_name(struct gobin *bin, uint64_t va, char *buf, size_t cap)
{
	return cap ? types_name(&bin->img, &bin->md, va, buf, cap) : -EINVAL;
}

int gobin_find_globals(struct gobin *bin, struct gobin_globals *ret)
{
	_cleanup_(caps_restore) uint64_t caps = caps_set_effective(0);

	return globals_find(bin, &bin->img, ret);
}
