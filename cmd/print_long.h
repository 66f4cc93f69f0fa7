/* print_long.h - the contents of the text format, whose other parts stand in print_table.c. */
#ifndef CMD_PRINT_LONG_H
#define CMD_PRINT_LONG_H

#include "cmd/print.h"

void long_set(struct print *p, const struct dir_set *d, const struct image *im);

#endif
