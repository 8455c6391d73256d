/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interning: equal content gets the same id, so that everything after compares and counts numbers.
 *
 * A frame is one line of one function at one address, a stack is a list of frames. Text is cleaned
 * on its way in, here and nowhere else: whatever a hostile executable or recording names its
 * functions, all names in a model are printable UTF-8.
 */
#include "model/op_tables.h"
#include "model/sample_tables.h"
#include "model/sample_view.h"
#include "model/tables.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "model/snapshot.h"

/* Bytes that a snapshot takes for a row, as snapshot.c and shown.c build it. */
enum {
	SHOWN_TEXT_SZ = sizeof(char *), /* and the text */
	SHOWN_FUNC_SZ = sizeof(struct snapshot_func) + sizeof(size_t),
	SHOWN_FRAME_SZ = sizeof(struct snapshot_frame) + 3 * sizeof(uint32_t),
	SHOWN_STACK_SZ = sizeof(struct snapshot_stack) + 9 * sizeof(uint32_t),
	SHOWN_LINK_SZ = sizeof(struct snapshot_frame *), /* of each of a stack's frames */
	SHOWN_TYPE_SZ = sizeof(struct snapshot_type),
	SHOWN_SITE_SZ = 3 * sizeof(struct snapshot_site), /* picked, made and sorted aside */
	/* Of each operation that a site is in: its own stack, with a link for each frame; and as a site's. */
	SHOWN_OP_STACK_SZ = sizeof(struct snapshot_stack) + 9 * sizeof(uint32_t),
	SHOWN_OP_SITE_SZ = 3 * sizeof(struct snapshot_op_site),
};

int64_t intern_text(struct model *m, const char *raw)
{
	char clean[MODEL_NAME_MAX];
	size_t len = utf8_clean(clean, sizeof(clean), raw);

	struct text_row *found;
	HASH_FIND(hh, m->texts.hash, clean, len, found);
	if (found)
		return found->id;

	int rc = table_reserve(m, m->texts,
			       sizeof(struct text_row) + SHOWN_TEXT_SZ + 2 * (len + 1));
	if (rc)
		return rc;
	_cleanup_free_ struct text_row *row = calloc(1, sizeof(*row) + len + 1);
	if (!row)
		return -ENOMEM;
	memcpy(row->s, clean, len + 1);
	int64_t id = table_add(m->texts, row, row->s, len);
	if (id >= 0)
		m->texts_sz += len + 1;
	return id;
}

static bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

int64_t intern_func(struct model *m, const char *name, const char *file)
{
	int64_t name_id = intern_text(m, *name ? name : "[unknown]");
	if (name_id < 0)
		return name_id;
	int64_t file_id = intern_text(m, file);
	if (file_id < 0)
		return file_id;

	struct func_key key = { m->texts.rows[name_id]->s, m->texts.rows[file_id]->s };
	struct func_row *found;
	HASH_FIND(hh, m->funcs.hash, &key, sizeof(key), found);
	if (found)
		return found->id;

	int rc = table_reserve(m, m->funcs, sizeof(struct func_row) + SHOWN_FUNC_SZ);
	if (rc)
		return rc;
	_cleanup_free_ struct func_row *row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = key;
	row->name_id = (uint32_t)name_id;
	row->file_id = (uint32_t)file_id;
	/* The same rule as Go's own allocs profile: Go 1.26 runtime/pprof/protomem.go. */
	row->is_runtime = has_prefix(key.name, "runtime.") ||
			  has_prefix(key.name, "internal/runtime/");
	row->is_goexit = strcmp(key.name, "runtime.goexit") == 0;
	row->is_std = goname_is_std(key.name);
	row->is_sync_map = goname_is_sync_map(key.name);
	row->kind = goname_of(key.name);
	return table_add(m->funcs, row, &row->key, sizeof(row->key));
}

int64_t intern_frame(struct model *m, const struct frame_key *key)
{
	if (key->func >= m->funcs.nr)
		return -EINVAL;

	struct frame_row *found;
	HASH_FIND(hh, m->frames.hash, key, sizeof(*key), found);
	if (found)
		return found->id;

	int rc = table_reserve(m, m->frames, sizeof(struct frame_row) + SHOWN_FRAME_SZ);
	if (rc)
		return rc;
	_cleanup_free_ struct frame_row *row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = *key;
	int64_t id = table_add(m->frames, row, &row->key, sizeof(row->key));
	return id;
}

int64_t intern_stack(struct model *m, const uint32_t *frames, size_t n, bool cut)
{
	if (n > MODEL_DEPTH_MAX)
		return -E2BIG;

	uint32_t words[1 + MODEL_DEPTH_MAX];
	size_t words_sz = (1 + n) * sizeof(words[0]);
	words[0] = cut;
	for (size_t i = 0; i < n; i++) {
		if (frames[i] >= m->frames.nr)
			return -EINVAL;
		words[1 + i] = frames[i];
	}

	struct stack_row *found;
	HASH_FIND(hh, m->stacks.hash, words, words_sz, found);
	if (found)
		return found->id;

	int rc = table_reserve(m, m->stacks,
			       sizeof(struct stack_row) + words_sz + SHOWN_STACK_SZ +
				       SHOWN_LINK_SZ * n);
	if (rc)
		return rc;
	_cleanup_free_ struct stack_row *row = calloc(1, sizeof(*row) + words_sz);
	if (!row)
		return -ENOMEM;
	row->frames_nr = (uint32_t)n;
	memcpy(row->words, words, words_sz);
	int64_t id = table_add(m->stacks, row, row->words, words_sz);
	return id;
}

int64_t model_stack(struct model *m, const struct model_frame *frames, size_t n, bool cut)
{
	static const struct model_frame unknown = { .func = "[unknown]", .file = "" };

	if (n > MODEL_DEPTH_MAX)
		return -E2BIG;
	if (n == 0) {
		frames = &unknown;
		n = 1;
	}

	uint32_t ids[MODEL_DEPTH_MAX];
	for (size_t i = 0; i < n; i++) {
		int64_t func = intern_func(m, frames[i].func, frames[i].file);
		if (func < 0)
			return func;
		struct frame_key key = {
			.pc = frames[i].pc,
			.func = (uint32_t)func,
			.line = frames[i].line,
			.inlined = frames[i].inlined,
		};
		int64_t frame = intern_frame(m, &key);
		if (frame < 0)
			return frame;
		ids[i] = (uint32_t)frame;
	}
	return intern_stack(m, ids, n, cut);
}

int64_t model_type(struct model *m, const char *name)
{
	int64_t name_id = intern_text(m, name);
	if (name_id < 0)
		return name_id;

	const char *text = m->texts.rows[name_id]->s;
	struct type_row *found;
	HASH_FIND(hh, m->types.hash, &text, sizeof(text), found);
	if (found)
		return found->id;

	int rc = table_reserve(m, m->types, sizeof(struct type_row) + SHOWN_TYPE_SZ);
	if (rc)
		return rc;
	_cleanup_free_ struct type_row *row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->name = text;
	row->name_id = (uint32_t)name_id;
	int64_t id = table_add(m->types, row, &row->name, sizeof(row->name));
	return id;
}

int64_t model_site(struct model *m, uint32_t stack, uint32_t type, uint32_t size_class,
		   uint64_t goid, uint32_t ops)
{
	if (stack >= m->stacks.nr || type >= m->types.nr || size_class >= MODEL_CLASS_NR ||
	    (uint64_t)ops >> m->ops->nr)
		return -EINVAL;

	struct site_key key = { stack, type, size_class, ops, goid };
	struct site_row *found;
	HASH_FIND(hh, m->sites.hash, &key, sizeof(key), found);
	if (found)
		return found->id;

	size_t op_sz = SHOWN_OP_STACK_SZ + SHOWN_OP_SITE_SZ +
		       SHOWN_LINK_SZ * m->stacks.rows[stack]->frames_nr;
	int rc = table_reserve(m, m->sites,
			       sizeof(struct site_row) + SHOWN_SITE_SZ +
				       (m->samples->on ? SAMPLE_VIEW_SITE_SZ : 0) +
				       (size_t)__builtin_popcount(ops) * op_sz);
	if (rc)
		return rc;
	_cleanup_free_ struct site_row *row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = key;
	int64_t id = table_add(m->sites, row, &row->key, sizeof(row->key));
	return id;
}
