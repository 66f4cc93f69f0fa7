/* reply.h - pieces of answers. */
#ifndef CORE_CTL_REPLY_H
#define CORE_CTL_REPLY_H

#include <stdint.h>

#include "core/base/buf.h"

/* A size as ldmsd prints it: with the largest unit that divides it ("4KB"), or "-1" for no limit; quoted. */
void reply_size(struct buf *b, int64_t bytes);
/* A JSON string with its quotes, escaped; NULL gives "-". */
void reply_string(struct buf *b, const char *s);

#endif
