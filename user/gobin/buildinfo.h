/* SPDX-License-Identifier: BSD-2-Clause */
/* What "go version -m" would print: who built the executable, from what, with which settings. */
#ifndef GALLOP_GOBIN_BUILDINFO_H
#define GALLOP_GOBIN_BUILDINFO_H

struct elf_file;
struct image;

/* All "" where the executable does not say. */
struct buildinfo {
	char version[128]; /* "go1.23.5", "go1.25.1 X:noswissmap" */
	char main_path[256]; /* "example.com/cmd/server" */
	char module[512]; /* "example.com v1.2.3" */
	char experiments[256]; /* "noswissmap,arenas" */
};

/* Best effort: an executable without build info, or with a damaged one, gives empty strings. */
void buildinfo_read(struct buildinfo *info, const struct elf_file *elf, struct image *img);

#endif
