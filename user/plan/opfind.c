/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/opfind.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "gobin/goname.h"

enum {
	NAME_MAX_SZ = 8192, /* the reader cuts longer ones */
	NEAR_NR = 5,
	HITS_MAX = 4 * WIRE_OPS_MAX, /* before those are left out that the compiler made */
};

/* The functions that match a want best so far. */
struct hits {
	struct opname name;
	enum opname_match how;
	struct gobin_func funcs[HITS_MAX]; /* the first of nr */
	size_t nr;
	bool several; /* of different plain names */
};

struct search {
	struct gobin *bin;
	struct hits *hits;
	size_t nr;
	char plain[NAME_MAX_SZ], other[NAME_MAX_SZ], other_plain[NAME_MAX_SZ];
};

/* The plain name of a function; what is damaged has none. */
static const char *plain_name(struct search *s, const struct gobin_func *func)
{
	if (gobin_func_name(s->bin, func, s->other, sizeof(s->other)))
		return "";
	return opname_plain(s->other, s->other_plain, sizeof(s->other_plain));
}

static int look_at(const struct gobin_func *func, const char *name, void *ctx)
{
	struct search *s = ctx;
	const char *plain = opname_plain(name, s->plain, sizeof(s->plain));

	for (size_t i = 0; i < s->nr; i++) {
		struct hits *hits = &s->hits[i];
		enum opname_match how = opname_match(&hits->name, name, plain);

		if (how == OPNAME_NONE || how < hits->how)
			continue;
		if (how > hits->how) {
			hits->how = how;
			hits->nr = 0;
			hits->several = false;
		}
		/* Not one function with several type arguments. */
		if (how == OPNAME_SUFFIX && hits->nr &&
		    strcmp(plain, plain_name(s, &hits->funcs[0])))
			hits->several = true;
		if (hits->nr < HITS_MAX)
			hits->funcs[hits->nr] = *func;
		hits->nr++;
	}
	return 0;
}

/* Is a function of this plain name among them that the compiler did not make? */
static bool has_written(struct search *s, const struct hits *hits, const char *plain)
{
	for (size_t i = 0; i < hits->nr; i++) {
		bool wrapper;

		if (!gobin_is_wrapper(s->bin, &hits->funcs[i], &wrapper) && !wrapper &&
		    !strcmp(plain, plain_name(s, &hits->funcs[i])))
			return true;
	}
	return false;
}

/*
 * What the compiler made to call a function by another ABI or without type arguments has that function's name. It
 * is not what was meant: it would count every call twice, and may begin where g isn't known yet.
 */
static void leave_out_wrappers(struct search *s, struct hits *hits)
{
	size_t nr = 0;

	if (hits->nr < 2 || hits->nr > HITS_MAX)
		return;
	const struct hits all = *hits;
	for (size_t i = 0; i < all.nr; i++) {
		const struct gobin_func *func = &all.funcs[i];
		bool wrapper;

		/* What is damaged says so when it is planned. */
		if (gobin_is_wrapper(s->bin, func, &wrapper))
			wrapper = false;
		if (wrapper) {
			snprintf(s->plain, sizeof(s->plain), "%s", plain_name(s, func));
			wrapper = has_written(s, &all, s->plain);
		}
		if (!wrapper)
			hits->funcs[nr++] = *func;
	}
	hits->nr = nr;
}

/* The names of what was found, the program's own first. */
static const char *list_hits(struct gobin *bin, const struct hits *hits, struct opname_list *list)
{
	char name[NAME_MAX_SZ];

	opname_list_init(list, 280);
	for (int std = 0; std <= 1; std++)
		for (size_t i = 0; i < hits->nr && i < HITS_MAX; i++)
			if (!gobin_func_name(bin, &hits->funcs[i], name, sizeof(name)) &&
			    goname_is_std(name) == std)
				opname_list_add(list, name);
	list->nr = (uint32_t)hits->nr;
	return opname_list_end(list);
}

struct near {
	struct opname name;
	char plain[NAME_MAX_SZ];
	struct {
		uint32_t distance;
		char text[200];
	} best[NEAR_NR]; /* nearest first */
	size_t nr;
};

static int look_near(const struct gobin_func *func, const char *name, void *ctx)
{
	struct near *near = ctx;
	const char *plain = opname_plain(name, near->plain, sizeof(near->plain));
	uint32_t distance = opname_distance(&near->name, plain);
	size_t at = near->nr;

	(void)func;
	while (at > 0 && distance < near->best[at - 1].distance)
		at--;
	if (distance == UINT32_MAX || at == NEAR_NR || strlen(plain) >= sizeof(near->best[0].text))
		return 0;
	for (size_t i = 0; i < near->nr; i++)
		if (!strcmp(near->best[i].text, plain))
			return 0;
	if (near->nr < NEAR_NR)
		near->nr++;
	memmove(&near->best[at + 1], &near->best[at], (near->nr - at - 1) * sizeof(near->best[0]));
	near->best[at].distance = distance;
	memcpy(near->best[at].text, plain, strlen(plain) + 1);
	return 0;
}

static int not_found(struct gobin *bin, const struct opname *name, struct err *err)
{
	struct near near = { 0 };
	struct opname_list list;
	char plain[OPNAME_MAX];

	err_set(err, -ENOENT, "no function %s '%s' in '%s'", name->is_glob ? "matches" : "is named",
		name->text, gobin_info(bin)->path);
	/* Type arguments as the source has them are no part of any name. */
	if (name->is_glob ||
	    opname_init(&near.name, opname_plain(name->text, plain, sizeof(plain))))
		return err->code;
	if (gobin_each_func(bin, "", look_near, &near) < 0 || !near.nr)
		return err->code;
	opname_list_init(&list, sizeof(err->hint) - sizeof("did you mean ?"));
	for (size_t i = 0; i < near.nr; i++)
		opname_list_add(&list, near.best[i].text);
	err_hint(err, "did you mean %s?", opname_list_end(&list));
	return err->code;
}

/* No function has the name: is it one that is never called? */
static int no_function(struct gobin *bin, const struct opname *name, struct err *err)
{
	struct opname_list hosts;

	opname_list_init(&hosts, 200);
	if (opfind_hosts(bin, name, 1, OPNAME_SUFFIX, &hosts) || !hosts.nr)
		return not_found(bin, name, err);
	err_set(err, -ENOENT,
		"'%s' is inlined wherever it is called (%s): there is no call to measure",
		name->text, opname_list_end(&hosts));
	err_hint(err, "measure a function that calls it, or put //go:noinline in front of it, or "
		      "build with -gcflags=-l");
	return err->code;
}

static int check_hits(struct gobin *bin, const struct plan_op_want *want, const struct hits *hits,
		      struct err *err)
{
	struct opname_list list;

	if (!hits->nr)
		return no_function(bin, &hits->name, err);
	if (hits->several) {
		err_set(err, -EINVAL, "'%s' could be any of %zu functions: %s", want->pattern,
			hits->nr, list_hits(bin, hits, &list));
		err_hint(err, "give more of its name, or '*%s' for all that end so", want->pattern);
		return err->code;
	}
	if (want->label && hits->nr > 1)
		return err_set(err, -EINVAL, "'%s' is one name for %zu functions: %s", want->label,
			       hits->nr, list_hits(bin, hits, &list));
	if (hits->nr > WIRE_OPS_MAX)
		return err_set(err, -EINVAL,
			       "'%s' is %zu functions, and at most %d can be measured at once",
			       want->pattern, hits->nr, WIRE_OPS_MAX);
	return 0;
}

static int add_hits(struct opfind *found, const struct plan_op_want *want, const struct hits *hits,
		    struct err *err)
{
	if (hits->nr > WIRE_OPS_MAX - found->nr)
		return err_set(err, -EINVAL, "at most %d functions can be measured at once",
			       WIRE_OPS_MAX);
	for (size_t i = 0; i < hits->nr; i++)
		found->funcs[found->nr++] = (struct opfind_func){
			.func = hits->funcs[i],
			.want = want,
			.by_glob = hits->how == OPNAME_GLOB,
		};
	return 0;
}

int opfind(struct gobin *bin, const struct plan_op_want *wants, size_t nr, struct opfind *ret,
	   struct err *err)
{
	if (nr > WIRE_OPS_MAX)
		return err_set(err, -EINVAL, "at most %d functions can be measured at once",
			       WIRE_OPS_MAX);
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	_cleanup_free_ struct hits *hits = calloc(nr ? nr : 1, sizeof(*hits));

	if (!s || !hits)
		return err_set(err, -ENOMEM, "out of memory");
	s->bin = bin;
	s->hits = hits;
	s->nr = nr;
	for (size_t i = 0; i < nr; i++)
		if (opname_init(&hits[i].name, wants[i].pattern))
			return err_set(err, -EINVAL, "a function's name has 1 to %d bytes",
				       OPNAME_MAX - 1);
	if (gobin_each_func(bin, "", look_at, s) < 0)
		return err_set(err, -ENOEXEC, "'%s' is damaged: bad function table",
			       gobin_info(bin)->path);
	ret->nr = 0;
	for (size_t i = 0; i < nr; i++) {
		leave_out_wrappers(s, &hits[i]);
		int rc = check_hits(bin, &wants[i], &hits[i], err);
		if (!rc)
			rc = add_hits(ret, &wants[i], &hits[i], err);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * A large executable has millions of inlined calls and far fewer names. What a name matches is kept by where it is
 * in the table, in a slot that another may take.
 */
enum { SLOTS = 1 << 14 };

struct host_search {
	struct gobin *bin;
	const struct opname *names;
	size_t nr;
	enum opname_match least;
	struct opname_list *lists;
	uint32_t host_of[WIRE_OPS_MAX]; /* the function that was put last in each list, plus 1 */
	struct {
		uint32_t name_off;
		bool used;
		uint32_t matches; /* a bit for each name */
	} slots[SLOTS];
	char name[NAME_MAX_SZ], plain[NAME_MAX_SZ];
};

static int match_name(struct host_search *s, uint32_t name_off, uint32_t *ret)
{
	size_t slot = name_off * UINT32_C(2654435761) >> 18;
	uint32_t matches = 0;

	if (!s->slots[slot].used || s->slots[slot].name_off != name_off) {
		int err = gobin_name(s->bin, name_off, s->name, sizeof(s->name));
		if (err)
			return err;
		const char *plain = opname_plain(s->name, s->plain, sizeof(s->plain));
		for (size_t i = 0; i < s->nr; i++)
			if (opname_match(&s->names[i], s->name, plain) >= s->least)
				matches |= UINT32_C(1) << i;
		s->slots[slot].used = true;
		s->slots[slot].name_off = name_off;
		s->slots[slot].matches = matches;
	}
	*ret = s->slots[slot].matches;
	return 0;
}

static int look_at_inlined(const struct gobin_func *host, uint32_t name_off, void *ctx)
{
	struct host_search *s = ctx;
	uint32_t matches, own;
	int err = match_name(s, name_off, &matches);

	/* A call that a function makes to itself is part of the call it is in. */
	if (!err && matches)
		err = match_name(s, host->name_off, &own);
	if (err || !matches)
		return err;
	matches &= ~own;
	for (size_t i = 0; i < s->nr; i++) {
		if (!(matches >> i & 1) || s->host_of[i] == host->idx + 1)
			continue;
		s->host_of[i] = host->idx + 1;
		err = gobin_func_name(s->bin, host, s->name, sizeof(s->name));
		if (err)
			return err;
		opname_list_add(&s->lists[i], s->name);
	}
	return 0;
}

int opfind_hosts(struct gobin *bin, const struct opname *names, size_t nr, enum opname_match least,
		 struct opname_list *lists)
{
	_cleanup_free_ struct host_search *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->bin = bin;
	s->names = names;
	s->nr = nr < WIRE_OPS_MAX ? nr : WIRE_OPS_MAX;
	s->least = least;
	s->lists = lists;
	int r = gobin_each_inlined(bin, look_at_inlined, s);
	return r < 0 ? r : 0;
}
