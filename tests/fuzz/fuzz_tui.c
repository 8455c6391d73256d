/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts for the live view: keys, text that is typed, frames and sizes of the terminal, over models of recordings and one
 * whose names are the input's. Whatever is done, what is on the screen is whole, printable characters.
 */
#include "record/recording.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/replay.h"
#include "tui/view.h"

enum { STEPS_MAX = 100, MODELS_NR = 6, NAMES_NR = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum step { STEP_KEY, STEP_SPECIAL, STEP_TEXT, STEP_FRAME, STEP_RESIZE, STEP_END, STEP_NR };

struct session {
	struct view view;
	struct screen screen;
	const struct model *m;
};

/* The fuzzer runs at the top of the tree. */
static const struct model *recorded(unsigned which)
{
	static const char *const names[] = { "full", "gc", "heap", "maps", "ops", "samples" };
	static struct model *models[MODELS_NR];
	struct err err = { 0 };
	char path[128];

	which %= MODELS_NR;
	snprintf(path, sizeof(path), "tests/fuzz/corpus/recording/%s", names[which]);
	if (!models[which] && recording_load(path, NULL, &models[which], &err)) {
		fprintf(stderr, "%s: %s\n", path, err.msg);
		abort();
	}
	return models[which];
}

/* Sites whose functions, files and types are called what the input says. */
static struct model *named(struct input *in)
{
	struct model *m;

	require(model_new(&m) == 0);
	for (int i = 0; i < NAMES_NR; i++) {
		char *func = input_text(in, '\0'), *type = input_text(in, '\0');
		const struct model_frame frames[] = {
			{ .func = func, .file = type, .line = input_u8(in), .inlined = i % 3 == 0 },
			{ .func = type, .file = func, .line = 7 },
		};
		int64_t stack = model_stack(m, frames, 2, i % 2);
		int64_t id = model_type(m, type);

		require(stack >= 0 && id >= 0);
		id = model_site(m, (uint32_t)stack, (uint32_t)id, input_u8(in) % MODEL_CLASS_NR, 0,
				0);
		require(id >= 0);
		model_site_add(m, (uint32_t)id, input_u16(in), input_u64(in));
		free(func);
		free(type);
	}
	return m;
}

static struct snapshot *take(const struct session *s, bool interval, bool places)
{
	struct snapshot_opts opts = { .interval = interval,
				      .places = places,
				      .runtime_frames = s->view.runtime_frames };
	struct snapshot *ret;

	require(snapshot_new(s->m, &opts, &ret) == 0);
	return ret;
}

static void show_tree(struct session *s)
{
	struct snapshot *whole = take(s, false, false);

	require(view_show_tree(&s->view, whole) == 0);
	snapshot_free(whole);
}

static void press(struct session *s, int key)
{
	if (view_key(&s->view, key) == VIEW_STACKS)
		show_tree(s);
}

static void check_cell(const struct screen_cell *cell)
{
	const unsigned char *c = (const unsigned char *)cell->s;

	require(memchr(cell->s, '\0', sizeof(cell->s)) != NULL && cell->attr < ATTR_NR);
	if (!*c)
		return;
	require(c[0] >= ' ' && c[0] != 0x7f && !(c[0] >= 0x80 && c[0] < 0xc2));
	require(!(c[0] == 0xc2 && c[1] < 0xa0));
	for (int i = 1; i < 4 && c[i] && c[0] < 0x80; i++)
		require(c[i] >= 0x80); /* marks over it, which take no column */
}

static void draw(struct session *s)
{
	view_draw(&s->view, &s->screen);
	for (int row = 0; row < s->screen.rows; row++)
		for (int col = 0; col < s->screen.cols; col++)
			check_cell(screen_at(&s->screen, row, col));
}

static void resize(struct session *s, int rows, int cols)
{
	screen_deinit(&s->screen);
	require(screen_init(&s->screen, rows, cols, s->view.ascii) == 0);
}

static void type_text(struct session *s, struct input *in)
{
	char *text = input_text(in, '\n');

	for (const char *c = text; *c; c++)
		press(s, (unsigned char)*c);
	press(s, TUI_KEY_ENTER);
	free(text);
}

static void take_step(struct session *s, struct input *in)
{
	uint8_t which = input_u8(in);

	/* A plain character is a key of its own: scripts can be read, and found by chance. */
	if (which >= ' ' && which < 0x7f) {
		press(s, which);
		return;
	}
	switch ((enum step)(which % STEP_NR)) {
	case STEP_KEY:
		press(s, input_u16(in));
		break;
	case STEP_SPECIAL:
		press(s, TUI_KEY_UP + input_u8(in) % 12);
		break;
	case STEP_TEXT:
		type_text(s, in);
		break;
	case STEP_FRAME:
		require(view_take(&s->view, take(s, true, true), take(s, false, true)) == 0);
		break;
	case STEP_RESIZE:
		which = input_u8(in);
		resize(s, which % 64, input_u8(in) % 200);
		break;
	case STEP_END:
		view_end(&s->view, "the target has ended");
		break;
	case STEP_NR:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	uint8_t flags = input_u8(&in);
	struct model *own = flags & 8 ? named(&in) : NULL;
	const struct view_opts opts = { .value = flags & 16 ? SNAPSHOT_OBJECTS : SNAPSHOT_BYTES,
					.delay_ns = 1000000000,
					.ascii = flags & 32 };
	struct session s = { .m = own ? own : recorded(flags & 7) };

	require(view_init(&s.view, &opts) == 0);
	require(screen_init(&s.screen, 24, flags & 64 ? 80 : 150, opts.ascii) == 0);
	if (!(flags & 128))
		require(view_take(&s.view, take(&s, true, true), take(&s, false, true)) == 0);
	for (int i = 0; i < STEPS_MAX && input_left(&in); i++) {
		take_step(&s, &in);
		draw(&s);
	}
	view_deinit(&s.view);
	screen_deinit(&s.screen);
	model_free(own);
	return 0;
}

const char replay_corpus[] = "tests/fuzz/corpus/tui";

void replay_input(const uint8_t *data, size_t size)
{
	LLVMFuzzerTestOneInput(data, size);
}
