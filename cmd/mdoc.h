/* mdoc.h - text of tables, for manuals. */
#ifndef CMD_MDOC_H
#define CMD_MDOC_H

#include "core/base/buf.h"

/* A line that begins with this text: mdoc has two characters of its own. */
void mdoc_put_line(struct buf *b, const char *text);
/* The same, its first letter large, where that is no word of the machine. */
void mdoc_put_text(struct buf *b, const char *text);
/* "a|b" as alternatives, in a line of a macro. */
void mdoc_put_words(struct buf *b, const char *words);

#endif
