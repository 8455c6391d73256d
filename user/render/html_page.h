/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands before and behind the data of every HTML page: made of page/ by tools/html-page. */
#ifndef GALLOP_RENDER_HTML_PAGE_H
#define GALLOP_RENDER_HTML_PAGE_H

#include <stdint.h>

extern const char html_page_head[], html_page_tail[];
extern const uint64_t html_page_head_sz,
	html_page_tail_sz; /* bytes; there is no '\0' behind them */

#endif
