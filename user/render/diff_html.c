/* SPDX-License-Identifier: BSD-2-Clause */
/* A difference as a flame graph, of the numbers that text has: html.h makes the page. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "render/diff.h"
#include "render/html.h"

/*
 * By operation the sites are those inside of the calls: a snapshot that has them in place of the process's. Borrows all
 * from the side's; the caller frees s->sites. 0 or -ENOMEM.
 */
static int take_op(struct snapshot *s, const struct diff *d, int side)
{
	const struct snapshot_op *op = d->opts.op[side];

	*s = *d->s[side];
	s->sites = calloc(op->sites_nr + 1, sizeof(s->sites[0]));
	s->sites_nr = op->sites_nr;
	s->total = (struct snapshot_count){ op->objects, op->bytes };
	for (size_t i = 0; s->sites && i < op->sites_nr; i++)
		s->sites[i] = (struct snapshot_site){
			.count = { op->sites[i].objects, op->sites[i].bytes },
			.type = op->sites[i].type,
			.stack = op->sites[i].stack,
		};
	return s->sites ? 0 : -ENOMEM;
}

bool diff_html_has(const struct diff *d, enum snapshot_value value)
{
	enum diff_measure m = diff_measure_of(value);

	/* Since the process began: nothing that a difference has. */
	if (value == SNAPSHOT_ALLOC_BYTES || value == SNAPSHOT_ALLOC_OBJECTS)
		return true;
	for (int side = 0; side < DIFF_SIDES && diff_measures[m].kind == DIFF_FLOW; side++)
		if (d->process_divisor[side] != d->divisor[side])
			return false;
	return d->total[m].known;
}

static uint32_t hidden_values(const struct diff *d)
{
	uint32_t hidden = 0;

	for (int value = 0; value <= SNAPSHOT_ALLOC_OBJECTS; value++)
		if (!diff_html_has(d, (enum snapshot_value)value))
			hidden |= UINT32_C(1) << value;
	return hidden;
}

int render_diff_html(FILE *out, const struct diff *d, const struct diff_names *names,
		     const struct render_opts *opts)
{
	static const char *const per[] = {
		[DIFF_PER_SECOND] = "a second", [DIFF_PER_OP] = "a call", [DIFF_PER_TOTAL] = ""
	};
	const struct html_diff diff = {
		.before_scale = 1 / d->divisor[DIFF_BEFORE],
		.after_scale = 1 / d->divisor[DIFF_AFTER],
		.per = per[d->opts.per],
		.hidden = hidden_values(d),
		.before_name = names->file[DIFF_BEFORE],
		.after_name = names->file[DIFF_AFTER],
	};
	struct snapshot s[DIFF_SIDES];
	_cleanup_free_ struct snapshot_site *before_sites = NULL, *after_sites = NULL;

	if (d->opts.per != DIFF_PER_OP)
		return render_html_diff(out, d->s[DIFF_BEFORE], d->s[DIFF_AFTER], &diff, opts);
	int rc = take_op(&s[DIFF_BEFORE], d, DIFF_BEFORE);
	before_sites = s[DIFF_BEFORE].sites;
	if (rc)
		return rc;
	rc = take_op(&s[DIFF_AFTER], d, DIFF_AFTER);
	after_sites = s[DIFF_AFTER].sites;
	return rc ? rc : render_html_diff(out, &s[DIFF_BEFORE], &s[DIFF_AFTER], &diff, opts);
}
