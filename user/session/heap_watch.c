/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/heap_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/grow.h"
#include "gobin/gobin.h"
#include "model/heap.h"
#include "model/model.h"
#include "symbol/symbol.h"

int heap_watch_init(struct heap_watch *w, const struct proc *proc, struct gobin *bin,
		    uint64_t load_bias, struct symbolizer *symbolizer, struct model *model,
		    struct err *err)
{
	struct mprof_reader reader;
	int rc = mprof_reader_init(&reader, proc, bin, load_bias, err);

	*w = (struct heap_watch){ 0 };
	if (rc) {
		model_heap_unknown(model, err->msg);
		return rc;
	}
	*w = (struct heap_watch){ .reader = reader,
				  .symbolizer = symbolizer,
				  .model = model,
				  .load_bias = load_bias,
				  .program = proc->comm };
	model_heap_unknown(model, NULL);
	return mprof_new(&reader, &w->mprof) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

void heap_watch_deinit(struct heap_watch *w)
{
	mprof_free(w->mprof);
	free(w->sites);
}

/* The sites of buckets that are new since the last look. */
static int add_new_sites(struct heap_watch *w)
{
	const struct mprof *m = w->mprof;

	if (w->generation != m->generation)
		w->sites_nr = 0;
	w->generation = m->generation;
	for (; w->sites_nr < m->buckets_nr; w->sites_nr++) {
		const struct mprof_bucket *b = &m->buckets[w->sites_nr];
		if (grow(&w->sites, w->sites_nr, &w->sites_cap, sizeof(w->sites[0])))
			return -ENOMEM;
		int64_t id = symbolizer_profile_stack(w->symbolizer, m->pcs + b->pcs_first,
						      b->pcs_nr, w->load_bias);
		if (id >= 0)
			id = model_heap_site(w->model, (uint32_t)id);
		if (id == -ENOMEM)
			return -ENOMEM;
		w->sites[w->sites_nr] = id;
	}
	return 0;
}

static int add_sites(struct heap_watch *w)
{
	symbolizer_begin(w->symbolizer);
	int rc = add_new_sites(w);
	symbolizer_end(w->symbolizer);
	return rc;
}

static void add_bucket(struct heap_watch *w, size_t i)
{
	const struct mprof_bucket *b = &w->mprof->buckets[i];
	struct model_heap_counts n = {
		.alloc_samples = b->allocs,
		.inuse_samples = b->allocs > b->frees ? b->allocs - b->frees : 0,
	};

	if (w->sites[i] < 0)
		return;
	mprof_unsample(n.alloc_samples, b->size, w->mprof->rate, &n.alloc_objects, &n.alloc_bytes);
	mprof_unsample(n.inuse_samples, b->size, w->mprof->rate, &n.inuse_objects, &n.inuse_bytes);
	model_heap_add(w->model, (uint32_t)w->sites[i], &n);
}

static void fill_model(struct heap_watch *w, uint64_t mono_ns)
{
	const struct mprof *m = w->mprof;
	const struct model_heap_look look = {
		.mono_ns = mono_ns,
		.rate = (uint64_t)m->rate,
		.cycle = m->cycles,
		.before_gc = m->before_gc,
		.unsettled = m->unsettled,
	};
	uint64_t lost = 0;

	model_heap_look(w->model, &look);
	for (size_t i = 0; i < m->buckets_nr; i++) {
		add_bucket(w, i);
		lost += w->sites[i] < 0;
	}
	model_heap_looked(w->model);
	if (lost)
		(void)model_set_loss(w->model, "heap_stacks",
				     "stacks of the live heap left out: no room for more", lost);
}

/* Without samples there is nothing to see; why, and what to do. */
static int no_samples(struct heap_watch *w, struct err *err)
{
	if (!w->reader.linked) {
		err_set(err, -ENOTSUP,
			"'%s' keeps no memory profile: nothing in it reads one, so Go's linker has "
			"turned "
			"it off",
			w->program);
		err_hint(err,
			 "import net/http/pprof or runtime/pprof, or call runtime.MemProfile: no "
			 "setting "
			 "turns it on without; 'gallop record' sees allocations as they are made");
	} else {
		err_set(err, -ENOTSUP,
			"'%s' keeps no memory profile: runtime.MemProfileRate is 0 in it; what it "
			"may have sampled before is of a rate that can't be known",
			w->program);
		err_hint(err, "the program sets it, or GODEBUG=memprofilerate=0 (since Go 1.21): "
			      "leave it at its "
			      "default; 'gallop record' sees allocations as they are made");
	}
	model_heap_unknown(w->model, err->msg);
	return err->code;
}

int heap_watch_look(struct heap_watch *w, uint64_t mono_ns, struct err *err)
{
	int64_t rate;
	uint32_t cycle;

	if (!w->mprof)
		return err_set(err, -ENOTSUP, "there is no memory profile to look at");
	if (!w->reader.linked)
		return no_samples(w, err);
	/* Before the look: what is published after it is for the next one. */
	int rc = mprof_cycle(&w->reader, &cycle);
	if (!rc)
		rc = mprof_rate(&w->reader, &rate);
	if (!rc && rate <= 0 && !w->rate)
		return no_samples(w, err);
	rc = mprof_look(w->mprof, err);
	if (rc)
		return rc;
	/* Who takes no more samples has those of before, and frees them as ever. */
	if (w->mprof->rate <= 0)
		w->mprof->rate = w->rate;
	if (w->mprof->rate <= 0)
		return no_samples(w, err);
	w->rate = w->mprof->rate;
	if (add_sites(w))
		return err_set(err, -ENOMEM, "out of memory");
	fill_model(w, mono_ns);
	w->cycle = cycle;
	w->looked = true;
	return 0;
}

int heap_watch_poll(struct heap_watch *w, uint64_t mono_ns, struct err *err)
{
	uint32_t cycle;

	if (!w->mprof)
		return 0;
	if (w->looked && !mprof_cycle(&w->reader, &cycle) && cycle == w->cycle)
		return 0;
	return heap_watch_look(w, mono_ns, err);
}
