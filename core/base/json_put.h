/* json_put.h - strings and numbers as JSON wants them. */
#ifndef CORE_BASE_JSON_PUT_H
#define CORE_BASE_JSON_PUT_H

#include "core/base/buf.h"

/* A string with its quotes: escaped, also what would do something to a terminal, and valid UTF-8 whatever the bytes are
 * (one that is no part of a character becomes U+0000 to U+00FF, as in Latin-1). */
void json_put_text(struct buf *to, const char *p, size_t len);
void json_put_str(struct buf *to, const char *s);
/* The fewest digits that read back as the same number; null for those that JSON has not (infinite, not a number). */
void json_put_f32(struct buf *to, float f);
void json_put_d64(struct buf *to, double d);

#endif
