/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From sampled hits to the model: those of a window wait until it is over and become one unit; those that the runtime
 * took itself count as they come.
 */
#ifndef GALLOP_STREAM_SAMPLES_H
#define GALLOP_STREAM_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

struct govern_window;
struct model;
struct sample_stream;
struct symbolizer;
struct wire_sample;

struct sample_stream_opts {
	struct symbolizer *symbolizer; /* borrowed, both */
	struct model *model;
	/* The model's stack for a hash, one that stands for a loss, or -errno. */
	int64_t (*stack)(uint64_t hash, void *ctx);
	/* The model's site of maps for a type and a stack, or -errno. */
	int64_t (*map_site)(uint64_t typ, uint32_t stack, void *ctx);
	void *ctx;
	bool by_goroutine; /* sites of objects are told apart by it */
};

/* 0 or -ENOMEM. */
int sample_stream_new(const struct sample_stream_opts *opts, struct sample_stream **ret);
void sample_stream_free(struct sample_stream *ss);

/* runtime.MemProfileRate as it is now, for samples that the runtime takes. */
void sample_stream_set_rate(struct sample_stream *ss, uint64_t mem_profile_rate);

/* A sample whose size was checked. 0 or -ENOMEM. */
int sample_stream_take(struct sample_stream *ss, const struct wire_sample *sample,
		       uint64_t load_bias);

/* This window is over and all of its samples were taken: they become a unit of the model. 0 or -errno. */
int sample_stream_window(struct sample_stream *ss, struct govern_window *window);

/* Samples that no unit has: of windows that were over, or for which there was no room; and that the model had no room for. */
uint64_t sample_stream_late(const struct sample_stream *ss);
uint64_t sample_stream_unplaced(const struct sample_stream *ss);

#endif
