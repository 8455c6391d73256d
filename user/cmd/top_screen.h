/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop top on a terminal's screen. */
#ifndef GALLOP_CMD_TOP_SCREEN_H
#define GALLOP_CMD_TOP_SCREEN_H

#include "cmd/cmd.h"

/* Are standard input and output a terminal that can show it? */
bool top_screen_is_possible(void);

/* Until the user or the target ends it; then a summary is printed. The exit status, or -errno. */
int top_screen(const struct options *opts, struct err *err);

#endif
