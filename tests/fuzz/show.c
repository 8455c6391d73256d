/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/show.h"

#include <errno.h>
#include <stdio.h>

#include "tests/fuzz/input.h"

/* Bytes of text as they are written; a character may be cut in two between writes. */
struct sink {
	bool binary, tabs;
	unsigned char first; /* of the character that is not at its end yet */
	int more; /* its bytes that are missing */
};

static void check_byte(struct sink *s, unsigned char c)
{
	if (s->more) {
		require((c & 0xc0) == 0x80);
		/* U+0080 to U+009F: controls to some terminals. */
		require(s->first != 0xc2 || c >= 0xa0);
		s->more--;
		s->first = 0;
		return;
	}
	require((c >= ' ' && c != 0x7f) || c == '\n' || (c == '\t' && s->tabs));
	require(c < 0x80 || (c >= 0xc2 && c <= 0xf4));
	s->first = c;
	s->more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
}

static ssize_t sink_write(void *cookie, const char *buf, size_t size)
{
	struct sink *s = cookie;

	for (size_t i = 0; i < size && !s->binary; i++)
		check_byte(s, (unsigned char)buf[i]);
	return (ssize_t)size;
}

static FILE *open_sink(struct sink *s)
{
	FILE *out = fopencookie(s, "w", (cookie_io_functions_t){ .write = sink_write });

	require(out != NULL);
	return out;
}

static void show_formats(const struct snapshot *s, const struct render_opts *opts, int choice)
{
	for (const struct renderer *r = renderers; r->name; r++) {
		if (choice != SHOW_ALL && choice != r - renderers)
			continue;
		struct sink sink = { .binary = !strcmp(r->name, "pprof"),
				     .tabs = !strcmp(r->name, "html") ||
					     !strcmp(r->name, "bench") };
		FILE *out = open_sink(&sink);

		require(r->render(out, s, opts) != -EIO);
		fclose(out);
		require(sink.more == 0);
	}
}

static void show_texts(const struct snapshot *s, const struct render_opts *opts)
{
	struct sink sink = { 0 };
	FILE *out = open_sink(&sink);

	render_top_block(out, s, s, opts);
	render_gc_events(out, s, opts);
	render_gc_summary(out, s, opts);
	render_ops_summary(out, s, opts);
	render_ops_compare(out, s, opts);
	render_ops_speedscope(out, s, opts);
	render_heap_summary(out, s, opts);
	render_heap_line(out, s);
	render_maps_summary(out, s, opts);
	for (size_t i = 0; i < s->ops.ops_nr; i++)
		render_op_collapsed(out, &s->ops.ops[i], opts);
	fclose(out);
	require(sink.more == 0);
	struct sink binary = { .binary = true };
	out = open_sink(&binary);
	render_ops_pprof(out, s, opts);
	fclose(out);
}

static int formats_nr(void)
{
	int nr = 0;

	while (renderers[nr].name)
		nr++;
	return nr;
}

/* FNV-1a, of what is not too much. */
int show_choice(const uint8_t *data, size_t size)
{
	uint32_t hash = 2166136261;

	for (size_t i = 0; i < size && i < 65536; i++)
		hash = (hash ^ data[i]) * 16777619;
	return (int)(hash % (uint32_t)(formats_nr() + 1));
}

static void show(const struct model *m, const struct snapshot_opts *opts, int choice)
{
	struct render_opts render_opts = { .value = opts->sort, .stacks = true };
	struct snapshot *s;

	if (snapshot_new(m, opts, &s))
		return;
	show_formats(s, &render_opts, choice);
	if (choice == SHOW_ALL || choice >= formats_nr())
		show_texts(s, &render_opts);
	snapshot_free(s);
}

void show_model(const struct model *m, enum snapshot_value value, int choice)
{
	struct snapshot_opts opts = { .sort = value, .runtime_frames = value == SNAPSHOT_OBJECTS };

	show(m, &opts, choice);
	opts.interval = true;
	show(m, &opts, choice);
}
