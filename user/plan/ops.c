/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations: calls of the functions that a user names, from where each begins to every place where it returns,
 * and where the runtime gives up calls that will not return.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "gobin/layout.h"
#include "plan/build.h"
#include "plan/opfind.h"

enum { FUNC_NAME_SZ = 8192, NOTES_OF_OPS_MAX = 4 };

struct op_plan {
	struct plan *plan;
	struct gobin *bin;
	uint64_t entries[WIRE_OPS_MAX]; /* of the plan's functions */
	/* Of the glob at hand: how many functions it has given so far, and those that can't be measured. */
	size_t given_nr;
	struct opname_list left_out;
};

static const char *why_no_returns(int err)
{
	switch (err) {
	case -ENOENT:
		return "it never returns";
	case -ENOTSUP:
		return "it ends with a jump to another function";
	case -E2BIG:
		return "it returns at more places than can be probed";
	default:
		return "its tables or its code can't be read";
	}
}

/* The probes of one function: all or none, then with the reason. */
static int add_probes(struct op_plan *op, const struct gobin_func *func, const char *name,
		      const char **why_ret)
{
	unsigned flags = WIRE_F_OP((unsigned)op->plan->ops_nr);
	const struct want begin = { PLAN_PROG_OP, WIRE_PLACE_OP_BEGIN, "an operation begins", false,
				    flags,	  WIRE_GROUP_OP_WINDOW };
	const struct want end = { PLAN_PROG_OP, WIRE_PLACE_OP_RETURN, "an operation ends", false,
				  flags,	WIRE_GROUP_OP_WINDOW };
	const struct want call = {
		PLAN_PROG_OP_CALL,  WIRE_PLACE_OP_BEGIN, "every call", false, flags,
		WIRE_GROUP_OP_CALLS
	};
	size_t before = op->plan->probes_nr;
	struct place place;
	int err = place_begin(op->bin, func, &place, why_ret);

	if (err)
		return err;
	err = plan_add_at(op->plan, op->bin, &place, name, &begin);
	if (!err)
		err = plan_add_returns(op->plan, op->bin, func, name, &end);
	if (!err && op->plan->cfg.op_windows)
		err = plan_add_at(op->plan, op->bin, &place, name, &call);
	if (err) {
		op->plan->probes_nr = before;
		*why_ret = why_no_returns(err);
	}
	return err;
}

static int label_op(struct plan_op *op, const char *label, struct err *err)
{
	if (!label)
		return 0;
	if (op->label[0] && strcmp(op->label, label))
		return err_set(err, -EINVAL, "'%s' and '%s' are the same function: %s", op->label,
			       label, op->name);
	utf8_clean(op->label, sizeof(op->label), label);
	return 0;
}

static struct plan_op *find_op(struct op_plan *op, uint64_t entry)
{
	for (size_t i = 0; i < op->plan->ops_nr; i++)
		if (op->entries[i] == entry)
			return &op->plan->ops[i];
	return NULL;
}

static int refuse(const char *name, const char *why, struct err *err)
{
	err_set(err, -EINVAL, "'%s' can't be measured: %s", name, why);
	err_hint(err, "measure a function that calls it");
	return err->code;
}

/*
 * From a function's frame pointer up to GO_RET_AT (bpf/goabi.bpf.h): on amd64 they are side by side. On arm64 X29 points to
 * the word below the frame (Go cmd/internal/obj/arm64/obj7.go), and GO_RET_AT is the word below what is above it.
 */
static uint32_t ret_off(struct op_plan *op, const struct gobin_func *func)
{
	uint32_t frame = 0;

	if (op->plan->machine != EM_AARCH64)
		return sizeof(uint64_t);
	place_frame_size(op->bin, func, &frame);
	return frame;
}

static int add_func(struct op_plan *op, const struct opfind_func *found, struct err *err)
{
	struct plan_op *planned = find_op(op, found->func.entry);
	const char *label = found->want->label, *why;
	char name[FUNC_NAME_SZ];

	if (planned) {
		op->given_nr++;
		return label_op(planned, label, err);
	}
	if (gobin_func_name(op->bin, &found->func, name, sizeof(name)))
		return err_set(err, -ENOEXEC, "'%s' is damaged: bad function table",
			       gobin_info(op->bin)->path);
	if (add_probes(op, &found->func, name, &why)) {
		if (!found->by_glob)
			return refuse(name, why, err);
		char line[OPNAME_LIST_SZ];
		snprintf(line, sizeof(line), "%s (%s)", why, name);
		opname_list_add(&op->left_out, line);
		return 0;
	}
	op->entries[op->plan->ops_nr] = found->func.entry;
	op->plan->cfg.op_funcs[op->plan->ops_nr].va = found->func.entry;
	op->plan->cfg.op_funcs[op->plan->ops_nr].len =
		(uint32_t)(found->func.end - found->func.entry);
	op->plan->cfg.op_funcs[op->plan->ops_nr].ret_off = ret_off(op, &found->func);
	planned = &op->plan->ops[op->plan->ops_nr++];
	utf8_clean(planned->name, sizeof(planned->name), name);
	op->given_nr++;
	return label_op(planned, label, err);
}

static int end_want(struct op_plan *op, const struct plan_op_want *want, struct err *err)
{
	const char *left_out = opname_list_end(&op->left_out);

	if (!op->given_nr)
		return err_set(err, -EINVAL,
			       "none of the functions that match '%s' can be measured: %s",
			       want->pattern, left_out);
	if (op->left_out.nr)
		plan_note(op->plan, "'%.40s' is without %u functions: %s", want->pattern,
			  op->left_out.nr, left_out);
	return 0;
}

static int add_funcs(struct op_plan *op, const struct opfind *found, struct err *err)
{
	for (size_t i = 0; i < found->nr; i++) {
		const struct plan_op_want *want = found->funcs[i].want;

		if (i == 0 || found->funcs[i - 1].want != want) {
			op->given_nr = 0;
			opname_list_init(&op->left_out, sizeof(op->plan->notes[0]) - 80);
		}
		int rc = add_func(op, &found->funcs[i], err);
		if (!rc && (i + 1 == found->nr || found->funcs[i + 1].want != want))
			rc = end_want(op, want, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Say of each operation where its calls are inlined; of many, how many they are. */
static void note_inlined(struct plan *plan)
{
	size_t nr = 0;

	for (size_t i = 0; i < plan->ops_nr; i++)
		nr += plan->ops[i].inlined_nr != 0;
	if (nr > NOTES_OF_OPS_MAX) {
		plan_note(plan,
			  "%zu of the functions are also inlined into others: calls there aren't "
			  "counted",
			  nr);
		return;
	}
	for (size_t i = 0; i < plan->ops_nr; i++)
		if (plan->ops[i].inlined_nr)
			plan_note(plan,
				  "%.60s is also inlined into %u function%s: calls there "
				  "aren't counted",
				  plan->ops[i].name, plan->ops[i].inlined_nr,
				  plan->ops[i].inlined_nr == 1 ? "" : "s");
}

static void find_inlined(struct plan *plan, struct gobin *bin)
{
	_cleanup_free_ struct opname *names = calloc(plan->ops_nr, sizeof(*names));
	_cleanup_free_ struct opname_list *lists = calloc(plan->ops_nr, sizeof(*lists));
	int err = names && lists ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < plan->ops_nr; i++) {
		err = opname_init(&names[i], plan->ops[i].name);
		opname_list_init(&lists[i], sizeof(plan->ops[i].inlined_in));
	}
	if (!err)
		err = opfind_hosts(bin, names, plan->ops_nr, OPNAME_EXACT, lists);
	if (err) {
		plan_note(plan, "whether the functions are inlined elsewhere can't be read");
		return;
	}
	for (size_t i = 0; i < plan->ops_nr; i++) {
		plan->ops[i].inlined_nr = lists[i].nr;
		utf8_clean(plan->ops[i].inlined_in, sizeof(plan->ops[i].inlined_in),
			   opname_list_end(&lists[i]));
	}
	note_inlined(plan);
}

/*
 * A program without one of them has nothing that recovers or exits. Where it has one that can't be probed, calls that
 * are gone would stay open, and what is called deeper would count as a part of them.
 */
static int add_unwinding(struct plan *plan, struct gobin *bin, struct err *err)
{
	static const struct {
		const char *func;
		struct want want;
	} unwinding[] = {
		{ "runtime.recovery",
		  { PLAN_PROG_OP_UNWIND, WIRE_PLACE_OP_RECOVER, "a panic is recovered: who is gone",
		    false, 0, WIRE_GROUP_OP_WINDOW } },
		{ "runtime.Goexit",
		  { PLAN_PROG_OP_UNWIND, WIRE_PLACE_OP_GOEXIT, "a goroutine exits early", false, 0,
		    WIRE_GROUP_OP_WINDOW } },
	};

	for (size_t i = 0; i < sizeof(unwinding) / sizeof(unwinding[0]); i++) {
		struct gobin_func func;

		if (gobin_find_func(bin, unwinding[i].func, &func))
			continue;
		if (plan_add(plan, bin, &func, unwinding[i].func, &unwinding[i].want))
			return err_set(err, -ENOTSUP,
				       "operations can't be measured: %s can't be probed",
				       unwinding[i].func);
	}
	return 0;
}

static void fill_cfg(struct wire_cfg *cfg, const struct go_layout *layout, const struct plan *plan,
		     const struct plan_opts *opts)
{
	/* Go 1.22 panic.go recovery: the frame is in the panic itself, no longer passed in the g. */
	bool in_panic = layout->minor >= 22;

	cfg->ops_nr = (uint8_t)plan->ops_nr;
	cfg->ops_only = opts->ops_only;
	cfg->tiny_blocks = plan_has(plan, PLAN_PROG_MALLOC);
	cfg->g_sigcode0 = in_panic ? GO_OFF_NONE : layout->g_sigcode0;
	cfg->panic_sp = in_panic ? layout->panic_sp : GO_OFF_NONE;
}

int plan_ops(struct plan *plan, struct gobin *bin, const struct plan_opts *opts, struct err *err)
{
	struct op_plan op = { .plan = plan, .bin = bin };
	struct opfind found;
	int rc = opfind(bin, opts->ops, opts->ops_nr, &found, err);

	/* First, as the functions may take all the probes that are left. */
	if (!rc)
		rc = add_unwinding(plan, bin, err);
	if (!rc)
		rc = add_funcs(&op, &found, err);
	if (rc)
		return rc;
	find_inlined(plan, bin);
	fill_cfg(&plan->cfg, gobin_layout(bin), plan, opts);
	return 0;
}
