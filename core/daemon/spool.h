/* spool.h - snapshots that wait on disk, in order, for a store that fails or is too slow.
 *
 * A folder, for one policy: `account`, a page of counters that survives the end of the process (it is mapped: kill -9
 * takes nothing from it), and segments NUMBER.spool (16 hexadecimal digits: the number of the first record), files of
 * records (spool_record.h).  Records are numbered from 0 on, without gaps.  What is read is given back by number: as
 * long as a number is not counted as taken, its record is read again by the next process; what stores of files had
 * written of it until then is noted in `undo` (store/undo.h), and taken back before.
 *
 * A spool belongs to one thread; only the account's counters are looked at by others, under the owner's lock.  What the
 * kernel has not written yet is lost with the machine (not with the process); a torn record is cut off.
 */
#ifndef CORE_DAEMON_SPOOL_H
#define CORE_DAEMON_SPOOL_H

#include <stdbool.h>

#include "core/base/err.h"
#include "core/set/snap.h"

#define SPOOL_BYTES_MIN (4u << 20)

/* Snapshots, each in a word of its own that only grows: a process may end between any two instructions. */
struct spool_counts {
	uint64_t produced;
	uint64_t stored, dropped; /* of those that never were in the spool */
	uint64_t taken;           /* records below this number are done with ... */
	uint64_t taken_dropped;   /* ... so many of them without being stored */
};

struct spool;

/* What was in the memory of a process that was killed is added to `dropped`; *ret_lost says how many.  -EBUSY: another
 * process has it. */
int spool_open(const char *dir, uint64_t bytes_max, struct spool **ret, uint64_t *ret_lost, struct err *err);
void spool_close(struct spool *sp); /* NULL is fine */
struct spool_counts *spool_counts(struct spool *sp);
/* Where a store notes what it writes, until it is counted as taken. */
struct undo *spool_undo(struct spool *sp);
uint64_t spool_tail(const struct spool *sp);  /* the number that the next record gets */
uint64_t spool_bytes(const struct spool *sp); /* on disk */
/* Is it on disk?  What somebody has removed while it is open is there until it is closed, and not for another process. */
bool spool_is_there(const struct spool *sp);

/* Append; rows_done is of the first.  All or, with words, none of them. */
int spool_add(struct spool *sp, struct snap *const *sn, size_t n, uint32_t rows_done, struct err *err);

/* The next one to store, borrowed until spool_pass(); NULL at the end.  The same until spool_pass().  Spoilt ones are
 * passed and logged. */
int spool_peek(struct spool *sp, struct snap **ret, struct err *err);
uint32_t *spool_rows_done(struct spool *sp); /* of that one */
void spool_pass(struct spool *sp);
/* Pass whatever is there. */
void spool_pass_all(struct spool *sp);
/* All below it has been passed. */
uint64_t spool_at(const struct spool *sp);
/* How many were spoilt since this was asked last. */
uint64_t spool_spoilt(struct spool *sp);

/* Remove the oldest segments until `more` bytes fit, and those that were last written before `oldest_us` (wall clock).
 * Returns the lowest number that is left. */
uint64_t spool_shrink(struct spool *sp, uint64_t more, int64_t oldest_us);
/* Remove segments of which all is taken. */
void spool_clean(struct spool *sp);

#endif
