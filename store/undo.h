/* undo.h - what to take back from files when a process has ended between writing rows and counting them as stored.
 *
 * Who appends to a file notes before each write where it begins and what is written (undo_note()).  Once the rows are
 * counted, all that was noted stays (undo_settle()).  When the process ends in between, by kill -9, too, the next one
 * finds the notes and cuts the files back to where they were, the last write first, so far as the rows come again
 * (undo_again()); of others only a line that is not whole goes.  Nothing is cut but what was noted: a file that somebody
 * else has written to is left alone.
 *
 * The file, all integers in the machine's order: it is never read on another one.
 *
 *   offset  size  field
 *      0     8    magic      "LDMSUND1"
 *      8     8    taken      records below this number were done with when the first note came
 *     16     8    again      what was noted comes again, if there are records from this number on; all ones: it does not
 *     24     8    end        of the notes that hold
 *     32     8    round      of these notes: others behind the head are of an earlier flush
 *     40    24    -
 *     64          notes, each in multiples of 64 bytes, so that its head is in one page and written in one piece:
 *                    0  4  size       of the note
 *                    4  4  path_len
 *                    8  4  to_len     of the new name, when the file was renamed; else 0
 *                   12  4  len        bytes written
 *                   16  8  ino        of the file
 *                   24  8  before     its length then
 *                   32  4  tail_sum   CRC-32C of the last of these bytes, 256 at most
 *                   36  4  checksum   CRC-32C of the paths
 *                   40 16  -
 *                   56  8  round
 *                   64     path, to
 */
#ifndef STORE_UNDO_H
#define STORE_UNDO_H

#include <stdint.h>

#include "core/base/err.h"

struct undo;

/* Open or make the file of notes; what the last process has left in it stays until undo_apply(). */
int undo_open(const char *path, struct undo **ret, struct err *err);
void undo_close(struct undo *u); /* NULL is fine, here and for all below */

/* These bytes are going to be appended to that regular file. */
void undo_note(struct undo *u, const char *path, int fd, const void *p, size_t len);
/* ... but only so many of them were. */
void undo_short(struct undo *u, const void *p, size_t len);
/* A file that may have been noted is going to be renamed. */
void undo_rename(struct undo *u, const char *from, const char *to);

/* What was noted is counted: it stays.  Records below `taken` are done with. */
void undo_settle(struct undo *u, uint64_t taken);
/* Records below `taken` are done with, in whatever way; the notes go on to hold. */
void undo_taken(struct undo *u, uint64_t taken);
/* What is noted until the next undo_settle() comes again if there are records from that number on; UINT64_MAX: it does
 * not. */
void undo_again(struct undo *u, uint64_t from);

/* Take back what the last process has left to do; `taken` and `tail` are what its account says of records. */
void undo_apply(struct undo *u, uint64_t taken, uint64_t tail);

#endif
