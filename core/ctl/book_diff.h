/* book_diff.h - the difference of two configurations: in words, and as the commands that lead from one to the other. */
#ifndef CORE_CTL_BOOK_DIFF_H
#define CORE_CTL_BOOK_DIFF_H

#include "core/ctl/book.h"

struct book_diff;

/* Both are sorted, and must outlive it. */
struct book_diff *book_diff_new(struct book *from, struct book *to);
void book_diff_free(struct book_diff *df);
/* How many objects differ. */
size_t book_diff_n(const struct book_diff *df);
/* Readable lines: "+ prdcr n17 ...", "- strgp x", "~ updtr u interval 1s -> 2s (restart)". */
void book_diff_put(struct buf *out, const struct book_diff *df);
/* Those among them that only a restart of the daemon can bring about, in words; 0: none. */
size_t book_diff_fixed(struct buf *out, const struct book_diff *df);
/* Can the ports be opened that are not open yet? */
int book_diff_try(const struct book_diff *df, struct err *err);
/* Carry it out; at the first failure it is left as it is then, and d->book knows how far it went. */
int book_diff_apply(const struct book_diff *df, struct daemon *d, struct err *err);

#endif
