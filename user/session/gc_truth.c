/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/gc_truth.h"

#include <stdio.h>
#include <string.h>

#include "plan/plan.h"
#include "probe/probe.h"
#include "proc/proc.h"
#include "stream/gc.h"

enum { TRIES = 16 };

void gc_truth_init(struct gc_truth *t, const struct proc *proc, const struct plan *plan,
		   uint64_t load_bias)
{
	if (!plan->cfg.gc_controller_va)
		return;
	t->proc = proc;
	t->exact = plan->cfg.stw_args >= WIRE_STW_START;
	t->numgc_addr = plan->cfg.memstats_va + load_bias + plan->cfg.ms_numgc;
	t->assist_time_addr = plan->cfg.gc_controller_va + load_bias + plan->cfg.gcc_assist_time;
	t->pause_total_addr = plan->cfg.memstats_va + load_bias + plan->cfg.ms_pause_total;
}

bool gc_truth_assist_time(const struct gc_truth *t, uint64_t *ret)
{
	return t->proc && !proc_read(t->proc, t->assist_time_addr, ret, sizeof(*ret));
}

/* Both words belong together if no cycle ended between: numgc is written after the pauses. */
static bool read_pair(const struct gc_truth *t, struct gc_reading *ret)
{
	struct gc_reading r;
	uint32_t again;

	for (int i = 0; t->proc && i < TRIES; i++) {
		if (proc_read(t->proc, t->numgc_addr, &r.numgc, sizeof(r.numgc)) ||
		    proc_read(t->proc, t->pause_total_addr, &r.pause_total_ns,
			      sizeof(r.pause_total_ns)) ||
		    proc_read(t->proc, t->numgc_addr, &again, sizeof(again)))
			return false;
		if (again != r.numgc)
			continue;
		*ret = r;
		return true;
	}
	return false;
}

void gc_truth_begin(struct gc_truth *t)
{
	t->begun = read_pair(t, &t->begin);
	t->end = t->begin;
}

void gc_truth_begin_at_zero(struct gc_truth *t)
{
	t->begun = true;
}

/* In this order: a cycle that has been counted is still ending, or its record is in the ring. */
void gc_truth_read(struct gc_truth *t, struct probe *probe)
{
	if (read_pair(t, &t->end))
		t->ending = probe_cycle_is_ending(probe);
}

/* The cycle that the runtime counted while counting here began or ended belongs to what isn't compared. */
static void leave_out_edges(const struct gc_truth *t, const struct gc_stream *seen,
			    struct gc_reading *begin, struct gc_reading *end)
{
	const struct gc_reading told = { seen->last_number, seen->last_pause_total_ns };
	const struct gc_reading last = told.numgc ? told : *begin;

	if (t->ending && end->numgc == last.numgc + 1)
		*end = last;
	/* See keep_sums(): its end is not told up to Go 1.21. */
	else if (seen->may_miss_one && !seen->cycles && end->numgc == begin->numgc + 1)
		*begin = *end;
}

void gc_truth_to_check(const struct gc_truth *t, const struct gc_stream *seen, uint64_t off_ns,
		       struct model_gc_check *check)
{
	struct gc_reading begin = t->begin, end = t->end;

	memset(check, 0, sizeof(*check));
	check->off_ns = off_ns;
	check->known = t->begun && t->proc;
	if (!check->known) {
		snprintf(check->why_not, sizeof(check->why_not), "%s",
			 "the runtime's GC counters could not be read");
		return;
	}
	/* A target that has ended said its last word with its last cycle. */
	if (seen->last_number > end.numgc && seen->cycles) {
		end.numgc = seen->last_number;
		end.pause_total_ns = seen->last_pause_total_ns;
	}
	if (seen->first_pause_total_ns) {
		begin.numgc = seen->first_number - 1;
		begin.pause_total_ns = seen->first_pause_total_ns;
	}
	leave_out_edges(t, seen, &begin, &end);
	struct gc_sums sums = gc_stream_sums(seen, end.numgc);
	check->exact = t->exact;
	check->runtime_cycles = end.numgc - begin.numgc;
	check->gallop_cycles = sums.cycles;
	/* Where some are missing anyway, nothing is left out to compare the rest. */
	check->runtime_pause_ns = end.pause_total_ns - begin.pause_total_ns;
	check->gallop_pause_ns = sums.whole_ns;
	if (off_ns)
		check->gallop_pause_ns += sums.partial_ns;
	else
		check->runtime_pause_ns -= sums.partial_ns;
}
