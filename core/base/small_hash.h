/* small_hash.h - for a file whose tables are many and small: of each producer, of each connection.  Include it last.
 *
 * uthash begins a table with 32 buckets, 512 bytes; here with 4, and it doubles as it fills.
 */
#ifndef CORE_BASE_SMALL_HASH_H
#define CORE_BASE_SMALL_HASH_H

#include <uthash.h>

#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#define HASH_INITIAL_NUM_BUCKETS      4U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 2U

#endif
