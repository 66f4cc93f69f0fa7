/* reply.h - pieces of answers. */
#ifndef CORE_CTL_REPLY_H
#define CORE_CTL_REPLY_H

#include "core/base/buf.h"

/* A JSON string with its quotes, escaped; NULL gives "-". */
void reply_string(struct buf *b, const char *s);

#endif
