/* SPDX-License-Identifier: BSD-2-Clause */
#include "render/cells.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "gobin/goname.h"

enum { GAP_W = 2, POSITION_MAX_W = 24 };

const char *style(const struct render_opts *opts, enum style style)
{
	static const char *const escapes[] = {
		[STYLE_NONE] = "\033[0m",  [STYLE_BOLD] = "\033[1m", [STYLE_DIM] = "\033[2m",
		[STYLE_GOOD] = "\033[32m", [STYLE_BAD] = "\033[31m",
	};
	return opts->color ? escapes[style] : "";
}

void put_clean(FILE *out, const char *s)
{
	char clean[CELL_SZ];

	utf8_clean(clean, sizeof(clean), s);
	fputs(clean, out);
}

static void put_blanks(FILE *out, size_t used, size_t width)
{
	if (used < width)
		fprintf(out, "%*s", (int)(width - used), "");
}

void put_left(FILE *out, const char *s, size_t width)
{
	fputs(s, out);
	put_blanks(out, utf8_width(s), width);
}

void put_right(FILE *out, const char *s, size_t width)
{
	put_blanks(out, utf8_width(s), width);
	fputs(s, out);
}

void short_text(char dst[CELL_SZ], const char *text, size_t width)
{
	utf8_clean(dst, CELL_SZ, text);
	if (utf8_width(dst) > width && width >= 3)
		strcpy(dst + utf8_prefix(dst, width - 3), "...");
}

/*
 * The package's name, behind the last '/' of its path. Type arguments hold paths of their own,
 * "pkg.F[go.shape/x]", so the search ends at the first bracket.
 */
static const char *package_of(const char *name)
{
	const char *package = name;

	for (const char *p = name; *p && *p != '[' && *p != '('; p++) {
		if (*p == '/')
			package = p + 1;
	}
	return package;
}

void short_func(char dst[CELL_SZ], const char *name, size_t width)
{
	char clean[CELL_SZ / 2 - 8]; /* so that both of its parts and the dots fit into dst */

	utf8_clean(clean, sizeof(clean), name);
	const char *package = package_of(clean);
	size_t host_len = strcspn(clean, "/");
	if (utf8_width(clean) <= width || package == clean) {
		short_text(dst, clean, width);
		return;
	}
	/* "host/.../pkg.Func" where that is shorter and fits, ".../pkg.Func" where it isn't. */
	clean[host_len] = '\0';
	if (clean + host_len + 1 < package &&
	    utf8_width(clean) + strlen("/.../") + utf8_width(package) <= width)
		snprintf(dst, CELL_SZ, "%s/.../%s", clean, package);
	else if (strlen(".../") + utf8_width(package) <= width)
		snprintf(dst, CELL_SZ, ".../%s", package);
	else
		short_text(dst, package, width);
}

/* The function that a leaf of the standard library works for; the leaf itself if there is none. */
static const struct snapshot_frame *own_frame(const struct snapshot_stack *stack)
{
	for (size_t i = 0; i < stack->frames_nr; i++)
		if (*stack->frames[i]->func != '[' && !goname_is_std(stack->frames[i]->func))
			return stack->frames[i];
	return stack->frames[0];
}

void short_site(char dst[CELL_SZ], const struct snapshot_stack *stack, size_t width,
		const struct snapshot_frame **shown_ret)
{
	static const char by[] = " < ";
	const struct snapshot_frame *leaf = stack->frames[0], *own = own_frame(stack);
	char caller[CELL_SZ];

	*shown_ret = own;
	if (own == leaf) {
		short_func(dst, leaf->func, width);
		return;
	}
	/* Both get half of the room; what one doesn't need the other may have. */
	size_t room = width > sizeof(by) ? width - (sizeof(by) - 1) : width;
	size_t own_w = utf8_width(own->func), leaf_w = utf8_width(leaf->func);
	size_t for_own = leaf_w < room / 2 ? room - leaf_w : room - room / 2;
	short_func(caller, own->func, for_own);
	short_func(dst, leaf->func, own_w < for_own ? room - own_w : room - for_own);
	size_t used = strlen(dst);
	snprintf(dst + used, CELL_SZ - used, "%s%.400s", by, caller);
}

void short_position(char dst[CELL_SZ], const struct snapshot_frame *frame, size_t width)
{
	const char *slash = strrchr(frame->file, '/');
	_cleanup_free_ char *full = NULL;

	/* A name without memory to build it is shown as unknown. */
	if (!*frame->file ||
	    asprintf(&full, "%s:%u", slash ? slash + 1 : frame->file, frame->line) < 0)
		full = NULL;
	short_text(dst, full ? full : "", width);
}

void short_where(char dst[CELL_SZ], const struct snapshot_stack *stack, size_t width)
{
	const struct snapshot_frame *shown;
	char func[CELL_SZ], position[POSITION_MAX_W * 4 + 1], cell[CELL_SZ];

	short_site(func, stack, width, &shown);
	short_position(cell, shown, POSITION_MAX_W);
	utf8_clean(position, sizeof(position), cell);
	size_t func_w = width - (*position ? strlen(" ()") + utf8_width(position) : 0);
	short_site(func, stack, func_w, &shown);
	size_t used = utf8_clean(dst, CELL_SZ - sizeof(position) - strlen(" ()"), func);
	if (*position)
		snprintf(dst + used, CELL_SZ - used, " (%s)", position);
}

void put_stack(FILE *out, const struct snapshot_stack *stack, size_t indent, size_t position_w)
{
	char func[CELL_SZ], position[CELL_SZ];
	bool inlined = false;

	for (size_t i = 0; i < stack->frames_nr; i++) {
		short_position(position, stack->frames[i], POSITION_MAX_W);
		if (utf8_width(position) > position_w)
			position_w = utf8_width(position);
		inlined |= stack->frames[i]->inlined;
	}
	size_t func_w = TABLE_W - indent - GAP_W - position_w -
			(inlined ? strlen(" (inlined)") : 0);
	for (size_t i = 0; i < stack->frames_nr && stack->frames_nr > 1; i++) {
		short_func(func, stack->frames[i]->func, func_w);
		short_position(position, stack->frames[i], POSITION_MAX_W);
		fprintf(out, "%*s", (int)indent, "");
		put_left(out, func, *position ? func_w + GAP_W : 0);
		fprintf(out, "%s%s\n", position, stack->frames[i]->inlined ? " (inlined)" : "");
	}
	if (stack->cut)
		fprintf(out, "%*s[truncated]\n", (int)indent, "");
}

void put_wrapped(FILE *out, const char *label, size_t indent, const char *words, const char *on,
		 const char *off)
{
	char word[CELL_SZ];
	size_t used = utf8_width(label) > indent ? utf8_width(label) : indent;

	put_left(out, label, indent);
	fputs(on, out);
	for (const char *blank = ""; *words; blank = " ") {
		size_t len = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		if (*blank && used + 1 + utf8_width(word) > TABLE_W) {
			fprintf(out, "%s\n%*s%s", off, (int)indent, "", on);
			blank = "";
			used = indent;
		}
		fprintf(out, "%s%s", blank, word);
		used += strlen(blank) + utf8_width(word);
		words += len + strspn(words + len, " ");
	}
	fprintf(out, "%s\n", off);
}

void put_heading(FILE *out, const struct render_opts *opts, const char *title)
{
	fprintf(out, "\n%s%s%s", style(opts, STYLE_BOLD), title, style(opts, STYLE_NONE));
}

void put_many(FILE *out, uint64_t n, const char *what)
{
	fprintf(out, "%s %s%s", fmt_count(n).s, what, n == 1 ? "" : "s");
}
