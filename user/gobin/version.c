/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Go version decides which layout is believed, so it is never guessed: the build info says it,
 * or functions that came with each version prove it, or the executable is refused.
 */
#include "gobin/version.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gobin/buildinfo.h"
#include "gobin/gobin.h"
#include "gobin/layout.h"
#include "gobin/pclntab.h"

/*
 * Functions that every program of that version and later has, and none before: compared over the
 * symbol tables of an empty main() built by each toolchain of the matrix. Two for each, as one may
 * be inlined away by another compiler release.
 */
static const struct marker {
	int minor;
	const char *func;
} markers[] = {
	{ 19, "runtime.(*gcCPULimiterState).update" },
	{ 21, "runtime.tracebackPCs" },
	{ 21, "runtime.traceback2" },
	{ 22, "runtime.forEachPInternal" },
	{ 22, "runtime.randinit" },
	{ 23, "runtime.traceAdvance" },
	{ 23, "runtime.traceRegisterLabelsAndReasons" },
	{ 24, "runtime.mallocgcLarge" },
	{ 24, "runtime.postMallocgcDebug" },
	{ 25, "runtime.gcPrepareMarkRoots" },
	{ 25, "runtime.defaultGOMAXPROCS" },
	{ 26, "runtime.acquirepNoTrace" },
	{ 26, "runtime.nextHeapRandBits" },
	{ 27, "runtime.moduleTypelinks" },
	{ 27, "runtime.mallocPanic" },
};

enum { MARKERS_NR = sizeof(markers) / sizeof(markers[0]) };

/*
 * Experiments (internal/goexperiment/flags.go) that move no field of struct go_layout and add no way
 * to allocate that the presence of functions would not tell; each "no" form is as good. Every one was
 * checked by the DWARF of builds with and without it. Not in the list, and so refused:
 * noallocheaders (objects of Go 1.22 have no headers), runtimesecret (a secret object is allocated
 * through two of the functions that are counted), staticlockranking and pagetrace (they add to locks
 * and to the heap, and are for the runtime's own developers).
 */
static const char *const harmless[] = {
	"aliastypeparams",
	"arenas",
	"boringcrypto",
	"cacheprog",
	"cgocheck2",
	"coverageredesign",
	"dwarf5",
	"exectracer2",
	"fieldtrack",
	"goroutineleakprofile",
	"greenteagc",
	"heapminimum512kib",
	"jsonv2",
	"loopvar",
	"mapsplitgroup",
	"newinliner",
	"preemptibleloops",
	"randomizedheapbase64",
	"rangefunc",
	"regabi",
	"regabiargs",
	"regabiwrappers",
	"runtimefreegc",
	"simd",
	"sizespecializedmalloc",
	"spinbitmutex",
	"swissmap",
	"synchashtriemap",
	"synctest",
	"unified",
	/* Of distributors' own Go: they choose where crypto/ packages get their algorithms from. */
	"allowcryptofallback",
	"opensslcrypto",
	"strictfipsruntime",
	"systemcrypto",
};

static bool is_harmless(const char *name, size_t len)
{
	if (len == 0 || (len == 4 && strncmp(name, "none", 4) == 0))
		return true;
	for (int no = 0; no < 2; no++) {
		for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
			if (strlen(harmless[i]) == len && strncmp(harmless[i], name, len) == 0)
				return true;
		if (len < 2 || strncmp(name, "no", 2) != 0)
			return false;
		name += 2;
		len -= 2;
	}
	return false;
}

int version_check_experiments(const struct buildinfo *info, const char *path, struct err *err)
{
	const char *name = info->experiments;

	while (*name) {
		size_t len = strcspn(name, ",");
		if (!is_harmless(name, len)) {
			err_set(err, -ENOTSUP,
				"'%s' was built with GOEXPERIMENT '%.*s', whose effect on the "
				"runtime is not known",
				path, (int)len, name);
			err_hint(err, "build it without that experiment");
			return -ENOTSUP;
		}
		name += len;
		name += *name == ',';
	}
	return 0;
}

int version_minor(const char *version)
{
	const char *at = strstr(version, "go1.");
	if (!at)
		return 0;

	char *end;
	long minor = strtol(at + 4, &end, 10);
	return end > at + 4 && minor > 0 && minor < 1000 ? (int)minor : 0;
}

struct marker_pass {
	char name[64];
	bool found[MARKERS_NR];
};

static int note_marker(const struct gobin_func *func, void *ctx)
{
	struct marker_pass *pass = ctx;
	(void)func;

	if (strncmp(pass->name, "runtime.", 8) != 0)
		return 0;
	for (int m = 0; m < MARKERS_NR; m++)
		if (strcmp(pass->name, markers[m].func) == 0)
			pass->found[m] = true;
	return 0;
}

/*
 * The newest version with a marker, if each older one since 1.21 has one too; 0 if they contradict.
 */
static int newest_marked(const bool *found)
{
	bool marked[GO_MINOR_MAX + 1] = { false };
	int newest = 0;

	for (int m = 0; m < MARKERS_NR; m++) {
		marked[markers[m].minor] |= found[m];
		if (found[m] && markers[m].minor > newest)
			newest = markers[m].minor;
	}
	for (int minor = 21; minor <= newest; minor++)
		if (!marked[minor])
			return 0;
	return newest;
}

static int deduce_minor(struct pclntab *tab, int *ret)
{
	struct marker_pass pass = { 0 };
	int r = pclntab_each(tab, pass.name, sizeof(pass.name), note_marker, &pass);
	if (r < 0)
		return r;

	int newest = newest_marked(pass.found);
	if (tab->format == PCLNTAB_GO118)
		*ret = newest == 19 ? 19 : 0;
	else /* The format came with 1.20, which has no marker of its own. */
		*ret = newest == 19 ? 20 : newest > 20 ? newest : 0;
	return 0;
}

int version_find(const struct buildinfo *info, struct pclntab *tab, int *minor_ret, struct err *err)
{
	const char *path = tab->img->path;
	int minor = version_minor(info->version);

	if (minor == 0) {
		int r = deduce_minor(tab, &minor);
		if (r < 0)
			return err_set(err, -ENOEXEC, "'%s' is damaged: bad function table", path);
		if (minor == 0)
			return err_set(
				err, -ENOTSUP,
				"cannot tell which Go built '%s': it has no build info, and its "
				"functions fit no known version",
				path);
	}
	if (minor < GO_MINOR_MIN || minor > GO_MINOR_MAX) {
		err_set(err, -ENOTSUP, "'%s' was built with Go 1.%d", path, minor);
		err_hint(err, "Go 1.%d to 1.%d are known", GO_MINOR_MIN, GO_MINOR_MAX);
		return -ENOTSUP;
	}
	*minor_ret = minor;
	return 0;
}
