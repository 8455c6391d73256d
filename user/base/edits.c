/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/edits.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

uint32_t edits(const char *a, const char *b, uint32_t max)
{
	size_t a_len = strnlen(a, EDITS_LEN_MAX), b_len = strnlen(b, EDITS_LEN_MAX);
	uint32_t row[EDITS_LEN_MAX + 1];

	if (a_len > b_len + max || b_len > a_len + max)
		return max + 1;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = (uint32_t)j;
	for (size_t i = 1; i <= a_len; i++) {
		uint32_t diagonal = row[0], least = row[0] = (uint32_t)i;

		for (size_t j = 1; j <= b_len; j++) {
			bool same = tolower((unsigned char)a[i - 1]) ==
				    tolower((unsigned char)b[j - 1]);
			uint32_t best = diagonal + !same;

			best = row[j] + 1 < best ? row[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = row[j];
			row[j] = best;
			least = best < least ? best : least;
		}
		if (least > max)
			return least;
	}
	return row[b_len];
}
