/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching and detaching, all or by group; and windows, which the programs of two groups look at.
 *
 * One uprobe_multi link per program and group where the kernel has a sound one; else a perf uprobe per place. Both
 * run the same programs with the same cookies.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/caps.h"
#include "plan/plan.h"
#include "probe/files.h"
#include "probe/priv.h"

#include "gallop.skel.h" /* needs bpf/wire.h */

enum { PATH_CAP = 64, HELPERS_MAX = 63 };

/* Whose links a group's are: those of a window's second stage come and go together, so that it has one to wait for. */
static enum wire_group owner_of(enum wire_group group)
{
	return group == WIRE_GROUP_WINDOW_MAPS ? WIRE_GROUP_WINDOW : group;
}

int links_open(struct probe *p)
{
	for (size_t i = 0; i < p->plan->probes_nr; i++)
		p->groups[owner_of(p->plan->probes[i].group)].cap++;
	for (int i = 0; i < WIRE_GROUP_NR; i++) {
		struct probe_links *g = &p->groups[i];

		g->links = g->cap ? calloc(g->cap, sizeof(struct bpf_link *)) : NULL;
		if (g->cap && !g->links)
			return -ENOMEM;
	}
	return 0;
}

void links_close(struct probe *p)
{
	for (int i = 0; i < WIRE_GROUP_NR; i++)
		free(p->groups[i].links);
}

/* By the open file: what a path leads to can change under us. */
static void name_exe(const struct probe *p, char path[PATH_CAP])
{
	snprintf(path, PATH_CAP, "/proc/self/fd/%d", p->exe_fd);
}

/* --- one program's places in a group ---------------------------------------------------------- */

static bool is_of(const struct plan_probe *place, enum plan_prog prog, unsigned groups)
{
	return place->prog == prog && (groups >> place->group & 1);
}

static int attach_multi(struct probe *p, enum plan_prog prog, unsigned groups,
			struct probe_links *g)
{
	unsigned long offsets[PLAN_PROBES_MAX];
	__u64 cookies[PLAN_PROBES_MAX];
	char path[PATH_CAP];
	size_t nr = 0;

	/*
	 * The kernel puts in one after the other, and may have to wait for the process's memory map in between: what is
	 * hit most comes first in a plan, and is put in last.
	 */
	for (size_t i = p->plan->probes_nr; i--;) {
		if (!is_of(&p->plan->probes[i], prog, groups))
			continue;
		offsets[nr] = p->plan->probes[i].file_off;
		cookies[nr++] = p->plan->probes[i].cookie;
	}
	if (!nr)
		return 0;
	name_exe(p, path);
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets, .cookies = cookies, .cnt = nr);
	struct bpf_link *link = bpf_program__attach_uprobe_multi(probe_program(p, prog), p->pid,
								 path, NULL, &opts);
	if (!link)
		return -errno;
	g->links[g->nr++] = link;
	return 0;
}

static struct bpf_link *attach_perf_at(struct bpf_program *prog, const char *path, pid_t pid,
				       uint64_t off, uint64_t cookie)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie,
		    .attach_mode = PROBE_ATTACH_MODE_LINK);

	return bpf_program__attach_uprobe_opts(prog, pid, path, off, &opts);
}

/* By perf links: the older way of attaching, an ioctl, can't carry a cookie. */
static int attach_perf(struct probe *p, enum plan_prog prog, unsigned groups, struct probe_links *g)
{
	char path[PATH_CAP];

	name_exe(p, path);
	for (size_t i = p->plan->probes_nr; i--;) {
		const struct plan_probe *place = &p->plan->probes[i];

		if (!is_of(place, prog, groups))
			continue;
		struct bpf_link *link = attach_perf_at(probe_program(p, prog), path, p->pid,
						       place->file_off, place->cookie);
		if (!link)
			return -errno;
		g->links[g->nr++] = link;
	}
	return 0;
}

static struct bpf_link *attach_place(struct probe *p, const struct plan_probe *place)
{
	struct bpf_program *prog = probe_program(p, place->prog);
	unsigned long offset = place->file_off;
	__u64 cookie = place->cookie;
	char path[PATH_CAP];
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = &offset, .cookies = &cookie, .cnt = 1);

	name_exe(p, path);
	return p->attach == PROBE_ATTACH_MULTI
		       ? bpf_program__attach_uprobe_multi(prog, p->pid, path, NULL, &opts)
		       : attach_perf_at(prog, path, p->pid, offset, cookie);
}

/* --- groups ----------------------------------------------------------------------------------- */

bool probe_group_attached(const struct probe *p, enum wire_group group)
{
	return p->groups[group].nr > 0;
}

static void set_large_apart(struct probe *p, uint32_t apart)
{
	__atomic_store_n(&p->skel->bss->large_apart, apart, __ATOMIC_SEQ_CST);
}

struct closing {
	struct bpf_link **links;
	size_t left;
};

/* From the last one on, which is hit most. */
static void *close_some(void *arg)
{
	struct closing *c = arg;
	size_t left = __atomic_load_n(&c->left, __ATOMIC_SEQ_CST);

	while (left) {
		if (!__atomic_compare_exchange_n(&c->left, &left, left - 1, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			continue;
		bpf_link__destroy(c->links[left - 1]);
		left = __atomic_load_n(&c->left, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/*
 * Each close takes the breakpoint out and then waits for a grace period of the kernel's. Links of single places are
 * many, and one after the other the last would be hit for a second more: so they wait together.
 */
static void close_links(struct bpf_link **links, size_t links_nr)
{
	struct closing closing = { links, links_nr };
	pthread_t helpers[HELPERS_MAX];
	size_t nr = 0;

	while (nr < HELPERS_MAX && nr + 1 < links_nr &&
	       !pthread_create(&helpers[nr], NULL, close_some, &closing))
		nr++;
	close_some(&closing);
	for (size_t i = 0; i < nr; i++)
		pthread_join(helpers[i], NULL);
	if (links_nr)
		memset(links, 0, links_nr * sizeof(links[0]));
}

void probe_detach_group(struct probe *p, enum wire_group group)
{
	struct probe_links *g = &p->groups[group];

	/* From here on windows see large objects; some may be seen twice, none by neither. */
	if (group == WIRE_GROUP_LARGE)
		set_large_apart(p, 0);
	close_links(g->links, g->nr);
	g->nr = 0;
	/* The end of a stop that was under way isn't seen: it must not go on for ever. */
	if (group == WIRE_GROUP_GC)
		__atomic_store_n(&p->skel->bss->pause_began_ns, 0, __ATOMIC_SEQ_CST);
}

/* What happened while the places of this group were not looked at is none of theirs. */
static void forget_what_was(struct probe *p, enum wire_group group)
{
	/* Assists that ended since it was detached are nobody's. */
	if (group == WIRE_GROUP_ASSIST)
		probe_set_assist_time(p, WIRE_ASSIST_UNSEEN);
	/* The rest of what was under way when they went is none of what they see from here on. */
	if (group == WIRE_GROUP_GC)
		__atomic_add_fetch(&p->skel->bss->gc_attached, 1, __ATOMIC_SEQ_CST);
}

/* Places of these groups, by links of one. */
static int attach_groups(struct probe *p, unsigned groups, enum wire_group owner)
{
	struct probe_links *g = &p->groups[owner];
	int rc = 0;

	if (!g->cap)
		return -ENOENT;
	if (g->nr)
		return -EALREADY;
	forget_what_was(p, owner);
	for (enum plan_prog prog = 0; !rc && prog < PLAN_PROG_NR; prog++) {
		if (!bpf_program__autoload(probe_program(p, prog)))
			continue;
		rc = p->attach == PROBE_ATTACH_MULTI ? attach_multi(p, prog, groups, g)
						     : attach_perf(p, prog, groups, g);
	}
	if (rc)
		probe_detach_group(p, owner);
	return rc;
}

int probe_attach_window(struct probe *p, bool allocs)
{
	return attach_groups(p,
			     1U << WIRE_GROUP_WINDOW_MAPS | (allocs ? 1U << WIRE_GROUP_WINDOW : 0),
			     WIRE_GROUP_WINDOW);
}

static const struct plan_probe *place_of_calls(const struct plan *plan, uint32_t op)
{
	for (size_t i = 0; i < plan->probes_nr; i++)
		if (plan->probes[i].group == WIRE_GROUP_OP_CALLS &&
		    WIRE_COOKIE_OP(plan->probes[i].cookie) == op)
			return &plan->probes[i];
	return NULL;
}

/* The links of this group are at the numbers of their operations, as each has one place in it: there may be none in between. */
int probe_attach_op_calls(struct probe *p, uint32_t op)
{
	const struct plan_probe *place = place_of_calls(p->plan, op);
	struct probe_links *g = &p->groups[WIRE_GROUP_OP_CALLS];

	if (!place || op >= g->cap)
		return -ENOENT;
	if (g->nr && g->links[op])
		return -EALREADY;
	g->links[op] = attach_place(p, place);
	if (!g->links[op])
		return -errno;
	g->nr = g->cap;
	return 0;
}

void probe_detach_op_calls(struct probe *p, uint32_t ops)
{
	const struct probe_links *g = &p->groups[WIRE_GROUP_OP_CALLS];
	struct bpf_link *links[WIRE_OPS_MAX];
	size_t nr = 0;

	for (size_t i = 0; i < g->nr && i < WIRE_OPS_MAX; i++) {
		if (!(ops >> i & 1) || !g->links[i])
			continue;
		links[nr++] = g->links[i];
		g->links[i] = NULL;
	}
	close_links(links, nr);
}

static int attach_all_op_calls(struct probe *p)
{
	int rc = p->groups[WIRE_GROUP_OP_CALLS].cap ? 0 : -ENOENT;

	for (uint32_t i = 0; !rc && i < p->plan->ops_nr; i++)
		rc = probe_attach_op_calls(p, i);
	return rc;
}

int probe_attach_group(struct probe *p, enum wire_group group)
{
	if (group == WIRE_GROUP_OP_CALLS)
		return attach_all_op_calls(p);
	int rc = attach_groups(p, 1U << group, group);

	if (rc)
		return rc;
	if (group == WIRE_GROUP_LARGE)
		set_large_apart(p, 1);
	return 0;
}

static int attach_failed(const struct probe *p, int rc, struct err *err)
{
	char target[32] = "all processes of the file";

	if (p->pid != PROBE_ALL_PROCESSES)
		snprintf(target, sizeof(target), "%d", p->pid);
	if (rc == -ESRCH)
		return err_set(err, rc, "process %s has ended", target);
	if (rc == -EACCES)
		rc = -EPERM;
	err_set(err, rc, "cannot attach to %s with %s: %s", target, probe_attach_name(p),
		strerror(-rc));
	/* Of perf uprobes since July 2025, CVE-2025-38466, also in stable kernels. */
	if (rc == -EPERM)
		caps_explain(err, p->attach == PROBE_ATTACH_PERF ? CAPS(CAP_SYS_ADMIN) : CAPS_LOAD);
	if (rc == -EMFILE)
		files_hint(err);
	return rc;
}

int probe_attach(struct probe *p, int exe_fd, pid_t pid, struct err *err)
{
	p->exe_fd = exe_fd;
	p->pid = pid;
	/* Where this isn't allowed an exec is noticed a little later. */
	p->on_exec = bpf_program__attach_raw_tracepoint(p->skel->progs.on_exec,
							"sched_process_exec");
	if (!p->on_exec && p->plan->cfg.many)
		return err_set(err, -errno,
			       "cannot tell when a process executes another program: %s",
			       strerror(errno));
	for (enum wire_group group = 0; group < WIRE_GROUP_NR; group++) {
		if (group == WIRE_GROUP_REFILL || group == WIRE_GROUP_WINDOW ||
		    group == WIRE_GROUP_OP_WINDOW)
			continue;
		int rc = probe_attach_group(p, group);
		if (rc && rc != -ENOENT) {
			probe_detach(p);
			return attach_failed(p, rc, err);
		}
	}
	p->others_nr = probe_other_places(p);
	return 0;
}

void probe_detach(struct probe *p)
{
	if (!p->skel)
		return;
	for (enum wire_group group = 0; group < WIRE_GROUP_NR; group++)
		probe_detach_group(p, group);
	bpf_link__destroy(p->on_exec);
	p->on_exec = NULL;
	probe_detach_own(p);
}

/* --- windows ---------------------------------------------------------------------------------- */

void probe_open_window(struct probe *p, const struct wire_window *window)
{
	volatile struct wire_window *w = &p->skel->bss->window;

	__atomic_store_n(&w->stage, WIRE_STAGE_CLOSED, __ATOMIC_SEQ_CST);
	w->number = window->number;
	w->skip_hits = window->skip_hits;
	w->keep_from_ns = window->keep_from_ns;
	w->max_hits = window->max_hits;
	w->hits = w->kept_ns = w->full_ns = 0;
	w->admit_hits = window->admit_hits;
	w->open = 0;
	w->admits = window->stage == WIRE_STAGE_OPS;
	if (window->stage == WIRE_STAGE_OPS)
		__atomic_store_n(&p->skel->bss->ops_half, probe_ops_half(window->number),
				 __ATOMIC_SEQ_CST);
	__atomic_store_n(&w->stage, window->stage, __ATOMIC_SEQ_CST);
}

void probe_close_window(struct probe *p, struct wire_window *ret)
{
	volatile struct wire_window *w = &p->skel->bss->window;

	ret->stage = w->stage;
	__atomic_store_n(&w->stage, WIRE_STAGE_CLOSED, __ATOMIC_SEQ_CST);
	ret->number = w->number;
	ret->skip_hits = w->skip_hits;
	ret->keep_from_ns = w->keep_from_ns;
	ret->max_hits = w->max_hits;
	ret->hits = __atomic_load_n(&w->hits, __ATOMIC_SEQ_CST);
	ret->kept_ns = w->kept_ns;
	ret->full_ns = w->full_ns;
	ret->admit_hits = w->admit_hits;
	ret->admits = w->admits;
	ret->open = __atomic_load_n(&w->open, __ATOMIC_SEQ_CST);
}

bool probe_end_admission(struct probe *p)
{
	volatile struct wire_window *w = &p->skel->bss->window;

	__atomic_store_n(&w->admits, 0, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&w->open, __ATOMIC_SEQ_CST) > 0;
}

/* The next one is asked for before this one is taken out. */
static int empty_table(const struct bpf_map *map, void *key, void *next)
{
	int fd = bpf_map__fd(map), rc = bpf_map_get_next_key(fd, NULL, key);

	while (!rc) {
		int end = bpf_map_get_next_key(fd, key, next);

		rc = bpf_map_delete_elem(fd, key);
		if (rc)
			return rc;
		rc = end;
		memcpy(key, next, bpf_map__key_size(map));
	}
	return rc == -ENOENT ? 0 : rc;
}

int probe_forget_ops(struct probe *p)
{
	uint64_t key[2], next[2]; /* struct open_key is the larger one */
	int rc = empty_table(p->skel->maps.op_goroutines, key, next);

	if (!rc)
		rc = empty_table(p->skel->maps.open_ops, key, next);
	p->skel->bss->goroutines_nr = p->skel->bss->open_ops_nr = 0;
	p->skel->bss->left_out = 0;
	return rc;
}

/* --- gallop itself ---------------------------------------------------------------------------- */

int probe_attach_own(struct probe *p, uint64_t file_off)
{
	struct bpf_program *prog = p->skel->progs.on_calibrate;
	const char *path = "/proc/self/exe";
	unsigned long offset = file_off;
	__u64 cookie = WIRE_COOKIE(0, 0, file_off);
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = &offset, .cookies = &cookie, .cnt = 1);

	p->own = p->attach == PROBE_ATTACH_MULTI
			 ? bpf_program__attach_uprobe_multi(prog, getpid(), path, NULL, &opts)
			 : attach_perf_at(prog, path, getpid(), file_off, cookie);
	return p->own ? 0 : -errno;
}

void probe_detach_own(struct probe *p)
{
	bpf_link__destroy(p->own);
	p->own = NULL;
}

uint64_t probe_own_hits(const struct probe *p)
{
	return __atomic_load_n(&p->skel->bss->calibrate_hits, __ATOMIC_SEQ_CST);
}

bool probe_can_switch(const struct probe *p)
{
	return p->attach == PROBE_ATTACH_MULTI;
}
