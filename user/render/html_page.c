/* SPDX-License-Identifier: BSD-2-Clause */
/* Files as they are, between two names each. They are in $(O)/page, where the Makefile lets the assembler look. */
#include "render/html_page.h"

#define EMBED(name, file)                                 \
	__asm__(".pushsection .rodata\n"                  \
		".global " #name "\n" #name ":\n"         \
		".incbin \"" file "\"\n"                  \
		".global " #name "_end\n" #name "_end:\n" \
		".byte 0\n"                               \
		".popsection\n")

EMBED(html_page_head, "page/head.html");
EMBED(html_page_tail, "page/tail.html");
