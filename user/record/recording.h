/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording: one SQLite database, written while the target runs, read without root or executable.
 *
 * Every interval is one transaction, so what was written before a crash is readable after it. Names
 * are resolved when written; raw addresses and the build id are kept beside them.
 */
#ifndef GALLOP_RECORD_RECORDING_H
#define GALLOP_RECORD_RECORDING_H

#include "model/model.h"

struct recording;

/*
 * Create the file. An existing recording is replaced; any other existing file is refused.
 * max_size in bytes bounds the file, 0 for no bound.
 */
int recording_create(const char *path, uint64_t max_size, struct recording **ret, struct err *err);

/*
 * Write the model's current interval [from, to): new names and stacks, what each site added,
 * losses, check, marks, meta so far. After a failure the file is as it was before, and can be read: -EFBIG, max_size is
 * reached; -ENOSPC, the disk is full; -EBUSY, another program has locked it for longer than is waited, so that the same
 * interval may be written again later, with what came since.
 */
int recording_write(struct recording *rec, const struct model *m, uint64_t from_mono_ns,
		    uint64_t to_mono_ns, struct err *err);

/* Objects that the model has and that no write took, after one that failed. */
uint64_t recording_unwritten(const struct recording *rec, const struct model *m);

/* Stops of the world and GC cycles, likewise. */
uint64_t recording_unwritten_gc(const struct recording *rec, const struct model *m);

/* Operations of maps, likewise. */
uint64_t recording_unwritten_maps(const struct recording *rec, const struct model *m);

/* Beginnings and ends of operations, likewise. */
uint64_t recording_unwritten_ops(const struct recording *rec, const struct model *m);

/* Windows and samples of the runtime, likewise. */
uint64_t recording_unwritten_samples(const struct recording *rec, const struct model *m);

/*
 * Write the end (meta.end_reason) and close; the recording is freed in any case. What no write took is there
 * as a last interval without sites.
 */
int recording_finish(struct recording *rec, const struct model *m, struct err *err);
void recording_free(struct recording *rec);

struct recording_span {
	uint64_t from_ns, to_ns; /* since the recording's start; to_ns 0: its end */
	uint64_t steps_max; /* of estimates, what is more is refused; 0: as many as take minutes */
};

/*
 * Read a recording into a new model. A file that isn't a recording, is of a newer version, or is
 * damaged gives -EBADMSG and a clear message; it is opened read-only and nothing in it is trusted.
 */
int recording_load(const char *path, const struct recording_span *span, struct model **ret,
		   struct err *err);

#endif
