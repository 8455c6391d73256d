/* SPDX-License-Identifier: BSD-2-Clause */
/* How a size class divides among sites, by one kind of evidence. All are shares of the class: 0 to 1. */
#ifndef GALLOP_ESTIMATE_SHARES_H
#define GALLOP_ESTIMATE_SHARES_H

#include <stddef.h>
#include <stdint.h>

struct share {
	uint32_t site;
	double share, variance, systematic;
};

struct shares {
	struct share *v; /* sorted by site, each once; they and what is unsampled are 1 in sum */
	size_t nr, cap;
	double unsampled;
};

#endif
