/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many calls of a function a window of its operations stands for: by how often it was called just before. What is called
 * between two windows tells less of one of them, as a phase may be shorter than that. Pure: numbers in, numbers out.
 */
#ifndef GALLOP_GOVERN_OP_CALLS_H
#define GALLOP_GOVERN_OP_CALLS_H

#include <stdint.h>

/* For so long calls are counted before a window opens: shorter than phases of a second, long enough for ten calls of most. */
enum { OP_CALLS_BEFORE_NS = 100 * 1000 * 1000 };

struct op_calls {
	uint64_t before,
		before_ns; /* calls until the window opened, and for how long they were counted */
	uint64_t through, through_ns; /* ... until it closed */
	uint64_t stands_ns; /* the time that the window stands for */
};

/* 0 if there were none, or it can't be told. */
uint64_t op_calls_stood_for(const struct op_calls *calls);

#endif
