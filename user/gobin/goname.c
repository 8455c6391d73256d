/* SPDX-License-Identifier: BSD-2-Clause */
#include "gobin/goname.h"

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

bool goname_is_std(const char *func)
{
	/* The directories of Go's src, 1.19 to 1.27. */
	static const char *const std[] = {
		"archive",  "bufio",	"bytes",   "cmp",     "compress", "container", "context",
		"crypto",   "database", "debug",   "embed",   "encoding", "errors",    "expvar",
		"flag",	    "fmt",	"go",	   "hash",    "html",	  "image",     "index",
		"internal", "io",	"iter",	   "log",     "maps",	  "math",      "mime",
		"net",	    "os",	"path",	   "plugin",  "reflect",  "regexp",    "runtime",
		"slices",   "sort",	"strconv", "strings", "structs",  "sync",      "syscall",
		"testing",  "text",	"time",	   "unicode", "unique",	  "unsafe",    "vendor",
		"weak",
	};
	/* "go/ast.Walk" is, "go.uber.org/zap.New" is not: a first element with a dot is a host. */
	size_t len = strcspn(func, "/.[(");
	size_t path_len = strcspn(func, "[(");
	if (func[len] == '.' && memchr(func + len, '/', path_len - len))
		return false;
	for (size_t i = 0; i < sizeof(std) / sizeof(std[0]); i++)
		if (strlen(std[i]) == len && !strncmp(std[i], func, len))
			return true;
	return false;
}

/* The method's name, or NULL. The type's own brackets may hold dots: "[go.shape.interface {},...]". */
static const char *sync_map_method(const char *func)
{
	static const char map[] = "sync.(*Map).", trie[] = "internal/sync.(*HashTrieMap[";

	if (strncmp(func, map, strlen(map)) == 0)
		return func + strlen(map);
	if (strncmp(func, trie, strlen(trie)) != 0)
		return NULL;
	const char *end = strstr(func, "]).");
	return end ? end + strlen("]).") : NULL;
}

bool goname_is_sync_map(const char *func)
{
	return sync_map_method(func) != NULL;
}

bool goname_is_sync_range(const char *func)
{
	const char *method = sync_map_method(func);

	return method && (strcmp(method, "Range") == 0 || strcmp(method, "iter") == 0);
}

/* Past type arguments that begin here; what is never closed is part of the name. */
static const char *skip_args(const char *s)
{
	int depth = 0;

	for (const char *p = s; *p; p++) {
		depth += *p == '[';
		depth -= *p == ']';
		if (!depth)
			return *s == '[' ? p + 1 : s;
	}
	return s;
}

/* Past type arguments, and what says that a receiver is a pointer. */
static const char *skip_form(const char *s, bool receiver)
{
	s = skip_args(s);
	while (receiver && (*s == '(' || *s == '*' || *s == ')'))
		s = skip_args(s + 1);
	return s;
}

static bool is_same(const char *a, const char *b, bool receiver)
{
	for (;; a++, b++) {
		a = skip_form(a, receiver);
		b = skip_form(b, false);
		if (*a != *b || !*a)
			return *a == *b;
	}
}

bool goname_is_frame_of(const char *func, const char *frame)
{
	return is_same(func, frame, false) || (strstr(func, "(*") && is_same(func, frame, true));
}
