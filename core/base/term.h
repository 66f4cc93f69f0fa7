/* term.h - text from elsewhere on a terminal: nothing in it moves the cursor, changes colours or turns words around. */
#ifndef CORE_BASE_TERM_H
#define CORE_BASE_TERM_H

#include "core/base/buf.h"

enum term_form {
	TERM_LINE, /* a part of a line: also line ends and tabs are escaped */
	TERM_TEXT, /* lines */
	TERM_JSON, /* valid JSON, which stays the same value */
};

/* Control characters, bytes that are no UTF-8, and those that reverse text appear as escapes: \n, \x1b, \u202e. */
void term_put(struct buf *to, const char *p, size_t len, enum term_form form);
/* Columns that the text takes: one for each character. */
size_t term_width(const char *text);

#endif
