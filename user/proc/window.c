/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/u64.h"
#include "proc/places.h"

enum { PAGE_SZ = 4096, PAGES_NR = WINDOW_SZ / PAGE_SZ };

struct window {
	uint64_t number; /* of the 64 KiB of memory that it shows */
	struct place pages[PAGES_NR];
	unsigned char bytes[WINDOW_SZ];
};

void windows_init(struct windows *w, const struct proc *proc)
{
	*w = (struct windows){ .proc = proc };
}

void windows_deinit(struct windows *w)
{
	for (size_t i = 0; i < WINDOW_KEPT; i++)
		free(w->kept[i]);
}

/* Pages that aren't mapped stay out of it. */
static int fill(struct windows *w, struct window *win, uint64_t number)
{
	int faults_left = 2 * PAGES_NR;

	if (w->reads_nr++ >= WINDOW_READS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < PAGES_NR; i++)
		win->pages[i] = (struct place){ .addr = number * WINDOW_SZ + i * PAGE_SZ,
						.buf = win->bytes + i * PAGE_SZ,
						.len = PAGE_SZ };
	int code = places_read(w->proc, win->pages, PAGES_NR, &faults_left);
	/* A window that could not be read must not be taken for one that was. */
	win->number = code ? UINT64_MAX : number;
	return code;
}

static int find(struct windows *w, uint64_t number, struct window **ret)
{
	struct window **win = &w->kept[number % WINDOW_KEPT];

	if (!*win) {
		*win = malloc(sizeof(**win));
		if (!*win)
			return -ENOMEM;
		(*win)->number = UINT64_MAX;
	}
	*ret = *win;
	return (*win)->number == number ? 0 : fill(w, *win, number);
}

int windows_read(struct windows *w, uint64_t addr, void *buf, size_t len)
{
	unsigned char *to = buf;

	if (len > UINT64_MAX - addr)
		return -EFAULT;
	while (len) {
		size_t at = addr % WINDOW_SZ;
		size_t n = min_u64(len, PAGE_SZ - at % PAGE_SZ);
		struct window *win;
		int code = find(w, addr / WINDOW_SZ, &win);

		if (code)
			return code;
		if (!win->pages[at / PAGE_SZ].ok)
			return -EFAULT;
		memcpy(to, win->bytes + at, n);
		to += n;
		addr += n;
		len -= n;
	}
	return 0;
}
