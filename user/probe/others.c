/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes of others on the same process: what they cost comes on top of what ours do, and neither tracer can tell.
 *
 * The kernel numbers all links, whoever made them, and says of a uprobe_multi link which process it is for (since Linux
 * 6.8). Of perf uprobes, and of probes on all processes, it doesn't. It takes CAP_SYS_ADMIN (Linux kernel/bpf/syscall.c,
 * bpf_link_get_fd_by_id), and nothing else does for as long: one thread keeps it, which reads nothing that the target says.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "probe/priv.h"

enum {
	LINKS_MAX = 4096, /* that are looked at */
	LINK_TYPE_UPROBE_MULTI = 12, /* Linux 6.6 include/uapi/linux/bpf.h, enum bpf_link_type */
};

/* The same file of Linux 6.8, struct bpf_link_info: headers that are older don't have it. */
struct link_info {
	uint32_t type, id, prog_id, pad;
	uint64_t path, offsets, ref_ctr_offsets, cookies; /* where to copy these to, 0: nowhere */
	uint32_t path_size, count, flags, pid;
};

union link_info_buf {
	struct link_info multi;
	struct bpf_link_info any;
};

static bool is_own(const struct probe *p, uint32_t prog_id)
{
	for (size_t i = 0; i < p->prog_ids_nr; i++)
		if (p->prog_ids[i] == prog_id)
			return true;
	return false;
}

/* How many probes it is, if it is another's on this process. An older kernel fills in less than there is. */
static size_t others_of(const struct probe *p, uint32_t id)
{
	_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
	union link_info_buf info = { 0 };
	uint32_t len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	const struct link_info *multi = &info.multi;
	if (len < sizeof(*multi) || multi->type != LINK_TYPE_UPROBE_MULTI)
		return 0;
	return multi->pid == (uint32_t)p->pid && !is_own(p, multi->prog_id) ? multi->count : 0;
}

static size_t look(const struct probe *p)
{
	size_t nr = 0;
	uint32_t id = 0;
	int rc = 0;

	for (int i = 0; i < LINKS_MAX && !(rc = bpf_link_get_next_id(id, &id)); i++)
		nr += others_of(p, id);
	return rc == -EPERM ? p->others_nr : nr;
}

/* --- a thread that may, where others may no more ---------------------------------------------- */

struct probe_looker {
	const struct probe *probe;
	pthread_t thread;
	pthread_mutex_t lock; /* of who asks */
	sem_t ask, answered;
	bool ends;
	size_t nr;
};

static void looker_free(struct probe_looker *l)
{
	sem_destroy(&l->ask);
	sem_destroy(&l->answered);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void *run_looker(void *arg)
{
	struct probe_looker *l = arg;

	(void)caps_keep(CAPS(CAP_SYS_ADMIN));
	sem_post(&l->answered);
	for (;;) {
		while (sem_wait(&l->ask))
			;
		if (l->ends)
			return NULL;
		l->nr = look(l->probe);
		sem_post(&l->answered);
	}
}

static void await(struct probe_looker *l)
{
	while (sem_wait(&l->answered))
		;
}

/* Signals are for the thread that was there before. */
static int start(struct probe_looker *l)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&l->thread, NULL, run_looker, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

void probe_keep_looking(struct probe *p)
{
	struct probe_looker *l = calloc(1, sizeof(*l));

	if (!l)
		return;
	l->probe = p;
	pthread_mutex_init(&l->lock, NULL);
	sem_init(&l->ask, 0, 0);
	sem_init(&l->answered, 0, 0);
	if (start(l)) {
		looker_free(l);
		return;
	}
	await(l); /* it has given up what it won't need */
	p->looker = l;
}

void others_close(struct probe *p)
{
	struct probe_looker *l = p->looker;

	if (!l)
		return;
	l->ends = true;
	sem_post(&l->ask);
	pthread_join(l->thread, NULL);
	looker_free(l);
	p->looker = NULL;
}

size_t probe_other_places(const struct probe *p)
{
	struct probe_looker *l = p->looker;

	if (!l)
		return look(p);
	pthread_mutex_lock(&l->lock);
	sem_post(&l->ask);
	await(l);
	size_t nr = l->nr;
	pthread_mutex_unlock(&l->lock);
	return nr;
}
