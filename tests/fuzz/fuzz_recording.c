/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording of any bytes must be refused or read, never crash, hang or read beyond its memory;
 * and what can be read can be shown in every format.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "record/recording.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];
static char path[sizeof(dir) + 16];

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

/* One private file that is overwritten by every input; in memory where there is a tmpfs. */
static void make_dir(void)
{
	snprintf(dir, sizeof(dir), "%s/fuzz-recording-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/x.gallop", dir);
	atexit(remove_dir);
}

static void load(const struct recording_span *span, enum snapshot_value value, int choice)
{
	struct err err = { 0 };
	struct model *m = NULL;
	int rc = recording_load(path, span, &m, &err);

	/* A failure is explained, and has no model. */
	if ((rc == 0) != (m != NULL) || (rc && (err.code != rc || !err.msg[0])))
		abort();
	if (rc)
		return;
	show_model(m, value, choice);
	model_free(m);
}

static void try_input(const uint8_t *data, size_t size, int choice)
{
	static const struct recording_span part = { .from_ns = 1000000000, .to_ns = 2000000000 };

	if (!dir[0])
		make_dir();
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	load(NULL, SNAPSHOT_BYTES, choice);
	load(&part, SNAPSHOT_OBJECTS, choice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_input(data, size, show_choice(data, size));
	return 0;
}

const char replay_corpus[] = "tests/fuzz/corpus/recording";

void replay_input(const uint8_t *data, size_t size)
{
	try_input(data, size, SHOW_ALL);
}
