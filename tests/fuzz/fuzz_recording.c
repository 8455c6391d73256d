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
#include "render/render.h"
#include "tests/fuzz/replay.h"

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

static void show(const struct model *m, enum snapshot_value value)
{
	struct snapshot_opts opts = { .sort = value, .runtime_frames = value == SNAPSHOT_OBJECTS };
	struct render_opts render_opts = { .value = value, .stacks = true };
	struct snapshot *s;

	if (snapshot_new(m, &opts, &s))
		return;
	_cleanup_fclose_ FILE *out = fopen("/dev/null", "w");
	if (!out)
		abort();
	for (const struct renderer *r = renderers; r->name; r++)
		r->render(out, s, &render_opts);
	render_top_block(out, s, s, &render_opts);
	render_ops_summary(out, s, &render_opts);
	render_ops_compare(out, s, &render_opts);
	render_ops_pprof(out, s, &render_opts);
	render_ops_speedscope(out, s, &render_opts);
	render_heap_summary(out, s, &render_opts);
	for (size_t i = 0; i < s->ops.ops_nr; i++)
		render_op_collapsed(out, &s->ops.ops[i], &render_opts);
	snapshot_free(s);
}

static void load(const struct recording_span *span, enum snapshot_value value)
{
	struct err err = { 0 };
	struct model *m = NULL;
	int rc = recording_load(path, span, &m, &err);

	/* A failure is explained, and has no model. */
	if ((rc == 0) != (m != NULL) || (rc && (err.code != rc || !err.msg[0])))
		abort();
	if (rc)
		return;
	show(m, value);
	model_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct recording_span part = { 1000000000, 2000000000 };

	if (!dir[0])
		make_dir();
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	load(NULL, SNAPSHOT_BYTES);
	load(&part, SNAPSHOT_OBJECTS);
	return 0;
}

const char replay_corpus[] = "tests/fuzz/corpus/recording";

void replay_input(const uint8_t *data, size_t size)
{
	LLVMFuzzerTestOneInput(data, size);
}
