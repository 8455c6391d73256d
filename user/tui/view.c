/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "tui/tabs.h"

enum { MS = 1000 * 1000, FAR = 1 << 30 /* rows: to an end */ };

/* The first is the tab that is shown first; their order is that of enum view_tab. */
const struct tab tabs[VIEW_TABS] = {
	[VIEW_SITES] = { "Sites", sites_build, alloc_say, 2, NULL, NULL },
	[VIEW_TYPES] = { "Types/sizes", types_build, alloc_say, 2, NULL, NULL },
	[VIEW_MAPS] = { "Maps", maps_build, maps_say, 1, maps_report, maps_tell },
	[VIEW_GC] = { "GC", gc_build, gc_say, 5, gc_report, gc_tell },
	[VIEW_PROBES] = { "Probes", NULL, probes_say, 0, NULL, NULL },
};

int view_init(struct view *v, const struct view_opts *opts)
{
	static const struct table_kind *const kinds[VIEW_TABS] = {
		[VIEW_SITES] = &sites_kind, [VIEW_TYPES] = &types_kind, [VIEW_MAPS] = &maps_kind,
		[VIEW_GC] = &gc_kind,	    [VIEW_PROBES] = &gc_kind, /* it stays empty */
	};

	*v = (struct view){ .delay_ns = opts->delay_ns,
			    .runtime_frames = opts->runtime_frames,
			    .ascii = opts->ascii,
			    .by_objects = opts->value == SNAPSHOT_OBJECTS,
			    .cols = VIEW_COLS_MIN };
	for (int i = 0; i < VIEW_TABS; i++) {
		table_init(&v->tables[i], kinds[i]);
		if (v->by_objects && (i == VIEW_SITES || i == VIEW_TYPES))
			v->tables[i].sort = (unsigned)kinds[i]->objects_column;
	}
	return 0;
}

void view_deinit(struct view *v)
{
	for (int i = 0; i < VIEW_TABS; i++)
		table_deinit(&v->tables[i]);
	pane_deinit(&v->pane);
	tree_deinit(&v->tree);
	pattern_clear(&v->search);
	pattern_clear(&v->filter);
	frame_unref(v->frame);
	frame_unref(v->base);
	frame_unref(v->mark);
	*v = (struct view){ 0 };
}

bool view_is_sampled(const struct view *v)
{
	return v->frame && frame_snapshot(v->frame, FRAME_TOTAL)->samples.on;
}

void view_say(struct view *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->message, sizeof(v->message), fmt, ap);
	va_end(ap);
}

const char *view_typed(const struct view *v)
{
	return v->typed;
}

/* --- rows --------------------------------------------------------------------------------------- */

static struct table *table_of(struct view *v)
{
	return &v->tables[v->tab];
}

bool view_is_text(const struct view *v)
{
	return !tabs[v->tab].build || (tabs[v->tab].report && v->other[v->tab]);
}

static int write_pane(struct view *v, const struct table_row *row)
{
	FILE *out = pane_begin(&v->pane);

	if (!out)
		return -ENOMEM;
	if (v->page == VIEW_HELP)
		help_say(out);
	else if (row)
		tabs[v->tab].tell(v, row, out);
	else if (v->other[v->tab])
		tabs[v->tab].report(v, out);
	else
		tabs[v->tab].say(v, out);
	return pane_end(&v->pane);
}

/* 0, -ENOMEM or -ETIMEDOUT. */
static int fill_table(struct view *v, struct table *t)
{
	const struct table_filter filter = { .regex = pattern_regex(&v->filter),
					     .inverted = v->filter.inverted };

	table_begin(t);
	int rc = tabs[v->tab].build(v);
	/* What a tree is of stays under the cursor. */
	int filtered = table_end(t, v, filter, v->follow || v->page != VIEW_LIST);
	return rc ? rc : filtered;
}

/* The rows of the tab that is shown, after whatever changed. 0 or -ENOMEM. */
static int fill(struct view *v)
{
	struct table *t = table_of(v);

	if (!v->frame)
		return 0;
	if (view_is_text(v)) {
		table_begin(t); /* rows are of one frame: none of an older one stays */
		return v->page == VIEW_LIST ? write_pane(v, NULL) : 0;
	}
	int rc = fill_table(v, t);
	if (rc != -ETIMEDOUT)
		return rc;
	view_say(v, "the filter takes too long and is off: '%.150s'", v->filter.text);
	pattern_clear(&v->filter);
	return fill_table(v, t);
}

static void refill(struct view *v)
{
	if (fill(v))
		view_say(v, "out of memory: not all rows are shown");
}

int view_take(struct view *v, struct snapshot *interval, struct snapshot *total)
{
	struct frame *frame = frame_new(interval, total);

	if (!frame)
		return -ENOMEM;
	frame_unref(v->frame);
	v->frame = frame;
	series_add(&v->series, frame);
	return fill(v);
}

void view_end(struct view *v, const char *why)
{
	snprintf(v->ended, sizeof(v->ended), "%s", why);
	v->paused = false;
}

/* --- what keys do ---------------------------------------------------------------------------------- */

static void show_tab(struct view *v, enum view_tab tab)
{
	/* The same key again: what else there is of it. */
	if (tab == v->tab && v->page == VIEW_LIST && (tab == VIEW_TYPES || tabs[tab].report))
		v->other[tab] = !v->other[tab];
	v->tab = tab;
	v->page = VIEW_LIST;
	v->pane.top = 0;
	refill(v);
}

static void go_back(struct view *v)
{
	v->page = VIEW_LIST;
	v->pane.top = 0;
	refill(v);
}

static void show_help(struct view *v)
{
	v->page = VIEW_HELP;
	v->pane.top = 0;
	if (write_pane(v, NULL))
		view_say(v, "out of memory");
}

static enum view_want enter(struct view *v)
{
	const struct table_row *row = table_selected(table_of(v));

	if (v->page == VIEW_TREE) {
		if (tree_toggle(&v->tree))
			view_say(v, "out of memory");
		return VIEW_NOTHING;
	}
	if (v->page != VIEW_LIST || view_is_text(v) || !row)
		return VIEW_NOTHING;
	if (tabs[v->tab].tell) {
		v->page = VIEW_DETAIL;
		v->pane.top = 0;
		if (write_pane(v, row))
			view_say(v, "out of memory");
		return VIEW_NOTHING;
	}
	if (v->tab == VIEW_TYPES && v->other[VIEW_TYPES]) {
		view_say(v, "which stacks allocate of a size class isn't kept");
		return VIEW_NOTHING;
	}
	v->tree.callees = false;
	return VIEW_STACKS;
}

int view_show_tree(struct view *v, const struct snapshot *whole)
{
	const struct table_row *row = table_selected(table_of(v));

	if (!row || !v->frame)
		return 0;
	if (row->id != table_of(v)->selected_id) {
		view_say(v, "that row isn't there any more: Esc, then Enter on another");
		return 0;
	}
	struct frame_entry entry = alloc_entry(v, row);
	const struct tree_of of = { .entry = &entry, .by_objects = v->by_objects };
	v->page = VIEW_TREE;
	return tree_build(&v->tree, whole, &of);
}

static enum view_want invert(struct view *v)
{
	if (v->page != VIEW_TREE) {
		view_say(v, "i turns a tree round: Enter shows the tree of a row");
		return VIEW_NOTHING;
	}
	v->tree.callees = !v->tree.callees;
	return VIEW_STACKS;
}

/* by rows, or by pages or to an end. */
static void move(struct view *v, long by)
{
	if (v->page == VIEW_TREE)
		tree_move(&v->tree, by);
	else if (v->page != VIEW_LIST || view_is_text(v))
		pane_scroll(&v->pane, by);
	else
		table_move(table_of(v), by);
}

static bool is_alloc(enum view_tab tab)
{
	return tab == VIEW_SITES || tab == VIEW_TYPES;
}

/* +-, TOTAL and SHARE are of what is sorted by, on both tabs of allocations; one that is sorted by names stays so. */
static void count_allocations_by(struct view *v, bool by_objects)
{
	v->by_objects = by_objects;
	for (int i = 0; i < VIEW_TABS; i++) {
		struct table *t = &v->tables[i];
		int bytes = t->kind->bytes_column, objects = t->kind->objects_column;
		int sort = (int)t->sort;
		if (is_alloc(i) && (i == (int)v->tab || sort == bytes || sort == objects))
			t->sort = (unsigned)(by_objects ? objects : bytes);
	}
}

static void count_by(struct view *v, bool by_objects)
{
	struct table *t = table_of(v);
	int column = by_objects ? t->kind->objects_column : t->kind->bytes_column;

	if (view_is_text(v))
		return;
	if (is_alloc(v->tab))
		count_allocations_by(v, by_objects);
	else if (column >= 0)
		t->sort = (unsigned)column;
	refill(v);
}

static void sort_next(struct view *v, int by)
{
	struct table *t = table_of(v);

	if (view_is_text(v))
		return;
	table_sort_next(t, v, by, v->cols, view_is_sampled(v));
	if (is_alloc(v->tab) && t->kind->objects_column != t->kind->bytes_column &&
	    ((int)t->sort == t->kind->objects_column || (int)t->sort == t->kind->bytes_column))
		count_by(v, (int)t->sort == t->kind->objects_column);
}

static void set_base(struct view *v)
{
	if (!v->frame)
		return;
	frame_unref(v->base);
	v->base = frame_ref(v->frame);
	v->cumulative = true;
	view_say(v, "counting from %s: allocations of sites, types and sizes; Z: from the start",
		 v->paused ? "where it was paused" : "now on");
	refill(v);
}

static void drop_base(struct view *v)
{
	frame_unref(v->base);
	v->base = NULL;
	view_say(v, "counting from the start");
	refill(v);
}

static void set_mark(struct view *v)
{
	if (!v->frame)
		return;
	frame_unref(v->mark);
	v->mark = frame_ref(v->frame);
	view_say(v, "marked%s: d shows how rates of sites, types and sizes change from %s",
		 v->paused ? " where it was paused" : "", v->paused ? "there" : "here");
	if (v->diff)
		refill(v);
}

static void toggle_diff(struct view *v)
{
	if (!v->mark) {
		view_say(v, "there is no mark to compare with: m sets it");
		return;
	}
	v->diff = !v->diff;
	refill(v);
}

static void toggle_pause(struct view *v)
{
	if (*v->ended)
		view_say(v, "there is nothing to pause: no more numbers come");
	else
		v->paused = !v->paused;
}

static enum view_want toggle_runtime_frames(struct view *v)
{
	v->runtime_frames = !v->runtime_frames;
	frame_unref(v->base);
	frame_unref(v->mark);
	v->base = v->mark = NULL;
	v->diff = false;
	view_say(v, "the runtime's own frames are %s from the next interval on",
		 v->runtime_frames ? "shown" : "hidden");
	refill(v); /* rows may be of the mark */
	return VIEW_FRAMES;
}

/* The next longer or shorter of some. */
static enum view_want change_delay(struct view *v, bool longer)
{
	static const uint32_t steps_ms[] = { 100, 200, 500, 1000, 2000, 5000, 10000 };
	size_t nr = sizeof(steps_ms) / sizeof(steps_ms[0]);
	uint64_t now = v->delay_ns / MS, best = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t step = steps_ms[longer ? i : nr - 1 - i];
		if (!best && (longer ? step > now : step < now))
			best = step;
	}
	if (best)
		v->delay_ns = best * MS;
	view_say(v, "an interval is %s%s", fmt_duration(v->delay_ns).s,
		 best	  ? ""
		 : longer ? ", the longest"
			  : ", the shortest");
	return best ? VIEW_INTERVAL : VIEW_NOTHING;
}

static void search_row(struct view *v, bool backwards)
{
	int rc = table_search(table_of(v), v, pattern_regex(&v->search), backwards);

	if (rc == -ETIMEDOUT) {
		view_say(v, "to search for '%.150s' takes too long", v->search.text);
		pattern_clear(&v->search);
	} else if (rc) {
		view_say(v, "no row matches '%.200s'", v->search.text);
	}
}

static void search_on(struct view *v, bool backwards)
{
	if (!*v->search.text)
		view_say(v, "/ searches");
	else if (v->page != VIEW_LIST || view_is_text(v))
		view_say(v, "only rows of tables can be searched");
	else
		search_row(v, backwards);
}

/* --- a line that is typed --------------------------------------------------------------------------- */

static void ask(struct view *v, enum view_prompt prompt)
{
	v->prompt = prompt;
	v->typed[0] = '\0';
}

/* False, and it is said why: the pattern is as it was. */
static bool set_pattern(struct view *v, struct pattern *p, bool can_invert)
{
	struct err err = { 0 };

	if (!pattern_set(p, v->typed, can_invert, &err))
		return true;
	view_say(v, "'%.100s': %.100s", v->typed, err.msg);
	return false;
}

static enum view_want take_typed(struct view *v)
{
	enum view_prompt prompt = v->prompt;

	v->prompt = VIEW_NO_PROMPT;
	if (prompt == VIEW_SAVE_AS)
		return v->typed[0] ? VIEW_SAVE : VIEW_NOTHING;
	if (prompt == VIEW_SEARCH && set_pattern(v, &v->search, false) && *v->search.text)
		search_on(v, false);
	if (prompt == VIEW_FILTER && set_pattern(v, &v->filter, true))
		refill(v);
	return VIEW_NOTHING;
}

/* Characters of UTF-8, as they are stored. */
static size_t encode(int c, char dst[4])
{
	if (c < 0x80) {
		dst[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = n; i-- > 1; c >>= 6)
		dst[i] = (char)(0x80 | (c & 0x3f));
	dst[0] = (char)(first[n] | c);
	return n;
}

static enum view_want type(struct view *v, int key)
{
	size_t len = strlen(v->typed);
	char bytes[4];

	if (key == TUI_KEY_ENTER)
		return take_typed(v);
	if (key == TUI_KEY_ESC) {
		v->prompt = VIEW_NO_PROMPT;
	} else if (key == TUI_KEY_CLEAR) {
		v->typed[0] = '\0';
	} else if (key == TUI_KEY_BACKSPACE) {
		while (len && (v->typed[--len] & 0xc0) == 0x80)
			;
		v->typed[len] = '\0';
	} else if (key >= ' ' && key != 0x7f && key < 0x110000) {
		size_t n = encode(key, bytes);
		if (len + n < sizeof(v->typed)) {
			memcpy(v->typed + len, bytes, n);
			v->typed[len + n] = '\0';
		}
	}
	return VIEW_NOTHING;
}

/* --- all keys ------------------------------------------------------------------------------------- */

/* True: it was one of those that move the cursor. */
static bool move_key(struct view *v, int key)
{
	static const struct {
		int key;
		long by;
	} moves[] = {
		{ TUI_KEY_UP, -1 },	  { 'k', -1 },
		{ TUI_KEY_DOWN, 1 },	  { 'j', 1 },
		{ TUI_KEY_PAGE_UP, -15 }, { TUI_KEY_PAGE_DOWN, 15 },
		{ TUI_KEY_HOME, -FAR },	  { 'g', -FAR },
		{ TUI_KEY_END, FAR },	  { 'G', FAR },
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].key == key) {
			move(v, moves[i].by);
			return true;
		}
	}
	return false;
}

/* Keys that need nothing of anyone else. */
static void plain_key(struct view *v, int key)
{
	switch (key) {
	case TUI_KEY_TAB:
		show_tab(v, (v->tab + 1) % VIEW_TABS);
		break;
	case TUI_KEY_BACK_TAB:
		show_tab(v, (v->tab + VIEW_TABS - 1) % VIEW_TABS);
		break;
	case '<':
	case '>':
		sort_next(v, key == '<' ? -1 : 1);
		break;
	case 'b':
	case 'n':
		count_by(v, key == 'n');
		break;
	case 'r':
		if (!view_is_text(v))
			table_reverse(table_of(v), v);
		break;
	case '/':
		ask(v, VIEW_SEARCH);
		break;
	case 'f':
	case '\\':
		ask(v, VIEW_FILTER);
		break;
	case 's':
		ask(v, VIEW_SAVE_AS);
		break;
	case 'N':
		search_on(v, true);
		break;
	case 'p':
	case ' ':
		toggle_pause(v);
		break;
	case 'c':
		v->cumulative = !v->cumulative;
		refill(v);
		break;
	case 'z':
		set_base(v);
		break;
	case 'Z':
		drop_base(v);
		break;
	case 'm':
		set_mark(v);
		break;
	case 'd':
		toggle_diff(v);
		break;
	case 'F':
		v->follow = !v->follow;
		break;
	case '?':
	case 'h':
	case TUI_KEY_HELP:
		show_help(v);
		break;
	default:
		view_say(v, "'?' tells which keys there are");
	}
}

/* 'n' is the next that matches as long as something is searched for, else what is sorted by. */
static bool is_next_match(const struct view *v, int key)
{
	return key == 'n' && *v->search.text;
}

enum view_want view_key(struct view *v, int key)
{
	v->message[0] = '\0';
	if (v->prompt)
		return type(v, key);
	if (move_key(v, key))
		return VIEW_NOTHING;
	if (key >= '1' && key < '1' + VIEW_TABS) {
		show_tab(v, (enum view_tab)(key - '1'));
		return VIEW_NOTHING;
	}
	if (is_next_match(v, key)) {
		search_on(v, false);
		return VIEW_NOTHING;
	}
	switch (key) {
	case 'q':
		if (v->page == VIEW_LIST)
			return VIEW_QUIT;
		go_back(v);
		return VIEW_NOTHING;
	case TUI_KEY_ESC:
	case TUI_KEY_BACKSPACE:
	case TUI_KEY_LEFT:
		go_back(v);
		return VIEW_NOTHING;
	case TUI_KEY_ENTER:
	case TUI_KEY_RIGHT:
	case 't':
		return enter(v);
	case 'i':
		return invert(v);
	case 'o':
		return toggle_runtime_frames(v);
	case '+':
	case '=':
	case '-':
		return change_delay(v, key != '-');
	case 'C':
		return VIEW_THEME;
	case TUI_KEY_REDRAW:
		return VIEW_REPAINT;
	default:
		plain_key(v, key);
		return VIEW_NOTHING;
	}
}
