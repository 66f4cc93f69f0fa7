/* snappy.h - bytes as Snappy's raw format has them, without and with its library. */
#ifndef STORE_SNAPPY_H
#define STORE_SNAPPY_H

#include "core/base/buf.h"

/* Append them, compressed where libsnappy is installed (it is opened when it is first wanted); as literals, which every
 * reader of the format takes, where it is not.  `len` is below 4 GB. */
void snappy_put(const void *p, size_t len, struct buf *to);
void snappy_put_literals(const void *p, size_t len, struct buf *to);

#endif
