/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which maps a program has. The linker drops functions that nothing calls, so what is there proves
 * something and what is missing proves nothing; where nothing is proven, the version decides.
 */
#include <string.h>

#include "gobin/gobin.h"

enum { SWISS_MINOR = 24 }; /* the first Go with Swiss maps, and they are its default */

static int is_there(const struct gobin_func *func, const char *name, void *ctx)
{
	(void)func, (void)name, (void)ctx;
	return 1;
}

static bool has_prefix(struct gobin *bin, const char *prefix)
{
	return gobin_each_func(bin, prefix, is_there, NULL) > 0;
}

/* Methods of maps.Map are only called by code for Swiss maps; the package itself is linked without them. */
static bool has_swiss(struct gobin *bin)
{
	return has_prefix(bin, "internal/runtime/maps.(*Map).");
}

static bool has_any(struct gobin *bin)
{
	return has_prefix(bin, "runtime.makemap") || has_prefix(bin, "runtime.mapassign") ||
	       has_prefix(bin, "runtime.mapaccess") || has_swiss(bin);
}

enum gobin_maps gobin_map_kind(struct gobin *bin)
{
	const struct gobin_info *info = gobin_info(bin);
	struct gobin_func func;

	if (!has_any(bin))
		return GOBIN_MAPS_NONE;
	if (gobin_find_func(bin, "runtime.hashGrow", &func) == 0)
		return GOBIN_MAPS_CLASSIC;
	if (has_swiss(bin))
		return GOBIN_MAPS_SWISS;
	if (info->go_minor < SWISS_MINOR || strstr(info->experiments, "noswissmap"))
		return GOBIN_MAPS_CLASSIC;
	return GOBIN_MAPS_SWISS;
}
