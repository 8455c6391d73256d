/* SPDX-License-Identifier: BSD-2-Clause */
/* The counts of operations, mapped from the kernel: see bpf/op.bpf.c. Part of probe.c. */
#ifndef GALLOP_PROBE_OPS_H
#define GALLOP_PROBE_OPS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct probe_ops {
	const struct wire_op *ops; /* mapped, NULL: there are none */
	const uint64_t *hist; /* mapped */
	size_t ops_sz, hist_sz;
	uint32_t nr;
};

/* How many elements the distributions of nr functions have. */
uint32_t probe_ops_hist_nr(uint32_t nr);

/* Map both arrays, by their file descriptors. 0 or -errno; probe_ops_close() in any case. */
int probe_ops_open(struct probe_ops *ops, uint32_t nr, int ops_fd, int hist_fd);
void probe_ops_close(struct probe_ops *ops);

#endif
