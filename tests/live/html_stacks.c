/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording with as many distinct stacks as are asked for, as a large service has them: main calls many handlers,
 * which call each other and share what they allocate with. Each interval, each third of them allocates.
 *
 *   html_stacks FILE STACKS INTERVALS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "record/recording.h"

enum { DEPTH = 16, NS_PER_S = 1000 * 1000 * 1000 };

#define START UINT64_C(5000000000000)

static void die(const char *what)
{
	fprintf(stderr, "html_stacks: %s\n", what);
	exit(1);
}

/* Names go with the digits of i, so stacks share their beginnings; the leaf's line is i's own. */
static int64_t make_stack(struct model *m, unsigned int i)
{
	static char names[DEPTH][64];
	struct model_frame frames[DEPTH];

	for (unsigned int k = 0; k < DEPTH; k++) {
		unsigned int level = DEPTH - 1 - k;
		unsigned int digit = level < 4 ? 0 : i / (level % 5 + 1) % (17 * level);
		snprintf(names[k], sizeof(names[k]), "example.com/big/service%u.(*Handler).Level%u",
			 digit, level);
		frames[k] = (struct model_frame){ names[k], "/src/big/service.go", 10, false, 0 };
	}
	frames[0].line = 10 + i;
	frames[DEPTH - 1].func = "main.main";
	return model_stack(m, frames, DEPTH, false);
}

static void allocate(struct model *m, unsigned int nr, unsigned int interval)
{
	for (unsigned int i = 0; i < nr; i++)
		if (i % 3 == interval % 3)
			model_site_add(m, i, 1 + i % 7, 16 * (1 + i % 7));
}

int main(int argc, char **argv)
{
	struct model *m;
	struct recording *rec;
	struct err err = { 0 };
	uint64_t objects = 0, bytes = 0;

	if (argc != 4 || model_new(&m))
		die("usage: html_stacks FILE STACKS INTERVALS");
	unsigned int nr = (unsigned int)atoi(argv[2]), intervals = (unsigned int)atoi(argv[3]);
	strcpy(model_meta(m)->comm, "big");
	strcpy(model_meta(m)->mode, "exact");
	strcpy(model_meta(m)->module, "example.com/big");
	model_meta(m)->start_mono_ns = START;
	if (recording_create(argv[1], 0, &rec, &err))
		die(err.msg);
	for (unsigned int i = 0; i < nr; i++) {
		int64_t stack = make_stack(m, i),
			type = model_type(m, i % 2 ? "big.Item" : "big.Order");
		if (stack < 0 || type < 0 ||
		    model_site(m, (uint32_t)stack, (uint32_t)type, 2, 0, 0) != (int64_t)i)
			die("too many");
	}
	for (unsigned int t = 0; t < intervals; t++) {
		uint64_t from = START + (uint64_t)t * NS_PER_S;
		allocate(m, nr, t);
		for (unsigned int i = t % 3; i < nr; i += 3) {
			objects += 1 + i % 7;
			bytes += 16 * (1 + i % 7);
		}
		model_set_totals(m, objects, bytes);
		model_meta(m)->end_mono_ns = from + NS_PER_S;
		if (recording_write(rec, m, from, from + NS_PER_S, &err))
			die(err.msg);
		model_next_interval(m, from + NS_PER_S);
	}
	strcpy(model_meta(m)->end_reason, "duration");
	if (recording_finish(rec, m, &err))
		die(err.msg);
	model_free(m);
	return 0;
}
