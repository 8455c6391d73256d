/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From raw addresses of one process to names in the model, each address resolved once.
 *
 * The executable is read with no capability in effect (base/caps.h), of the thread that asks.
 */
#ifndef GALLOP_SYMBOL_SYMBOL_H
#define GALLOP_SYMBOL_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gobin;
struct model;
struct symbolizer;

/* bin and model are borrowed. 0 or -ENOMEM. */
int symbolizer_new(struct gobin *bin, struct model *model, struct symbolizer **ret);
void symbolizer_free(struct symbolizer *sym);

/*
 * A batch: capabilities are taken out of effect once, when the first address isn't known yet, and are back after
 * symbolizer_end(). What else is done in between has to do without them.
 */
void symbolizer_begin(struct symbolizer *sym);
void symbolizer_end(struct symbolizer *sym);

/*
 * Intern a stack. pcs are leaf first as the process saw them: pcs[0] a probed instruction, the others return
 * addresses. Inlined calls become frames of their own. *cut says that the walk didn't reach the root; it is cleared
 * when all that is missing is not Go. Returns the model's stack id or -errno.
 */
int64_t symbolizer_stack(struct symbolizer *sym, const uint64_t *pcs, size_t nr, uint64_t load_bias,
			 bool *cut);

/*
 * The same of a stack as the runtime's own profiles have them: return addresses only, and one for each frame, inlined
 * ones included (Go 1.19-1.27 runtime/traceback.go), which is the innermost frame of its address. What isn't Go is
 * left out, as runtime.CallersFrames does. cut: it doesn't end at a root, as a profile's stacks have a largest depth.
 */
int64_t symbolizer_profile_stack(struct symbolizer *sym, const uint64_t *pcs, size_t nr,
				 uint64_t load_bias);

/* A stack of one frame that stands for stacks that are not known: "[stack lost]". */
int64_t symbolizer_pseudo_stack(struct symbolizer *sym, const char *name);

/* Intern a type by the address of its runtime._type; 0 is memory that holds no pointers. */
int64_t symbolizer_type(struct symbolizer *sym, uint64_t addr, uint64_t load_bias);

/* The type of what the runtime's own samples don't say the type of. */
int64_t symbolizer_unknown_type(struct symbolizer *sym);

#endif
