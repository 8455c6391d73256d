/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame has no address here, and so no Location has: frames of a snapshot are lines of the source, which may be at
 * many addresses. That is valid, and costs nothing but pprof's view of single instructions.
 */
#include "render/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "model/snapshot.h"
#include "render/formats.h"
#include "render/gzip.h"
#include "render/proto.h"
#include "render/weights.h"

/* A failed allocation inside the hash leaves the row out (hh.tbl NULL) instead of ending the program. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Numbers of fields: profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE,
	PROFILE_MAPPING,
	PROFILE_LOCATION,
	PROFILE_FUNCTION,
	PROFILE_STRING,
	PROFILE_TIME = 9,
	PROFILE_DURATION,
	PROFILE_PERIOD_TYPE,
	PROFILE_PERIOD,
	PROFILE_COMMENT,
	PROFILE_DEFAULT_TYPE
};
enum { VALUE_TYPE = 1, VALUE_UNIT };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_TEXT, LABEL_NUMBER };
enum {
	MAPPING_ID = 1,
	MAPPING_FILE = 5,
	MAPPING_BUILD_ID,
	MAPPING_HAS_FUNCTIONS,
	MAPPING_HAS_FILES,
	MAPPING_HAS_LINES,
	MAPPING_HAS_INLINED
};
enum { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_LINE = 4 };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_FILE = 4 };

enum {
	NAME_SZ = 4096, /* room for a name; the model holds none that is longer */
	THE_MAPPING = 1, /* there is one, of the executable */
};

struct string_row {
	uint64_t id;
	UT_hash_handle hh;
	char s[];
};

/* A function is its name and its file. */
struct function_row {
	struct {
		uint64_t name, file;
	} key;
	uint64_t id;
	UT_hash_handle hh;
};

/* A place in the code: a frame, behind those that are inlined into it. Frames of a snapshot are unique. */
struct location_row {
	uint64_t id;
	UT_hash_handle hh;
	const struct snapshot_frame *frames[];
};

struct profile {
	FILE *out; /* borrowed */
	struct gzip gz;
	int rc;
	struct string_row *strings;
	struct function_row *functions;
	struct location_row *locations;
	uint64_t strings_nr, functions_nr, locations_nr;
	size_t types_nr;
	struct proto top, message, inner; /* what is being made, and what it is made of */
	uint64_t locations_of[MODEL_DEPTH_MAX + 1]; /* of a sample's stack */
};

static void fail(struct profile *p, int rc)
{
	if (!p->rc)
		p->rc = rc;
}

/* --- what the profile is made of ------------------------------------------------------------------ */

/* Write what is in top. */
static void write_top(struct profile *p)
{
	if (p->top.failed)
		fail(p, -ENOMEM);
	else
		gzip_write(&p->gz, p->top.data, p->top.len);
	proto_reset(&p->top);
}

static void put_number(struct profile *p, uint32_t field, uint64_t value)
{
	proto_number(&p->top, field, value);
	write_top(p);
}

static void put_message(struct profile *p, uint32_t field)
{
	proto_message(&p->top, field, &p->message);
	proto_reset(&p->message);
	write_top(p);
}

/* The number of a string in the table, which the first one makes. */
static uint64_t string_id(struct profile *p, const char *text)
{
	char clean[NAME_SZ];
	size_t len = utf8_clean(clean, sizeof(clean), text);
	struct string_row *found;

	HASH_FIND(hh, p->strings, clean, len, found);
	if (found)
		return found->id;
	_cleanup_free_ struct string_row *row = calloc(1, sizeof(*row) + len + 1);
	if (row) {
		row->id = p->strings_nr;
		memcpy(row->s, clean, len);
		HASH_ADD_KEYPTR(hh, p->strings, row->s, len, row);
	}
	if (!row || !row->hh.tbl) {
		fail(p, -ENOMEM);
		return 0;
	}
	proto_bytes(&p->top, PROFILE_STRING, clean, len);
	write_top(p);
	p->strings_nr++;
	return take_ptr(row)->id;
}

/*
 * There is no system_name: that, if it equals the name, is what makes pprof look for C++ in the names of Go, and cut what
 * is in parentheses: internal/symbolizer/symbolizer.go, demangleSingleFunction.
 */
static uint64_t function_id(struct profile *p, const struct snapshot_frame *frame)
{
	_cleanup_free_ struct function_row *row = calloc(1, sizeof(*row));
	struct function_row *found;

	if (!row) {
		fail(p, -ENOMEM);
		return 0;
	}
	row->key.name = string_id(p, *frame->func ? frame->func : "[unknown]");
	row->key.file = string_id(p, frame->file);
	HASH_FIND(hh, p->functions, &row->key, sizeof(row->key), found);
	if (found)
		return found->id;
	row->id = p->functions_nr + 1;
	HASH_ADD(hh, p->functions, key, sizeof(row->key), row);
	if (!row->hh.tbl) {
		fail(p, -ENOMEM);
		return 0;
	}
	proto_number(&p->message, FUNCTION_ID, row->id);
	proto_number(&p->message, FUNCTION_NAME, row->key.name);
	proto_number(&p->message, FUNCTION_FILE, row->key.file);
	put_message(p, PROFILE_FUNCTION);
	p->functions_nr++;
	return take_ptr(row)->id;
}

/* A line for each frame, the innermost first. Their functions are written before. */
static void write_location(struct profile *p, uint64_t id,
			   const struct snapshot_frame *const *frames, size_t nr)
{
	uint64_t functions[MODEL_DEPTH_MAX];

	for (size_t i = 0; i < nr; i++)
		functions[i] = function_id(p, frames[i]);
	proto_number(&p->message, LOCATION_ID, id);
	proto_number(&p->message, LOCATION_MAPPING, THE_MAPPING);
	for (size_t i = 0; i < nr; i++) {
		proto_number(&p->inner, LINE_FUNCTION, functions[i]);
		proto_number(&p->inner, LINE_LINE, frames[i]->line);
		proto_message(&p->message, LOCATION_LINE, &p->inner);
		proto_reset(&p->inner);
	}
	put_message(p, PROFILE_LOCATION);
}

static uint64_t location_id(struct profile *p, const struct snapshot_frame *const *frames,
			    size_t nr)
{
	size_t sz = nr * sizeof(frames[0]);
	struct location_row *found;

	HASH_FIND(hh, p->locations, frames, sz, found);
	if (found)
		return found->id;
	_cleanup_free_ struct location_row *row = calloc(1, sizeof(*row) + sz);
	if (row) {
		row->id = p->locations_nr + 1;
		memcpy(row->frames, frames, sz);
		HASH_ADD_KEYPTR(hh, p->locations, row->frames, sz, row);
	}
	if (!row || !row->hh.tbl) {
		fail(p, -ENOMEM);
		return 0;
	}
	write_location(p, row->id, frames, nr);
	p->locations_nr++;
	return take_ptr(row)->id;
}

/* --- from outside ----------------------------------------------------------------------------------- */

int profile_new(FILE *out, struct profile **ret)
{
	_cleanup_free_ struct profile *p = calloc(1, sizeof(*p));
	int rc = p ? gzip_init(&p->gz, out) : -ENOMEM;

	if (rc)
		return rc;
	p->out = out;
	string_id(p, ""); /* the first one has to be */
	*ret = take_ptr(p);
	return 0;
}

static void put_value_type(struct profile *p, uint32_t field, const char *type, const char *unit)
{
	proto_number(&p->message, VALUE_TYPE, string_id(p, type));
	proto_number(&p->message, VALUE_UNIT, string_id(p, unit));
	put_message(p, field);
}

void profile_add_type(struct profile *p, const char *type, const char *unit)
{
	put_value_type(p, PROFILE_SAMPLE_TYPE, type, unit);
	p->types_nr++;
}

void profile_set_default_type(struct profile *p, const char *type)
{
	put_number(p, PROFILE_DEFAULT_TYPE, string_id(p, type));
}

void profile_set_period(struct profile *p, const char *type, const char *unit, uint64_t period)
{
	put_value_type(p, PROFILE_PERIOD_TYPE, type, unit);
	put_number(p, PROFILE_PERIOD, period);
}

void profile_set_times(struct profile *p, uint64_t start_unix_ns, uint64_t duration_ns)
{
	put_number(p, PROFILE_TIME, start_unix_ns);
	put_number(p, PROFILE_DURATION, duration_ns);
}

/* All of has_*: pprof has nothing to look up in the executable then, which may be another one by now. */
void profile_set_executable(struct profile *p, const char *path, const char *build_id)
{
	proto_number(&p->message, MAPPING_ID, THE_MAPPING);
	proto_number(&p->message, MAPPING_FILE, string_id(p, path));
	proto_number(&p->message, MAPPING_BUILD_ID, string_id(p, build_id));
	proto_number(&p->message, MAPPING_HAS_FUNCTIONS, true);
	proto_number(&p->message, MAPPING_HAS_FILES, true);
	proto_number(&p->message, MAPPING_HAS_LINES, true);
	proto_number(&p->message, MAPPING_HAS_INLINED, true);
	put_message(p, PROFILE_MAPPING);
}

/* One by one, not packed: a reader has to take both. */
void profile_add_comment(struct profile *p, const char *text)
{
	put_number(p, PROFILE_COMMENT, string_id(p, text));
}

/* Locations of a stack, leaf first: an inlined frame is in the same as the next one. */
static size_t locations_of(struct profile *p, const struct snapshot_stack *stack)
{
	const struct snapshot_frame *root = stack_frame(stack, 0);
	size_t nr = 0, from = 0;

	for (size_t i = 0; i < stack->frames_nr; i++) {
		if (stack->frames[i]->inlined && i + 1 < stack->frames_nr)
			continue;
		p->locations_of[nr++] = location_id(p, stack->frames + from, i + 1 - from);
		from = i + 1;
	}
	if (stack->cut)
		p->locations_of[nr++] = location_id(p, &root, 1);
	return nr;
}

static void put_label(struct profile *p, const struct profile_label *label)
{
	uint64_t text = label->text ? string_id(p, label->text) : 0;

	if (!text && !label->number)
		return;
	proto_number(&p->inner, LABEL_KEY, string_id(p, label->key));
	if (label->text)
		proto_number(&p->inner, LABEL_TEXT, text);
	else
		proto_number(&p->inner, LABEL_NUMBER, label->number);
	proto_message(&p->message, SAMPLE_LABEL, &p->inner);
	proto_reset(&p->inner);
}

void profile_add_sample(struct profile *p, const struct snapshot_stack *stack,
			const uint64_t *values, const struct profile_label *labels,
			size_t labels_nr)
{
	size_t nr = locations_of(p, stack);

	proto_packed(&p->message, SAMPLE_LOCATION, p->locations_of, nr);
	proto_packed(&p->message, SAMPLE_VALUE, values, p->types_nr);
	for (size_t i = 0; i < labels_nr; i++)
		put_label(p, &labels[i]);
	put_message(p, PROFILE_SAMPLE);
}

#define FREE_ROWS(type, hash)                         \
	do {                                          \
		struct type *row_, *next_;            \
		HASH_ITER (hh, (hash), row_, next_) { \
			HASH_DEL((hash), row_);       \
			free(row_);                   \
		}                                     \
	} while (0)

static void free_rows(struct profile *p)
{
	FREE_ROWS(string_row, p->strings);
	FREE_ROWS(function_row, p->functions);
	FREE_ROWS(location_row, p->locations);
	proto_deinit(&p->top);
	proto_deinit(&p->message);
	proto_deinit(&p->inner);
}

int profile_end(struct profile *p)
{
	int rc = gzip_end(&p->gz);

	if (!rc)
		rc = p->rc;
	if (!rc)
		rc = render_end(p->out);
	free_rows(p);
	free(p);
	return rc;
}
