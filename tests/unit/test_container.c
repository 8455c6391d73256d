/* SPDX-License-Identifier: BSD-2-Clause */
/* The control group paths that engines make, one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/container.h"

#define ID "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define OUTER "0000000000001111111111111111111111111111111111111111111111111111"
#define POD "pod0b1c2d3e_4f50_6172_8394_a5b6c7d8e9f0"

static const struct {
	const char *what, *cgroup, *id;
} cases[] = {
	{ "no container", "0::/user.slice/user-1000.slice/session-2.scope\n", "" },
	{ "root", "0::/\n", "" },
	{ "empty", "", "" },
	{ "docker, cgroup v1", "12:memory:/docker/" ID "\n11:cpu,cpuacct:/docker/" ID "\n",
	  "3f4b1c2d5e6f" },
	{ "only one hierarchy", "12:pids:/\n3:memory:/docker/" ID "\n1:name=systemd:/\n",
	  "3f4b1c2d5e6f" },
	{ "docker, systemd", "0::/system.slice/docker-" ID ".scope\n", "3f4b1c2d5e6f" },
	{ "docker, process below", "0::/system.slice/docker-" ID ".scope/init\n", "3f4b1c2d5e6f" },
	{ "podman", "0::/machine.slice/libpod-" ID ".scope/container\n", "3f4b1c2d5e6f" },
	{ "podman, rootless",
	  "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n",
	  "3f4b1c2d5e6f" },
	{ "podman's monitor", "0::/machine.slice/libpod-conmon-" ID ".scope\n", "" },
	{ "cri-o", "0::/kubepods.slice/kubepods-" POD ".slice/crio-" ID ".scope\n",
	  "3f4b1c2d5e6f" },
	{ "cri-o's monitor", "0::/kubepods.slice/kubepods-" POD ".slice/crio-conmon-" ID ".scope\n",
	  "" },
	{ "kubernetes, cgroupfs",
	  "0::/kubepods/burstable/pod0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/" ID "\n",
	  "3f4b1c2d5e6f" },
	{ "kubernetes, systemd",
	  "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" POD
	  ".slice/cri-containerd-" ID ".scope\n",
	  "3f4b1c2d5e6f" },
	{ "containerd, colons",
	  "0::/system.slice/containerd.service/kubepods-" POD ".slice:cri-containerd:" ID "\n",
	  "3f4b1c2d5e6f" },
	{ "containerd by itself", "0::/default/" ID "\n", "3f4b1c2d5e6f" },
	{ "one in another: the inner", "0::/docker/" OUTER "/kubelet/kubepods/" ID "\n",
	  "3f4b1c2d5e6f" },
	{ "no newline at the end", "0::/docker/" ID, "3f4b1c2d5e6f" },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_of_pid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
