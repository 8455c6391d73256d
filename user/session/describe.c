/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/describe.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "gobin/gobin.h"
#include "model/model.h"
#include "proc/proc.h"

void describe_target(struct model *m, struct gobin *bin, const struct proc *proc, const char *path)
{
	struct model_meta *meta = model_meta(m);
	const struct gobin_info *info = gobin_info(bin);
	struct utsname uts;

#define SET(field, ...) snprintf(meta->field, sizeof(meta->field), __VA_ARGS__)
	SET(gallop_version, "%s", GALLOP_VERSION);
	SET(exe, "%s", proc ? proc->exe : path);
	SET(go_version, "%s", info->go_version);
	SET(module, "%s", info->module[0] ? info->module : info->main_path);
	SET(build_id, "%s", info->build_id);
	if (!uname(&uts))
		SET(kernel, "%.60s %.60s", uts.release, uts.machine);
	const char *base = strrchr(meta->exe, '/');
	SET(comm, "%.15s", proc ? proc->comm : base ? base + 1 : meta->exe);
#undef SET
	if (!proc)
		return;
	proc_cmdline(proc, meta->cmdline, sizeof(meta->cmdline));
}

void describe_state(struct model *m, const struct proc *proc)
{
	if (proc->stopped)
		model_add_note(m, "the process was stopped when gallop came (SIGSTOP, or a "
				  "debugger): nothing happens in it until it goes on");
}
