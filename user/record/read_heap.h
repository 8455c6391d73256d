/* SPDX-License-Identifier: BSD-2-Clause */
/* The live heap, from a recording. */
#ifndef GALLOP_RECORD_READ_HEAP_H
#define GALLOP_RECORD_READ_HEAP_H

#include "record/reader.h"

extern const struct reader_query heap_queries[];

#endif
