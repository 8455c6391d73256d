/* SPDX-License-Identifier: BSD-2-Clause */
#include "render/map_calls.h"

#include <math.h>

#include "base/u64.h"

static uint64_t counted(const struct model_map_counts *c, enum model_map_operation operation)
{
	return operation == MODEL_MAP_ASSIGN ? c->assigns : c->deletes;
}

struct map_calls map_calls_of(const struct snapshot_maps *maps,
			      const struct snapshot_map_site *site,
			      enum model_map_operation operation)
{
	const struct snapshot_map_estimate *estimate = operation == MODEL_MAP_ASSIGN
							       ? &site->assigns
							       : &site->deletes;
	struct map_calls calls = { .known = maps->known && maps->every_operation,
				   .n = counted(&site->counts, operation) };

	/* That no window has met any doesn't mean that there were none. */
	if (maps->known && !maps->every_operation && maps->operations_sampled && estimate->calls)
		calls = (struct map_calls){ true, true, estimate->at_least,
					    sum_u63(calls.n, estimate->calls), estimate->ci95 };
	return calls;
}

struct map_calls map_calls_total(const struct snapshot_maps *maps,
				 enum model_map_operation operation)
{
	struct map_calls calls = { .known = maps->known && maps->every_operation,
				   .n = counted(&maps->total, operation) };

	if (!maps->known || maps->every_operation || !maps->operations_sampled)
		return calls;
	calls = (struct map_calls){ true, true, false, 0, NAN };
	for (size_t i = 0; i < maps->sites_nr; i++) {
		struct map_calls n = map_calls_of(maps, &maps->sites[i], operation);
		calls.n = sum_u63(calls.n, n.n);
		calls.at_least |= n.at_least;
	}
	calls.known = calls.n > 0;
	return calls;
}

const char *map_calls_mark(struct map_calls calls)
{
	return calls.at_least ? ">" : calls.estimated ? "~" : "";
}
