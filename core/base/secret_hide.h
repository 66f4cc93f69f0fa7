/* secret_hide.h - texts for people and logs, without the secrets in them. */
#ifndef CORE_BASE_SECRET_HIDE_H
#define CORE_BASE_SECRET_HIDE_H

#include "core/base/buf.h"

/* In the text from `from` on, each NAME=VALUE (VALUE up to the next blank) whose name says password, secret or token, and
 * not that a file holds it, becomes NAME=***; so do users of URLs, and what stands behind their question mark. */
void secrets_hide(struct buf *b, size_t from);

#endif
