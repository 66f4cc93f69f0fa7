/* shard.h - which of N daemons takes what has a name: each name is one daemon's, and they need not talk.
 *
 * Rendezvous hashing: of the N numbers that the name gives, one for each daemon, the largest wins.  With one daemon more
 * only the names that it wins move.  The numbers are frozen: daemons of different versions must agree.
 */
#ifndef CORE_BASE_SHARD_H
#define CORE_BASE_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

#define SHARDS_MAX 1024 /* each costs a hash when a set is met first */

struct shard {
	uint32_t k, n; /* the k-th of n, from 1 on; n 0: all is taken */
};

/* "2/3".  -EINVAL. */
int shard_parse(const char *text, struct shard *ret, struct err *err);
bool shard_takes(const struct shard *sh, const char *name);

#endif
