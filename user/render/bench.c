/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Go's benchmark results, so that benchstat compares what a live service does: each line is a sample, "BenchmarkName
 * iterations value unit ...", separated by white space.
 *
 * The format is golang.org/design/14313-benchmark-format, as golang.org/x/perf/benchfmt reads it. Results whose
 * configuration ("key: value") differs are compared with nothing, so it tells of the machine alone.
 */
#include <inttypes.h>
#include <string.h>

#include "base/fmt.h"
#include "base/u64.h"
#include "base/utf8.h"
#include "render/cells.h"
#include "render/formats.h"
#include "render/samples.h"

/* Of those that are printable; all else is "?" by then. */
static bool is_space(int32_t c)
{
	static const struct {
		int32_t first, last;
	} spaces[] = { { 0x20, 0x20 },	   { 0xa0, 0xa0 },     { 0x1680, 0x1680 },
		       { 0x2000, 0x200a }, { 0x202f, 0x202f }, { 0x205f, 0x205f },
		       { 0x3000, 0x3000 } };

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (c >= spaces[i].first && c <= spaces[i].last)
			return true;
	return false;
}

/* A "-8" at the end would be taken for GOMAXPROCS, and so be left out of the name. */
static void mask_procs(char *name)
{
	size_t end = strlen(name);

	while (end && name[end - 1] >= '0' && name[end - 1] <= '9')
		end--;
	if (end && name[end - 1] == '-' && name[end])
		name[end - 1] = '_';
}

/* One word, that doesn't begin with a small letter: that would be no benchmark's name in Go. */
static void bench_name(char dst[CELL_SZ], const struct snapshot_op *op)
{
	char clean[CELL_SZ];
	size_t left = utf8_clean(clean, sizeof(clean), *op->label ? op->label : op->func), used = 0;

	for (const char *p = clean; left;) {
		size_t n;
		if (is_space(utf8_decode(p, left, &n)))
			dst[used++] = '_';
		else
			for (size_t i = 0; i < n; i++)
				dst[used++] = p[i];
		p += n;
		left -= n;
	}
	dst[used] = '\0';
	if (!used)
		strcpy(dst, "Unknown");
	if (*dst >= 'a' && *dst <= 'z')
		*dst += 'A' - 'a';
	mask_procs(dst);
}

static void put_line(FILE *out, const struct snapshot_ops *ops, const struct snapshot_op *op)
{
	char name[CELL_SZ];

	bench_name(name, op);
	fprintf(out, "Benchmark%s\t%" PRIu64 "\t%s ns/op", name,
		min_u64(op->counts.ended, INT64_MAX), fmt_decimal(op->stats[WIRE_OP_NS].mean).s);
	if (ops->known.allocs)
		fprintf(out, "\t%s B/op\t%s allocs/op",
			fmt_decimal(op->stats[WIRE_OP_BYTES].mean).s,
			fmt_decimal(op->stats[WIRE_OP_OBJECTS].mean).s);
	fputc('\n', out);
}

int render_bench_header(FILE *out, const struct snapshot *s)
{
	/* The kernel's release is followed by its machine. */
	static const char arm64[] = " aarch64";
	size_t len = strlen(s->meta.kernel), suffix = sizeof(arm64) - 1;
	bool is_arm64 = len > suffix && !strcmp(s->meta.kernel + len - suffix, arm64);

	fprintf(out, "goos: linux\ngoarch: %s\n", is_arm64 ? "arm64" : "amd64");
	return render_end(out);
}

int render_bench_lines(FILE *out, const struct snapshot *interval)
{
	for (size_t i = 0; i < interval->ops.ops_nr; i++)
		if (interval->ops.ops[i].counts.ended)
			put_line(out, &interval->ops, &interval->ops.ops[i]);
	return render_end(out);
}

/* Iterations are then of those that windows met, and what was too long for them is in no value. */
static void put_sampled(FILE *out, const struct snapshot_ops *ops, const struct snapshot_op *op,
			const char *name)
{
	if (!ops->known.sampled)
		return;
	fprintf(out, "# %s: measured in %" PRIu64 " windows, cut: %" PRIu64 "\n", name, op->windows,
		op->counts.cut);
}

/* A line that is neither a result nor a key is a comment for who reads it. */
int render_bench_end(FILE *out, const struct snapshot *s)
{
	for (size_t i = 0; i < s->ops.ops_nr; i++) {
		char name[CELL_SZ];

		bench_name(name, &s->ops.ops[i]);
		if (!s->ops.ops[i].counts.ended)
			fprintf(out, "# %s: no call ended\n", name);
		put_sampled(out, &s->ops, &s->ops.ops[i], name);
	}
	for (size_t i = 0; i < s->meta.notes_nr; i++) {
		fputs("# note: ", out);
		put_clean(out, s->meta.notes[i]);
		fputc('\n', out);
	}
	if (s->samples.cost.other_probes)
		fputs("# " OTHER_TRACER "\n", out);
	fprintf(out, "# lost: %" PRIu64 "\n", s->loss_total);
	return render_end(out);
}

int render_bench(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	(void)opts;
	render_bench_header(out, s);
	render_bench_lines(out, s);
	return render_bench_end(out, s);
}
