/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for people. Each function returns its text by value: fmt_bytes(n).s lives until the end
 * of the full expression, so it can be an argument of printf and needs no buffer.
 */
#ifndef GALLOP_BASE_FMT_H
#define GALLOP_BASE_FMT_H

#include <stdint.h>

struct fmt {
	char s[32];
};

struct fmt fmt_count(uint64_t n); /* "292,404" */
struct fmt fmt_bytes(uint64_t n); /* "512 B", "1.2 MiB" */
struct fmt fmt_duration(uint64_t ns); /* "350 us", "1.5 s", "2 min 05 s", "3 h 07 min" */
struct fmt fmt_time(uint64_t ns); /* three digits: "999 ns", "1.23 ms", "45.6 s" */
struct fmt fmt_percent(uint64_t part, uint64_t whole); /* "35.6 %"; "-" of nothing */

/* A mean of counts: "3.00", "1,024.50", "0.0012"; whole from a million on. And for programs: "1024.5". */
struct fmt fmt_mean(double v);
struct fmt fmt_decimal(double v);

/* n in dur_ns, as a count or as bytes a second. "-" if no time has passed. */
struct fmt fmt_count_rate(uint64_t n, uint64_t dur_ns); /* "29,240" */
struct fmt fmt_bytes_rate(uint64_t n, uint64_t dur_ns); /* "3.4 MiB" */
struct fmt fmt_rate(uint64_t n, uint64_t dur_ns); /* of rare things: "0.52", "29,240" */

/*
 * part of whole to a thousandth of a percent, for comparing counts: it says "100.000 %" only if
 * they are equal, as what differs is rounded away from equality.
 */
struct fmt fmt_ratio(uint64_t part, uint64_t whole);

#endif
