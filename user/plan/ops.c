/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "plan/build.h"

int plan_ops(struct plan *plan, struct gobin *bin, const struct plan_opts *opts, struct err *err)
{
	(void)plan;
	(void)bin;
	(void)opts;
	return err_set(err, -ENOTSUP, "operations can't be measured yet");
}
