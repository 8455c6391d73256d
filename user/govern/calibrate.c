/* SPDX-License-Identifier: BSD-2-Clause */
#include "govern/calibrate.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "probe/probe.h"

enum {
	BATCHES = 9,
	BATCH_HITS = 100,
	GONE_HITS = 4, /* too few to see the end of hits late */
	FRAMES = 12, /* of the stack that is walked: what programs have */
	WAKES = 16,
	WAKE_SLEEP_NS = 50 * 1000,
	GONE_MAX_NS = 1000 * 1000 * 1000,
	SWITCHES_MAX = 5,
	SWITCHES_NS = 60 * 1000 * 1000, /* as many as that is enough for, but one */
};

/* A virtual machine whose traps leave it. */
static const struct calibration slow = {
	.hit_ns = 6000,
	.attach_ns = 500 * 1000,
	.gone_ns = 300 * 1000,
	.detach_ns = 30 * 1000 * 1000,
	.wake_ns = 40 * 1000,
};

/* What a Go stack looks like to bpf/walk.bpf.h. */
struct own_frame {
	struct own_frame *bp;
	uint64_t ret;
};

struct own_g {
	struct own_frame *lo, *hi;
};

/*
 * gallop_calibrate_run(calls, g, bp) calls gallop_calibrate_at so often, with g and the frame pointer where Go has
 * them. That function begins with the instruction that probes of Go programs are on.
 */
#ifdef __aarch64__
__asm__(".pushsection .text\n"
	".type gallop_calibrate_at, %function\n"
	"gallop_calibrate_at:\n"
	"	b.ls 1f\n"
	"1:	ret\n"
	".size gallop_calibrate_at, . - gallop_calibrate_at\n"
	".type gallop_calibrate_run, %function\n"
	"gallop_calibrate_run:\n"
	"	stp x29, x30, [sp, #-32]!\n"
	"	stp x19, x28, [sp, #16]\n"
	"	mov x19, x0\n"
	"	mov x28, x1\n"
	"	mov x29, x2\n"
	"1:	bl gallop_calibrate_at\n"
	"	subs x19, x19, #1\n"
	"	b.ne 1b\n"
	"	ldp x19, x28, [sp, #16]\n"
	"	ldp x29, x30, [sp], #32\n"
	"	ret\n"
	".size gallop_calibrate_run, . - gallop_calibrate_run\n"
	".popsection\n");
#else
__asm__(".pushsection .text\n"
	".type gallop_calibrate_at, @function\n"
	"gallop_calibrate_at:\n"
	"	push %rbp\n"
	"	pop %rbp\n"
	"	ret\n"
	".size gallop_calibrate_at, . - gallop_calibrate_at\n"
	".type gallop_calibrate_run, @function\n"
	"gallop_calibrate_run:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	push %r14\n"
	"	mov %rdi, %rbx\n"
	"	mov %rsi, %r14\n"
	"	mov %rdx, %rbp\n"
	"1:	call gallop_calibrate_at\n"
	"	dec %rbx\n"
	"	jnz 1b\n"
	"	pop %r14\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size gallop_calibrate_run, . - gallop_calibrate_run\n"
	".popsection\n");
#endif

void gallop_calibrate_at(void);
void gallop_calibrate_run(uint64_t calls, const struct own_g *g, const struct own_frame *bp);

struct own_place {
	uintptr_t va;
	uint64_t off;
	bool found;
};

/* The executable comes first. */
static int find_offset(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct own_place *place = ctx;
	uintptr_t va = place->va - info->dlpi_addr;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type != PT_LOAD || va < ph->p_vaddr || va - ph->p_vaddr >= ph->p_filesz)
			continue;
		place->off = va - ph->p_vaddr + ph->p_offset;
		place->found = true;
	}
	return 1;
}

/* CPU time of a call, of so many. */
static uint64_t time_calls(uint64_t nr)
{
	struct own_frame frames[FRAMES] = { 0 };
	const struct own_g g = { frames, frames + FRAMES };

	for (int i = 0; i + 1 < FRAMES; i++)
		frames[i] = (struct own_frame){ &frames[i + 1], (uintptr_t)gallop_calibrate_at };
	frames[FRAMES - 1].ret = (uintptr_t)gallop_calibrate_at;
	uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	gallop_calibrate_run(nr, &g, frames);
	return (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / nr;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of two the larger. */
static uint64_t middle(uint64_t *v, size_t nr)
{
	qsort(v, nr, sizeof(v[0]), compare);
	return v[nr / 2];
}

/* Other programs' caches make some batches slow: the middle one is what is usual. */
static uint64_t measure_hit(void)
{
	uint64_t ns[BATCHES];

	time_calls(BATCH_HITS);
	for (int i = 0; i < BATCHES; i++)
		ns[i] = time_calls(BATCH_HITS);
	return middle(ns, BATCHES);
}

struct closing {
	struct probe *probe;
	uint64_t begin, end; /* begin: 0 until then */
};

static void *close_own(void *arg)
{
	struct closing *c = arg;

	__atomic_store_n(&c->begin, mono_now_ns(), __ATOMIC_SEQ_CST);
	probe_detach_own(c->probe);
	c->end = mono_now_ns();
	return NULL;
}

/* Go on calling until that isn't noticed any more. */
static void measure_detach(struct probe *probe, struct calibration *ret)
{
	struct closing closing = { .probe = probe };
	uint64_t limit = mono_now_ns() + GONE_MAX_NS, before, now;
	pthread_t thread;

	if (pthread_create(&thread, NULL, close_own, &closing)) {
		probe_detach_own(probe);
		return;
	}
	do {
		before = probe_own_hits(probe);
		time_calls(GONE_HITS);
		now = mono_now_ns();
	} while (probe_own_hits(probe) != before && now < limit);
	pthread_join(thread, NULL);
	ret->detach_ns = closing.end - closing.begin;
	ret->gone_ns = now > closing.begin ? now - closing.begin : 0;
	if (ret->gone_ns > ret->detach_ns)
		ret->gone_ns = ret->detach_ns;
}

static int measure_attach(struct probe *probe, uint64_t off, struct calibration *ret)
{
	uint64_t begin = mono_now_ns();
	int rc = probe_attach_own(probe, off);

	ret->attach_ns = mono_now_ns() - begin;
	return rc;
}

/* What a hit costs, while it is attached. */
static int measure_probed(struct probe *probe, uint64_t unprobed, struct calibration *ret)
{
	uint64_t hits = probe_own_hits(probe), probed = measure_hit();

	if (probe_own_hits(probe) - hits < BATCHES * BATCH_HITS)
		return -EIO;
	ret->hit_ns = probed > unprobed ? probed - unprobed : 1;
	return 0;
}

/* Each by itself: what makes one slow needn't do so to another. */
static void take_middle(const struct calibration *v, size_t nr, struct calibration *ret)
{
	uint64_t attach[SWITCHES_MAX], gone[SWITCHES_MAX], detach[SWITCHES_MAX];

	for (size_t i = 0; i < nr; i++) {
		attach[i] = v[i].attach_ns;
		gone[i] = v[i].gone_ns;
		detach[i] = v[i].detach_ns;
	}
	ret->attach_ns = middle(attach, nr);
	ret->gone_ns = middle(gone, nr);
	ret->detach_ns = middle(detach, nr);
}

/* It is there once: again as often as there is time for. */
static int measure_switches(struct probe *probe, uint64_t off, struct calibration *ret)
{
	struct calibration each[SWITCHES_MAX] = { *ret };
	uint64_t begin = mono_now_ns(), before = begin, now;
	size_t nr = 0;
	int rc = 0;

	measure_detach(probe, &each[nr++]);
	for (now = mono_now_ns(); nr < SWITCHES_MAX && now - begin + (now - before) < SWITCHES_NS;
	     now = mono_now_ns()) {
		before = now;
		each[nr] = *ret;
		rc = measure_attach(probe, off, &each[nr]);
		if (rc)
			return rc;
		measure_detach(probe, &each[nr++]);
	}
	take_middle(each, nr, ret);
	return 0;
}

static int measure_probe(struct probe *probe, struct calibration *ret)
{
	struct own_place place = { .va = (uintptr_t)gallop_calibrate_at };

	dl_iterate_phdr(find_offset, &place);
	if (!place.found)
		return -ENOENT;
	uint64_t unprobed = measure_hit();
	int rc = measure_attach(probe, place.off, ret);
	if (rc)
		return rc;
	rc = measure_probed(probe, unprobed, ret);
	if (rc) {
		probe_detach_own(probe);
		return rc;
	}
	return measure_switches(probe, place.off, ret);
}

static uint64_t measure_wake(void)
{
	const struct timespec ts = { .tv_nsec = WAKE_SLEEP_NS };
	uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	for (int i = 0; i < WAKES; i++)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	return (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / WAKES;
}

int calibrate(struct probe *probe, struct calibration *ret)
{
	*ret = slow;

	int rc = measure_probe(probe, ret);
	if (rc)
		*ret = slow;
	ret->measured = !rc;
	ret->wake_ns = measure_wake();
	return rc;
}
