/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of maps. */
#ifndef GALLOP_RECORD_READ_MAPS_H
#define GALLOP_RECORD_READ_MAPS_H

#include "record/reader.h"

/* In the order of reading, after all other tables; ends with sql == NULL. */
extern const struct reader_query map_queries[];

#endif
