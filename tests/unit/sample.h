/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small model with one of everything, made by the calls that a live session makes: what the
 * golden files show, and what a recording must give back.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_H
#define GALLOP_TESTS_UNIT_SAMPLE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/model.h"
#include "model/snapshot.h"

enum { SAMPLE_S = 1000 * 1000 * 1000 };

#define SAMPLE_START UINT64_C(5000000000000) /* CLOCK_MONOTONIC, ns */

static inline struct model *new_model(void)
{
	struct model *m;

	assert_int_equal(model_new(&m), 0);
	return m;
}

static inline struct snapshot *take(const struct model *m, struct snapshot_opts opts)
{
	struct snapshot *s;

	assert_int_equal(snapshot_new(m, &opts, &s), 0);
	return s;
}

/* Both may end with their scope. */
static inline void free_model(struct model **m)
{
	model_free(*m);
}

static inline void free_snapshot(struct snapshot **s)
{
	snapshot_free(*s);
}

#define _model_ _cleanup_(free_model) struct model
#define _snapshot_ _cleanup_(free_snapshot) struct snapshot

static inline uint32_t sample_id(int64_t id)
{
	assert_true(id >= 0);
	return (uint32_t)id;
}

static inline struct model_frame frame(const char *func, const char *file, uint32_t line)
{
	return (struct model_frame){ .func = func, .file = file, .line = line };
}

/* "main.f;main.main": a stack of functions, leaf first; ';' between frames. */
static inline uint32_t sample_stack(struct model *m, const char *spec, bool cut)
{
	struct model_frame frames[32];
	size_t n = 0;
	char *copy = strdup(spec), *save = NULL;

	for (char *f = strtok_r(copy, ";", &save); f; f = strtok_r(NULL, ";", &save))
		frames[n++] = frame(f, "/src/app/x.go", 10);
	uint32_t id = sample_id(model_stack(m, frames, n, cut));
	free(copy);
	return id;
}

static inline void sample_add(struct model *m, uint32_t stack, const char *type,
			      uint32_t size_class, uint64_t objects, uint64_t bytes)
{
	uint32_t type_id = sample_id(model_type(m, type));

	model_site_add(m, sample_id(model_site(m, stack, type_id, size_class, 0, 0)), objects,
		       bytes);
}

static inline void sample_meta(struct model *m)
{
	struct model_meta *meta = model_meta(m);

	strcpy(meta->gallop_version, "0.1.0");
	strcpy(meta->exe, "/usr/local/bin/shop");
	strcpy(meta->comm, "shop");
	strcpy(meta->cmdline, "shop --listen :8080 --name \"caf\xc3\xa9\"");
	strcpy(meta->go_version, "go1.24.3");
	strcpy(meta->module, "example.com/shop");
	strcpy(meta->build_id, "abc/def");
	strcpy(meta->kernel, "6.18.0");
	strcpy(meta->mode, "exact");
	strcpy(meta->attach, "uprobe_multi");
	meta->pid = 4711;
	meta->load_bias = UINT64_C(0x7fff00000000);
	meta->start_unix_ns = UINT64_C(1763809470123456789);
	meta->start_mono_ns = SAMPLE_START;
	meta->end_mono_ns = SAMPLE_START;
}

static inline uint32_t sample_http_stack(struct model *m, uint32_t line, bool cut)
{
	const struct model_frame frames[] = {
		{ "runtime.mallocgc", "/go/src/runtime/malloc.go", 1058, false, 0x401000 },
		{ "runtime.newobject", "/go/src/runtime/malloc.go", 1402, true, 0x402000 + line },
		{ "github.com/prometheus/client_golang/prometheus/internal.(*Registry).Gather",
		  "/mod/github.com/prometheus/client_golang/prometheus/registry.go", line, false,
		  0x402000 + line },
		{ "example.com/shop/cart.(*Cart).Total", "/src/shop/cart/cart.go", 88, true,
		  0x403000 },
		{ "example.com/shop/cart.Handle[...]", "/src/shop/cart/handler.go", 17, false,
		  0x403000 },
		{ "net/http.(*conn).serve", "/go/src/net/http/server.go", 2102, false, 0x404000 },
		{ "runtime.goexit", "/go/src/runtime/asm_amd64.s", 1700, false, 0x405000 },
	};

	return sample_id(model_stack(m, frames, sizeof(frames) / sizeof(frames[0]) - cut, cut));
}

/* What happens in second n: every number depends on n, so that intervals differ. */
static inline void sample_second(struct model *m, unsigned int n, uint64_t *objects,
				 uint64_t *bytes)
{
	uint32_t http = sample_http_stack(m, 412, false), deep = sample_http_stack(m, 412, true);
	uint32_t json = sample_stack(
		m, "runtime.mallocgc;encoding/json.(*Decoder).refill;main.main", false);
	uint32_t gc = sample_stack(m, "runtime.mallocgc;runtime.bgsweep;runtime.goexit", false);
	uint32_t type = sample_id(model_type(m, "*prometheus.MetricFamily"));

	sample_add(m, http, "*prometheus.MetricFamily", 5, 1000 * n, 48000 * n);
	sample_add(m, deep, "*prometheus.MetricFamily", 5, 10, 480);
	sample_add(m, json, "[]uint8", MODEL_CLASS_LARGE, n, 1048576 * n);
	sample_add(m, json, "string", MODEL_CLASS_TINY, 300, 1500);
	sample_add(m, gc, "struct { a int; b string }", 12, 1, 160);
	uint32_t site = sample_id(model_site(m, http, type, 5, 18, 0));
	model_site_add(m, site, 7, 336);
	*objects += 1000 * n + 10 + n + 300 + 1 + 7;
	*bytes += 48000 * n + 480 + 1048576 * n + 1500 + 160 + 336;
}

static inline void sample_end(struct model *m, uint64_t objects)
{
	*model_check(m) = (struct model_check){
		.known = true,
		.from_mono_ns = SAMPLE_START,
		.to_mono_ns = model_meta(m)->end_mono_ns,
		.runtime_objects = objects + 2,
		.gallop_objects = objects,
		.slack = 3,
	};
	strcpy(model_meta(m)->end_reason, "signal");
}

/* Called at the end of each second, before the next one begins. */
typedef void sample_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx);

/* `seconds` of a session; in the last second 5 objects are lost. */
static inline struct model *sample_model(unsigned int seconds, sample_tick *tick, void *ctx)
{
	struct model *m = new_model();
	uint64_t objects = 0, bytes = 0;

	sample_meta(m);
	for (unsigned int n = 1; n <= seconds; n++) {
		uint64_t to = SAMPLE_START + (uint64_t)n * SAMPLE_S;
		sample_second(m, n, &objects, &bytes);
		if (n == seconds) {
			objects += 5;
			bytes += 640;
		}
		model_set_totals(m, objects, bytes);
		model_set_loss(m, "site_table_full", "the table of sites was full",
			       n == seconds ? 5 : 0);
		model_set_loss(m, "slots_busy", "no scratch slot was free", n);
		const struct model_mark mark = { to - 1000, "ReadMemStats", objects + 100, objects,
						 bytes };
		assert_int_equal(model_add_mark(m, &mark), 0);
		model_meta(m)->end_mono_ns = to;
		if (n == seconds)
			sample_end(m, objects);
		if (tick)
			tick(m, to - SAMPLE_S, to, ctx);
		if (n < seconds)
			model_next_interval(m, to);
	}
	return m;
}

#endif
