/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading, with libbpf; places are attached in attach.c, and what is counted is read in read.c.
 */
#include "probe/probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "base/machine.h"
#include "gallop.skel.h"
#include "plan/plan.h"
#include "probe/features.h"
#include "probe/files.h"
#include "probe/priv.h"

enum {
	RING_BYTES = 8 << 20, /* room for some 40,000 new stacks between two drains */
	SITES_MEMORY = 256 << 20, /* what the default table may cost when it is full */
	SITES_DEFAULT_MAX = 262144,
	/*
	 * Where allocations are sampled the kernel counts large objects alone by their sites. A table is made with buckets
	 * for all that it may ever hold: those of 600,000 took a third of the time to attach.
	 */
	SITES_SAMPLED = 32768,
	SAMPLED_STACKS = 163840, /* stacks of samples: with all others 2^18 */
	ASSIST_STACKS = 16384,
	/* Stacks of stops and assists have room of their own: full sites must not starve them. */
	GC_STACKS = 2 * ASSIST_STACKS,
	MAP_SITES_MEMORY = 64 << 20, /* the same of sites of maps */
	MAP_SITES_MAX = 32768,
	FOLLOWED_MAX = 131072, /* maps, of some 200 bytes */
	OP_GOROUTINES_MAX = 131072, /* of some 100 bytes, */
	OPEN_OPS_MAX = 2 * OP_GOROUTINES_MAX, /* and 150 */
	/* Of a window, which admits no more than some 1000 hits; and it empties them, which takes time. */
	OP_GOROUTINES_WINDOW = 4096,
	OPEN_OPS_WINDOW = 2 * OP_GOROUTINES_WINDOW,
	ELEMENT_COST = 96 + 64, /* of a site: with its key and a pointer, and its stack's entry */
};

/* How many values a per-CPU map has for each key; 0 if the kernel doesn't say. */
static size_t possible_cpus(void)
{
	int n = libbpf_num_possible_cpus();

	return n < 1 ? 0 : (size_t)n;
}

/* One more than the highest number of a CPU: the mask of possible ones may have gaps. 0 if it isn't known. */
static size_t cpu_numbers(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	char line[4096] = "";

	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	/* "0-3,8-11": the last number is the highest. */
	size_t end = strcspn(line, "\n");
	line[end] = '\0';
	while (end > 0 && isdigit((unsigned char)line[end - 1]))
		end--;
	return line[end] ? (size_t)strtoul(line + end, NULL, 10) + 1 : 0;
}

static int count_cpus(struct probe *p, struct err *err)
{
	p->values_nr = possible_cpus();
	p->cpus_nr = cpu_numbers();
	if (!p->values_nr || !p->cpus_nr) {
		err_set(err, -ENOTSUP, "cannot tell how many CPUs are possible");
		err_hint(err, "/sys must be mounted: /sys/devices/system/cpu/possible is read");
		return -ENOTSUP;
	}
	if (p->cpus_nr > WIRE_CPUS_MAX)
		return err_set(err, -ENOTSUP,
			       "%zu possible CPUs are more than the %d that are provided for",
			       p->cpus_nr, WIRE_CPUS_MAX);
	return 0;
}

uint64_t probe_site_cost(void)
{
	return ELEMENT_COST + possible_cpus() * sizeof(struct wire_site);
}

uint32_t probe_sites_default(void)
{
	uint64_t n = SITES_MEMORY / probe_site_cost();

	return n > SITES_DEFAULT_MAX ? SITES_DEFAULT_MAX : (uint32_t)n;
}

uint64_t probe_map_site_cost(void)
{
	return ELEMENT_COST + possible_cpus() * sizeof(struct wire_map_site);
}

uint32_t probe_map_sites_max(void)
{
	uint64_t n = MAP_SITES_MEMORY / probe_map_site_cost();

	return n > MAP_SITES_MAX ? MAP_SITES_MAX : (uint32_t)n;
}

static uint32_t op_goroutines_max(const struct probe *p)
{
	return p->plan->cfg.op_windows ? OP_GOROUTINES_WINDOW : OP_GOROUTINES_MAX;
}

static uint32_t open_ops_max(const struct probe *p)
{
	return p->plan->cfg.op_windows ? OPEN_OPS_WINDOW : OPEN_OPS_MAX;
}

static int size_op_maps(struct probe *p)
{
	uint32_t nr = (uint32_t)p->plan->ops_nr;

	if (!nr)
		return 0;
	int err = bpf_map__set_max_entries(p->skel->maps.op_goroutines, op_goroutines_max(p));
	if (!err)
		err = bpf_map__set_max_entries(p->skel->maps.open_ops, open_ops_max(p));
	if (!err)
		err = bpf_map__set_max_entries(p->skel->maps.op_hist, probe_ops_hist_nr(nr));
	return err;
}

/* Where no map is followed the tables of those have room for one, as none has no size. */
static int size_followed(struct probe *p)
{
	bool followed = !p->plan->cfg.map_events_only;
	int err = bpf_map__set_max_entries(p->skel->maps.followed, followed ? FOLLOWED_MAX : 1);

	return err || followed ? err : bpf_map__set_max_entries(p->skel->maps.listed, 1);
}

/* Do all allocations but large ones come as samples? */
static bool has_samples(const struct probe *p)
{
	return p->plan->cfg.sampled && !p->plan->cfg.op_windows;
}

static uint32_t sites_max(const struct probe *p, const struct probe_opts *opts)
{
	uint32_t most = probe_sites_default();

	if (opts->sites_max)
		return opts->sites_max;
	return has_samples(p) && most > SITES_SAMPLED ? SITES_SAMPLED : most;
}

static uint32_t stacks_max(const struct probe *p, const struct probe_opts *opts)
{
	return sites_max(p, opts) + probe_map_sites_max() + GC_STACKS +
	       (has_samples(p) ? SAMPLED_STACKS : 0);
}

static int size_maps(struct probe *p, const struct probe_opts *opts)
{
	int err = bpf_map__set_max_entries(p->skel->maps.cpu_stats, (uint32_t)p->cpus_nr);

	if (!err)
		err = bpf_map__set_max_entries(p->skel->maps.mark_works, (uint32_t)p->cpus_nr);
	if (!err)
		err = bpf_map__set_max_entries(p->skel->maps.sites, sites_max(p, opts));
	if (!err)
		err = bpf_map__set_max_entries(p->skel->maps.map_sites, probe_map_sites_max());
	if (!err)
		err = size_followed(p);
	if (!err)
		err = size_op_maps(p);
	if (!err)
		err = bpf_map__set_max_entries(p->skel->maps.stacks, stacks_max(p, opts));
	if (!err)
		err = bpf_map__set_max_entries(p->skel->maps.assists, ASSIST_STACKS);
	if (!err)
		err = bpf_map__set_max_entries(p->skel->maps.events, RING_BYTES);
	return err;
}

struct bpf_program *probe_program(const struct probe *p, enum plan_prog prog)
{
	struct bpf_program *const programs[PLAN_PROG_NR] = {
		[PLAN_PROG_MALLOC] = p->skel->progs.on_malloc,
		[PLAN_PROG_MARK] = p->skel->progs.on_mark,
		[PLAN_PROG_GC] = p->skel->progs.on_gc,
		[PLAN_PROG_ASSIST] = p->skel->progs.on_assist,
		[PLAN_PROG_MAP] = p->skel->progs.on_map,
		[PLAN_PROG_MAP_GROWTH] = p->skel->progs.on_map_growth,
		[PLAN_PROG_MAP_LOOK] = p->skel->progs.on_map_look,
		[PLAN_PROG_MAP_EXIT] = p->skel->progs.on_map_exit,
		[PLAN_PROG_OP] = p->skel->progs.on_op,
		[PLAN_PROG_OP_UNWIND] = p->skel->progs.on_op_unwind,
		[PLAN_PROG_WINDOW] = p->skel->progs.on_window,
		[PLAN_PROG_REFILL] = p->skel->progs.on_refill,
		[PLAN_PROG_PROFILE] = p->skel->progs.on_profile,
		[PLAN_PROG_OP_CALL] = p->skel->progs.on_op_call,
	};

	return programs[prog];
}

size_t probe_count(const struct plan *plan, enum plan_prog prog)
{
	size_t nr = 0;

	for (size_t i = 0; i < plan->probes_nr; i++)
		nr += plan->probes[i].prog == prog;
	return nr;
}

static void choose_program(const struct probe *p, struct bpf_program *program, bool wanted)
{
	bpf_program__set_autoload(program, wanted);
	if (p->attach == PROBE_ATTACH_MULTI)
		bpf_program__set_expected_attach_type(program, BPF_TRACE_UPROBE_MULTI);
}

static void choose_programs(struct probe *p, const struct features *f)
{
	for (enum plan_prog prog = 0; prog < PLAN_PROG_NR; prog++) {
		struct bpf_program *program = probe_program(p, prog);
		bool loops = prog == PLAN_PROG_MARK || prog == PLAN_PROG_MAP_LOOK;
		bool wanted = probe_count(p->plan, prog) && (!loops || f->loop);

		choose_program(p, program, wanted);
	}
	choose_program(p, p->skel->progs.on_calibrate, p->plan->cfg.sampled);
}

/* Tables that no program uses aren't made. */
static int choose_tables(struct probe *p)
{
	bool maps = probe_has(p, PLAN_PROG_MAP) || probe_has(p, PLAN_PROG_MAP_GROWTH);
	bool many = p->plan->cfg.many;
	const struct {
		struct bpf_map *table;
		bool used;
	} tables[] = {
		{ p->skel->maps.map_sites, maps }, { p->skel->maps.followed, maps },
		{ p->skel->maps.listed, maps },	   { p->skel->maps.lives, many },
		{ p->skel->maps.processes, many }, { p->skel->maps.execs, many },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(tables) / sizeof(tables[0]); i++)
		err = bpf_map__set_autocreate(tables[i].table, tables[i].used);
	return err;
}

/* What the kernel calls our programs: by that our links are told from others. */
static void keep_prog_ids(struct probe *p)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, p->skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_program__fd(program);

		if (fd >= 0 && p->prog_ids_nr < sizeof(p->prog_ids) / sizeof(p->prog_ids[0]) &&
		    !bpf_obj_get_info_by_fd(fd, &info, &len))
			p->prog_ids[p->prog_ids_nr++] = info.id;
	}
}

static int load_failed(int rc, struct err *err)
{
	int code = rc == -EPERM || rc == -ENOMEM || rc == -EMFILE ? rc : -ENOTSUP;

	err_set(err, code, "cannot load the BPF programs: %s", strerror(-rc));
	err_hint(err, "'gallop doctor' says what this kernel lacks");
	if (rc == -EPERM)
		caps_explain(err, CAPS_LOAD);
	if (rc == -EMFILE)
		files_hint(err);
	return code;
}

static int load(struct probe *p, const struct probe_opts *opts, const struct features *f,
		struct err *err)
{
	p->skel = gallop_bpf__open();
	if (!p->skel) {
		int code = -errno;

		err_set(err, code, "cannot open the BPF object: %s", strerror(-code));
		if (code == -EMFILE)
			files_hint(err);
		return code;
	}
	int rc = size_maps(p, opts);
	if (rc)
		return err_set(err, rc, "cannot size the BPF maps: %s", strerror(-rc));
	p->skel->rodata->cfg = p->plan->cfg;
	p->skel->rodata->cfg.cpus = (uint32_t)p->cpus_nr;
	p->skel->rodata->cfg.op_goroutines_max = op_goroutines_max(p);
	p->skel->rodata->cfg.open_ops_max = open_ops_max(p);
	if (getrandom(&p->skel->rodata->cfg.hash_seed, sizeof(uint64_t), 0) < 0)
		return err_set(err, -errno, "cannot get random bytes: %s", strerror(errno));
	choose_programs(p, f);
	rc = choose_tables(p);
	if (rc)
		return err_set(err, rc, "cannot choose the BPF maps: %s", strerror(-rc));
	rc = gallop_bpf__load(p->skel);
	if (rc)
		return load_failed(rc, err);
	keep_prog_ids(p);
	return 0;
}

int probe_new(const struct plan *plan, const struct probe_opts *opts, struct probe **ret,
	      struct err *err)
{
	struct features features;
	enum probe_attach attach = opts->attach;

	if (plan->machine != machine_own()) {
		err_set(err, -ENOTSUP, "this is a program for %s, and this gallop is for %s",
			machine_name(plan->machine), machine_name(machine_own()));
		err_hint(err, "trace it where it runs, with a gallop built for %s",
			 machine_name(plan->machine));
		return -ENOTSUP;
	}
	features_detect(&features);
	int rc = features_check(&features, err);
	if (!rc)
		rc = features_choose(&features, opts->attach, &attach, err);
	if (!rc && attach == PROBE_ATTACH_PERF)
		rc = files_reserve(FILES_NEEDED + plan->probes_nr * FILES_PER_PERF_PROBE, err);
	if (rc)
		return rc;
	struct probe *p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	p->plan = plan;
	p->attach = attach;
	for (int switches = 0; switches < 2; switches++)
		p->caps_kept[switches] = features_caps_kept(&features, attach, switches);
	p->exe_fd = -1;
	rc = links_open(p);
	if (rc)
		err_set(err, rc, "out of memory");
	if (!rc)
		rc = count_cpus(p, err);
	if (!rc)
		rc = load(p, opts, &features, err);
	if (!rc)
		rc = readers_open(p, err);
	if (rc) {
		probe_free(p);
		return rc;
	}
	*ret = p;
	return 0;
}

void probe_free(struct probe *p)
{
	if (!p)
		return;
	others_close(p);
	probe_detach(p);
	links_close(p);
	readers_close(p);
	gallop_bpf__destroy(p->skel);
	free(p);
}

const struct plan *probe_plan(const struct probe *p)
{
	return p->plan;
}

uint64_t probe_caps_kept(const struct probe *p, bool switches)
{
	return p->caps_kept[switches];
}

bool probe_has(const struct probe *p, enum plan_prog prog)
{
	return bpf_program__autoload(probe_program(p, prog));
}

void probe_open_gate(struct probe *p)
{
	__atomic_store_n(&p->skel->bss->gate, 1, __ATOMIC_SEQ_CST);
}

bool probe_is_counting(const struct probe *p)
{
	return __atomic_load_n(&p->skel->bss->gate, __ATOMIC_SEQ_CST);
}

void probe_set_assist_time(struct probe *p, uint64_t ns)
{
	__atomic_store_n(&p->skel->bss->assist_seen, ns, __ATOMIC_SEQ_CST);
}

void probe_close_gate(struct probe *p)
{
	__atomic_store_n(&p->skel->bss->gate, 0, __ATOMIC_SEQ_CST);
}

const char *probe_attach_name(const struct probe *p)
{
	return p->attach == PROBE_ATTACH_MULTI ? "uprobe_multi" : "perf";
}
