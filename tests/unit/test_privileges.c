/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of capabilities, and who is believed to have called sudo; tests/live/privileges.t has what they do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/caps.h"
#include "base/owner.h"
#include "probe/features.h"
#include "proc/proc.h"
#include "session/privileges.h"

static void sets_are_told_by_name(void **state)
{
	(void)state;
	assert_string_equal(caps_text(0).s, "none");
	assert_string_equal(caps_text(CAPS(CAP_BPF)).s, "CAP_BPF");
	assert_string_equal(caps_text(CAPS_LOAD).s, "CAP_PERFMON and CAP_BPF");
	assert_string_equal(caps_text(CAPS_FILES).s, "CAP_CHOWN, CAP_DAC_OVERRIDE and CAP_FOWNER");
	/* All of them are more than fit, and bits that are no capabilities aren't told. */
	assert_true(strlen(caps_text(UINT64_MAX).s) < sizeof(struct caps_text));
	assert_string_equal(caps_text(CAPS(63)).s, "none");
}

/* Whoever runs this: what is missing is named; what isn't, is said to be there. */
static void a_refusal_is_explained(void **state)
{
	struct err err;
	uint64_t missing = caps_missing(CAPS_LOAD);

	(void)state;
	err_set(&err, -1, "cannot do it");
	caps_explain(&err, CAPS_LOAD);
	assert_non_null(
		strstr(err.hint, missing ? "sudo setcap cap_bpf,cap_perfmon," : "namespace"));
	assert_int_equal(strstr(err.msg, "missing: CAP_") != NULL, missing != 0);
	assert_non_null(
		strstr(err.hint, missing & CAPS(CAP_BPF) || !missing ? "CAP_BPF" : "CAP_PERFMON"));
}

static void lowered_and_restored(void **state)
{
	uint64_t before = caps_set_effective(0);

	(void)state;
	assert_int_equal(caps_set_effective(before), 0);
	assert_int_equal(caps_set_effective(before), before);
}

static void what_stays_depends_on_the_kernel(void **state)
{
	const struct features new = { .free_links = true, .free_tables = true }, old = { 0 };
	const uint64_t load = CAPS_LOAD, admin = CAPS(CAP_SYS_ADMIN);

	(void)state;
	assert_int_equal(features_caps_kept(&new, PROBE_ATTACH_MULTI, false), 0);
	assert_int_equal(features_caps_kept(&new, PROBE_ATTACH_MULTI, true), 0);
	assert_int_equal(features_caps_kept(&new, PROBE_ATTACH_PERF, false), 0);
	assert_int_equal(features_caps_kept(&new, PROBE_ATTACH_PERF, true), load | admin);
	assert_int_equal(features_caps_kept(&old, PROBE_ATTACH_MULTI, true), load | admin);
	assert_true(features_caps_kept(&old, PROBE_ATTACH_PERF, false) & CAPS(CAP_BPF));
}

static void no_more_stays_than_is_of_use(void **state)
{
	const uint64_t look = CAPS(CAP_SYS_PTRACE);
	uint64_t kept = privileges_kept(0, false, look);
	const struct proc target = { .caps = CAPS(CAP_NET_RAW) };
	bool may_look = !caps_missing(look);

	(void)state;
	assert_int_equal(kept, CAPS_FILES | CAPS(CAP_SYS_PTRACE));
	assert_int_equal(privileges_kept(CAPS_LOAD, false, look), kept | CAPS_LOAD);
	assert_int_equal(privileges_kept(0, true, look) & ~CAPS(CAP_SYS_NICE), kept);
	assert_int_equal(privileges_of_looker(0, true), CAPS(CAP_SYS_ADMIN) & caps_permitted());
	assert_int_equal(privileges_of_looker(CAPS(CAP_SYS_ADMIN), true), 0);
	assert_int_equal(privileges_of_looker(0, false), 0);
	assert_int_equal(privileges_to_look(&target), may_look ? look : look | target.caps);
	uint64_t command = privileges_to_look(NULL);
	assert_int_equal(command & (look | CAPS(CAP_KILL)), look | CAPS(CAP_KILL));
	assert_true(!may_look || command == (look | CAPS(CAP_KILL)));
}

static bool called_by(const char *uid, const char *gid)
{
	uid_t got_uid = 0;
	gid_t got_gid = 0;

	setenv("SUDO_UID", uid, 1);
	setenv("SUDO_GID", gid, 1);
	bool known = owner_invoker(&got_uid, &got_gid);
	if (known) {
		assert_int_equal(got_uid, strtoul(uid, NULL, 10));
		assert_int_equal(got_gid, strtoul(gid, NULL, 10));
	}
	return known;
}

static void only_root_believes_numbers(void **state)
{
	static const char *const bad[] = {
		"",    "-1",  "4294967295", "4294967296", "18446744073709551617",
		"12x", " 12", "+12",	    "0x10",	  "root"
	};
	bool root = getuid() == 0 && geteuid() == 0;

	(void)state;
	assert_int_equal(called_by("1000", "1001"), root);
	assert_int_equal(called_by("4294967294", "0"), root);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(called_by(bad[i], "1"));
		assert_false(called_by("1", bad[i]));
	}
	unsetenv("SUDO_GID");
	uid_t uid;
	gid_t gid;
	assert_false(owner_invoker(&uid, &gid));
}

static void link_of(uid_t uid, const char *target, const char *name)
{
	assert_int_equal(symlink(target, name), 0);
	assert_int_equal(lchown(name, uid, uid), 0);
}

static int check_of(const char *path)
{
	struct err err = { 0 };
	int rc = owner_check(path, &err);

	if (rc)
		assert_non_null(strstr(err.msg, "a directory that everybody writes to"));
	return rc;
}

/* Another user's links in a directory like /tmp aren't followed, wherever they are on the way. */
static void no_planted_link_is_followed(void **state)
{
	const uid_t other = 64322;
	char dir[] = "/tmp/test-privileges-XXXXXX", target[64], remove[64];

	(void)state;
	if (getuid() || geteuid())
		skip();
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("st", 0700) || chmod("st", 01777) || mkdir("victim", 0755), 0);
	snprintf(target, sizeof(target), "%s/victim", dir);
	link_of(other, target, "st/d");
	link_of(other, "../victim", "st/relative");
	link_of(other, "/", "st/root");
	link_of(0, "st/d", "own"); /* leads to his */
	link_of(0, "own", "own2");
	link_of(0, "../st/relative", "st/own");
	link_of(0, target, "st/good");
	link_of(0, "loop", "loop");
	link_of(other, target, "victim/his"); /* nobody else may write there */
	static const char *const bad[] = { "st/d/x",	       "./st//d/x", "st/relative/x",
					   "st/root/x",	       "own/x",	    "own2/x",
					   "st/own/x",	       "own",	    "st/../st/d/x",
					   "victim/../st/d/x", "st/d/" };
	static const char *const good[] = { "st/good/x", "st/x", "st/none/x", "victim/his/x",
					    "loop/x",	 "st",	 "/",	      "" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check_of(bad[i]), -EPERM);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(check_of(good[i]), 0);
	snprintf(target, sizeof(target), "%s/own/x", dir);
	assert_int_equal(check_of(target), -EPERM);
	setenv("SUDO_UID", "64322", 1);
	setenv("SUDO_GID", "64322", 1);
	assert_int_equal(check_of(target), 0);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	snprintf(remove, sizeof(remove), "rm -rf '%s'", dir);
	assert_int_equal(chdir("/") || system(remove), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_told_by_name),
		cmocka_unit_test(a_refusal_is_explained),
		cmocka_unit_test(lowered_and_restored),
		cmocka_unit_test(what_stays_depends_on_the_kernel),
		cmocka_unit_test(no_more_stays_than_is_of_use),
		cmocka_unit_test(only_root_believes_numbers),
		cmocka_unit_test(no_planted_link_is_followed),
	};

	return cmocka_run_group_tests_name("privileges", tests, NULL, NULL);
}
