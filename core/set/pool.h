/* pool.h - mapped memory for sets, with a ceiling.
 *
 * The pool grows by chunks of mapped memory up to its ceiling and never moves what it gave out; a transport may register
 * the chunks.  Threads may use it at once.
 */
#ifndef CORE_SET_POOL_H
#define CORE_SET_POOL_H

#include <stddef.h>

#include "core/base/err.h"

struct pool;

struct pool *pool_new(size_t ceiling_bytes); /* 0: no ceiling */
void pool_free(struct pool *p);              /* everything given out must be back */
/* Zeroed, 64-byte aligned if at least 64 bytes, else 8; NULL (and words: used, ceiling, `--mem`) when full. */
void *pool_alloc(struct pool *p, size_t size, struct err *err);
void pool_put(struct pool *p, void *mem); /* NULL is fine */
size_t pool_used(const struct pool *p);
size_t pool_count(const struct pool *p); /* of what is given out */
size_t pool_mapped(const struct pool *p);
size_t pool_ceiling(const struct pool *p);
void pool_ceiling_set(struct pool *p, size_t ceiling_bytes);

#endif
