/* stream_csv_line.h - lines of CSV of a JSON message: see store/stream_csv_store.c. */
#ifndef STORE_STREAM_CSV_LINE_H
#define STORE_STREAM_CSV_LINE_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* The columns of a stream, as its first message has them. */
struct scsv;
/* -EINVAL with words: it has no columns. */
int scsv_new(const char *text, size_t len, struct scsv **ret, struct err *err);
void scsv_free(struct scsv *c);
void scsv_head_add(struct buf *b, const struct scsv *c);
/* The lines of one message, at most `max` bytes of them; -EINVAL with words when it has none.  *ret_left_out: the first
 * of its members that there is no column for (borrowed from the text), or NULL. */
struct scsv_key {
	const char *p;
	size_t len;
};
int scsv_lines_add(struct buf *b, struct scsv *c, const char *text, size_t len, size_t max,
		   struct scsv_key *ret_left_out, struct err *err);

#endif
