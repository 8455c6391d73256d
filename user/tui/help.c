/* SPDX-License-Identifier: BSD-2-Clause */
/* What '?' shows. */
#include "tui/tabs.h"

void help_say(FILE *out)
{
	fputs("1-5 Tab      tabs: Sites, Types, Maps, GC, Probes. 2 again: size classes;\n"
	      "             3, 4 again: a report of maps, of the collector\n"
	      "arrows j k   up and down; PgUp PgDn, g G, Home End\n"
	      "Enter        where the row's allocations come from, as a tree; what a map or a\n"
	      "             cycle is about. In the tree: open and close (+ and - before a name)\n"
	      "i            in the tree: who calls it, or all that its function allocates\n"
	      "Esc q        back, and out; Backspace: back\n"
	      "< >          sort by the column to the left, to the right (* marks it)\n"
	      "b n r        sort by bytes, by objects; the other way round (^)\n"
	      "/ n N        search (a regular expression), the next, the one before; nothing\n"
	      "             to search for: n sorts again\n"
	      "f or \\       show only rows that match; !PATTERN those that don't; empty: all\n"
	      "c            of the last interval, or of all the time since the start\n"
	      "z Z          allocations from now on; from the start again\n"
	      "m d          mark these rates; show how they have changed since\n"
	      "p Space      pause: the screen stays, counting goes on; graphs leave it out\n"
	      "F            the cursor follows its row, wherever that is sorted to\n"
	      "o            the runtime's own frames, too\n"
	      "+ -          longer, shorter intervals (longer by themselves with very many sites)\n"
	      "s            save all since the start: the file's suffix chooses the format\n"
	      "C Ctrl-L     the next theme; draw all anew\n"
	      "\n"
	      "Numbers are exact, or have a column +-: the half-width of their 95 % interval. "
	      "There\n"
	      "'noise' reaches down to 0, and '?' is of too few windows to tell.\n"
	      "The graph of the heap is what the last cycle found, underlined where one\n"
	      "ended; that of the collector is its longest pause.\n",
	      out);
}
