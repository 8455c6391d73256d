/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer of a file in pprof's format: gzip of one message of profile.proto.
 *
 * All is written as it is added: of what was written only the tables are kept that tell whether a name, a function or
 * a place in the code is there already. Names are made valid UTF-8 of printable characters, which pprof insists on in part.
 *
 * Source: github.com/google/pprof, proto/profile.proto and the checks in profile/profile.go (CheckValid).
 */
#ifndef GALLOP_RENDER_PROFILE_H
#define GALLOP_RENDER_PROFILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { PROFILE_TYPES_MAX = 8 };

struct profile;
struct snapshot_stack;

/* Of a sample. text == NULL: it is a number, and 0 says nothing. */
struct profile_label {
	const char *key, *text;
	uint64_t number;
};

/* 0 or -ENOMEM. profile_end() frees it. */
int profile_new(FILE *out, struct profile **ret);

/* What the numbers of every sample are: as many as there are types, in their order, which are all added before. */
void profile_add_type(struct profile *p, const char *type, const char *unit);
void profile_set_default_type(struct profile *p, const char *type);

/* How samples were taken: one for each so many of a unit; 0: not known. */
void profile_set_period(struct profile *p, const char *type, const char *unit, uint64_t period);

/* In ns, since 1970 and of what the profile is of. */
void profile_set_times(struct profile *p, uint64_t start_unix_ns, uint64_t duration_ns);

/* The executable, which all code is taken to be from. */
void profile_set_executable(struct profile *p, const char *path, const char *build_id);

void profile_add_comment(struct profile *p, const char *text);

/* The same stack may be there in several samples. */
void profile_add_sample(struct profile *p, const struct snapshot_stack *stack,
			const uint64_t *values, const struct profile_label *labels,
			size_t labels_nr);

/* 0, -ENOMEM or -EIO, of all that was done. */
int profile_end(struct profile *p);

#endif
