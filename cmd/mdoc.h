/* mdoc.h - text of tables, for manuals. */
#ifndef CMD_MDOC_H
#define CMD_MDOC_H

#include "core/base/buf.h"

/* A line that begins with this text, its first letter large: mdoc has two characters of its own. */
void mdoc_put_text(struct buf *b, const char *text);

#endif
