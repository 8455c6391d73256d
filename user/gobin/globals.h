/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of runtime variables that no table names, read off the instructions that use them. */
#ifndef GALLOP_GOBIN_GLOBALS_H
#define GALLOP_GOBIN_GLOBALS_H

struct gobin;
struct gobin_globals;
struct image;

/* As gobin_find_globals(), for x86-64. */
int globals_find(struct gobin *bin, struct image *img, struct gobin_globals *ret);

#endif
