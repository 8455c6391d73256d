/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/goname.h"

#include <stddef.h>
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

enum goname goname_of(const char *func)
{
	if (strncmp(func, "internal/runtime/", strlen("internal/runtime/")) == 0)
		return GONAME_RUNTIME_INSIDE;
	const char *p = behind_runtime(func);
	if (!p)
		return GONAME_OTHER;

	/* Exported is what has a capital in each of its parts: "(*Profile).WriteTo". */
	for (; p; p = strchr(p, '.')) {
		p += strspn(p, ".(*");
		if (*p < 'A' || *p > 'Z')
			return GONAME_RUNTIME_INSIDE;
	}
	return GONAME_RUNTIME_API;
}
