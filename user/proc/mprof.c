/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the counts are read so that they belong together, though the process runs on.
 *
 * The runtime publishes counts in two steps: at the end of a mark phase it raises mProfCycle, and a moment later it
 * adds one of each record's three counts that are not published yet to the one that is (mProf_NextCycle, mProf_Flush;
 * runtime.GC() publishes the next one too, mProf_PostSweep). Published in the sense of MemProfile is the sum of both,
 * which the adding doesn't change. But a record may be read in the middle of it. So all are read again
 * until two readings say the same, the last of the look before among them; a process that collects its garbage all the time may deny that, and is told so.
 */
#include "proc/mprof.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/grow.h"
#include "base/u64.h"
#include "gobin/gobin.h"
#include "proc/places.h"
#include "proc/window.h"

enum {
	HEADER_MAX_SZ = 64,
	RECORD_MAX_SZ = (1 + GO_MPROF_FUTURES) * 32,
	TRIES_NR = 8,
	CYCLE_SHIFT = 1, /* bit 0 of mProfCycle says that the cycle's counts were added */
};

static const uint64_t size_max = UINT64_C(1) << 48; /* no object is larger than all memory */

bool mprof_is_linked(struct gobin *bin)
{
	const struct go_mprof_layout *layout = go_mprof_layout_find(gobin_info(bin)->go_minor);
	struct gobin_func func;

	return layout && !gobin_find_func(bin, layout->reader, &func);
}

int mprof_reader_init_rate(struct mprof_reader *r, const struct proc *proc, struct gobin *bin,
			   uint64_t load_bias, struct err *err)
{
	const struct gobin_info *info = gobin_info(bin);
	const struct go_mprof_layout *layout = go_mprof_layout_find(info->go_minor);
	struct gobin_globals globals;

	if (!layout)
		return err_set(err, -ENOTSUP, "how Go 1.%d keeps its memory profile is not known",
			       info->go_minor);
	int code = gobin_find_globals(bin, &globals);
	if (code < 0)
		return err_set(err, code, "cannot look for runtime variables in '%s': %s",
			       info->path, strerror(-code));
	*r = (struct mprof_reader){
		.proc = proc,
		.layout = layout,
		.mbuckets = globals.mbuckets ? globals.mbuckets + load_bias : 0,
		.cycle = globals.mprof_cycle ? globals.mprof_cycle + load_bias : 0,
		.rate = globals.mem_profile_rate + load_bias,
		.linked = mprof_is_linked(bin),
	};
	/* Without a reader most of what keeps the profile isn't there, and nothing of it is looked at. */
	if (r->linked && !globals.mem_profile_rate)
		return err_set(err, -ENOTSUP, "cannot find runtime.MemProfileRate in '%s'",
			       info->path);
	return 0;
}

int mprof_reader_init(struct mprof_reader *r, const struct proc *proc, struct gobin *bin,
		      uint64_t load_bias, struct err *err)
{
	int code = mprof_reader_init_rate(r, proc, bin, load_bias, err);

	if (code || !r->linked || (r->mbuckets && r->cycle))
		return code;
	err_set(err, -ENOTSUP, "cannot find runtime.%s in '%s'",
		r->mbuckets ? "mProfCycle" : "mbuckets", gobin_info(bin)->path);
	err_hint(err, "'gallop record' sees allocations as they are made");
	return -ENOTSUP;
}

int mprof_rate(const struct mprof_reader *r, int64_t *ret)
{
	*ret = 0;
	return r->linked ? proc_read(r->proc, r->rate, ret, sizeof(*ret)) : 0;
}

int mprof_cycle(const struct mprof_reader *r, uint32_t *ret)
{
	return proc_read(r->proc, r->cycle, ret, sizeof(*ret));
}

int mprof_new(const struct mprof_reader *r, struct mprof **ret)
{
	struct mprof *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->reader = *r;
	*ret = m;
	return 0;
}

void mprof_free(struct mprof *m)
{
	if (!m)
		return;
	free(m->buckets);
	free(m->pcs);
	free(m);
}

/* --- the list --------------------------------------------------------------------------------- */

static uint64_t load_word(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* A list on its way into m. */
struct walk {
	struct mprof *m;
	struct windows windows;
	uint64_t next; /* address of the bucket to read */
	/* A list in a circle comes by one place twice: by where it was after 1, 2, 4, 8 ... steps. */
	uint64_t mark;
	size_t steps, marked_at;
};

static bool is_circle(struct walk *w)
{
	if (w->next == w->mark)
		return true;
	if (++w->steps == 2 * w->marked_at) {
		w->marked_at = w->steps;
		w->mark = w->next;
	}
	return false;
}

/* The stack behind a bucket's header. */
static int add_stack(struct walk *w, struct mprof_bucket *bucket, uint64_t nr)
{
	struct mprof *m = w->m;

	if (nr > MPROF_PCS_MAX - m->pcs_nr)
		return -E2BIG;
	bucket->pcs_first = (uint32_t)m->pcs_nr;
	bucket->pcs_nr = (uint32_t)nr;
	if (!nr)
		return 0;
	while (m->pcs_cap < m->pcs_nr + nr) {
		/* Room for one behind the last that there is room for: it doubles. */
		int code = grow(&m->pcs, m->pcs_cap, &m->pcs_cap, sizeof(m->pcs[0]));
		if (code)
			return code;
	}
	int code = windows_read(&w->windows, bucket->addr + m->reader.layout->bucket_sz,
				m->pcs + m->pcs_nr, nr * sizeof(m->pcs[0]));
	if (!code)
		m->pcs_nr += nr;
	return code;
}

static int add_bucket(struct walk *w)
{
	const struct go_mprof_layout *l = w->m->reader.layout;
	struct mprof *m = w->m;
	unsigned char header[HEADER_MAX_SZ];

	if (m->buckets_nr == MPROF_BUCKETS_MAX)
		return -E2BIG;
	if (w->next % sizeof(uint64_t) || is_circle(w))
		return -EAGAIN;
	int code = windows_read(&w->windows, w->next, header, l->bucket_sz);
	if (code)
		return code;
	uint64_t nstk = load_word(header + l->bucket_nstk);
	struct mprof_bucket bucket = { .addr = w->next,
				       .size = load_word(header + l->bucket_size) };
	if (load_word(header + l->bucket_typ) != GO_MPROF_TYPE || bucket.size > size_max ||
	    nstk > l->stack_max)
		return -EAGAIN;
	code = add_stack(w, &bucket, nstk);
	if (!code)
		code = grow(&m->buckets, m->buckets_nr, &m->buckets_cap, sizeof(m->buckets[0]));
	if (code)
		return code;
	m->buckets[m->buckets_nr++] = bucket;
	w->next = load_word(header + l->bucket_allnext);
	return 0;
}

/* From the head to what is known already, or to the end. */
static int walk_list(struct mprof *m, uint64_t head, uint64_t known)
{
	_cleanup_free_ struct walk *w = calloc(1, sizeof(*w));
	int code = 0;

	if (!w)
		return -ENOMEM;
	*w = (struct walk){ .m = m, .next = head, .marked_at = 1 };
	windows_init(&w->windows, m->reader.proc);
	while (!code && w->next && w->next != known)
		code = add_bucket(w);
	if (!code && w->next != known)
		code = -EAGAIN; /* what was known is not in it any more */
	windows_deinit(&w->windows);
	return code;
}

static void forget(struct mprof *m)
{
	m->head = 0;
	m->buckets_nr = m->pcs_nr = 0;
	m->generation++;
}

static int read_list(struct mprof *m)
{
	uint64_t head;
	int code = proc_read(m->reader.proc, m->reader.mbuckets, &head, sizeof(head));

	if (!code && head != m->head) {
		code = walk_list(m, head, m->head);
		if (code == -EAGAIN && m->head) {
			forget(m);
			code = walk_list(m, head, 0);
		}
	}
	if (!code)
		m->head = head;
	return code;
}

/* --- the counts ------------------------------------------------------------------------------- */

enum { BATCH_NR = 1024 }; /* records that one system call reads: IOV_MAX */

/* One reading of all records, some at a time. */
struct reading {
	struct place places[BATCH_NR];
	unsigned char records[BATCH_NR][RECORD_MAX_SZ];
	int faults_left;
	bool futures; /* everything counts, published or not */
	/* What was found: */
	size_t changed; /* buckets with other counts than before */
	bool any; /* a bucket that has any */
};

static int read_batch(struct reading *r, const struct mprof *m, size_t first, size_t nr)
{
	const struct go_mprof_layout *l = m->reader.layout;

	for (size_t i = 0; i < nr; i++) {
		const struct mprof_bucket *b = &m->buckets[first + i];
		r->places[i] = (struct place){
			.addr = b->addr + l->bucket_sz + b->pcs_nr * sizeof(uint64_t),
			.buf = r->records[i],
			.len = (1 + GO_MPROF_FUTURES) * (size_t)l->cycle_sz,
		};
	}
	int code = places_read(m->reader.proc, r->places, nr, &r->faults_left);
	for (size_t i = 0; !code && i < nr; i++)
		if (!r->places[i].ok)
			code = -EFAULT;
	return code;
}

/* Add allocs and frees of one cycle of a record: 0 is active, 1.. are the futures. */
static void add_cycle(struct mprof_bucket *to, const unsigned char *record, size_t cycle,
		      const struct go_mprof_layout *l)
{
	const unsigned char *p = record + cycle * l->cycle_sz;

	to->allocs = sum_u63(to->allocs, load_word(p));
	to->frees = sum_u63(to->frees, load_word(p + sizeof(uint64_t)));
}

/* What memProfileInternal would say of a bucket. */
static void publish(struct reading *r, const struct mprof *m, struct mprof_bucket *b,
		    const unsigned char *record)
{
	const struct go_mprof_layout *l = m->reader.layout;
	size_t next = m->cycles % GO_MPROF_FUTURES;
	struct mprof_bucket now = { 0 };

	add_cycle(&now, record, 0, l);
	for (size_t i = 0; i < GO_MPROF_FUTURES; i++)
		if (r->futures || i == next)
			add_cycle(&now, record, 1 + i, l);
	r->any |= now.allocs || now.frees;
	r->changed += now.allocs != b->allocs || now.frees != b->frees;
	b->allocs = now.allocs;
	b->frees = now.frees;
}

static int read_all(struct reading *r, struct mprof *m, bool futures)
{
	int code = 0;

	r->faults_left = PLACES_FAULTS_MAX;
	r->futures = futures;
	r->changed = 0;
	r->any = false;
	for (size_t first = 0; !code && first < m->buckets_nr; first += BATCH_NR) {
		size_t nr = min_u64(m->buckets_nr - first, BATCH_NR);
		code = read_batch(r, m, first, nr);
		for (size_t i = 0; !code && i < nr; i++)
			publish(r, m, &m->buckets[first + i], r->records[i]);
	}
	return code;
}

/* Once. *settled_ret: it says the same as the last time. */
static int read_once(struct reading *r, struct mprof *m, bool *settled_ret)
{
	uint32_t before, after;
	int code = mprof_cycle(&m->reader, &before);

	if (code)
		return code;
	m->cycles = before >> CYCLE_SHIFT;
	code = read_all(r, m, false);
	if (!code)
		code = mprof_cycle(&m->reader, &after);
	if (code)
		return code;
	m->unsettled = r->changed;
	m->before_gc = !r->any;
	*settled_ret = !r->changed && before == after;
	return 0;
}

static int read_counts(struct mprof *m)
{
	_cleanup_free_ struct reading *r = malloc(sizeof(*r));
	bool settled = false;
	int code = 0;

	if (!r)
		return -ENOMEM;
	for (int i = 0; !code && i < TRIES_NR && !(i > 0 && settled); i++)
		code = read_once(r, m, &settled);
	if (!code && m->before_gc) {
		/* They are of this moment, whatever that is. */
		m->unsettled = 0;
		code = read_all(r, m, true);
	}
	return code;
}

int mprof_look(struct mprof *m, struct err *err)
{
	int code = mprof_rate(&m->reader, &m->rate);

	if (!code)
		code = read_list(m);
	if (!code)
		code = read_counts(m);
	if (!code)
		return 0;
	size_t nr = m->buckets_nr;
	forget(m);
	switch (code) {
	case -EAGAIN:
	case -EFAULT:
		return err_set(err, -EAGAIN,
			       "the memory profile contradicts itself behind %zu buckets", nr);
	case -E2BIG:
		return err_set(err, code, "the memory profile is too large: over %zu buckets", nr);
	case -ESRCH:
		return err_set(err, code, "process %d has ended", m->reader.proc->pid);
	default:
		return err_set(err, code, "cannot read the memory of process %d: %s",
			       m->reader.proc->pid, strerror(-code));
	}
}

/* --- what samples stand for ------------------------------------------------------------------- */

static uint64_t bounded(double v)
{
	return v < (double)INT64_MAX ? (uint64_t)v : INT64_MAX;
}

void mprof_unsample(uint64_t n, uint64_t size, int64_t rate, uint64_t *objects_ret,
		    uint64_t *bytes_ret)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > INT64_MAX)
		bytes = INT64_MAX;
	*objects_ret = *bytes_ret = 0;
	if (!n || !size)
		return;
	double scale = rate <= 1 ? 1 : 1 / (1 - exp(-(double)size / (double)rate));
	/* What is exact stays so, above 2^53 too. */
	*objects_ret = rate <= 1 ? min_u64(n, INT64_MAX) : bounded((double)n * scale);
	*bytes_ret = rate <= 1 ? bytes : bounded((double)bytes * scale);
}
