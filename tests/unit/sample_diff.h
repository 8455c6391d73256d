/* SPDX-License-Identifier: BSD-2-Clause */
/* Two runs of one program, by the calls that a live session makes. */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_DIFF_H
#define GALLOP_TESTS_UNIT_SAMPLE_DIFF_H

#include "model/diff.h"
#include "sample.h"

/* "main.f:10;main.main:5": functions with their lines, leaf first. */
static inline uint32_t sample_lines(struct model *m, const char *spec)
{
	struct model_frame frames[8];
	size_t n = 0;
	char *copy = strdup(spec), *save = NULL;

	for (char *f = strtok_r(copy, ";", &save); f; f = strtok_r(NULL, ";", &save)) {
		char *line = strrchr(f, ':');
		*line++ = '\0';
		frames[n++] = frame(f, "/src/app/x.go", (uint32_t)strtoul(line, NULL, 10));
	}
	uint32_t id = sample_id(model_stack(m, frames, n, false));
	free(copy);
	return id;
}

/* A model of so many seconds; each build has its id. */
static inline struct model *sample_run(const char *build_id, unsigned int seconds)
{
	struct model *m = new_model();

	sample_meta(m);
	strcpy(model_meta(m)->build_id, build_id);
	strcpy(model_meta(m)->end_reason, "duration");
	model_next_interval(m, SAMPLE_START);
	model_meta(m)->end_mono_ns = SAMPLE_START + (uint64_t)seconds * SAMPLE_S;
	model_set_loss(m, "slots_busy", "no scratch slot was free", 0);
	return m;
}

/* So much is allocated at a place. */
static inline void sample_at(struct model *m, const char *spec, const char *type, uint64_t objects,
			     uint64_t bytes)
{
	sample_add(m, sample_lines(m, spec), type, 5, objects, bytes);
}

static inline void free_diff(struct diff **d)
{
	diff_free(*d);
}

#define _diff_ _cleanup_(free_diff) struct diff

static inline struct diff *compared(const struct snapshot *before, const struct snapshot *after,
				    struct diff_opts opts)
{
	struct diff *d;

	assert_int_equal(diff_new(before, after, &opts, &d), 0);
	return d;
}

#endif
