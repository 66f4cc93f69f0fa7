/* spool_impl.h - the inside of a spool, shared by spool.c (the segments, writing), spool_open.c (what the last process
 * left) and spool_read.c. */
#ifndef CORE_DAEMON_SPOOL_IMPL_H
#define CORE_DAEMON_SPOOL_IMPL_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/daemon/spool.h"
#include "core/daemon/spool_metas.h"
#include "core/daemon/spool_record.h"
#include "store/undo.h"

#define SPOOL_SEGMENT_MAX (16u << 20) /* what opening may have to look through; a spool has at least eight */

struct segment {
	uint64_t first; /* number of its first record */
	uint64_t bytes; /* whole records */
	int64_t made_us, last_us;
};

/* What is on the mapped page. */
struct account {
	char magic[8];
	struct spool_counts counts;
};

struct spool {
	char *dir;
	uint64_t bytes_max, segment_max;
	int account_fd;
	struct account *account;
	struct undo *undo;
	struct segment *segs; /* the oldest first */
	size_t n_segs;
	uint64_t bytes, tail;
	int fd; /* of the last segment, when we write to it; else -1 */
	struct buf out;
	struct spool_metas written; /* in that segment */

	/* reading */
	int read_fd; /* of segs[0 ..] with read_first; or -1 */
	uint64_t read_first, read_off, at;
	struct buf in;           /* bytes from read_off on */
	struct spool_metas read; /* in it, as far as it was read */
	struct snap *cur;
	uint32_t cur_size, cur_rows_done;
	uint64_t spoilt;
};

char *spool_path(const struct spool *sp, uint64_t first);
void segment_add(struct spool *sp, const struct segment *seg);
/* Read up to `want` bytes from `off` on; fewer at the end.  A negative errno. */
int64_t spool_pread(int fd, struct buf *b, uint64_t off, size_t want);
void spool_read_end(struct spool *sp);

#endif
