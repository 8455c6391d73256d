/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The build info blob (Go 1.18 and later; debug/buildinfo/buildinfo.go): a 32-byte header that is
 * 16-aligned in the data segment, then the version and the module info, each a uvarint length and
 * text. It survives stripping. Go 1.17 has pointers there instead; it is too old to be traced, and
 * its pclntab says so.
 */
#include "gobin/buildinfo.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "gobin/elf.h"
#include "gobin/image.h"

enum {
	MAGIC_SZ = 14,
	HEADER_SZ = 32,
	FLAGS_AT = 15,
	FLAG_INLINE_STRINGS = 2,
	ALIGNMENT = 16,
	SENTINEL_SZ = 16, /* on both sides of the module info, so that grep -a finds it */
	MODINFO_MAX = 1 << 20, /* one line per dependency: 1000 of them take 100 KB */
	SEARCH_MAX = 64 << 20, /* bytes of the data segments that are searched */
};

static const char magic[MAGIC_SZ + 1] = "\xff Go buildinf:";

static bool is_header(struct image *img, uint64_t va)
{
	uint8_t header[HEADER_SZ];

	return image_read(img, va, header, sizeof(header)) == 0 &&
	       memcmp(header, magic, MAGIC_SZ) == 0;
}

/* Without sections: Go's linkers put it first in the data segment, the system's anywhere in it. */
static uint64_t search_header(struct image *img)
{
	uint64_t budget = SEARCH_MAX;

	for (size_t i = 0; i < img->segs_nr; i++) {
		const struct image_seg *seg = &img->segs[i];
		if (!seg->write)
			continue;
		uint64_t skip = -seg->va & (ALIGNMENT - 1);
		for (uint64_t at = skip; at < seg->filesz && budget > 0; at += ALIGNMENT) {
			uint8_t first;
			if (image_u8(img, seg->va + at, &first) < 0)
				break;
			if (first == 0xff && is_header(img, seg->va + at))
				return seg->va + at;
			budget -= ALIGNMENT;
		}
	}
	return 0;
}

/* A uvarint length and as many bytes; moves the cursor behind them. */
static bool next_text(struct image_cursor *cur, uint64_t *va_ret, uint32_t *len_ret)
{
	uint32_t len;
	if (image_cursor_uvarint(cur, &len) < 0)
		return false;

	uint64_t va = image_cursor_va(cur);
	uint64_t off, avail;
	if (len > 0 && (image_offset(cur->img, va, &off, &avail) < 0 || avail < len))
		return false;
	*va_ret = va;
	*len_ret = len;
	image_cursor_init(cur, cur->img, va + len);
	return true;
}

static void set_module(struct buildinfo *info, const char *path, const char *version)
{
	char raw[sizeof(info->module)];

	snprintf(raw, sizeof(raw), "%s%s%s", path, version ? " " : "", version ? version : "");
	utf8_clean(info->module, sizeof(info->module), raw);
}

/* "path\tX", "mod\tX\tV\tSUM", "build\tKEY=VALUE"; fields are cut from the line in place. */
static void read_line(struct buildinfo *info, char *line)
{
	char *rest = line;
	const char *kind = strsep(&rest, "\t");
	const char *first = strsep(&rest, "\t");
	const char *second = strsep(&rest, "\t");

	if (!first)
		return;
	if (strcmp(kind, "path") == 0)
		utf8_clean(info->main_path, sizeof(info->main_path), first);
	else if (strcmp(kind, "mod") == 0)
		set_module(info, first, second);
	else if (strcmp(kind, "build") == 0 && strncmp(first, "GOEXPERIMENT=", 13) == 0 &&
		 !info->experiments[0])
		utf8_clean(info->experiments, sizeof(info->experiments), first + 13);
}

static void read_modinfo(struct buildinfo *info, struct image *img, uint64_t va, uint32_t len)
{
	if (len < 2 * SENTINEL_SZ)
		return;
	size_t n = len - 2 * SENTINEL_SZ;
	if (n > MODINFO_MAX)
		n = MODINFO_MAX;

	_cleanup_free_ char *text = malloc(n + 1);
	if (!text || image_read(img, va + SENTINEL_SZ, text, n) < 0)
		return;
	text[n] = '\0';

	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		read_line(info, line);
}

/*
 * Experiments that differ from the version's defaults are part of the version: "go1.25.1 X:a,b" up
 * to Go 1.25, "go1.26.1-X:a,b" since.
 */
static void read_experiments(struct buildinfo *info)
{
	const char *x = strstr(info->version, "X:");
	if (x)
		snprintf(info->experiments, sizeof(info->experiments), "%.*s",
			 (int)strcspn(x + 2, " "), x + 2);
}

void buildinfo_read(struct buildinfo *info, const struct elf_file *elf, struct image *img)
{
	*info = (struct buildinfo){ 0 };
	uint64_t va = elf->sections[ELF_SECTION_BUILDINFO].va;
	if (!va || !is_header(img, va))
		va = search_header(img);
	uint8_t flags;
	if (!va || image_u8(img, va + FLAGS_AT, &flags) < 0 || !(flags & FLAG_INLINE_STRINGS))
		return;

	struct image_cursor cur;
	image_cursor_init(&cur, img, va + HEADER_SZ);
	uint64_t text;
	uint32_t len;
	if (!next_text(&cur, &text, &len) ||
	    image_text(img, text, len, info->version, sizeof(info->version)) < 0)
		return;
	read_experiments(info);
	if (next_text(&cur, &text, &len))
		read_modinfo(info, img, text, len);
}
