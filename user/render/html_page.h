/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands before and behind the data of every HTML page: made of page/ by tools/html-page. */
#ifndef GALLOP_RENDER_HTML_PAGE_H
#define GALLOP_RENDER_HTML_PAGE_H

extern const char html_page_head[], html_page_head_end[];
extern const char html_page_tail[], html_page_tail_end[];

#endif
