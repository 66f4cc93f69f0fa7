/* undo_impl.h - the notes of undo.h, shared by undo.c (who writes them) and undo_apply.c */
#ifndef STORE_UNDO_IMPL_H
#define STORE_UNDO_IMPL_H

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/crc32c.h"

#define UNDO_MAGIC "LDMSUND1"
#define UNDO_UNIT  64
#define UNDO_TAIL  256 /* bytes of a write that tell it from another one of the same length and place */

struct undo_head {
	char magic[8];
	uint64_t taken, again, end, round;
};

struct undo_note {
	uint32_t size, path_len, to_len, len;
	uint64_t ino, before;
	uint32_t tail_sum, sum;
	uint8_t pad[16];
	uint64_t round;
};

static_assert(sizeof(struct undo_note) == UNDO_UNIT, "as undo.h says");

struct undo {
	char *path;
	int fd;
	pthread_mutex_t lock; /* for all below: files are rolled over by threads of the stores' */
	struct undo_head head;
	struct undo_note last; /* size 0: none */
	struct buf out;
	bool failing; /* said */
};

static inline uint32_t undo_tail_sum(const void *p, size_t len)
{
	size_t n = len < UNDO_TAIL ? len : UNDO_TAIL;

	return crc32c((const uint8_t *)p + len - n, n);
}

#endif
