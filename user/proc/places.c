/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/places.h"

#include <errno.h>
#include <limits.h>

#include "base/u64.h"

/* At most IOV_MAX places. */
static int read_all(const struct proc *proc, struct place *places, size_t nr)
{
	struct iovec bufs[IOV_MAX], addrs[IOV_MAX];
	size_t iovs_nr = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!places[i].addr)
			continue;
		bufs[iovs_nr] = (struct iovec){ places[i].buf, places[i].len };
		addrs[iovs_nr] = (struct iovec){ (void *)(uintptr_t)places[i].addr, places[i].len };
		iovs_nr++;
	}
	int code = iovs_nr ? proc_readv(proc, bufs, iovs_nr, addrs, iovs_nr) : 0;
	for (size_t i = 0; code == 0 && i < nr; i++)
		places[i].ok = places[i].addr != 0;
	return code;
}

/* As deep as IOV_MAX has bits. A place that is beyond all memory is -EINVAL or -ENOMEM to the kernel. */
static int read_halves(const struct proc *proc, struct place *places, size_t nr, int *faults_left)
{
	if (*faults_left <= 0)
		return 0;
	int code = read_all(proc, places, nr);
	if (code != -EFAULT && code != -EINVAL && code != -ENOMEM)
		return code;

	--*faults_left;
	if (nr == 1)
		return 0;
	code = read_halves(proc, places, nr / 2, faults_left);
	return code < 0 ? code : read_halves(proc, places + nr / 2, nr - nr / 2, faults_left);
}

int places_read(const struct proc *proc, struct place *places, size_t nr, int *faults_left)
{
	for (size_t i = 0; i < nr; i++)
		places[i].ok = false;
	for (size_t first = 0; first < nr; first += IOV_MAX) {
		int code = read_halves(proc, places + first, min_u64(nr - first, IOV_MAX),
				       faults_left);
		if (code < 0)
			return code;
	}
	return 0;
}
