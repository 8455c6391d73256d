/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that a recording is written to: what may stand in its place, and putting a new one
 * there.
 *
 * An older recording is replaced only by one that is already complete and empty, in one rename.
 * Anything else that has the name is left alone, as a mistyped -o must not cost anybody a file.
 */
#ifndef GALLOP_RECORD_TARGET_H
#define GALLOP_RECORD_TARGET_H

#include "base/err.h"

/* 0 if nothing, an empty file or a recording nobody writes is there; else -errno and why not. */
int target_check(const char *path, struct err *err);

/*
 * Create an empty file beside path: its name, which the caller frees, and a locked descriptor,
 * which tells other gallops that the file is being written for as long as it is open.
 */
int target_create(const char *path, char **tmp_ret, int *lock_ret, struct err *err);

/*
 * Take room for the end of the recording, so that there is some when the disk is full: a descriptor of a file beside path
 * that has no name; closing it gives the room back. -1 where the file system has no such files, or no room.
 */
int target_reserve(const char *path);

/* Put the finished file in its place. */
int target_replace(const char *tmp, const char *path, struct err *err);

/*
 * Take the name of path's journal for as long as it is written, by an empty file that only its owner can open: SQLite
 * uses whatever is there. *fd, -1 at first, is kept between calls; one that was removed is made again. -EEXIST if
 * another's is there, and somebody else would get to read what is written, or say what is rolled back.
 */
int target_hold_journal(const char *path, int *fd, struct err *err);

/* Remove it, if it is ours and empty: else it is what the file is repaired with. Closes fd. */
void target_drop_journal(const char *path, int fd);

/* 0 if path still is the file behind the descriptor, else -ESTALE. */
int target_is_same(const char *path, int lock_fd, struct err *err);

#endif
