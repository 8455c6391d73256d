/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How sure a number is stands where the number stands: who reads a table of estimates must not need another page to
 * know that it is one.
 */
#include "render/samples.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/u64.h"
#include "render/cells.h"

enum {
	LABEL_W = 11, /* "estimated: " */
	FOOTER_LABEL_W = 7, /* "cost:  " */
	BYTES_PER_KIB = 1024,
	DILATION_MAX = 1000, /* more isn't believed, but a recording can say it */
};

/* Less than this can't be told from a target that isn't slowed at all. */
static const double dilation_min = 1.05;

/* Append; what doesn't fit is left out. */
static void add(char dst[CELL_SZ], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(char dst[CELL_SZ], const char *fmt, ...)
{
	size_t used = strlen(dst);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(dst + used, CELL_SZ - used, fmt, ap);
	va_end(ap);
}

static void add_many(char dst[CELL_SZ], uint64_t n, const char *what)
{
	add(dst, "%s %s%s", fmt_count(n).s, what, n == 1 ? "" : "s");
}

static uint64_t since(uint64_t ns, uint64_t now_ns)
{
	return now_ns > ns ? now_ns - ns : 0;
}

/* --- a number ----------------------------------------------------------------------------------- */

struct fmt fmt_ci95(double value, double ci95)
{
	struct fmt f = { "-" };

	if (!(value > 0))
		return f;
	if (!(ci95 >= 0))
		strcpy(f.s, "?");
	else if (ci95 == 0)
		strcpy(f.s, "exact");
	else if (snapshot_is_noise(value, ci95))
		strcpy(f.s, "noise");
	else /* Never "0.0 %", which would be exact. */
		snprintf(f.s, sizeof(f.s), "+-%.1f %%", fmax(100 * ci95 / value, .1));
	return f;
}

struct fmt fmt_ci95_of(enum snapshot_value value, struct snapshot_count n,
		       struct snapshot_ci95 ci95, const char *type)
{
	if (strcmp(type, SNAPSHOT_UNSAMPLED) == 0 || strcmp(type, SNAPSHOT_LOST) == 0)
		return (struct fmt){ "-" };
	return value == SNAPSHOT_OBJECTS ? fmt_ci95((double)n.objects, ci95.objects)
					 : fmt_ci95((double)n.bytes, ci95.bytes);
}

struct fmt fmt_cpu_share(double share)
{
	struct fmt f = { "0.0 %" };

	/* A recording can say anything. */
	if (!(share >= 0 && share < 1000))
		strcpy(f.s, "?");
	else if (share > 0 && share < .0005)
		strcpy(f.s, "<0.1 %");
	else
		snprintf(f.s, sizeof(f.s), "%.1f %%", 100 * share);
	return f;
}

/* "512 KiB": rates are whole, mostly. */
static struct fmt fmt_rate_bytes(uint64_t rate)
{
	struct fmt f = fmt_bytes(rate);
	char *zero = strstr(f.s, ".0 ");

	if (zero && rate % BYTES_PER_KIB == 0)
		memmove(zero, zero + strlen(".0"), strlen(zero + strlen(".0")) + 1);
	return f;
}

/* --- where estimates come from ------------------------------------------------------------------- */

static void add_evidence(char words[CELL_SZ], const struct snapshot_samples *samples)
{
	if (samples->sampled) {
		add_many(words, samples->sampled, "sample");
		add(words, " of the runtime");
		if (samples->mem_profile_rate)
			add(words, " (1 in %s)", fmt_rate_bytes(samples->mem_profile_rate).s);
	}
	if (samples->sampled && samples->units)
		add(words, " and ");
	if (samples->units) {
		add_many(words, samples->units, "window");
		add(words, " (");
		add_many(words, samples->hits, "hit");
		add(words, ")");
	}
}

static bool has_evidence(const struct snapshot_samples *samples)
{
	return samples->sampled || samples->units;
}

static void add_age(char words[CELL_SZ], const struct snapshot *s)
{
	const struct snapshot_samples *samples = &s->samples;
	uint64_t age = since(samples->shares_to_ns, s->to_mono_ns);

	if (!samples->shares_from_ns)
		return;
	add(words, " of the last %s",
	    fmt_duration(since(samples->shares_from_ns, s->to_mono_ns)).s);
	if (age)
		add(words, ", the latest %s old", fmt_duration(age).s);
}

static void put_labelled(FILE *out, const char *label, const char *words)
{
	put_wrapped(out, label, LABEL_W, words, "", "");
}

static void put_sources(FILE *out, const struct snapshot *s)
{
	char words[CELL_SZ] = "sites and types, from ";

	put_labelled(out, "exact:", "totals and size classes: the runtime's own count");
	if (!has_evidence(&s->samples)) {
		put_labelled(out, "estimated:",
			     "nothing yet: there was no window, and no sample of the runtime's");
		return;
	}
	add_evidence(words, &s->samples);
	add_age(words, s);
	if (s->samples.units && s->samples.dilation >= dilation_min)
		add(words, "; while one was open the target allocated %.1f times slower",
		    fmin(s->samples.dilation, DILATION_MAX));
	put_labelled(out, "estimated:", words);
}

/* --- what the marks mean ------------------------------------------------------------------------- */

struct marks {
	bool width, noise, unknown, exact;
};

static void meet(struct marks *marks, const char *cell)
{
	marks->width |= strncmp(cell, "+-", 2) == 0;
	marks->noise |= strcmp(cell, "noise") == 0;
	marks->unknown |= strcmp(cell, "?") == 0;
	marks->exact |= strcmp(cell, "exact") == 0;
}

static struct marks marks_met(const struct snapshot *s, enum snapshot_value value, size_t sites_nr,
			      size_t types_nr)
{
	struct marks marks = { 0 };

	for (size_t i = 0; i < sites_nr; i++) {
		const struct snapshot_site *site = &s->sites[i];
		meet(&marks, fmt_ci95_of(value, site->count, site->ci95, site->type).s);
	}
	for (size_t i = 0; i < types_nr; i++) {
		const struct snapshot_type *type = &s->types[i];
		meet(&marks, fmt_ci95_of(value, type->count, type->ci95, type->name).s);
	}
	return marks;
}

/* How long it takes until there are enough windows, by the gaps between those that there were. */
static void add_too_few(char words[CELL_SZ], const struct snapshot_samples *samples)
{
	uint64_t span = since(samples->shares_from_ns, samples->shares_to_ns);

	if (samples->units >= ESTIMATE_UNITS_MIN && samples->alike < ESTIMATE_UNITS_MIN) {
		add(words, "the program works in bursts, and of %s windows too few saw all of one",
		    fmt_count(samples->units).s);
		return;
	}
	add(words, "it takes %d windows to tell, and there ", ESTIMATE_UNITS_MIN);
	if (!samples->units)
		add(words, "was none yet");
	else
		add(words, "%s %s", samples->units == 1 ? "was" : "were",
		    fmt_count(samples->units).s);
	if (samples->units > 1 && samples->shares_from_ns && span)
		add(words, "; at this spacing they take %s",
		    fmt_duration(span / (samples->units - 1) * ESTIMATE_UNITS_MIN).s);
}

static void put_marks(FILE *out, const struct snapshot_samples *samples, struct marks marks)
{
	char words[CELL_SZ] = "half-width of the 95 % interval, in %";

	if (marks.noise)
		add(words, "; noise: it reaches down to 0");
	if (marks.exact)
		add(words, "; exact: counted");
	put_labelled(out, "+-:", words);
	if (marks.unknown) {
		*words = '\0';
		add_too_few(words, samples);
		put_labelled(out, "?:", words);
	}
}

static void put_unsampled(FILE *out, const struct snapshot_samples *samples)
{
	char words[CELL_SZ] = "";

	if (!samples->unsampled_objects && !samples->unsampled_bytes)
		return;
	add_many(words, samples->unsampled_objects, "object");
	add(words, ", %s, that the runtime has allocated and no sample tells the place of",
	    fmt_bytes(samples->unsampled_bytes).s);
	put_labelled(out, SNAPSHOT_UNSAMPLED ": ", words);
}

void put_untyped(FILE *out, const struct snapshot *s)
{
	for (size_t i = 0; i < s->types_nr; i++) {
		const struct snapshot_count *n = &s->types[i].count;

		if (strcmp(s->types[i].name, SNAPSHOT_UNTYPED) || !n->objects)
			continue;
		fprintf(out,
			"types of %s of the objects, %s of the bytes, are not known: the "
			"runtime's samples don't\ncarry them; --mode exact does\n",
			fmt_percent(n->objects, s->total.objects).s,
			fmt_percent(n->bytes, s->total.bytes).s);
	}
}

void put_estimates(FILE *out, const struct snapshot *s, enum snapshot_value value, size_t sites_nr,
		   size_t types_nr)
{
	if (!s->samples.on)
		return;
	put_sources(out, s);
	if (sites_nr)
		put_marks(out, &s->samples, marks_met(s, value, sites_nr, types_nr));
	put_unsampled(out, &s->samples);
}

void put_sources_now(FILE *out, const struct snapshot *interval)
{
	const struct snapshot_samples *samples = &interval->samples;
	char words[CELL_SZ] = "totals: exact; sites: estimated from ";

	if (!samples->on)
		return;
	if (has_evidence(samples)) {
		add_evidence(words, samples);
		add_age(words, interval);
	} else {
		add(words, "nothing yet: there was no window, and no sample of the runtime's");
	}
	fprintf(out, "%s\n", words);
}

void put_marks_now(FILE *out, const struct snapshot *interval, enum snapshot_value value,
		   size_t sites_nr)
{
	if (!interval->samples.on)
		return;
	struct marks marks = marks_met(interval, value, sites_nr, 0);
	if (marks.width || marks.noise || marks.unknown || marks.exact)
		put_marks(out, &interval->samples, marks);
	put_unsampled(out, &interval->samples);
}

/* --- what it costs ------------------------------------------------------------------------------ */

/* The budget is one over any 30 seconds: what the first of them took may be made up for. */
static bool can_judge(const struct snapshot *s)
{
	enum { BUDGET_NS = 30 * 1000 * 1000 };

	return since(s->meta.start_mono_ns, s->to_mono_ns) / 1000 >= BUDGET_NS;
}

static bool is_over(const struct snapshot *s, double share)
{
	return s->samples.cost.budget > 0 && share > s->samples.cost.budget && can_judge(s);
}

/* "0.8 % of the target's CPU time (budget 2.0 %)" */
static void add_share(char words[CELL_SZ], const struct snapshot *s, double share, const char *when)
{
	const struct model_cost *c = &s->samples.cost;

	add(words, "%s of the target's CPU time%s", fmt_cpu_share(share).s, when);
	if (!(c->budget > 0))
		add(words, " (no budget)");
	else if (is_over(s, share))
		add(words, ", over the budget of %s", fmt_cpu_share(c->budget).s);
	else
		add(words, " (budget %s%s)", fmt_cpu_share(c->budget).s,
		    share > c->budget ? " over 30 s" : "");
}

static void add_windows(char words[CELL_SZ], const struct model_cost *c)
{
	if (!c->windows && !c->failed_windows)
		return;
	add(words, ", ");
	add_many(words, c->windows, "window");
	if (c->overruns)
		add(words, " (%s late)", fmt_count(c->overruns).s);
	if (c->failed_windows)
		add(words, ", %s failed", fmt_count(c->failed_windows).s);
}

static void put_cost_line(FILE *out, const struct snapshot *s, double share, const char *words,
			  const struct render_opts *opts)
{
	const struct model_cost *c = &s->samples.cost;
	bool over = is_over(s, share);

	put_wrapped(out, "cost:", FOOTER_LABEL_W, words, over ? style(opts, STYLE_BAD) : "",
		    over ? style(opts, STYLE_NONE) : "");
	if (*c->off) {
		char off[CELL_SZ];
		short_text(off, c->off, CELL_SZ);
		put_wrapped(out, "off:", FOOTER_LABEL_W, off, "", "");
	}
	if (c->other_probes)
		put_wrapped(out, "", FOOTER_LABEL_W, OTHER_TRACER, "", "");
}

/* A share of the target's time, of all of it or of now, and the hits that took it. */
static void put_cost_of(FILE *out, const struct snapshot *s, const struct render_opts *opts,
			double share, const char *when,
			void (*add_hits)(char words[CELL_SZ], const struct snapshot *s))
{
	const struct model_cost *c = &s->samples.cost;
	char words[CELL_SZ] = "";

	if (!c->known) {
		if (s->samples.on)
			fputs("cost:  not known\n", out);
		return;
	}
	add_share(words, s, share, when);
	add_hits(words, s);
	add_windows(words, c);
	put_cost_line(out, s, share, words, opts);
}

/* Not measured here: what a slow machine takes. */
static void add_assumed(char words[CELL_SZ], const struct model_cost *c)
{
	if (!c->calibrated)
		add(words, " (assumed)");
}

static void add_all_hits(char words[CELL_SZ], const struct snapshot *s)
{
	const struct model_cost *c = &s->samples.cost;

	add(words, ": ");
	add_many(words, c->hits, "hit");
	add(words, " of %s", fmt_time(c->ns_per_hit).s);
	add_assumed(words, c);
}

static void add_hit_rate(char words[CELL_SZ], const struct snapshot *s)
{
	const struct model_cost *c = &s->samples.cost;

	add(words, ": %s a hit", fmt_time(c->ns_per_hit).s);
	add_assumed(words, c);
	add(words, ", %s hits/s", fmt_rate(c->hits, since(s->from_mono_ns, s->to_mono_ns)).s);
}

/* They come as often as the budget allows, up to three a second. */
static void put_what_limits(FILE *out, const struct snapshot *s)
{
	const struct model_cost *c = &s->samples.cost;
	uint64_t dur = since(s->from_mono_ns, s->to_mono_ns);
	bool often = c->windows * 2 > dur / 1000000000 * 5;

	if (!c->known || !c->windows)
		return;
	put_wrapped(out, "", FOOTER_LABEL_W,
		    often ? "windows come as often as they may: more of them take more time"
			  : "windows come as often as the budget allows: more of them take more of "
			    "it (--budget), or time",
		    "", "");
}

void put_cost(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	put_cost_of(out, s, opts, s->samples.cost.predicted, "", add_all_hits);
	put_what_limits(out, s);
}

void put_cost_now(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	put_cost_of(out, s, opts, s->samples.cost.predicted_now, " now", add_hit_rate);
}
