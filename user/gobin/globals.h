/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of runtime variables that no table names, read off the instructions that use them. */
#ifndef GALLOP_GOBIN_GLOBALS_H
#define GALLOP_GOBIN_GLOBALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gobin;
struct gobin_globals;
struct image;

/* As gobin_find_globals(). */
int globals_find(struct gobin *bin, struct image *img, struct gobin_globals *ret);

/* The instructions of one function. */
struct globals_code {
	uint64_t va;
	size_t len;
	uint8_t *bytes;
};

/* How one machine's code names a variable; each returns an address, or 0 if it isn't there. */
struct globals_decoder {
	/* What is loaded into the first argument register for a call of `callee`. */
	uint64_t (*receiver)(const struct globals_code *code, const struct image *img,
			     uint64_t callee);
	/* The first variable whose address is taken to compare with. */
	uint64_t (*first)(const struct globals_code *code, const struct image *img);
	/* The slice whose pointer and length are loaded. */
	uint64_t (*slice)(const struct globals_code *code, const struct image *img);
	/* The first and the last variable of so many bytes (4 or 8) that is loaded. */
	uint64_t (*first_load)(const struct globals_code *code, const struct image *img,
			       unsigned int size);
	uint64_t (*last_load)(const struct globals_code *code, const struct image *img,
			      unsigned int size);
};

extern const struct globals_decoder globals_x86_64, globals_arm64;

/* Can a variable of this size be at va? */
bool globals_is_variable(const struct image *img, uint64_t va, uint64_t size);

/* Addresses that a function loads from. */
enum { GLOBALS_LOADS_MAX = 64, GLOBALS_SLICE_SZ = 24 };
struct globals_loads {
	uint64_t va[GLOBALS_LOADS_MAX];
	size_t nr;
};

void globals_loads_add(struct globals_loads *loads, uint64_t va);

/* The first of them that has another right behind it, as the two first words of a slice are. */
uint64_t globals_loads_slice(const struct globals_loads *loads, const struct image *img);

#endif
