/* help_samplers.h - the table of samplers, for manuals. */
#ifndef CMD_HELP_SAMPLERS_H
#define CMD_HELP_SAMPLERS_H

#include "core/base/buf.h"

/* What stands between two marks in ldms-samplers(7): each with its source and its attributes. */
void help_samplers(struct buf *b);

#endif
