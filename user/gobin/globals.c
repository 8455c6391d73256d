/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stripped binary has no symbol for runtime.memstats, but its code has the address. Few shapes of
 * code are enough, the same in every Go from 1.19 to 1.27:
 *
 * - (*mcache).refill compares with &emptymspan first of all, and loads a receiver into the first
 *   argument register right before a method call: &memstats.heapStats (the first field of memstats)
 *   for (*consistentHeapStats).acquire, &gcController for (*gcControllerState).update;
 * - sweepone does the same with &mheap_ for (*mheap).nextSpanForSweep;
 * - preemptall and others range over runtime.allp, so they load its pointer and its length, which
 *   are neighbours, from fixed addresses.
 *
 * And for the memory profile three functions of a few lines (runtime/mprof.go, malloc.go), whose loads are few:
 *
 * - mProf_FlushLocked begins with the head of the list of buckets, runtime.mbuckets;
 * - mProf_Flush begins with a word of 32 bits, runtime.mProfCycle; it is there as collections call it, unlike
 *   mProf_PostSweep, which until Go 1.26 only runtime.GC() does;
 * - profilealloc loads mcache0, and last of all what nextSample needs: runtime.MemProfileRate.
 *
 * What these look like is the business of one decoder for each machine.
 */
#include "gobin/globals.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "gobin/image.h"

enum { CODE_MAX = 64 << 10 }; /* bytes of one function that are looked at */

enum func {
	FUNC_REFILL,
	FUNC_ACQUIRE,
	FUNC_UPDATE,
	FUNC_SWEEPONE,
	FUNC_NEXT_SPAN,
	FUNC_FLUSH_LOCKED,
	FUNC_FLUSH,
	FUNC_PROFILEALLOC,
	FUNC_ALLP_FIRST, /* from here on: functions that range over allp, the smallest first */
	FUNC_NR = FUNC_ALLP_FIRST + 4,
};

static const char *const func_names[FUNC_NR] = {
	[FUNC_REFILL] = "runtime.(*mcache).refill",
	[FUNC_ACQUIRE] = "runtime.(*consistentHeapStats).acquire",
	[FUNC_UPDATE] = "runtime.(*gcControllerState).update",
	[FUNC_SWEEPONE] = "runtime.sweepone",
	[FUNC_NEXT_SPAN] = "runtime.(*mheap).nextSpanForSweep",
	[FUNC_FLUSH_LOCKED] = "runtime.mProf_FlushLocked",
	[FUNC_FLUSH] = "runtime.mProf_Flush",
	[FUNC_PROFILEALLOC] = "runtime.profilealloc",
	[FUNC_ALLP_FIRST] = "runtime.preemptall",
	[FUNC_ALLP_FIRST + 1] = "runtime.gcMarkTinyAllocs",
	[FUNC_ALLP_FIRST + 2] = "runtime.timeSleepUntil",
	[FUNC_ALLP_FIRST + 3] = "runtime.stopTheWorldWithSema",
};

static void code_deinit(struct globals_code *code)
{
	free(code->bytes);
}

static int code_read(struct globals_code *code, struct image *img, const struct gobin_func *func)
{
	uint64_t len = func->end - func->entry;

	code->va = func->entry;
	code->len = len < CODE_MAX ? (size_t)len : CODE_MAX;
	code->bytes = malloc(code->len + 1);
	if (!code->bytes)
		return -ENOMEM;
	return image_read(img, code->va, code->bytes, code->len);
}

bool globals_is_variable(const struct image *img, uint64_t va, uint64_t size)
{
	const struct image_seg *seg = image_seg_of(img, va, size);

	return seg && seg->write && !seg->exec && va % (size < 8 ? size : 8) == 0;
}

void globals_loads_add(struct globals_loads *loads, uint64_t va)
{
	if (loads->nr < GLOBALS_LOADS_MAX)
		loads->va[loads->nr++] = va;
}

uint64_t globals_loads_slice(const struct globals_loads *loads, const struct image *img)
{
	for (size_t i = 0; i < loads->nr; i++)
		for (size_t j = 0; j < loads->nr; j++)
			if (loads->va[j] == loads->va[i] + 8 &&
			    globals_is_variable(img, loads->va[i], GLOBALS_SLICE_SZ))
				return loads->va[i];
	return 0;
}

static int find_in_refill(const struct globals_decoder *decoder, struct image *img,
			  const struct gobin_func *funcs, const bool *found,
			  struct gobin_globals *ret)
{
	if (!found[FUNC_REFILL])
		return 0;
	_cleanup_(code_deinit) struct globals_code code = { 0 };
	int r = code_read(&code, img, &funcs[FUNC_REFILL]);
	if (r < 0)
		return r;

	ret->emptymspan = decoder->first(&code, img);
	if (found[FUNC_ACQUIRE])
		ret->memstats = decoder->receiver(&code, img, funcs[FUNC_ACQUIRE].entry);
	if (found[FUNC_UPDATE])
		ret->gc_controller = decoder->receiver(&code, img, funcs[FUNC_UPDATE].entry);
	return 0;
}

static int find_mheap(const struct globals_decoder *decoder, struct image *img,
		      const struct gobin_func *funcs, const bool *found, struct gobin_globals *ret)
{
	if (!found[FUNC_SWEEPONE] || !found[FUNC_NEXT_SPAN])
		return 0;
	_cleanup_(code_deinit) struct globals_code code = { 0 };
	int r = code_read(&code, img, &funcs[FUNC_SWEEPONE]);
	if (r == 0)
		ret->mheap = decoder->receiver(&code, img, funcs[FUNC_NEXT_SPAN].entry);
	return r;
}

static int find_allp(const struct globals_decoder *decoder, struct image *img,
		     const struct gobin_func *funcs, const bool *found, struct gobin_globals *ret)
{
	for (int i = FUNC_ALLP_FIRST; i < FUNC_NR && !ret->allp; i++) {
		if (!found[i])
			continue;
		_cleanup_(code_deinit) struct globals_code code = { 0 };
		int r = code_read(&code, img, &funcs[i]);
		if (r < 0)
			return r;
		ret->allp = decoder->slice(&code, img);
	}
	return 0;
}

static int find_mprof(const struct globals_decoder *decoder, struct image *img,
		      const struct gobin_func *funcs, const bool *found, struct gobin_globals *ret)
{
	const struct {
		enum func func;
		uint64_t (*find)(const struct globals_code *, const struct image *, unsigned int);
		unsigned int size;
		uint64_t *to;
	} wanted[] = {
		{ FUNC_FLUSH_LOCKED, decoder->first_load, 8, &ret->mbuckets },
		{ FUNC_FLUSH, decoder->first_load, 4, &ret->mprof_cycle },
		{ FUNC_PROFILEALLOC, decoder->last_load, 8, &ret->mem_profile_rate },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!found[wanted[i].func])
			continue;
		_cleanup_(code_deinit) struct globals_code code = { 0 };
		int r = code_read(&code, img, &funcs[wanted[i].func]);
		if (r < 0)
			return r;
		*wanted[i].to = wanted[i].find(&code, img, wanted[i].size);
	}
	return 0;
}

int globals_find(struct gobin *bin, struct image *img, struct gobin_globals *ret)
{
	const struct globals_decoder *decoder = gobin_info(bin)->machine == EM_AARCH64
							? &globals_arm64
							: &globals_x86_64;
	struct gobin_func funcs[FUNC_NR];
	bool found[FUNC_NR];
	struct gobin_globals globals = { 0 };

	int r = 0;
	for (int i = 0; i < FUNC_NR && r == 0; i++) {
		r = gobin_find_func(bin, func_names[i], &funcs[i]);
		found[i] = r == 0;
		if (r == -ENOENT)
			r = 0;
	}
	if (r == 0)
		r = find_in_refill(decoder, img, funcs, found, &globals);
	if (r == 0)
		r = find_mheap(decoder, img, funcs, found, &globals);
	if (r == 0)
		r = find_allp(decoder, img, funcs, found, &globals);
	if (r == 0)
		r = find_mprof(decoder, img, funcs, found, &globals);
	if (r == 0)
		*ret = globals;
	return r;
}
