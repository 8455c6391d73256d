/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations in the model and its snapshots: what is counted, how values are distributed, which sites are inside. */
#include "heap_used.h"
#include "sample.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

static uint32_t new_op(struct model *m, const char *func)
{
	return sample_id(model_op(m, func, ""));
}

/* Objects of 16 bytes at a stack, inside the operations of a mask. */
static void add_site(struct model *m, uint32_t stack, const char *type, uint32_t ops,
		     uint64_t objects)
{
	uint32_t type_id = sample_id(model_type(m, type));

	model_site_add(m, sample_id(model_site(m, stack, type_id, 2, 0, ops)), objects,
		       objects * 16);
}

static void add_spec(struct model *m, const char *spec, uint32_t ops, uint64_t objects)
{
	add_site(m, sample_stack(m, spec, false), "int", ops, objects);
}

/* "main.f;main.g", and " [cut]" behind it if the root is missing. */
static void assert_site(const struct snapshot_op_site *site, const char *expected, uint64_t objects)
{
	char text[4096] = "";

	for (size_t i = 0; i < site->stack->frames_nr; i++) {
		if (i)
			strcat(text, ";");
		strcat(text, site->stack->frames[i]->func);
	}
	if (site->stack->cut)
		strcat(text, " [cut]");
	assert_string_equal(text, expected);
	assert_int_equal(site->objects, objects);
	assert_int_equal(site->bytes, objects * 16);
}

/* --- counts ------------------------------------------------------------------------------------- */

static void nothing_is_shown_where_nothing_was_measured(void **state)
{
	_model_ *m = new_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_int_equal(s->ops.ops_nr, 0);
	assert_null(s->ops.ops);
	assert_false(s->ops.known.allocs);
}

static void operations_come_in_the_order_in_which_they_were_asked_for(void **state)
{
	const struct model_ops_known known = { .allocs = true, .assists = true };
	_model_ *m = new_model();

	(void)state;
	assert_int_equal(model_op(m, "main.z\033", "B"), 0);
	assert_int_equal(model_op(m, "main.a", ""), 1);
	model_ops_measured(m, &known);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->ops.ops_nr, 2);
	assert_string_equal(s->ops.ops[0].func, "main.z?");
	assert_string_equal(s->ops.ops[0].label, "B");
	assert_string_equal(s->ops.ops[1].func, "main.a");
	assert_string_equal(s->ops.ops[1].label, "");
	assert_true(s->ops.known.allocs && s->ops.known.assists && !s->ops.known.pauses);
}

static void an_interval_is_what_was_added(void **state)
{
	const struct model_op_counts first = { .begun = 10,
					       .ended = 6,
					       .panics = 1,
					       .goexits = 1,
					       .began_before = 3,
					       .pause_ns = 600,
					       .assist_ns = 60,
					       .sum = { 12, 200, 6000 },
					       .max = { 4, 100, 3000 } };
	const struct model_op_counts second = { .begun = 20,
						.ended = 16,
						.panics = 1,
						.goexits = 2,
						.began_before = 3,
						.pause_ns = 800,
						.assist_ns = 65,
						.sum = { 37, 200, 7000 },
						.max = { 7, 100, 3000 } };
	_model_ *m = new_model();
	uint32_t op = new_op(m, "main.f");

	(void)state;
	model_op_set(m, op, &first);
	model_next_interval(m, 10);
	model_op_set(m, op, &second);
	_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
	_snapshot_ *interval = take(m, (struct snapshot_opts){ .interval = true });
	const struct snapshot_op *a = all->ops.ops, *i = interval->ops.ops;
	assert_memory_equal(&a->counts, &second, sizeof(second));
	assert_int_equal(a->open, 1);
	assert_true(a->stats[WIRE_OP_OBJECTS].mean == 37. / 16);
	assert_true(a->pause_per_op_ns == 800. / 16);
	assert_int_equal(i->counts.begun, 10);
	assert_int_equal(i->counts.ended, 10);
	assert_int_equal(i->counts.panics, 0);
	assert_int_equal(i->counts.goexits, 1);
	assert_int_equal(i->counts.began_before, 0);
	/* What is open is so by the end, whenever it began. */
	assert_int_equal(i->open, 1);
	assert_true(i->stats[WIRE_OP_OBJECTS].mean == 2.5);
	assert_true(i->stats[WIRE_OP_BYTES].mean == 0);
	assert_true(i->stats[WIRE_OP_NS].mean == 100);
	assert_true(i->assist_per_op_ns == .5);
}

/* Counts are read while operations begin and end: more may have ended than were seen to begin. */
static void open_operations_are_never_fewer_than_none(void **state)
{
	const struct model_op_counts counts = { .begun = 5, .ended = 5, .goexits = 1 };
	_model_ *m = new_model();

	(void)state;
	model_op_set(m, new_op(m, "main.f"), &counts);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->ops.ops[0].open, 0);
}

/* --- distributions ------------------------------------------------------------------------------ */

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* In (0, 1). */
static double next_unit(uint64_t *x)
{
	return ((double)(next_random(x) >> 12) + .5) / (double)(UINT64_C(1) << 52);
}

typedef uint64_t distribution(uint64_t *seed);

static uint64_t constant(uint64_t *seed)
{
	(void)seed;
	return 123457;
}

static uint64_t small(uint64_t *seed)
{
	return next_random(seed) % 256;
}

static uint64_t uniform(uint64_t *seed)
{
	return next_random(seed) % 1000000;
}

/* Around 1 ms, as latencies are. */
static uint64_t log_normal(uint64_t *seed)
{
	double radius = sqrt(-2 * log(next_unit(seed)));

	return (uint64_t)exp(log(1e6) + radius * cos(2 * M_PI * next_unit(seed)));
}

/* Pareto with no variance: a few are a million times the median. */
static uint64_t heavy_tail(uint64_t *seed)
{
	return (uint64_t)(1000 / pow(next_unit(seed), 1 / 1.1));
}

/* Most take nothing, and a hundredth does a lot. */
static uint64_t two_kinds(uint64_t *seed)
{
	return next_random(seed) % 100 < 98 ? 0 : UINT64_C(1) << 40;
}

/* Values as the kernel counts them, then set in a model's first operation. */
struct counted {
	struct model_op_counts counts;
	uint64_t buckets[WIRE_HIST_BUCKETS];
};

static void count_value(struct counted *c, uint64_t v)
{
	c->counts.begun++;
	c->counts.ended++;
	c->counts.sum[WIRE_OP_NS] += v;
	if (v > c->counts.max[WIRE_OP_NS])
		c->counts.max[WIRE_OP_NS] = v;
	c->buckets[wire_hist_bucket(v)]++;
}

static void set_counted(struct model *m, const struct counted *c)
{
	model_op_set(m, 0, &c->counts);
	for (uint32_t i = 0; i < WIRE_HIST_BUCKETS; i++)
		model_op_set_bucket(m, 0, WIRE_OP_NS, i, c->buckets[i]);
}

static int value_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void assert_near(uint64_t got, uint64_t exact)
{
	double apart = fabs((double)got - (double)exact);

	if (exact < 256 ? got != exact : apart > .004 * (double)exact)
		fail_msg("%llu is not %llu", (unsigned long long)got, (unsigned long long)exact);
}

static void assert_distribution(distribution *next, size_t n)
{
	_cleanup_free_ uint64_t *values = calloc(n, sizeof(values[0]));
	_cleanup_free_ struct counted *c = calloc(1, sizeof(*c));
	uint64_t seed = 88172645463325252;
	_model_ *m = new_model();

	new_op(m, "main.f");
	for (size_t i = 0; i < n; i++) {
		values[i] = next(&seed);
		count_value(c, values[i]);
	}
	qsort(values, n, sizeof(values[0]), value_cmp);
	set_counted(m, c);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct snapshot_op_stat *stat = &s->ops.ops[0].stats[WIRE_OP_NS];
	assert_true(stat->mean == (double)c->counts.sum[WIRE_OP_NS] / (double)n);
	assert_near(stat->p50, values[(n * 50 + 99) / 100 - 1]);
	assert_near(stat->p90, values[(n * 90 + 99) / 100 - 1]);
	assert_near(stat->p99, values[(n * 99 + 99) / 100 - 1]);
	assert_int_equal(stat->max, values[n - 1]);
	assert_true(stat->p50 <= stat->p90 && stat->p90 <= stat->p99 && stat->p99 <= stat->max);
}

static void percentiles_are_within_half_a_percent(void **state)
{
	static distribution *const all[] = { constant,	 small,	     uniform,
					     log_normal, heavy_tail, two_kinds };
	static const size_t sizes[] = { 1, 2, 3, 10, 99, 100, 101, 1000, 12345, 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
			assert_distribution(all[i], sizes[k]);
}

static void memory_does_not_grow_with_operations(void **state)
{
	_cleanup_free_ struct counted *c = calloc(1, sizeof(*c));
	uint64_t seed = 1;
	_model_ *m = new_model();

	(void)state;
	new_op(m, "main.f");
	count_value(c, 1);
	set_counted(m, c);
	size_t before = heap_used();
	for (int i = 0; i < 10000000; i++)
		count_value(c, heavy_tail(&seed));
	set_counted(m, c);
	assert_int_equal(heap_used(), before);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->ops.ops[0].counts.ended, 10000001);
}

static void the_largest_of_an_interval_is_the_top_of_its_bucket(void **state)
{
	_cleanup_free_ struct counted *c = calloc(1, sizeof(*c));
	_model_ *m = new_model();

	(void)state;
	new_op(m, "main.f");
	count_value(c, 1000000);
	set_counted(m, c);
	model_next_interval(m, 10);
	_snapshot_ *none = take(m, (struct snapshot_opts){ .interval = true });
	assert_int_equal(none->ops.ops[0].stats[WIRE_OP_NS].max, 0);
	for (int i = 0; i < 99; i++)
		count_value(c, 200);
	count_value(c, 1024);
	set_counted(m, c);
	_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
	const struct snapshot_op_stat *stat = &s->ops.ops[0].stats[WIRE_OP_NS];
	assert_int_equal(stat->p99, 200);
	assert_int_equal(stat->max, 1031); /* [1024, 1032) */

	/* What is larger than all there ever was was not there. */
	model_next_interval(m, 20);
	count_value(c, 1000000);
	set_counted(m, c);
	_snapshot_ *capped = take(m, (struct snapshot_opts){ .interval = true });
	assert_int_equal(capped->ops.ops[0].stats[WIRE_OP_NS].max, 1000000);
	assert_int_equal(capped->ops.ops[0].stats[WIRE_OP_NS].p50, 1000000);
}

/* A recording may say anything. */
static void numbers_that_cannot_be_do_no_harm(void **state)
{
	struct model_op_counts counts;
	_model_ *m = new_model();
	uint32_t op = new_op(m, "main.f");

	(void)state;
	memset(&counts, 0xff, sizeof(counts));
	model_op_set(m, op, &counts);
	for (uint32_t i = 0; i < WIRE_HIST_BUCKETS; i++)
		model_op_set_bucket(m, op, WIRE_OP_BYTES, i, UINT64_MAX);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct snapshot_op *o = s->ops.ops;
	assert_int_equal(o->open, 0);
	assert_int_equal(o->stats[WIRE_OP_BYTES].max, INT64_MAX);
	assert_int_equal(o->stats[WIRE_OP_BYTES].p50, 0);
	assert_true(o->stats[WIRE_OP_BYTES].mean == 1);
	/* Sums without a single value in a bucket. */
	assert_int_equal(o->stats[WIRE_OP_NS].max, 0);
}

/* --- sites -------------------------------------------------------------------------------------- */

static void stacks_end_with_the_outermost_call(void **state)
{
	static const struct {
		const char *all, *inside;
	} cases[] = {
		{ "runtime.mallocgc;main.leaf;main.op;main.main;runtime.main;runtime.goexit",
		  "main.leaf;main.op" },
		{ "runtime.mallocgc;runtime.newobject;main.op;main.main", "main.op" },
		{ "main.a;main.op;main.b;main.op;main.main", "main.a;main.op;main.b;main.op" },
		/* It is not there: as a whole. */
		{ "runtime.mallocgc;main.a;main.b;runtime.goexit", "main.a;main.b" },
		{ "main.op.func1;main.b", "main.op.func1;main.b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *m = new_model();
		add_spec(m, cases[i].all, 1u << new_op(m, "main.op"), 7);
		for (int places = 0; places < 2; places++) {
			_snapshot_ *s = take(m, (struct snapshot_opts){ .places = places });
			assert_int_equal(s->ops.ops[0].sites_nr, 1);
			assert_site(&s->ops.ops[0].sites[0], cases[i].inside, 7);
		}
	}
}

/* The operation may be of the runtime, and its frames may be wanted. */
static void the_leaf_is_cut_as_that_of_any_site(void **state)
{
	static const char spec[] = "runtime.mallocgc;runtime.growslice;main.f;runtime.goexit";
	_model_ *m = new_model();
	uint32_t slice = new_op(m, "runtime.growslice"), f = new_op(m, "main.f");

	(void)state;
	add_spec(m, spec, 1u << slice | 1u << f, 3);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_site(&s->ops.ops[slice].sites[0], "runtime.mallocgc;runtime.growslice", 3);
	assert_site(&s->ops.ops[f].sites[0], "main.f", 3);
	_snapshot_ *all = take(m, (struct snapshot_opts){ .runtime_frames = true });
	assert_site(&all->ops.ops[f].sites[0], "runtime.mallocgc;runtime.growslice;main.f", 3);
}

static void an_inlined_call_is_not_the_operation(void **state)
{
	const struct model_frame frames[] = {
		{ "main.leaf", "x.go", 1, false, 0x1000 },
		{ "main.op", "x.go", 2, true, 0x2000 },
		{ "main.mid", "x.go", 3, false, 0x2000 },
		{ "main.op", "x.go", 4, false, 0x3000 },
		{ "main.op", "x.go", 5, true, 0x4000 },
		{ "main.main", "x.go", 6, false, 0x4000 },
	};
	_model_ *m = new_model();
	uint32_t op = new_op(m, "main.op");
	uint32_t stack = sample_id(model_stack(m, frames, 6, false));
	uint32_t only_inlined = sample_id(model_stack(m, frames, 3, false));

	(void)state;
	add_site(m, stack, "int", 1u << op, 5);
	add_site(m, only_inlined, "int", 1u << op, 4);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->ops.ops[op].sites_nr, 2);
	assert_site(&s->ops.ops[op].sites[0], "main.leaf;main.op;main.mid;main.op", 5);
	assert_site(&s->ops.ops[op].sites[1], "main.leaf;main.op;main.mid", 4);
}

static void how_it_was_called_makes_no_difference(void **state)
{
	_model_ *m = new_model();
	uint32_t ops = 1u << new_op(m, "main.op");

	(void)state;
	add_spec(m, "main.leaf;main.op;main.a", ops, 1);
	add_spec(m, "main.leaf;main.op;main.b", ops, 10);
	/* Its root is missing, but not what is shown. */
	add_site(m, sample_stack(m, "main.leaf;main.op;main.c", true), "int", ops, 100);
	add_site(m, sample_stack(m, "main.leaf;main.x", true), "int", ops, 1000);
	add_site(m, sample_stack(m, "main.leaf;main.op;main.a", false), "string", ops, 5);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct snapshot_op *op = s->ops.ops;
	assert_int_equal(op->sites_nr, 3);
	assert_site(&op->sites[0], "main.leaf;main.x [cut]", 1000);
	assert_site(&op->sites[1], "main.leaf;main.op", 111);
	assert_string_equal(op->sites[1].type, "int");
	assert_site(&op->sites[2], "main.leaf;main.op", 5);
	assert_string_equal(op->sites[2].type, "string");
	assert_int_equal(op->objects, 1116);
	assert_int_equal(op->bytes, 1116 * 16);
	/* All sites of the program are as they would be without. */
	assert_int_equal(s->sites_nr, 5);
}

static void goroutines_and_sizes_are_not_told_apart(void **state)
{
	_model_ *m = new_model();
	uint32_t op = new_op(m, "main.op"), type = sample_id(model_type(m, "int"));
	uint32_t stack = sample_stack(m, "main.op;main.main", false);

	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		model_site_add(m, sample_id(model_site(m, stack, type, i, i, 1u << op)), 1, 16);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->ops.ops[0].sites_nr, 1);
	assert_site(&s->ops.ops[0].sites[0], "main.op", 3);
	assert_int_equal(s->sites_nr, 3);
}

static void a_site_can_be_in_several_operations(void **state)
{
	_model_ *m = new_model();
	uint32_t in = new_op(m, "main.in"), out = new_op(m, "main.out"), no = new_op(m, "main.no");

	(void)state;
	add_spec(m, "main.leaf;main.in;main.mid;main.out;main.main", 1u << in | 1u << out, 3);
	add_spec(m, "main.leaf;main.in;main.main", 1u << in, 4);
	add_spec(m, "main.leaf;main.in;main.main", 0, 50);
	add_spec(m, "[outside operations]", 0, 60);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->ops.ops[in].sites_nr, 1);
	assert_site(&s->ops.ops[in].sites[0], "main.leaf;main.in", 7);
	assert_int_equal(s->ops.ops[out].sites_nr, 1);
	assert_site(&s->ops.ops[out].sites[0], "main.leaf;main.in;main.mid;main.out", 3);
	assert_int_equal(s->ops.ops[no].sites_nr, 0);
	assert_int_equal(s->sites_nr, 3);
	assert_int_equal(s->total.objects, 117);
	assert_string_equal(s->sites[0].stack->frames[0]->func, "[outside operations]");
}

static void sites_are_sorted_by_what_is_asked_for(void **state)
{
	_model_ *m = new_model();
	uint32_t ops = 1u << new_op(m, "main.op"), type = sample_id(model_type(m, "int"));
	uint32_t many = sample_stack(m, "main.many;main.op", false);
	uint32_t large = sample_stack(m, "main.large;main.op", false);
	const struct model_op_counts counts = { .begun = 4, .ended = 1 };

	(void)state;
	model_op_set(m, 0, &counts);
	model_site_add(m, sample_id(model_site(m, many, type, 1, 0, ops)), 100, 800);
	model_site_add(m, sample_id(model_site(m, large, type, 0, 0, ops)), 1, 65536);
	_snapshot_ *bytes = take(m, (struct snapshot_opts){ .sort = SNAPSHOT_BYTES });
	_snapshot_ *objects = take(m, (struct snapshot_opts){ .sort = SNAPSHOT_OBJECTS });
	assert_int_equal(bytes->ops.ops[0].sites[0].objects, 1);
	assert_int_equal(objects->ops.ops[0].sites[0].objects, 100);
	/* Per operation is by all that began. */
	assert_true(objects->ops.ops[0].sites[0].objects_per_op == 25);
	assert_true(objects->ops.ops[0].sites[0].bytes_per_op == 200);
}

static void an_interval_has_its_own_sites(void **state)
{
	_model_ *m = new_model();
	uint32_t ops = 1u << new_op(m, "main.op");

	(void)state;
	add_spec(m, "main.old;main.op", ops, 5);
	add_spec(m, "main.both;main.op", ops, 5);
	model_next_interval(m, 10);
	add_spec(m, "main.both;main.op", ops, 2);
	_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
	assert_int_equal(s->ops.ops[0].sites_nr, 1);
	assert_site(&s->ops.ops[0].sites[0], "main.both;main.op", 2);
	assert_int_equal(s->ops.ops[0].objects, 2);
	/* None began: there is nothing to divide by. */
	assert_true(s->ops.ops[0].sites[0].objects_per_op == 0);
}

/* --- limits ------------------------------------------------------------------------------------- */

static void bad_input_is_refused(void **state)
{
	_model_ *m = new_model();
	uint32_t stack = sample_stack(m, "main.f", false), type = sample_id(model_type(m, "int"));
	char name[16];

	(void)state;
	assert_int_equal(model_site(m, stack, type, 1, 0, 1), -EINVAL);
	for (int i = 0; i < MODEL_OPS_MAX; i++) {
		snprintf(name, sizeof(name), "main.f%d", i);
		assert_int_equal(model_op(m, name, ""), i);
		assert_true(model_site(m, stack, type, 1, 0, 1u << i) >= 0);
	}
	assert_int_equal(model_op(m, "main.f", ""), -E2BIG);
	assert_true(model_site(m, stack, type, 1, 0, UINT32_MAX) >= 0);
}

/* Stacks of 100 frames, each in all operations, of which each has another root: what they take comes to an end. */
static void memory_is_bounded(void **state)
{
	enum { ALL = 208 << 20, DEPTH = 100 };
	size_t before = heap_used();
	_model_ *m = new_model();
	struct model_frame frames[DEPTH];
	char names[DEPTH][16];
	uint32_t type = sample_id(model_type(m, "int")), n = 0;
	int64_t id = 0;

	(void)state;
	for (uint32_t i = 0; i < DEPTH; i++) {
		snprintf(names[i], sizeof(names[i]), "main.f%u", i);
		frames[i] = frame(names[i], "x.go", i);
		if (i >= DEPTH - MODEL_OPS_MAX)
			new_op(m, names[i]);
	}
	for (; id >= 0; n++) {
		frames[n % 10].line = DEPTH + n;
		int64_t stack = model_stack(m, frames, DEPTH, false);
		id = stack < 0 ? stack : model_site(m, (uint32_t)stack, type, 1, 0, UINT32_MAX);
		if (id >= 0)
			model_site_add(m, (uint32_t)id, 1, 8);
	}
	assert_int_equal(id, -E2BIG);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->ops.ops[0].sites_nr, n - 1);
	assert_true(heap_used() - before < ALL);
	print_message("# %u sites in %d operations: %zu KiB\n", n, MODEL_OPS_MAX,
		      (heap_used() - before) / 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_shown_where_nothing_was_measured),
		cmocka_unit_test(operations_come_in_the_order_in_which_they_were_asked_for),
		cmocka_unit_test(an_interval_is_what_was_added),
		cmocka_unit_test(open_operations_are_never_fewer_than_none),
		cmocka_unit_test(percentiles_are_within_half_a_percent),
		cmocka_unit_test(memory_does_not_grow_with_operations),
		cmocka_unit_test(the_largest_of_an_interval_is_the_top_of_its_bucket),
		cmocka_unit_test(numbers_that_cannot_be_do_no_harm),
		cmocka_unit_test(stacks_end_with_the_outermost_call),
		cmocka_unit_test(the_leaf_is_cut_as_that_of_any_site),
		cmocka_unit_test(an_inlined_call_is_not_the_operation),
		cmocka_unit_test(how_it_was_called_makes_no_difference),
		cmocka_unit_test(goroutines_and_sizes_are_not_told_apart),
		cmocka_unit_test(a_site_can_be_in_several_operations),
		cmocka_unit_test(sites_are_sorted_by_what_is_asked_for),
		cmocka_unit_test(an_interval_has_its_own_sites),
		cmocka_unit_test(bad_input_is_refused),
		cmocka_unit_test(memory_is_bounded),
	};
	return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
