/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of libbpf's header, for BPF programs that tests run on the host: maps are lists, the process's memory is what
 * the test says, the clock is a number.
 */
#ifndef GALLOP_TESTS_KERNEL_BPF_HELPERS_H
#define GALLOP_TESTS_KERNEL_BPF_HELPERS_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define barrier_var(var) ((void)0)

/* What a test sets. */
static struct {
	uint64_t now_ns, cookie;
	const void *memory; /* all that can be read of the process */
	size_t memory_sz;
	size_t hash_max; /* elements of each hash */
	size_t sent; /* records, to any ring */
} kernel;

struct kernel_element {
	const void *map;
	char key[64];
	uint64_t value[40];
	struct kernel_element *next;
};

static struct kernel_element *kernel_elements;

static inline struct kernel_element **kernel_find(const void *map, const void *key, size_t key_sz)
{
	struct kernel_element **e = &kernel_elements;

	while (*e && ((*e)->map != map || memcmp((*e)->key, key, key_sz) != 0))
		e = &(*e)->next;
	return e;
}

static inline size_t kernel_count(const void *map)
{
	size_t nr = 0;

	for (const struct kernel_element *e = kernel_elements; e; e = e->next)
		nr += e->map == map;
	return nr;
}

static inline void *kernel_add(const void *map, const void *key, size_t key_sz)
{
	struct kernel_element *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->map = map;
	memcpy(e->key, key, key_sz);
	e->next = kernel_elements;
	kernel_elements = e;
	return e->value;
}

/* An array has all its elements from the start. */
static inline void *kernel_lookup(const void *map, int is_array, const void *key, size_t key_sz)
{
	struct kernel_element *e = *kernel_find(map, key, key_sz);

	if (e)
		return e->value;
	return is_array ? kernel_add(map, key, key_sz) : NULL;
}

static inline long kernel_update(const void *map, const void *key, size_t key_sz, const void *value,
				 size_t value_sz, uint64_t flags)
{
	struct kernel_element *e = *kernel_find(map, key, key_sz);

	if (e && flags == 1)
		return -EEXIST;
	if (!e && kernel_count(map) >= kernel.hash_max)
		return -E2BIG;
	memcpy(e ? e->value : kernel_add(map, key, key_sz), value, value_sz);
	return 0;
}

static inline long kernel_delete(const void *map, const void *key, size_t key_sz)
{
	struct kernel_element **at = kernel_find(map, key, key_sz), *e = *at;

	if (!e)
		return -ENOENT;
	*at = e->next;
	free(e);
	return 0;
}

static inline void kernel_reset(void)
{
	while (kernel_elements) {
		struct kernel_element *next = kernel_elements->next;

		free(kernel_elements);
		kernel_elements = next;
	}
	memset(&kernel, 0, sizeof(kernel));
	kernel.hash_max = 64;
}

#define KERNEL_KEY_SZ(map) sizeof(*(map)->key)
#define bpf_map_lookup_elem(map, k)                                                 \
	({                                                                          \
		_Static_assert(sizeof(*(map)->value) <=                             \
				       sizeof(((struct kernel_element *)0)->value), \
			       "too large");                                        \
		kernel_lookup(map, sizeof(*(map)->type) == 2 * sizeof(int), k,      \
			      KERNEL_KEY_SZ(map));                                  \
	})
#define bpf_map_update_elem(map, k, v, flags) \
	kernel_update(map, k, KERNEL_KEY_SZ(map), v, sizeof(*(map)->value), flags)
#define bpf_tail_call(ctx, programs, index) ((void)(ctx)) /* there is none */
#define bpf_map_delete_elem(map, k) kernel_delete(map, k, KERNEL_KEY_SZ(map))

static inline long bpf_probe_read_user(void *dst, uint32_t size, const void *src)
{
	uintptr_t at = (uintptr_t)src - (uintptr_t)kernel.memory;

	memset(dst, 0, size);
	if (at > kernel.memory_sz || kernel.memory_sz - at < size)
		return -EFAULT;
	memcpy(dst, src, size);
	return 0;
}

/* Nobody listens. */
static inline long bpf_ringbuf_output(const void *ring, const void *data, uint64_t size,
				      uint64_t flags)
{
	(void)ring, (void)data, (void)size, (void)flags;
	kernel.sent++;
	return 0;
}

static inline uint64_t bpf_ktime_get_ns(void)
{
	return kernel.now_ns;
}

static inline uint64_t bpf_get_attach_cookie(const void *ctx)
{
	(void)ctx;
	return kernel.cookie;
}

static inline uint32_t bpf_get_smp_processor_id(void)
{
	return 0;
}

static inline uint64_t bpf_get_current_pid_tgid(void)
{
	return 1ULL << 32 | 1;
}

#endif
