/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames and stacks are unified by sorting their ids, not by hashing: it needs 8 bytes for each
 * instead of a hash entry, and a recording may hold tens of thousands of stacks of hundreds of
 * bytes.
 */
#include "model/shown.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "model/sample_tables.h"

/* calloc that never returns NULL for an empty array. */
static void *array_new(size_t nr, size_t elem_sz)
{
	return calloc(nr ? nr : 1, elem_sz);
}

static int copy_texts(struct shown *sh, const struct model *m)
{
	sh->strings = array_new(m->texts_sz, 1);
	sh->text_of = array_new(m->texts.nr, sizeof(sh->text_of[0]));
	if (!sh->strings || !sh->text_of)
		return -ENOMEM;

	char *p = sh->strings;
	for (size_t i = 0; i < m->texts.nr; i++) {
		size_t sz = strlen(m->texts.rows[i]->s) + 1;
		memcpy(p, m->texts.rows[i]->s, sz);
		sh->text_of[i] = p;
		p += sz;
	}
	return 0;
}

static int cmp_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* By function, line and inlining: all but the address, which isn't shown. */
static int frame_cmp(const void *a, const void *b, void *arg)
{
	const struct model *m = arg;
	const struct frame_key *x = &m->frames.rows[*(const uint32_t *)a]->key;
	const struct frame_key *y = &m->frames.rows[*(const uint32_t *)b]->key;

	int d = cmp_u32(x->func, y->func);
	if (!d)
		d = cmp_u32(x->line, y->line);
	return d ? d : cmp_u32(x->inlined, y->inlined);
}

static void add_frame(struct shown *sh, const struct model *m, const struct frame_key *key)
{
	const struct func_row *func = m->funcs.rows[key->func];

	sh->func_of[sh->frames_nr] = key->func;
	sh->frames[sh->frames_nr++] = (struct snapshot_frame){
		.func = sh->text_of[func->name_id],
		.file = sh->text_of[func->file_id],
		.line = key->line,
		.inlined = key->inlined,
	};
}

static int unify_frames(struct shown *sh, const struct model *m)
{
	size_t nr = m->frames.nr;
	_cleanup_free_ uint32_t *order = array_new(nr, sizeof(order[0]));
	sh->frames = array_new(nr + 1, sizeof(sh->frames[0]));
	sh->func_of = array_new(nr + 1, sizeof(sh->func_of[0]));
	sh->frame_of = array_new(nr, sizeof(sh->frame_of[0]));
	if (!order || !sh->frames || !sh->func_of || !sh->frame_of)
		return -ENOMEM;

	for (size_t i = 0; i < nr; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, nr, sizeof(order[0]), frame_cmp, (void *)m);
	for (size_t i = 0; i < nr; i++) {
		if (i == 0 || frame_cmp(&order[i - 1], &order[i], (void *)m) != 0)
			add_frame(sh, m, &m->frames.rows[order[i]]->key);
		sh->frame_of[order[i]] = (uint32_t)sh->frames_nr - 1;
	}
	return 0;
}

/* The shown part of one stack of the model: its frames [from, to). */
struct part {
	uint32_t stack;
	uint16_t from, to;
	uint8_t use; /* one of SHOWN_*; or 0: */
	uint8_t cut; /* its root is missing */
	uint32_t op; /* the place among the uses in operations */
};

static const struct func_row *func_at(const struct model *m, const struct stack_row *stack,
				      size_t i)
{
	return m->funcs.rows[m->frames.rows[stack->words[1 + i]]->key.func];
}

/*
 * Of the runtime's frames at the leaf only the last is of interest: what the program called, if it
 * is something that programs call (of debug.FreeOSMemory, which calls runtime.GC, that is the
 * former), or the function of a goroutine of the runtime's own.
 */
static uint16_t gc_leaf(const struct model *m, const struct stack_row *stack, uint16_t to)
{
	uint16_t from = 0;

	while (from < to && func_at(m, stack, from)->kind != GONAME_OTHER)
		from++;
	if (from && (from == to || func_at(m, stack, from - 1)->kind == GONAME_RUNTIME_API))
		from--;
	return from;
}

/* The root of a place: the first function of the program's own, or the root if there is none. */
static void end_at_place(struct part *part, const struct model *m)
{
	const struct stack_row *stack = m->stacks.rows[part->stack];

	for (uint16_t i = part->from; i < part->to; i++) {
		if (func_at(m, stack, i)->is_std)
			continue;
		if (i + 1 < part->to)
			part->cut = 0;
		part->to = i + 1;
		return;
	}
}

/*
 * The root of what an operation allocates: its outermost frame. A frame that is inlined is no call that could have
 * been measured. A stack whose root is missing may lack it; one of a recursion may have another one there, and stays
 * cut.
 */
static void end_at_op(struct part *part, const struct model *m, uint32_t func)
{
	const struct stack_row *stack = m->stacks.rows[part->stack];
	const char *name = m->texts.rows[func]->s;
	bool is_plain = !strpbrk(name, "[(");
	uint16_t outermost = 0, frames_nr = 0;

	for (uint16_t to = (uint16_t)stack->frames_nr; to; to--) {
		const struct func_row *at = func_at(m, stack, to - 1);

		if (m->frames.rows[stack->words[to]]->key.inlined ||
		    !(at->name_id == func || (!is_plain && goname_is_frame_of(name, at->key.name))))
			continue;
		if (!outermost)
			outermost = to;
		frames_nr++;
	}
	if (!outermost)
		return;
	part->to = outermost;
	if (frames_nr == 1)
		part->cut = 0;
}

static bool is_hidden_leaf(const struct func_row *func, uint8_t use)
{
	return func->is_runtime || (use == SHOWN_MAP && func->is_sync_map);
}

static struct part whole_part(const struct model *m, uint32_t id, uint8_t use)
{
	const struct stack_row *stack = m->stacks.rows[id];

	return (struct part){ .stack = id,
			      .to = (uint16_t)stack->frames_nr,
			      .use = use,
			      .cut = stack->words[0] != 0 };
}

static void hide_runtime(struct part *part, const struct model *m)
{
	const struct stack_row *stack = m->stacks.rows[part->stack];

	if (part->to > 1 && func_at(m, stack, part->to - 1)->is_goexit)
		part->to--;
	if (part->use == SHOWN_GC) {
		part->from = gc_leaf(m, stack, part->to);
		return;
	}
	while (part->from < part->to && is_hidden_leaf(func_at(m, stack, part->from), part->use))
		part->from++;
	/* A stack of the runtime's alone would be left without any frame: show it whole. */
	if (part->from == part->to)
		part->from = 0;
}

struct part_ctx {
	const struct model *m;
	const uint32_t *frame_of;
};

/* Root first, so that the order also groups what was called from the same place. */
static int part_cmp(const void *a, const void *b, void *arg)
{
	const struct part_ctx *ctx = arg;
	const struct part *x = a, *y = b;
	const uint32_t *xw = ctx->m->stacks.rows[x->stack]->words;
	const uint32_t *yw = ctx->m->stacks.rows[y->stack]->words;
	uint32_t xn = x->to - x->from, yn = y->to - y->from;

	int d = cmp_u32(x->cut, y->cut);
	for (uint32_t i = 1; !d && i <= xn && i <= yn; i++) {
		/* words[0] is the flag, so frame k is words[k + 1], and the i-th from the root: */
		d = cmp_u32(ctx->frame_of[xw[1 + x->to - i]], ctx->frame_of[yw[1 + y->to - i]]);
	}
	return d ? d : cmp_u32(xn, yn);
}

static void add_stack(struct shown *sh, const struct model *m, const struct part *part)
{
	const struct stack_row *row = m->stacks.rows[part->stack];
	const struct snapshot_frame **links = sh->links + sh->links_nr;

	for (size_t i = part->from; i < part->to; i++)
		sh->links[sh->links_nr++] = &sh->frames[sh->frame_of[row->words[1 + i]]];
	sh->stacks[sh->stacks_nr++] = (struct snapshot_stack){
		.frames = links,
		.frames_nr = part->to - part->from,
		.cut = part->cut,
	};
}

const char *shown_rest_name(const struct model *m)
{
	return m->samples->on ? SNAPSHOT_UNSAMPLED : SNAPSHOT_LOST;
}

static void add_lost(struct shown *sh, const struct model *m)
{
	sh->func_of[sh->frames_nr] = (uint32_t)m->funcs.nr;
	sh->frames[sh->frames_nr++] = (struct snapshot_frame){ shown_rest_name(m), "", 0, false };
	sh->links[sh->links_nr++] = &sh->frames[sh->frames_nr - 1];
	sh->stacks[sh->stacks_nr++] = (struct snapshot_stack){
		.frames = &sh->links[sh->links_nr - 1],
		.frames_nr = 1,
	};
}

/* Each use of a stack is a part of its own. */
static size_t collect_parts(struct part *parts, const struct model *m, const struct shown_use *use,
			    const struct snapshot_opts *opts)
{
	size_t nr = 0;

	for (uint32_t i = 0; i < m->stacks.nr; i++) {
		for (uint8_t flag = SHOWN_SITE; flag <= SHOWN_MAP; flag <<= 1) {
			if (!(use->stacks[i] & flag))
				continue;
			struct part *part = &parts[nr++];
			*part = whole_part(m, i, flag);
			if (!opts->runtime_frames)
				hide_runtime(part, m);
			if (opts->places && flag != SHOWN_GC)
				end_at_place(part, m);
		}
	}
	for (uint32_t i = 0; i < use->ops_nr; i++) {
		struct part *part = &parts[nr++];
		*part = whole_part(m, use->ops[i].stack, 0);
		part->op = i;
		end_at_op(part, m, use->ops[i].func);
		if (!opts->runtime_frames)
			hide_runtime(part, m);
	}
	return nr;
}

static size_t count_parts(const struct model *m, const struct shown_use *use)
{
	size_t nr = use->ops_nr;

	for (size_t i = 0; i < m->stacks.nr; i++)
		nr += (size_t)__builtin_popcount(use->stacks[i]);
	return nr;
}

static int new_stack_maps(struct shown *sh, size_t nr)
{
	uint32_t **const maps[] = { &sh->stack_of, &sh->gc_stack_of, &sh->map_stack_of };

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		*maps[i] = array_new(nr, sizeof(uint32_t));
		if (!*maps[i])
			return -ENOMEM;
		memset(*maps[i], 0xff, nr * sizeof(uint32_t));
	}
	return 0;
}

/* Where it is said what a part is shown as. */
static uint32_t *shown_as(struct shown *sh, const struct shown_use *use, const struct part *part)
{
	switch (part->use) {
	case SHOWN_SITE:
		return &sh->stack_of[part->stack];
	case SHOWN_GC:
		return &sh->gc_stack_of[part->stack];
	case SHOWN_MAP:
		return &sh->map_stack_of[part->stack];
	default:
		return &use->ops[part->op].shown;
	}
}

static int unify_stacks(struct shown *sh, const struct model *m, const struct shown_use *use,
			const struct snapshot_opts *opts)
{
	_cleanup_free_ struct part *parts = array_new(count_parts(m, use), sizeof(parts[0]));
	if (!parts || new_stack_maps(sh, m->stacks.nr))
		return -ENOMEM;

	size_t nr = collect_parts(parts, m, use, opts);
	struct part_ctx ctx = { m, sh->frame_of };
	qsort_r(parts, nr, sizeof(parts[0]), part_cmp, &ctx);

	/* Count before filling: stacks hold pointers into links, which must not move. */
	size_t links_nr = 1, stacks_nr = 1;
	for (size_t i = 0; i < nr; i++) {
		if (i && part_cmp(&parts[i - 1], &parts[i], &ctx) == 0)
			continue;
		links_nr += parts[i].to - parts[i].from;
		stacks_nr++;
	}
	sh->links = array_new(links_nr, sizeof(sh->links[0]));
	sh->stacks = array_new(stacks_nr, sizeof(sh->stacks[0]));
	if (!sh->links || !sh->stacks)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		if (i == 0 || part_cmp(&parts[i - 1], &parts[i], &ctx) != 0)
			add_stack(sh, m, &parts[i]);
		*shown_as(sh, use, &parts[i]) = (uint32_t)sh->stacks_nr - 1;
	}
	add_lost(sh, m);
	return 0;
}

static int shown_new(struct shown **ret, const struct model *m, const struct shown_use *use,
		     const struct snapshot_opts *opts)
{
	struct shown *sh = calloc(1, sizeof(*sh));
	if (!sh)
		return -ENOMEM;
	sh->refs = 1;
	int rc = copy_texts(sh, m);
	if (!rc)
		rc = unify_frames(sh, m);
	if (!rc)
		rc = unify_stacks(sh, m, use, opts);
	if (rc)
		shown_unref(sh);
	else
		*ret = sh;
	return rc;
}

void shown_unref(struct shown *sh)
{
	if (!sh || --sh->refs)
		return;
	shown_free_maps(sh);
	free(sh->strings);
	free(sh->frames);
	free(sh->links);
	free(sh->stacks);
	free(sh);
}

static struct shown_from from_now(const struct model *m, const struct snapshot_opts *opts)
{
	return (struct shown_from){ .model = m,
				    .texts_nr = m->texts.nr,
				    .funcs_nr = m->funcs.nr,
				    .frames_nr = m->frames.nr,
				    .stacks_nr = m->stacks.nr,
				    .is_sampled = m->samples->on,
				    .places = opts->places,
				    .runtime_frames = opts->runtime_frames };
}

static bool is_same_from(const struct shown_from *a, const struct shown_from *b)
{
	return a->model == b->model && a->texts_nr == b->texts_nr && a->funcs_nr == b->funcs_nr &&
	       a->frames_nr == b->frames_nr && a->stacks_nr == b->stacks_nr &&
	       a->is_sampled == b->is_sampled && a->places == b->places &&
	       a->runtime_frames == b->runtime_frames;
}

/* Does it have all that is to be shown? */
static bool cache_has(const struct snapshot_cache *c, const struct shown_from *from,
		      const struct shown_use *use)
{
	if (!c->shown || !is_same_from(&c->from, from))
		return false;
	for (size_t i = 0; i < from->stacks_nr; i++)
		if (use->stacks[i] & ~c->uses[i])
			return false;
	return true;
}

/* Without memory for it the cache is empty, which is no harm. */
static void cache_keep(struct snapshot_cache *c, struct shown *sh, const struct shown_from *from,
		       const struct shown_use *use)
{
	shown_unref(take_ptr(c->shown));
	free(c->uses);
	c->uses = array_new(from->stacks_nr, sizeof(c->uses[0]));
	if (!c->uses)
		return;
	if (from->stacks_nr)
		memcpy(c->uses, use->stacks, from->stacks_nr);
	c->from = *from;
	c->shown = sh;
	sh->refs++;
}

int shown_get(struct shown **ret, const struct model *m, const struct shown_use *use,
	      const struct snapshot_opts *opts)
{
	/* Uses inside operations are of one snapshot alone. */
	struct snapshot_cache *cache = use->ops_nr ? NULL : opts->cache;
	const struct shown_from from = from_now(m, opts);

	if (cache && cache_has(cache, &from, use)) {
		cache->shown->refs++;
		*ret = cache->shown;
		return 0;
	}
	int rc = shown_new(ret, m, use, opts);
	if (!rc && cache)
		cache_keep(cache, *ret, &from, use);
	return rc;
}

struct snapshot_cache *snapshot_cache_new(void)
{
	return calloc(1, sizeof(struct snapshot_cache));
}

void snapshot_cache_free(struct snapshot_cache *c)
{
	if (!c)
		return;
	shown_unref(c->shown);
	free(c->uses);
	free(c);
}

void shown_free_maps(struct shown *sh)
{
	free(take_ptr(sh->text_of));
	free(take_ptr(sh->frame_of));
	free(take_ptr(sh->func_of));
	free(take_ptr(sh->stack_of));
	free(take_ptr(sh->gc_stack_of));
	free(take_ptr(sh->map_stack_of));
}

int shown_count_cmp(struct snapshot_count x, struct snapshot_count y, enum snapshot_value by)
{
	if (by == SNAPSHOT_OBJECTS) {
		x = (struct snapshot_count){ x.bytes, x.objects };
		y = (struct snapshot_count){ y.bytes, y.objects };
	}
	int d = cmp_u64(y.bytes, x.bytes);
	return d ? d : cmp_u64(y.objects, x.objects);
}

static int frame_name_cmp(const struct snapshot_frame *x, const struct snapshot_frame *y)
{
	if (x == y)
		return 0;
	int d = strcmp(x->func, y->func);
	if (!d)
		d = strcmp(x->file, y->file);
	if (!d)
		d = cmp_u32(x->line, y->line);
	return d ? d : cmp_u32(x->inlined, y->inlined);
}

int shown_stack_cmp(const struct snapshot_stack *x, const struct snapshot_stack *y)
{
	for (size_t i = 0; i < x->frames_nr && i < y->frames_nr; i++) {
		int d = frame_name_cmp(x->frames[i], y->frames[i]);
		if (d)
			return d;
	}
	int d = cmp_u32(x->frames_nr, y->frames_nr);
	return d ? d : cmp_u32(x->cut, y->cut);
}
