/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the kernel's records to the model, with a kernel and a program that are made up here: what
 * the two functions below give is all that the symbolizer knows of an executable.
 */
#include "golden.h"
#include "sample.h"

#include <errno.h>

#include "gobin/gobin.h"
#include "model/tables.h"
#include "symbol/symbol.h"

static void free_model(struct model **m)
{
	model_free(*m);
}

#define _model_ _cleanup_(free_model) struct model

/* A program of 16 bytes for each function. */
static const struct {
	const char *func;
	bool inlined, wrapper;
	int addr; /* in units of 16 bytes */
} program[] = {
	{ "runtime.mallocgc", false, false, 1 }, { "main.(*T).Inlined", true, false, 2 },
	{ "main.T.Method", false, false, 2 },	 { "main.(*T).Method", false, true, 3 },
	{ "main.main", false, false, 4 },	 { "runtime.goexit", false, false, 5 },
};

int gobin_frames(struct gobin *bin, uint64_t va, struct gobin_frame *frames, size_t max)
{
	int nr = 0;

	(void)bin;
	for (size_t i = 0; i < sizeof(program) / sizeof(program[0]); i++) {
		if ((uint64_t)program[i].addr != va / 16 || (size_t)nr == max)
			continue;
		frames[nr] = (struct gobin_frame){ .line = (uint32_t)i,
						   .inlined = program[i].inlined,
						   .wrapper = program[i].wrapper };
		strcpy(frames[nr].func, program[i].func);
		strcpy(frames[nr++].file, "x.go");
	}
	return nr ? nr : -ESRCH;
}

int gobin_type_name(struct gobin *bin, uint64_t va, char *buf, size_t cap)
{
	(void)bin;
	snprintf(buf, cap, "main.T%u", (unsigned int)va);
	return 0;
}

/* A hidden wrapper takes its address with it: the frames above it keep their own. */
static void addresses_stay_with_their_frames(void **state)
{
	static const uint64_t bias = 0x10000;
	static const uint64_t pcs[] = { bias + 0x10, bias + 0x28, bias + 0x38, bias + 0x48,
					bias + 0x58 };
	static const struct {
		const char *func;
		uint64_t pc;
	} expected[] = {
		{ "runtime.mallocgc", 0x10 }, { "main.(*T).Inlined", 0x28 },
		{ "main.T.Method", 0x28 },    { "main.main", 0x48 },
		{ "runtime.goexit", 0x58 },
	};
	enum { NR = sizeof(expected) / sizeof(expected[0]) };
	_model_ *m = NULL;
	struct symbolizer *sym;
	bool cut = true;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	assert_int_equal(symbolizer_new(NULL, m, &sym), 0);
	assert_int_equal(symbolizer_stack(sym, pcs, 5, bias, &cut), 0);
	assert_false(cut);
	const struct stack_row *stack = m->stacks.rows[0];
	assert_int_equal(stack->frames_nr, NR);
	for (size_t i = 0; i < NR; i++) {
		const struct frame_row *frame = m->frames.rows[stack->words[1 + i]];
		assert_string_equal(m->funcs.rows[frame->key.func]->key.name, expected[i].func);
		assert_int_equal(frame->key.pc, expected[i].pc);
	}
	symbolizer_free(sym);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_stay_with_their_frames),
	};
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
