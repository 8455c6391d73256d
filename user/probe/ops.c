/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe/ops.h"

#include <errno.h>
#include <sys/mman.h>

enum { HALVES = 2 };

uint32_t probe_ops_hist_nr(uint32_t nr)
{
	return HALVES * nr * WIRE_OP_VALUES * WIRE_HIST_BUCKETS;
}

static const void *map(int fd, size_t sz)
{
	const void *p = mmap(NULL, sz, PROT_READ, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

int probe_ops_open(struct probe_ops *ops, uint32_t nr, int ops_fd, int hist_fd)
{
	*ops = (struct probe_ops){
		.nr = nr,
		.ops_sz = HALVES * WIRE_OPS_MAX * sizeof(struct wire_op),
		.hist_sz = probe_ops_hist_nr(nr) * sizeof(uint64_t),
	};
	ops->ops = map(ops_fd, ops->ops_sz);
	ops->hist = ops->ops ? map(hist_fd, ops->hist_sz) : NULL;
	return ops->hist ? 0 : -errno;
}

void probe_ops_close(struct probe_ops *ops)
{
	if (ops->ops)
		munmap((void *)ops->ops, ops->ops_sz);
	if (ops->hist)
		munmap((void *)ops->hist, ops->hist_sz);
	*ops = (struct probe_ops){ 0 };
}
