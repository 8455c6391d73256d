/* SPDX-License-Identifier: BSD-2-Clause */
/* The control group paths that engines make, one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/container_name.h"

#define ID "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define OUTER "0000000000001111111111111111111111111111111111111111111111111111"
#define POD "pod0b1c2d3e_4f50_6172_8394_a5b6c7d8e9f0"

static const struct {
	const char *what, *cgroup, *id;
} cases[] = {
	{ "no container", "0::/user.slice/user-1000.slice/session-2.scope\n", "" },
	{ "root", "0::/\n", "" },
	{ "empty", "", "" },
	{ "docker, cgroup v1", "12:memory:/docker/" ID "\n11:cpu,cpuacct:/docker/" ID "\n", ID },
	{ "only one hierarchy", "12:pids:/\n3:memory:/docker/" ID "\n1:name=systemd:/\n", ID },
	{ "docker, systemd", "0::/system.slice/docker-" ID ".scope\n", ID },
	{ "docker, process below", "0::/system.slice/docker-" ID ".scope/init\n", ID },
	{ "podman", "0::/machine.slice/libpod-" ID ".scope/container\n", ID },
	{ "podman, rootless",
	  "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n", ID },
	{ "podman's monitor", "0::/machine.slice/libpod-conmon-" ID ".scope\n", "" },
	{ "cri-o", "0::/kubepods.slice/kubepods-" POD ".slice/crio-" ID ".scope\n", ID },
	{ "cri-o's monitor", "0::/kubepods.slice/kubepods-" POD ".slice/crio-conmon-" ID ".scope\n",
	  "" },
	{ "kubernetes, cgroupfs",
	  "0::/kubepods/burstable/pod0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/" ID "\n", ID },
	{ "kubernetes, systemd",
	  "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" POD
	  ".slice/cri-containerd-" ID ".scope\n",
	  ID },
	{ "containerd, colons",
	  "0::/system.slice/containerd.service/kubepods-" POD ".slice:cri-containerd:" ID "\n",
	  ID },
	{ "containerd by itself", "0::/default/" ID "\n", ID },
	{ "one in another: the inner", "0::/docker/" OUTER "/kubelet/kubepods/" ID "\n", ID },
	{ "no newline at the end", "0::/docker/" ID, ID },
	{ "too long", "0::/docker/" ID "0\n", "" },
	{ "not hex", "0::/docker/z" OUTER "\n", "" },
	{ "no path", ID "\n", "" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *f = tmpfile();
		assert_non_null(f);
		fputs(cases[i].cgroup, f);
		rewind(f);
		struct container_id id = container_parse(f);
		fclose(f);
		if (strcmp(id.text, cases[i].id) != 0)
			fail_msg("%s: '%s', not '%s'", cases[i].what, id.text, cases[i].id);
	}
}

static void test_of_pid(void **state)
{
	(void)state;
	size_t len = strlen(container_of_pid(getpid()).text);

	assert_true(len == 0 || len == CONTAINER_ID_LEN);
	assert_string_equal(container_of_pid(-1).text, "");
}

static void test_id_fits(void **state)
{
	const struct container_id id = { ID }, none = { "" };

	(void)state;
	assert_int_equal(container_id_fits(&id, ID), CONTAINER_BY_ID);
	assert_int_equal(container_id_fits(&id, "containerd://" ID), CONTAINER_BY_ID);
	assert_int_equal(container_id_fits(&id, "3f4b1c2d5e6f"), CONTAINER_BY_PREFIX);
	assert_int_equal(container_id_fits(&id, "cri-o://3f4b"), CONTAINER_BY_PREFIX);
	assert_int_equal(container_id_fits(&id, "3f4"), CONTAINER_OTHER);
	assert_int_equal(container_id_fits(&id, ""), CONTAINER_OTHER);
	assert_int_equal(container_id_fits(&id, "containerd://"), CONTAINER_OTHER);
	assert_int_equal(container_id_fits(&id, "4b1c2d"), CONTAINER_OTHER);
	assert_int_equal(container_id_fits(&id, ID "0"), CONTAINER_OTHER);
	assert_int_equal(container_id_fits(&none, ""), CONTAINER_OTHER);
}

#define KUBERNETES                                      \
	"{\"annotations\":{"                            \
	"\"io.kubernetes.cri.container-name\":\"app\"," \
	"\"io.kubernetes.cri.sandbox-name\":\"web-0\"," \
	"\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}"
#define CRIO                                        \
	"{\"annotations\":{"                        \
	"\"io.kubernetes.container.name\":\"app\"," \
	"\"io.kubernetes.pod.name\":\"web-0\","     \
	"\"io.kubernetes.pod.namespace\":\"shop\"}}"
#define STORAGE                                                                                \
	"[{\"id\":\"" OUTER "\",\"names\":[\"other\"]},{\"id\":\"" ID "\",\"names\":[\"web\"," \
	"\"also\"]},{\"id\":\"" ID "\"}]"

static const struct {
	enum container_file kind;
	const char *text, *name;
	bool found;
} named[] = {
	{ CONTAINER_FILE_DOCKER, "{\"ID\":\"" ID "\",\"Name\":\"/web\"}", "web", true },
	{ CONTAINER_FILE_DOCKER, "{\"Name\":\"/web\"}", "we", false },
	{ CONTAINER_FILE_DOCKER, "{\"Name\":\"/we\\u0062\"}", "web", true },
	{ CONTAINER_FILE_DOCKER, "{\"Name\":null}", "", false },
	{ CONTAINER_FILE_DOCKER, "{\"Name\":", "web", false },
	{ CONTAINER_FILE_DOCKER, "", "web", false },
	{ CONTAINER_FILE_BUNDLE, KUBERNETES, "app", true },
	{ CONTAINER_FILE_BUNDLE, KUBERNETES, "web-0", true },
	{ CONTAINER_FILE_BUNDLE, KUBERNETES, "web-0/app", true },
	{ CONTAINER_FILE_BUNDLE, KUBERNETES, "shop/web-0/app", true },
	{ CONTAINER_FILE_BUNDLE, KUBERNETES, "shop", false },
	{ CONTAINER_FILE_BUNDLE, KUBERNETES, "shop/web-0", false },
	{ CONTAINER_FILE_BUNDLE, CRIO, "shop/web-0/app", true },
	{ CONTAINER_FILE_BUNDLE, CRIO, "app", true },
	{ CONTAINER_FILE_BUNDLE, "{\"annotations\":{\"nerdctl/name\":\"web\"}}", "web", true },
	{ CONTAINER_FILE_BUNDLE, "{\"annotations\":[]}", "web", false },
	{ CONTAINER_FILE_BUNDLE, "[]", "web", false },
	{ CONTAINER_FILE_STORAGE, STORAGE, "web", true },
	{ CONTAINER_FILE_STORAGE, STORAGE, "also", true },
	{ CONTAINER_FILE_STORAGE, STORAGE, "other", false },
	{ CONTAINER_FILE_STORAGE, "[{\"names\":[\"web\"]},5,null]", "web", false },
	{ CONTAINER_FILE_STORAGE, "{\"names\":{}}", "web", false },
};

static void test_names(void **state)
{
	const struct container_id id = { ID };
	bool denied = false;

	(void)state;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (container_named_in(named[i].kind, named[i].text, strlen(named[i].text), &id,
				       named[i].name) != named[i].found)
			fail_msg("'%s' in %s", named[i].name, named[i].text);
	assert_false(container_has_name(&id, "", &denied));
	assert_false(container_has_name(&id, "no-such-name", &denied));
}

/* Deeper than any reader goes, and bytes that are no text. */
static void test_hostile_names(void **state)
{
	enum { DEEP = 1 << 20 };
	const struct container_id id = { ID };
	char *deep = malloc(DEEP + 1);

	(void)state;
	assert_non_null(deep);
	memset(deep, '[', DEEP);
	deep[DEEP] = '\0';
	for (int kind = CONTAINER_FILE_DOCKER; kind <= CONTAINER_FILE_STORAGE; kind++) {
		assert_false(container_named_in(kind, deep, DEEP, &id, "web"));
		assert_false(
			container_named_in(kind, "{\"Name\":\"\xff\xfe\0web\"}", 18, &id, "web"));
	}
	free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	      cmocka_unit_test(test_of_pid),
		cmocka_unit_test(test_id_fits),	      cmocka_unit_test(test_names),
		cmocka_unit_test(test_hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
