/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of garbage collection. */
#ifndef GALLOP_RECORD_READ_GC_H
#define GALLOP_RECORD_READ_GC_H

#include "record/reader.h"

/* In the order of reading, after all other tables; ends with sql == NULL. */
extern const struct reader_query gc_queries[];

#endif
