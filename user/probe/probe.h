/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side of a session: load the programs, attach them to the planned places, read what they count.
 *
 * The only module that uses libbpf. Links die with this process: after a kill -9 nothing stays
 * attached.
 *
 * For one thread at a time, but for what is said to be the governor's: a group is attached and detached by one thread
 * at a time, different groups by different threads, and windows are one thread's, while another reads what is counted.
 */
#ifndef GALLOP_PROBE_PROBE_H
#define GALLOP_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "bpf/wire.h"
#include "plan/plan.h"

struct probe;

enum { PROBE_ALL_PROCESSES = -1 }; /* in the place of a pid, as libbpf has it */

enum probe_attach { PROBE_ATTACH_AUTO, PROBE_ATTACH_MULTI, PROBE_ATTACH_PERF };

struct probe_opts {
	enum probe_attach attach;
	uint32_t
		sites_max; /* bound of the table of sites; 0: probe_sites_default(), in auto mode less */
};

/* Bytes of kernel memory that one site costs on this machine: its counters are per CPU. */
uint64_t probe_site_cost(void);
uint32_t probe_sites_default(void);

/* The same for the sites of maps. */
uint64_t probe_map_site_cost(void);
uint32_t probe_map_sites_max(void);

/*
 * Load the plan's programs. 0; -EPERM with a hint when capabilities are missing; -ENOTSUP when the
 * kernel lacks what is needed (the message says what).
 */
int probe_new(const struct plan *plan, const struct probe_opts *opts, struct probe **ret,
	      struct err *err);
void probe_free(struct probe *probe);

/*
 * Attach every planned place to the process, by the file open at exe_fd, but for those of windows. PROBE_ALL_PROCESSES:
 * to all that execute the file, now or later. Nothing is
 * counted until probe_open_gate(): all places begin at once. On failure nothing stays attached. exe_fd and the plan
 * must stay until probe_free().
 */
int probe_attach(struct probe *probe, int exe_fd, pid_t pid, struct err *err);
void probe_open_gate(struct probe *probe);

/* Between the opening and the closing of the gate: false once the target executes another program. */
bool probe_is_counting(const struct probe *probe);

/* Before the gate opens: what gcController.assistTime of the process says, 0 for one that has not begun. */
void probe_set_assist_time(struct probe *probe, uint64_t ns);
void probe_close_gate(struct probe *probe);
void probe_detach(struct probe *probe);

/*
 * The governor's: one group, after probe_attach(). 0, -ENOENT if the plan has nothing for it, -EALREADY, or what
 * the kernel says: then nothing of it is attached. Takes some 0.2 to 1.5 ms.
 */
int probe_attach_group(struct probe *probe, enum wire_group group);

/* What a window's second stage looks at: maps, and allocations if they are wanted. Detached as WIRE_GROUP_WINDOW. */
int probe_attach_window(struct probe *probe, bool allocs);

/*
 * Breakpoints are gone within some 0.2 ms, but the caller waits for the kernel's grace period: 8 to 30 ms, with
 * perf uprobes for each place.
 */
void probe_detach_group(struct probe *probe, enum wire_group group);

/*
 * The same for the calls of the plan's operations, all the time (WIRE_GROUP_OP_CALLS): each function has a link of its own.
 * One is attached, of those that are detached each has its bit: they wait together. By one thread at a time.
 */
int probe_attach_op_calls(struct probe *probe, uint32_t op);
void probe_detach_op_calls(struct probe *probe, uint32_t ops);
bool probe_group_attached(const struct probe *probe, enum wire_group group);

/*
 * Which of our capabilities (base/caps.h) are still of use once it is attached. switches: groups are attached again as it
 * goes.
 */
uint64_t probe_caps_kept(const struct probe *probe, bool switches);

/*
 * Probes on the same process that aren't this object's, such as another gallop's, by uprobe_multi links: 0 if there are
 * none, or it can't be told (before Linux 6.8, without CAP_SYS_ADMIN; without it any more, those of probe_attach()). Looks
 * at up to 4,096 links; after probe_attach(), at any time, by any thread.
 */
size_t probe_other_places(const struct probe *probe);

/*
 * Before CAP_SYS_ADMIN is given up: a thread of its own keeps it, and no other capability, to look for them until
 * probe_free(). Where there can be none it is as without.
 */
void probe_keep_looking(struct probe *probe);

/*
 * Can groups come and go all the time? With perf uprobes each place takes milliseconds; and a process that is killed (-9)
 * in the middle of one leaves it behind ("leaking uprobe": the kernel gives up), which came to 6 of 8 kills.
 */
bool probe_can_switch(const struct probe *probe);

/*
 * The governor's: windows. Open begins a stage of window `number`, from 1: hits before both skip_hits and keep_from_ns
 * are not sent unless send_all, nor are those after max_hits. Close ends it, and *ret is what it came to.
 */
void probe_open_window(struct probe *probe, const struct wire_window *window);
void probe_close_window(struct probe *probe, struct wire_window *ret);

/*
 * The governor's, of windows of operations (WIRE_STAGE_OPS): no operation is measured that begins from now on. False if none
 * is open: else the wakeup descriptor is readable once the last one has ended.
 */
bool probe_end_admission(struct probe *probe);

/* Before the next such window opens, with its probes detached: calls that were under way are forgotten. 0 or -errno. */
int probe_forget_ops(struct probe *probe);

/* The half that a window's counts are added to: it stands still from its end until the next but one. */
static inline uint32_t probe_ops_half(uint32_t window)
{
	return window & 1;
}

/* Readable when a window is full, or has no operation to wait for, until that is drained. */
int probe_wakeup_fd(const struct probe *probe);
void probe_drain_wakeups(struct probe *probe);

/* The governor's: readable after so many hits of what is always on, once; set again, it isn't until then. */
void probe_set_alarm(struct probe *probe, uint32_t hits);
int probe_alarm_fd(const struct probe *probe);

/* The governor's: a sample that is not sent, at an offset of this process's own executable; and how many there were. */
int probe_attach_own(struct probe *probe, uint64_t file_off);
void probe_detach_own(struct probe *probe);
uint64_t probe_own_hits(const struct probe *probe);

/* What was loaded, and where; borrowed. */
const struct plan *probe_plan(const struct probe *probe);

/* Is the plan's program loaded? Some need more than the oldest kernels have. */
bool probe_has(const struct probe *probe, enum plan_prog prog);

/* "uprobe_multi" or "perf"; after probe_attach(). */
const char *probe_attach_name(const struct probe *probe);

/* The totals of all CPUs so far, read from mapped memory with no system call. */
void probe_totals(const struct probe *probe, struct wire_cpu *ret);

/*
 * Of a plan for many processes (cfg.many), before the gate opens: one that is there already gets the next index. 0, -E2BIG,
 * or another -errno.
 */
int probe_add_process(struct probe *probe, pid_t pid, uint64_t load_bias, uint32_t *ret);

/* How many indexes are taken so far, by those and by others that were met since; one may stay empty (pid 0). */
uint32_t probe_processes_nr(const struct probe *probe);

/* What one has allocated so far, read from mapped memory; at < probe_processes_nr(). */
void probe_process(const struct probe *probe, uint32_t at, struct wire_process *ret);

/*
 * Call fn for every site with its counters summed over CPUs, while they go on counting. Returns 0 or -errno,
 * or what fn returned if it was negative.
 */
int probe_each_site(struct probe *probe,
		    int (*fn)(const struct wire_site_key *key, const struct wire_site *site,
			      void *ctx),
		    void *ctx);

/* The same for the mark assists of every stack. */
int probe_each_assist(struct probe *probe,
		      int (*fn)(uint64_t stack, const struct wire_assist *assist, void *ctx),
		      void *ctx);

/* The same for the sites of maps, ... */
int probe_each_map_site(struct probe *probe,
			int (*fn)(const struct wire_map_key *key, const struct wire_map_site *site,
				  void *ctx),
			void *ctx);

/* ... and for each map that is followed, by its address in the process; it may be changed while it is copied. */
int probe_each_map(struct probe *probe,
		   int (*fn)(uint64_t addr, const struct wire_map *map, void *ctx), void *ctx);

/*
 * Operations are counted in two halves. From now on into the other one than so far; which that was is returned. It
 * stands still until the next call, and can be read.
 */
uint32_t probe_turn_ops(struct probe *probe);

/* Is the last stop of a GC cycle under way? The runtime has counted the cycle by now, or will; its record comes after. */
bool probe_cycle_is_ending(struct probe *probe);

/* A half's counts of the plan's operation `op`; and how many had a value in each of WIRE_HIST_BUCKETS, borrowed. */
void probe_op(const struct probe *probe, uint32_t half, uint32_t op, struct wire_op *ret);
const uint64_t *probe_op_hist(const struct probe *probe, uint32_t half, uint32_t op,
			      enum wire_op_value value);

/* One of them. 0, or -ENOENT if it isn't followed. */
int probe_get_map(struct probe *probe, uint64_t addr, struct wire_map *ret);

/* Follow it no longer, if it is as it was seen. 0, -EAGAIN if it isn't, or another -errno. */
int probe_drop_map(struct probe *probe, uint64_t addr, const struct wire_map *seen);

/*
 * Call fn for every event that waits in the ring; what fn is given is as the kernel wrote it and
 * is yet to be checked against its size. Returns how many, or -errno.
 */
int probe_each_event(struct probe *probe, int (*fn)(const void *data, size_t size, void *ctx),
		     void *ctx);

/* Readable when an event asked for attention (marks do, stacks don't). */
int probe_event_fd(const struct probe *probe);

#endif
