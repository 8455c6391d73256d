// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The end of a program that becomes another: from here on nothing counts.
 *
 * The probes stay with the process, and if it executes the same file again (a graceful restart), its next life
 * would be added to this one's. Of many processes each life is counted by itself, and the others go on.
 */
#include "bpf/processes.bpf.h"

SEC("raw_tp/sched_process_exec")
int on_exec(void *ctx)
{
	if (cfg.many)
		process_executes();
	else if (target && target == this_process())
		gate = 0;
	return 0;
}
