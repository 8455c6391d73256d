/* SPDX-License-Identifier: BSD-2-Clause */
#include "render/render.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "render/formats.h"

const struct renderer renderers[] = {
	{ "text", ".txt .text .log", "tables for people", render_text },
	{ "collapsed", ".folded .collapsed", "a line per stack, for flame graphs",
	  render_collapsed },
	{ "json", ".json", "everything, for programs", render_json },
	{ "jsonl", ".jsonl", "stops and GC cycles, a line of JSON each", render_jsonl },
	{ "bench", ".bench", "Go's benchmark results, for benchstat", render_bench },
	{ "trace", ".trace.json", "stops, GC cycles and the heap on a timeline", render_trace },
	{ "html", ".html .htm", "a flame graph to click on, in one page", render_html },
	{ "pprof", ".pb.gz .pprof", "a profile for go tool pprof", render_pprof },
	{ "speedscope", ".speedscope.json", "all values as flame graphs for speedscope.app",
	  render_speedscope },
	{ NULL, NULL, NULL, NULL },
};

const struct renderer *renderer_find(const char *name)
{
	for (const struct renderer *r = renderers; r->name; r++) {
		if (strcmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}

static bool ends_with(const char *s, const char *end, size_t end_len)
{
	size_t len = strlen(s);

	return len > end_len && memcmp(s + len - end_len, end, end_len) == 0;
}

/* The longest suffix wins: ".trace.json" is no ".json". */
const struct renderer *renderer_for_path(const char *path)
{
	const struct renderer *best = NULL;
	size_t best_len = 0;

	for (const struct renderer *r = renderers; r->name; r++) {
		const char *p = r->suffixes;
		while (*p) {
			size_t len = strcspn(p, " ");
			if (len > best_len && ends_with(path, p, len)) {
				best = r;
				best_len = len;
			}
			p += len + strspn(p + len, " ");
		}
	}
	return best;
}

int render_end(FILE *out)
{
	return fflush(out) || ferror(out) ? -EIO : 0;
}
