/* SPDX-License-Identifier: BSD-2-Clause */
#include "gobin/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "gobin/pclntab.h"

enum { NAMES_MAX = 8 << 20 }; /* bytes that a file may make us keep; the runtime has some 200 KB */

static const char *const prefixes[] = {
	"runtime.",    "internal/runtime/maps.", "internal/sync.(*HashTrieMap[", "sync.(*Map).",
	"reflect.map",
};
static const char crosscall2[] = "crosscall2";

bool index_covers(const char *prefix)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(prefix, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return strcmp(prefix, crosscall2) == 0;
}

struct build {
	struct index *ix;
	char name[PCLNTAB_NAME_MAX];
};

static int add_func(const struct gobin_func *func, void *ctx)
{
	struct build *build = ctx;
	struct index *ix = build->ix;

	if (!index_covers(build->name))
		return 0;
	size_t sz = sizeof(struct index_row) + strlen(build->name) + 1;
	if (sz > NAMES_MAX - ix->names_sz)
		return -EINVAL;
	ix->names_sz += sz;
	char *name = strdup(build->name);
	if (!name || grow(&ix->rows, ix->nr, &ix->cap, sizeof(ix->rows[0]))) {
		free(name);
		return -ENOMEM;
	}
	ix->rows[ix->nr++] = (struct index_row){ name, *func };
	return 0;
}

/* By name; functions of one name in their order in the table. */
static int compare_rows(const void *a, const void *b)
{
	const struct index_row *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->func.idx > y->func.idx) - (x->func.idx < y->func.idx);
}

int index_build(struct index *ix, struct pclntab *tab)
{
	struct build build = { .ix = ix };

	if (ix->built)
		return 0;
	int r = pclntab_each(tab, build.name, sizeof(build.name), add_func, &build);
	if (r < 0) {
		index_deinit(ix);
		return r;
	}
	if (ix->nr)
		qsort(ix->rows, ix->nr, sizeof(ix->rows[0]), compare_rows);
	ix->built = true;
	return 0;
}

void index_deinit(struct index *ix)
{
	for (size_t i = 0; i < ix->nr; i++)
		free(ix->rows[i].name);
	free(ix->rows);
	*ix = (struct index){ 0 };
}

size_t index_first(const struct index *ix, const char *name)
{
	size_t low = 0, high = ix->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(ix->rows[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
