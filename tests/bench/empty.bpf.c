// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The cheapest program there is: what a trap costs by itself. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

SEC("uprobe.multi")
int nothing(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
