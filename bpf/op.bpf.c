// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"

SEC("?uprobe")
int on_op(struct pt_regs *ctx)
{
	return 0;
}

SEC("?uprobe")
int on_op_unwind(struct pt_regs *ctx)
{
	return 0;
}
