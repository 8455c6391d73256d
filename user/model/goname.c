/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/goname.h"

#include <string.h>

/* Behind "runtime." or "runtime/pprof."; NULL if the name is of another package. */
static const char *behind_runtime(const char *name)
{
	if (strncmp(name, "runtime", strlen("runtime")) != 0)
		return NULL;
	const char *p = name + strlen("runtime");
	if (*p != '.' && *p != '/')
		return NULL;
	p += strcspn(p, ".");
	return *p ? p + 1 : NULL;
}

bool goname_is_inside(const char *name)
{
	if (strncmp(name, "internal/runtime/", strlen("internal/runtime/")) == 0)
		return true;

	/* Exported is what has a capital in each of its parts: "(*Profile).WriteTo". */
	for (const char *p = behind_runtime(name); p; p = strchr(p, '.')) {
		p += strspn(p, ".(*");
		if (*p < 'A' || *p > 'Z')
			return true;
	}
	return false;
}
