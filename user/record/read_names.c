/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names go through the model's own interning, which cleans them; a row's id in the file is kept
 * apart from its id in the model, as two names of a made-up file may become one.
 */
#include "record/read_names.h"

#include "model/op_tables.h"

int read_function(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *name, *file;
	(void)idx;

	int code = col_text(r, row, 1, &name);
	if (!code)
		code = col_text(r, row, 2, &file);
	return code ? code : map_add(r, &r->funcs, intern_func(r->m, name, file));
}

int read_frame(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct frame_key key = { 0 };
	uint64_t line, inlined;
	(void)idx;

	int code = col_ref(r, row, 1, &r->funcs, &key.func);
	if (!code)
		code = col_u64(r, row, 2, UINT32_MAX, &line);
	if (!code)
		code = col_u64(r, row, 3, 1, &inlined);
	if (!code)
		code = col_word(r, row, 4, &key.pc);
	if (code)
		return code;
	key.line = (uint32_t)line;
	key.inlined = (uint32_t)inlined;
	return map_add(r, &r->frames, intern_frame(r->m, &key));
}

/* "[1,2,3]", exactly as it was written; nothing else that JSON would allow. */
static int parse_frames(struct reader *r, const char *json, uint32_t *frames, size_t *nr_ret)
{
	size_t nr = 0;
	const char *p = json;

	if (*p++ != '[')
		return reader_damaged(r, "a stack is not a list of frames");
	do {
		char *end;
		if (*p < '0' || *p > '9')
			return reader_damaged(r, "a stack is not a list of frames");
		unsigned long id = strtoul(p, &end, 10);
		if (id >= r->frames.nr)
			return reader_damaged(r, "a stack refers to a frame that is not there");
		if (nr == MODEL_DEPTH_MAX)
			return reader_damaged(r, "a stack is deeper than a recording's can be");
		frames[nr++] = r->frames.v[id];
		p = end;
	} while (*p++ == ',');
	if (p[-1] != ']' || *p)
		return reader_damaged(r, "a stack is not a list of frames");
	*nr_ret = nr;
	return 0;
}

int read_stack(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint32_t frames[MODEL_DEPTH_MAX];
	size_t nr = 0;
	const char *json;
	uint64_t cut;
	(void)idx;

	int code = col_text(r, row, 1, &json);
	if (!code)
		code = parse_frames(r, json, frames, &nr);
	if (!code)
		code = col_u64(r, row, 2, 1, &cut);
	return code ? code : map_add(r, &r->stacks, intern_stack(r->m, frames, nr, cut));
}

int read_type(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *name;
	(void)idx;

	int code = col_text(r, row, 1, &name);
	return code ? code : map_add(r, &r->types, model_type(r->m, name));
}

int read_site(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint32_t stack = 0, type = 0;
	uint64_t size_class, goid, ops;
	(void)idx;

	int code = col_ref(r, row, 1, &r->stacks, &stack);
	if (!code)
		code = col_ref(r, row, 2, &r->types, &type);
	if (!code)
		code = col_u64(r, row, 3, MODEL_CLASS_NR - 1, &size_class);
	if (!code)
		code = col_word(r, row, 4, &goid);
	if (!code)
		code = col_u64(r, row, 5, UINT32_MAX, &ops);
	if (code)
		return code;
	if (ops >> r->m->ops->nr)
		return reader_damaged(r, "a row refers to one that is not there");
	return map_add(r, &r->sites,
		       model_site(r->m, stack, type, (uint32_t)size_class, goid, (uint32_t)ops));
}
