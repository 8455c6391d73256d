/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks and types of an executable whose tables were written over: inline trees, line tables, names of functions and
 * types. fuzz_gobin begins with any bytes; here it is a good executable with a few bytes changed, so that it goes on to
 * the symbolizer, the model and every output.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gobin/gobin.h"
#include "symbol/symbol.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/show.h"

enum { EXE_SZ_MAX = 65536, CHANGES_MAX = 32, CHANGE_SZ_MAX = 128, STACKS = 8, DEPTH = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const exes[] = {
	"go1.19", "go1.20", "go1.21", "go1.23",
	"go1.25", "go1.26", "go1.27", "go1.27-generic-method",
};

/* The fuzzer runs at the top of the tree. */
static size_t read_exe(unsigned which, uint8_t *buf)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/fuzz/corpus/gobin/%s",
		 exes[which % (sizeof(exes) / sizeof(exes[0]))]);
	FILE *f = fopen(path, "re");
	require(f != NULL);
	size_t size = fread(buf, 1, EXE_SZ_MAX, f);
	fclose(f);
	return size;
}

static void change(uint8_t *exe, size_t size, struct input *in)
{
	uint8_t nr = input_u8(in);

	for (int i = 0; i < nr && i < CHANGES_MAX && input_left(in); i++) {
		size_t at = input_u16(in) % size, len = input_u8(in) % CHANGE_SZ_MAX;
		input_take(in, exe + at, len < size - at ? len : size - at);
	}
}

static struct gobin *open_changed(struct input *in)
{
	static uint8_t exe[EXE_SZ_MAX];
	static int fd = -1;
	struct gobin *bin = NULL;
	struct err err = { 0 };
	char path[64];

	if (fd < 0)
		fd = memfd_create("fuzz_symbol", MFD_CLOEXEC);
	size_t size = read_exe(input_u8(in), exe);
	change(exe, size, in);
	require(ftruncate(fd, (off_t)size) == 0 && pwrite(fd, exe, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	require((gobin_open(path, &bin, &err) == 0) == (bin != NULL));
	return bin;
}

/* Anywhere in the code by the input, and a bit before and behind it. */
static uint64_t some_pc(const struct gobin_info *info, struct input *in)
{
	return info->text - 16 + input_u16(in) % (info->etext - info->text + 32);
}

static void add_site(struct model *m, int64_t stack, int64_t type, uint64_t bytes)
{
	if (stack < 0 || type < 0)
		return;
	int64_t site = model_site(m, (uint32_t)stack, (uint32_t)type, MODEL_CLASS_LARGE, 0, 0);
	if (site >= 0)
		model_site_add(m, (uint32_t)site, 1, bytes);
}

static void symbolize(struct gobin *bin, struct model *m, struct input *in)
{
	const struct gobin_info *info = gobin_info(bin);
	struct symbolizer *sym;

	require(symbolizer_new(bin, m, &sym) == 0);
	for (uint64_t i = 0; i < STACKS; i++) {
		uint64_t pcs[DEPTH];
		bool cut = true;

		for (int p = 0; p < DEPTH; p++)
			pcs[p] = some_pc(info, in);
		/* In the seeds types follow the code. */
		uint64_t type = (info->text & ~UINT64_C(7)) + 8 * (uint64_t)(input_u16(in) % 1024);
		int64_t stack = i % 2 ? symbolizer_profile_stack(sym, pcs, DEPTH, 0)
				      : symbolizer_stack(sym, pcs, DEPTH, 0, &cut);
		add_site(m, stack, symbolizer_type(sym, type, 0), i + 1);
	}
	symbolizer_free(sym);
}

static void try_input(const uint8_t *data, size_t size, int choice)
{
	struct input in = { data, data + size };
	struct gobin *bin = open_changed(&in);
	struct model *m;

	if (!bin)
		return;
	require(model_new(&m) == 0);
	struct model_meta *meta = model_meta(m);
	snprintf(meta->go_version, sizeof(meta->go_version), "%s", gobin_info(bin)->go_version);
	snprintf(meta->module, sizeof(meta->module), "%s", gobin_info(bin)->module);
	snprintf(meta->build_id, sizeof(meta->build_id), "%s", gobin_info(bin)->build_id);
	symbolize(bin, m, &in);
	show_model(m, SNAPSHOT_BYTES, choice);
	model_free(m);
	gobin_free(bin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_input(data, size, show_choice(data, size));
	return 0;
}

const char replay_corpus[] = "tests/fuzz/corpus/symbol";

void replay_input(const uint8_t *data, size_t size)
{
	try_input(data, size, SHOW_ALL);
}
