// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The owner of what all programs share. */
#include "bpf/maps.bpf.h"
#include "bpf/op.bpf.h"
#include "bpf/processes.bpf.h"
#include "bpf/scratch.bpf.h"

/* The defaults let the object be verified by itself; the loader sets every field before it loads. */
const volatile struct wire_cfg cfg = {
	.depth = WIRE_DEPTH_MAX,
	.cpus = 1,
	.goid_off = 0xa0,
};

volatile __u32 gate = 0;
volatile __u32 target = 0;
volatile __u32 processes_nr = 0;
volatile __u64 assist_seen = 0;
volatile __u64 paused_ns = 0, pause_began_ns = 0;
volatile __u32 gc_attached = 0;
volatile __u32 ops_half = 0;
volatile struct wire_window window = {};
volatile __u32 large_apart = 0;
volatile __s64 ration_left = 0;

struct cpu_stats_map cpu_stats SEC(".maps");
struct events_map events SEC(".maps");
struct wakeups_map wakeups SEC(".maps");
struct wakeups_map alarms SEC(".maps");
struct stacks_map stacks SEC(".maps");
struct no_programs_map no_programs SEC(".maps");
struct scratches_map scratches SEC(".maps");
struct op_goroutines_map op_goroutines SEC(".maps");
struct lives_map lives SEC(".maps");
struct processes_map processes SEC(".maps");
struct execs_map execs SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
