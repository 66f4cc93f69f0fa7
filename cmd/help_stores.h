/* help_stores.h - the tables of stores, for manuals. */
#ifndef CMD_HELP_STORES_H
#define CMD_HELP_STORES_H

#include <stdbool.h>

#include "core/base/buf.h"

/* What stands between two marks in ldms-stores(7): one store, with its short forms, an example, what becomes of rows, and
 * its attributes.  False: there is no store of that name. */
bool help_store(struct buf *b, const char *name);

#endif
