/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables inside a model, for the two that walk them: the snapshot and the recording.
 *
 * Every table is an array of pointers to rows, indexed by id, and a hash of the same rows by
 * content. Rows never move and are never changed once interned, but for the counts of a site.
 * Nobody else includes this: the model is fed through model.h and read through a snapshot.
 */
#ifndef GALLOP_MODEL_TABLES_H
#define GALLOP_MODEL_TABLES_H

#include <errno.h>

#include "base/cleanup.h"
#include "base/grow.h"
#include "gobin/goname.h"
#include "model/model.h"

/*
 * A failed allocation inside the hash leaves the row out (hh.tbl NULL) instead of ending the
 * program.
 */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
	MODEL_ROWS_MAX = 1 << 20, /* of a table */
	/*
	 * Of all rows together, and of a snapshot of them: what a target or a recording can make us
	 * hold. With the latest stops and cycles (32 MiB), SQLite and the program itself, gallop
	 * stays below 256 MiB. It is room for 262,144 sites, as many as the kernel's table has at
	 * most by default, if each has a stack of its own of 24 frames; or for 100,000 sites with
	 * stacks of 128 frames. More is -E2BIG: a loss for who counts, damage for who reads.
	 */
	MODEL_MEMORY_MAX = 208 << 20,
	/* Of a row, beside itself: malloc's own, its place in the table, in the hash, in a reader. */
	MODEL_ROW_OVERHEAD = 8 + 2 * 8 + 8 + 2 * 4,
	MODEL_NAME_MAX = 4096, /* bytes of a name; anonymous struct types get this long */
	MODEL_LOSSES_MAX = 64,
	MODEL_MARKS_MAX = 4096,
};

struct text_row {
	uint32_t id;
	UT_hash_handle hh;
	char s[]; /* clean: see base/utf8.h */
};

struct func_key {
	const char *name, *file; /* borrowed from the texts; equal is same */
};

struct func_row {
	struct func_key key;
	uint32_t id, name_id, file_id;
	bool is_runtime; /* of the runtime: cut from the leaf end of a stack */
	bool is_goexit; /* the return address at the root of every goroutine */
	bool is_std; /* of Go's standard library */
	bool is_sync_map; /* a method of a sync.Map, or of what that is made of */
	enum goname kind;
	UT_hash_handle hh;
};

struct frame_key {
	uint64_t pc; /* 0: not known */
	uint32_t func;
	uint32_t line;
	uint32_t inlined; /* 0 or 1; wide so that the key has no padding */
	uint32_t zero;
};

struct frame_row {
	struct frame_key key;
	uint32_t id;
	UT_hash_handle hh;
};

struct stack_row {
	uint32_t id;
	uint32_t frames_nr;
	UT_hash_handle hh;
	uint32_t words[]; /* the key: 1 if cut or 0, then the frames' ids, leaf first */
};

struct type_row {
	const char *name; /* borrowed from the texts */
	uint32_t id, name_id;
	UT_hash_handle hh;
};

struct site_key {
	uint32_t stack, type, size_class;
	uint32_t ops; /* bit i: in an operation with that id */
	uint64_t goid;
};

struct model_count {
	uint64_t objects, bytes;
};

struct site_row {
	struct site_key key;
	uint32_t id;
	struct model_count now; /* since the model began */
	struct model_count base; /* now, when the current interval began */
	struct sample_site *samples; /* NULL: it was not sampled; see sample_tables.h */
	UT_hash_handle hh;
};

struct loss_row {
	char key[48];
	char what[160];
	uint64_t now, base;
};

/* One table: rows by id, and the head of the hash, which is the first row. */
#define MODEL_TABLE(type)           \
	struct {                    \
		struct type **rows; \
		struct type *hash;  \
		size_t nr, cap;     \
	}

/*
 * Room for one more row, which takes sz bytes with what a snapshot takes for it: 0, -ENOMEM, or
 * -E2BIG when the table or the model is full.
 */
#define table_reserve(m, table, sz)                                                           \
	({                                                                                    \
		int rc_ = (table).nr >= MODEL_ROWS_MAX ? -E2BIG : model_charge(m, sz);        \
		rc_ ? rc_                                                                     \
		    : grow(&(table).rows, (table).nr, &(table).cap, sizeof((table).rows[0])); \
	})

/* Put a row whose key is the key_sz bytes at key_p into a table with room; the id or -ENOMEM. */
#define table_add(table, row, key_p, key_sz)                           \
	({                                                             \
		int64_t id_ = -ENOMEM;                                 \
		(row)->id = (uint32_t)(table).nr;                      \
		HASH_ADD_KEYPTR(hh, (table).hash, key_p, key_sz, row); \
		if ((row)->hh.tbl) {                                   \
			id_ = (row)->id;                               \
			(table).rows[(table).nr++] = row;              \
			row = NULL; /* the table's now */              \
		}                                                      \
		id_;                                                   \
	})

/* The hash owns nothing but its buckets; the array of rows owns the rows. */
#define table_free(table)                                  \
	do {                                               \
		HASH_CLEAR(hh, (table).hash);              \
		for (size_t i_ = 0; i_ < (table).nr; i_++) \
			free((table).rows[i_]);            \
		free((table).rows);                        \
	} while (0)

struct model_gc;
struct model_heap;
struct model_maps;
struct model_ops;
struct model_samples;

struct model {
	struct model_meta meta;
	struct model_check check;

	MODEL_TABLE(text_row) texts;
	MODEL_TABLE(func_row) funcs;
	MODEL_TABLE(frame_row) frames;
	MODEL_TABLE(stack_row) stacks;
	MODEL_TABLE(type_row) types;
	MODEL_TABLE(site_row) sites;
	size_t texts_sz; /* bytes of all texts with their '\0' */
	size_t memory; /* see MODEL_MEMORY_MAX */

	struct model_count total, total_base;
	struct loss_row *losses;
	size_t losses_nr, losses_cap;
	struct model_mark *marks;
	size_t marks_nr, marks_cap;
	struct model_gc *gc; /* see gc_tables.h */
	struct model_maps *maps; /* see map_tables.h */
	struct model_ops *ops; /* see op_tables.h */
	struct model_samples *samples; /* see sample_tables.h */
	struct model_heap *heap; /* see heap_tables.h */

	uint64_t from_mono_ns; /* where the counts begin, 0: at meta.start_mono_ns */
	uint64_t interval_mono_ns; /* where the interval begins, 0: where the counts do */
};

/* Count sz bytes more, for a row; -E2BIG if that is too much. */
static inline int model_charge(struct model *m, size_t sz)
{
	sz += MODEL_ROW_OVERHEAD;
	if (sz > MODEL_MEMORY_MAX - m->memory)
		return -E2BIG;
	m->memory += sz;
	return 0;
}

/* A text by its content, cleaned. The id or -errno. */
int64_t intern_text(struct model *m, const char *raw);

/* The parts of model_stack(), for a reader that has the tables' rows one by one. Ids or -errno. */
int64_t intern_func(struct model *m, const char *name, const char *file);
int64_t intern_frame(struct model *m, const struct frame_key *key);
int64_t intern_stack(struct model *m, const uint32_t *frames, size_t n, bool cut);

/* What was added in the current interval. */
struct model_count site_delta(const struct site_row *site);
struct model_count total_delta(const struct model *m);

/* Where the current interval, or all of the counts, begin. */
uint64_t model_from_ns(const struct model *m, bool interval);

#endif
