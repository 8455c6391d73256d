/* SPDX-License-Identifier: BSD-2-Clause */
/* Which Go built an executable, and whether its experiments leave the runtime's layout alone. */
#ifndef GALLOP_GOBIN_VERSION_H
#define GALLOP_GOBIN_VERSION_H

#include "base/err.h"

struct buildinfo;
struct pclntab;

/*
 * The x of "Go 1.x": from the build info, else deduced from the functions of the runtime. 0;
 * -ENOTSUP if it is none that gallop knows, or can't be told; -errno if the pclntab is damaged.
 */
int version_find(const struct buildinfo *info, struct pclntab *tab, int *minor_ret,
		 struct err *err);

/* "go1.23.5", "devel go1.24-abcdef", "go1.22rc1 X:foo": the number behind "go1.", or 0. */
int version_minor(const char *version);

/* 0, or -ENOTSUP naming an experiment that changes what gallop reads, or is not known. */
int version_check_experiments(const struct buildinfo *info, const char *path, struct err *err);

#endif
