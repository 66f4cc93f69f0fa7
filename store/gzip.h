/* gzip.h - bytes as gzip has them (RFC 1952), by zlib, which is opened when it is first wanted. */
#ifndef STORE_GZIP_H
#define STORE_GZIP_H

#include "core/base/buf.h"
#include "core/base/err.h"

struct gzip;

/* `level`: 1 (fast) to 9 (small).  -ENOENT with words when the library is not there. */
int gzip_new(int level, struct gzip **ret, struct err *err);
void gzip_free(struct gzip *g); /* NULL is fine */
/* Append one whole gzip file that holds these bytes. */
int gzip_put(struct gzip *g, const void *p, size_t len, struct buf *to, struct err *err);

#endif
