/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counting rule of each Go version.
 *
 * Up to Go 1.26 every heap object passes runtime.mallocgc once. Go 1.27 (and 1.26 with
 * GOEXPERIMENT=sizespecializedmalloc) has entries of their own for small sizes, which the compiler calls
 * directly and to which mallocgc forwards sizes up to a limit: there an object is a hit of a specialised
 * entry, or of mallocgc above the limit. What decides is which functions the binary has, not its version.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gobin/layout.h"
#include "plan/build.h"

static const char *skip_prefix(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) ? NULL : s + len;
}

/*
 * The number n of an entry specialised for one size class, or -1, and what it says of pointers. The spelling
 * tells them from the helpers inside mallocgc: mallocgcSmallNoScanSC2 is an entry, mallocgcSmallNoscan is not
 * (Go 1.27 runtime/malloc_generated.go).
 */
static int specialised_nr(const char *name, unsigned *flags_ret)
{
	static const struct {
		const char *prefix;
		unsigned flags;
	} forms[] = {
		{ "runtime.mallocgcTinySC", WIRE_F_NOSCAN },
		{ "runtime.mallocgcTinySize", WIRE_F_NOSCAN },
		{ "runtime.mallocgcSmallNoScanSC", WIRE_F_NOSCAN },
		{ "runtime.mallocgcSmallScanNoHeaderSC", WIRE_F_SCAN },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *digits = skip_prefix(name, forms[i].prefix);
		if (!digits || !isdigit((unsigned char)*digits))
			continue;
		char *end;
		long n = strtol(digits, &end, 10);
		if (*end || n >= WIRE_CLASSES)
			continue;
		*flags_ret = forms[i].flags;
		return (int)n;
	}
	return -1;
}

struct malloc_scan {
	struct plan *plan;
	struct gobin *bin;
	struct err *err;
	int specialised; /* how many specialised entries there are */
	int class_max; /* the largest class that has one */
};

/* Counted each, or in windows. */
static enum plan_prog malloc_prog(const struct plan *plan)
{
	return plan->cfg.sampled && !plan->cfg.op_windows ? PLAN_PROG_WINDOW : PLAN_PROG_MALLOC;
}

static enum wire_group malloc_group(const struct plan *plan)
{
	return plan->cfg.op_windows ? WIRE_GROUP_OP_WINDOW : WIRE_GROUP_WINDOW;
}

static int add_specialised(const struct gobin_func *func, const char *name, void *ctx)
{
	struct malloc_scan *scan = ctx;
	struct want want = { malloc_prog(scan->plan),
			     WIRE_PLACE_SPECIALISED,
			     "objects of one size class",
			     false,
			     0,
			     malloc_group(scan->plan) };
	int nr = specialised_nr(name, &want.flags);

	if (nr < 0)
		return 0;
	scan->specialised++;
	/* TinySize<n> counts bytes, not classes; its entries never decide the limit. */
	if (nr > scan->class_max && !skip_prefix(name, "runtime.mallocgcTiny"))
		scan->class_max = nr;
	int err = plan_add(scan->plan, scan->bin, func, name, &want);
	if (err)
		return err_set(scan->err, -ENOTSUP, "cannot place a probe in %s: unknown prologue",
			       name);
	return 0;
}

int plan_malloc(struct plan *plan, struct gobin *bin, struct err *err)
{
	const struct want want = { malloc_prog(plan), WIRE_PLACE_MALLOCGC, "every object", false, 0,
				   malloc_group(plan) };
	size_t first = plan->probes_nr;
	struct gobin_func func;
	struct malloc_scan scan = { .plan = plan, .bin = bin, .err = err };

	if (gobin_find_func(bin, "runtime.mallocgc", &func))
		return err_set(err, -ENOTSUP, "no runtime.mallocgc in '%s'", gobin_info(bin)->path);
	if (plan_add(plan, bin, &func, "runtime.mallocgc", &want))
		return err_set(err, -ENOTSUP,
			       "cannot place a probe in runtime.mallocgc: unknown prologue");
	int rc = gobin_each_func(bin, "runtime.mallocgc", add_specialised, &scan);
	if (rc)
		return rc == -ENOTSUP ? rc
				      : err_set(err, -ENOEXEC, "'%s': damaged function table",
						gobin_info(bin)->path);
	if (!scan.specialised)
		return 0;
	if (!scan.class_max)
		return err_set(err, -ENOTSUP,
			       "the allocator of '%s' is specialised in an unknown way",
			       gobin_info(bin)->path);

	/* len(mallocNoScanTable)-1: the classes' own sizes end at 512 or 80 (Go 1.26/1.27 malloc.go). */
	plan->cfg.malloc_limit = go_class_to_size[scan.class_max];
	plan->probes[first].why = "objects of other sizes";
	return 0;
}
