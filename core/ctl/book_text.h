/* book_text.h - a configuration as text, taken as if its commands had been carried out. */
#ifndef CORE_CTL_BOOK_TEXT_H
#define CORE_CTL_BOOK_TEXT_H

#include "core/ctl/book.h"

/* Add the commands, one in each line, to the book; nothing is carried out, and ${NAME} stays as it is written: the
 * daemon that is told replaces it.  At the first one that is not known or does not suit: a negative errno with its
 * number. */
int book_take(struct book *b, const char *text, struct err *err);
/* The same, and lines of no use are passed over: for what a peer says. */
void book_take_all(struct book *b, const char *text);

/* Where `want` has ${NAME} and `have` something that it may stand for, an object of `want` gets what `have` has. */
void book_unify(struct book *want, const struct book *have);
/* Are two objects the same, down to whether they run? */
bool book_item_same(const struct book_item *a, const struct book_item *b);

#endif
