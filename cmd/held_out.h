/* held_out.h - an output that whoever reads it does not hold up: what is not taken waits in memory. */
#ifndef CMD_HELD_OUT_H
#define CMD_HELD_OUT_H

#include <stdio.h>

/* What is written goes to `fd` while that takes it, and waits for fclose() else: at most HELD_OUT_MAX, then for the
 * reader. */
#define HELD_OUT_MAX (256u << 20)
FILE *held_out_new(int fd);

#endif
