/* SPDX-License-Identifier: BSD-2-Clause */
/* Files as they are, and their sizes. They are in $(O)/page, where the Makefile lets the assembler look. */
#include "render/html_page.h"

#define EMBED(name, file)                                \
	__asm__(".pushsection .rodata\n"                 \
		".global " #name "\n" #name ":\n"        \
		".incbin \"" file "\"\n" #name "_end:\n" \
		".balign 8\n"                            \
		".global " #name "_sz\n" #name "_sz:\n"  \
		".quad " #name "_end - " #name "\n"      \
		".popsection\n")

EMBED(html_page_head, "page/head.html");
EMBED(html_page_tail, "page/tail.html");
