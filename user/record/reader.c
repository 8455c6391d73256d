/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/reader.h"

#include <errno.h>
#include <string.h>

#include "base/grow.h"
#include "base/u64.h"

int reader_damaged(struct reader *r, const char *what)
{
	return err_set(r->err, -EBADMSG, "'%s' is damaged: %s", r->path, what);
}

int reader_interned(struct reader *r, int64_t id)
{
	if (id >= 0)
		return 0;
	if (id == -ENOMEM)
		return err_set(r->err, -ENOMEM, "cannot read '%s': out of memory", r->path);
	return reader_damaged(r, "it has more rows than a recording can have");
}

int col_word(struct reader *r, sqlite3_stmt *row, int col, uint64_t *ret)
{
	if (sqlite3_column_type(row, col) != SQLITE_INTEGER)
		return reader_damaged(r, "there is something else where a number belongs");
	*ret = (uint64_t)sqlite3_column_int64(row, col);
	return 0;
}

int col_u64(struct reader *r, sqlite3_stmt *row, int col, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	int code = col_word(r, row, col, &v);
	if (code)
		return code;
	/* Negative numbers of the file are above INT64_MAX here, and max never is. */
	if (v > max)
		return reader_damaged(r, "a number is out of its range");
	*ret = v;
	return 0;
}

int col_real(struct reader *r, sqlite3_stmt *row, int col, double max, double *ret)
{
	if (sqlite3_column_type(row, col) != SQLITE_FLOAT)
		return reader_damaged(r, "there is something else where a number belongs");
	double v = sqlite3_column_double(row, col);
	/* What is no number would be neither. */
	if (!(v >= 0 && v <= max))
		return reader_damaged(r, "a number is out of its range");
	*ret = v;
	return 0;
}

int col_text(struct reader *r, sqlite3_stmt *row, int col, const char **ret)
{
	if (sqlite3_column_type(row, col) != SQLITE_TEXT)
		return reader_damaged(r, "there is something else where a name belongs");
	const char *text = (const char *)sqlite3_column_text(row, col);
	if (!text)
		return err_set(r->err, -ENOMEM, "cannot read '%s': out of memory", r->path);
	*ret = text;
	return 0;
}

int col_ref(struct reader *r, sqlite3_stmt *row, int col, const struct id_map *map, uint32_t *ret)
{
	uint64_t id;
	int code = col_u64(r, row, col, UINT32_MAX, &id);
	if (code)
		return code;
	if (id >= map->nr)
		return reader_damaged(r, "a row refers to one that is not there");
	*ret = map->v[id];
	return 0;
}

static int cmp_ids(const uint64_t *x, const uint64_t *y, int nr)
{
	int d = 0;

	for (int i = 0; !d && i < nr; i++)
		d = cmp_u64(x[i], y[i]);
	return d;
}

int reader_ids(struct reader *r, sqlite3_stmt *row, uint64_t idx, uint64_t *ids, int nr)
{
	int code = col_counts(r, row, 0, ids, nr);
	if (code)
		return code;
	if (idx && cmp_ids(r->ids, ids, nr) >= 0)
		return reader_damaged(r, "the rows of a table are out of order");
	memcpy(r->ids, ids, (size_t)nr * sizeof(ids[0]));
	return 0;
}

int col_counts(struct reader *r, sqlite3_stmt *row, int first, uint64_t *v, int nr)
{
	int code = 0;

	for (int i = 0; !code && i < nr; i++)
		code = col_u64(r, row, first + i, INT64_MAX, &v[i]);
	return code;
}

int col_bool(struct reader *r, sqlite3_stmt *row, int col, bool *ret)
{
	uint64_t v = 0;
	int code = col_u64(r, row, col, 1, &v);

	*ret = v;
	return code;
}

int map_add(struct reader *r, struct id_map *map, int64_t id)
{
	int code = reader_interned(r, id);
	if (code)
		return code;
	/* Equal rows become one in the model, which so doesn't bound them. */
	if (map->nr >= MODEL_ROWS_MAX)
		return reader_interned(r, -E2BIG);
	if (grow(&map->v, map->nr, &map->cap, sizeof(map->v[0])))
		return reader_interned(r, -ENOMEM);
	map->v[map->nr++] = (uint32_t)id;
	return 0;
}
