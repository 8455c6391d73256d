// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is made of what a kernel has: kernels of other versions than this one's, as features.h describes them.
 *
 * tests/kernels boots some of them; of those between 6.6 and 6.10, whose links see one thread, none is to be had.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "probe/features.h"

static const struct features linux_5_10 = { .bpf = true, .ringbuf = true, .perf_uprobe = true };
static const struct features linux_6_1 = {
	.bpf = true, .ringbuf = true, .cookie = true, .loop = true, .perf_uprobe = true
};
static const struct features linux_6_6 = { .bpf = true,
					   .ringbuf = true,
					   .cookie = true,
					   .loop = true,
					   .multi = true,
					   .perf_uprobe = true };
static const struct features linux_6_12 = { .bpf = true,
					    .ringbuf = true,
					    .cookie = true,
					    .loop = true,
					    .multi = true,
					    .multi_pid = true,
					    .perf_uprobe = true };

static void test_check(void **state)
{
	struct features denied = { .bpf_errno = EPERM }, old = { .bpf_errno = EINVAL },
			full = { .bpf_errno = EMFILE };
	struct features no_ring = { .bpf = true };
	struct err err;

	(void)state;
	assert_int_equal(features_check(&linux_6_1, &err), 0);
	assert_int_equal(features_check(&linux_6_12, &err), 0);
	assert_int_equal(features_check(&linux_5_10, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "attach cookies"));
	assert_non_null(strstr(err.hint, "5.15"));
	assert_int_equal(features_check(&no_ring, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "ring buffer"));
	assert_int_equal(features_check(&denied, &err), -EPERM);
	assert_non_null(strstr(err.hint, "CAP_BPF"));
	/* Also where there is room by now: nothing was found out. */
	assert_int_equal(features_check(&full, &err), -EMFILE);
	assert_non_null(strstr(err.hint, "ulimit -n"));
	assert_int_equal(features_check(&old, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, strerror(EINVAL)));
}

static enum probe_attach chosen(const struct features *f, enum probe_attach wanted)
{
	enum probe_attach ret = PROBE_ATTACH_AUTO;
	struct err err;

	assert_int_equal(features_choose(f, wanted, &ret, &err), 0);
	return ret;
}

static void assert_refused(const struct features *f, enum probe_attach wanted, const char *why)
{
	enum probe_attach ret = PROBE_ATTACH_AUTO;
	struct err err;

	assert_int_equal(features_choose(f, wanted, &ret, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, why));
	assert_int_equal(ret, PROBE_ATTACH_AUTO);
}

static void test_choose(void **state)
{
	(void)state;
	assert_int_equal(chosen(&linux_6_1, PROBE_ATTACH_AUTO), PROBE_ATTACH_PERF);
	assert_int_equal(chosen(&linux_6_6, PROBE_ATTACH_AUTO), PROBE_ATTACH_PERF);
	assert_int_equal(chosen(&linux_6_12, PROBE_ATTACH_AUTO), PROBE_ATTACH_MULTI);
	assert_int_equal(chosen(&linux_6_12, PROBE_ATTACH_PERF), PROBE_ATTACH_PERF);
	assert_int_equal(chosen(&linux_6_12, PROBE_ATTACH_MULTI), PROBE_ATTACH_MULTI);
}

static void test_choose_refuses(void **state)
{
	struct features multi_only = linux_6_12, neither = linux_6_6;

	(void)state;
	assert_refused(&linux_6_1, PROBE_ATTACH_MULTI, "no uprobe_multi links");
	assert_refused(&linux_6_6, PROBE_ATTACH_MULTI, "one thread only");
	multi_only.perf_uprobe = false;
	assert_int_equal(chosen(&multi_only, PROBE_ATTACH_AUTO), PROBE_ATTACH_MULTI);
	assert_refused(&multi_only, PROBE_ATTACH_PERF, "no perf uprobes");
	neither.perf_uprobe = false;
	assert_refused(&neither, PROBE_ATTACH_AUTO, "no perf uprobes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_choose_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
