/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel tells, made up: records of the ring of any size and content, tables, windows, and what a target's
 * memory says of its maps. It goes through the stream and the symbolizer into a model, and that into every output.
 *
 * Functions and types are called what the bytes of their addresses spell: terminal escapes, half characters, markup.
 */
#include <errno.h>

#include "bpf/wire.h"
#include "gobin/gobin.h"
#include "govern/govern.h"
#include "model/samples.h"
#include "plan/plan.h"
#include "probe/probe.h"
#include "proc/gomap.h"
#include "stream/gc.h"
#include "stream/stream.h"
#include "symbol/symbol.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/show.h"

enum { ROWS_MAX = 16, EVENT_SZ_MAX = 2048, STEPS_MAX = 256, OPS_NR = 2 };

enum step {
	STEP_EVENT,
	STEP_SITE,
	STEP_ASSIST,
	STEP_MAP_SITE,
	STEP_MAP,
	STEP_MEMORY,
	STEP_OP,
	STEP_WINDOW,
	STEP_DRAIN,
	STEP_INTERVAL,
	STEP_RATE,
	STEP_NR,
};

struct site {
	struct wire_site_key key;
	struct wire_site count;
};

struct assist {
	uint64_t stack;
	struct wire_assist count;
};

struct map_site {
	struct wire_map_key key;
	struct wire_map_site count;
};

struct map {
	uint64_t addr;
	struct wire_map map;
};

/* What the kernel has: its tables, and an event at a time. */
static struct {
	struct site sites[ROWS_MAX];
	struct assist assists[ROWS_MAX];
	struct map_site map_sites[ROWS_MAX];
	struct map maps[ROWS_MAX];
	struct gomap memory[ROWS_MAX];
	size_t sites_nr, assists_nr, map_sites_nr, maps_nr, memory_nr;
	struct wire_op ops[2][OPS_NR];
	uint64_t hist[WIRE_HIST_BUCKETS];
	uint8_t *event;
	size_t event_sz;
	struct wire_cpu totals;
} kernel;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the kernel, the executable and the memory -------------------------------------------------- */

int probe_each_site(struct probe *probe,
		    int (*fn)(const struct wire_site_key *key, const struct wire_site *site,
			      void *ctx),
		    void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.sites_nr; i++)
		rc = fn(&kernel.sites[i].key, &kernel.sites[i].count, ctx);
	return rc;
}

int probe_each_assist(struct probe *probe,
		      int (*fn)(uint64_t stack, const struct wire_assist *assist, void *ctx),
		      void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.assists_nr; i++)
		rc = fn(kernel.assists[i].stack, &kernel.assists[i].count, ctx);
	return rc;
}

int probe_each_map_site(struct probe *probe,
			int (*fn)(const struct wire_map_key *key, const struct wire_map_site *site,
				  void *ctx),
			void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.map_sites_nr; i++)
		rc = fn(&kernel.map_sites[i].key, &kernel.map_sites[i].count, ctx);
	return rc;
}

int probe_each_map(struct probe *probe,
		   int (*fn)(uint64_t addr, const struct wire_map *map, void *ctx), void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.maps_nr; i++)
		rc = fn(kernel.maps[i].addr, &kernel.maps[i].map, ctx);
	return rc;
}

static struct map *find_map(uint64_t addr)
{
	for (size_t i = 0; i < kernel.maps_nr; i++)
		if (kernel.maps[i].addr == addr)
			return &kernel.maps[i];
	return NULL;
}

int probe_get_map(struct probe *probe, uint64_t addr, struct wire_map *ret)
{
	const struct map *map = find_map(addr);

	(void)probe;
	if (map)
		*ret = map->map;
	return map ? 0 : -ENOENT;
}

int probe_drop_map(struct probe *probe, uint64_t addr, const struct wire_map *seen)
{
	struct map *map = find_map(addr);

	(void)probe, (void)seen;
	if (map)
		*map = kernel.maps[--kernel.maps_nr];
	return map ? 0 : -ENOENT;
}

bool plan_has(const struct plan *plan, enum plan_prog prog)
{
	(void)plan, (void)prog;
	return true;
}

uint32_t probe_turn_ops(struct probe *probe)
{
	(void)probe;
	return 0;
}

void probe_op(const struct probe *probe, uint32_t half, uint32_t op, struct wire_op *ret)
{
	(void)probe;
	*ret = kernel.ops[half][op];
}

const uint64_t *probe_op_hist(const struct probe *probe, uint32_t half, uint32_t op,
			      enum wire_op_value value)
{
	(void)probe, (void)half, (void)op, (void)value;
	return kernel.hist;
}

int probe_each_event(struct probe *probe, int (*fn)(const void *data, size_t size, void *ctx),
		     void *ctx)
{
	(void)probe;
	return kernel.event ? fn(kernel.event, kernel.event_sz, ctx) : 0;
}

void probe_totals(const struct probe *probe, struct wire_cpu *ret)
{
	(void)probe;
	*ret = kernel.totals;
}

int gomap_shape(const struct gomap_reader *r, uint64_t typ_addr, struct go_map_shape *ret)
{
	(void)r;
	*ret = (struct go_map_shape){ .swiss = typ_addr & 1, .unit_bytes = typ_addr % 65536 };
	return typ_addr % 7 ? 0 : -EINVAL;
}

int gomap_read(const struct gomap_reader *r, struct gomap *maps, size_t nr)
{
	(void)r;
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < kernel.memory_nr; k++)
			if (kernel.memory[k].addr % 256 == maps[i].addr % 256) {
				struct gomap now = kernel.memory[k];
				now.addr = maps[i].addr;
				now.shape = maps[i].shape;
				maps[i] = now;
			}
	return 0;
}

/* The bytes of an address, again and again; of an odd one to the end of the room. */
static void spell(uint64_t va, char *buf, size_t cap)
{
	size_t len = va & 1 ? cap - 1 : sizeof(va);

	for (size_t i = 0; i < len; i++)
		buf[i] = (char)(va >> 8 * (i % sizeof(va)));
	buf[len] = '\0';
}

int gobin_frames(struct gobin *bin, uint64_t va, struct gobin_frame *frames, size_t max)
{
	size_t nr = va % 5;

	(void)bin;
	for (size_t i = 0; i < nr && i < max; i++) {
		frames[i] = (struct gobin_frame){ .line = (uint32_t)va,
						  .inlined = i + 1 < nr,
						  .wrapper = va % 11 == 0 };
		spell(va + i, frames[i].func, sizeof(frames[i].func));
		spell(va ^ i, frames[i].file, sizeof(frames[i].file));
	}
	return nr ? (int)nr : -ENOENT;
}

int gobin_type_name(struct gobin *bin, uint64_t va, char *buf, size_t cap)
{
	(void)bin;
	spell(va, buf, cap);
	return va % 13 ? 0 : -ENOENT;
}

/* --- a session ------------------------------------------------------------------------------------ */

struct session {
	struct model *m;
	struct symbolizer *sym;
	struct stream *stream;
	bool sampled, windows;
	uint64_t now_ns;
};

#define add_row(in, rows, nr) input_take(in, &rows[nr < ROWS_MAX ? nr++ : 0], sizeof(rows[0]))

/* An event is as large as it is, and has nothing behind it that could be read. */
static void send_event(struct session *s, struct input *in)
{
	struct err err = { 0 };

	kernel.event_sz = input_u16(in) % EVENT_SZ_MAX;
	if (kernel.event_sz > input_left(in))
		kernel.event_sz = input_left(in);
	kernel.event = malloc(kernel.event_sz ? kernel.event_sz : 1);
	require(kernel.event != NULL);
	input_take(in, kernel.event, kernel.event_sz);
	require(stream_events(s->stream, &err) == 0);
	free(kernel.event);
	kernel.event = NULL;
}

/* What gomap_read() promises of a map that isn't known. */
static void add_memory(struct input *in)
{
	struct gomap *map = &kernel.memory[kernel.memory_nr < ROWS_MAX ? kernel.memory_nr++ : 0];
	uint8_t flags = input_u8(in);

	*map = (struct gomap){ .addr = input_u64(in),
			       .state = flags % 4,
			       .known = flags & 4,
			       .left_out = !(flags & 4) && flags & 8 };
	if (!map->known)
		return;
	map->seed = input_u64(in);
	map->entries = input_u64(in);
	map->bytes = input_u64(in);
}

static void set_op(struct input *in)
{
	uint8_t which = input_u8(in);
	uint32_t bucket = input_u16(in) % WIRE_HIST_BUCKETS;

	kernel.hist[bucket] += input_u64(in);
	input_take(in, &kernel.ops[which & 1][which >> 1 & 1], sizeof(struct wire_op));
}

/* Windows come as the governor has them: by number, in the order of time. */
static void end_window(struct session *s, struct input *in)
{
	struct govern_window w = { .number = input_u8(in) };
	uint8_t flags = input_u8(in);

	w.maps_only = flags & 1;
	w.whole = flags & 2;
	w.start_ns = input_u64(in);
	w.slot_ns = input_u64(in);
	w.refill_ns = input_u64(in);
	w.kept_from_ns = input_u64(in);
	w.end_ns = input_u64(in);
	w.refill_hits = input_u64(in);
	w.exact_hits = input_u64(in);
	w.op_calls[0] = input_u64(in);
	if (!s->sampled && !s->windows)
		return;
	int rc = stream_window(s->stream, &w);
	require(rc == 0 || rc == -E2BIG || rc == -ENOMEM);
}

static void drain(struct session *s, bool last)
{
	struct err err = { 0 };
	int rc = stream_drain(s->stream, last, s->now_ns, &err);

	require(rc == 0 || (rc == err.code && err.msg[0]));
}

static void take_step(struct session *s, struct input *in)
{
	switch ((enum step)(input_u8(in) % STEP_NR)) {
	case STEP_EVENT:
		send_event(s, in);
		break;
	case STEP_SITE:
		add_row(in, kernel.sites, kernel.sites_nr);
		break;
	case STEP_ASSIST:
		add_row(in, kernel.assists, kernel.assists_nr);
		break;
	case STEP_MAP_SITE:
		add_row(in, kernel.map_sites, kernel.map_sites_nr);
		break;
	case STEP_MAP:
		add_row(in, kernel.maps, kernel.maps_nr);
		break;
	case STEP_MEMORY:
		add_memory(in);
		break;
	case STEP_OP:
		set_op(in);
		break;
	case STEP_WINDOW:
		end_window(s, in);
		break;
	case STEP_DRAIN:
		drain(s, false);
		break;
	case STEP_INTERVAL:
		model_next_interval(s->m, s->now_ns += input_u64(in) >> 2);
		break;
	case STEP_RATE:
		if (s->sampled)
			stream_set_profile_rate(s->stream, input_u64(in));
		break;
	case STEP_NR:
		break;
	}
}

static void begin(struct session *s, struct input *in, struct plan *plan)
{
	uint8_t flags = input_u8(in);
	struct err err = { 0 };

	*s = (struct session){ .sampled = flags & 1, .windows = flags & 4 && !(flags & 1) };
	memset(&kernel, 0, sizeof(kernel));
	plan->cfg.by_goroutine = flags & 2;
	plan->cfg.op_windows = s->windows;
	plan->ops_nr = s->sampled ? 0 : OPS_NR;
	for (size_t i = 0; i < plan->ops_nr; i++)
		spell(input_u64(in), plan->ops[i].name, sizeof(plan->ops[i].name));
	require(model_new(&s->m) == 0);
	require(symbolizer_new(NULL, s->m, &s->sym) == 0);
	if (s->sampled)
		model_sampled(s->m, input_u64(in));
	const struct stream_opts opts = { .model = s->m,
					  .symbolizer = s->sym,
					  .maps = flags & 8,
					  .plan = plan,
					  .sampled = s->sampled };
	require(stream_new(&opts, &s->stream, &err) == 0);
	if (flags & 16)
		stream_set_map_reader(s->stream, (const struct gomap_reader *)&kernel);
	stream_gc_begin(s->stream, input_u8(in), flags & 32);
}

static void try_input(const uint8_t *data, size_t size, int choice)
{
	static struct plan plan;
	struct input in = { data, data + size };
	struct session s;

	begin(&s, &in, &plan);
	for (int i = 0; i < STEPS_MAX && input_left(&in); i++)
		take_step(&s, &in);
	drain(&s, true);
	model_meta(s.m)->end_mono_ns = s.now_ns;
	show_model(s.m, size % 2 ? SNAPSHOT_BYTES : SNAPSHOT_OBJECTS, choice);
	stream_free(s.stream);
	symbolizer_free(s.sym);
	model_free(s.m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_input(data, size, show_choice(data, size));
	return 0;
}

const char replay_corpus[] = "tests/fuzz/corpus/stream";

void replay_input(const uint8_t *data, size_t size)
{
	try_input(data, size, SHOW_ALL);
}
