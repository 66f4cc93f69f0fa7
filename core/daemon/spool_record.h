/* spool_record.h - one snapshot as it stands in a spool's file.
 *
 *   offset  size  field      all integers little endian
 *      0     4    size       of the record, these 32 bytes included
 *      4     4    checksum   CRC-32C of all behind it
 *      8     8    number     of the record; the next one's is one more
 *     16     4    meta_len
 *     20     4    data_len
 *     24     4    rows_done  rows of it that the store has already
 *     28     4    meta_at    with metadata: 1 when records behind it in this file refer to them, else 0; without: where
 *                            in this file the record begins whose metadata are its
 *     32          the set's metadata, or none of them, then one data element
 */
#ifndef CORE_DAEMON_SPOOL_RECORD_H
#define CORE_DAEMON_SPOOL_RECORD_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/set/snap.h"

#define SPOOL_RECORD_HDR 32

struct spool_record {
	uint32_t size, meta_len, data_len, rows_done, meta_at;
	uint64_t number;
	const uint8_t *image; /* borrowed */
};

#define SPOOL_META_KEPT 1 /* meta_at of a record that others refer to */

/* With its metadata, or without. */
void spool_record_put(struct buf *b, const struct snap *sn, uint64_t number, uint32_t rows_done, bool with_meta,
		      uint32_t meta_at);
/* What the first 4 of these bytes promise; 0: no record has that size. */
uint32_t spool_record_size(const uint8_t head[4]);
/* The record that these bytes begin with.  -EPROTO with words: torn, or spoilt. */
int spool_record_parse(const void *p, size_t len, struct spool_record *ret, struct err *err);
/* Where the next one that is whole begins in [from, len), with a number in [low, high); false: there is none.  For what is
 * behind bytes that are spoilt. */
bool spool_record_find(const uint8_t *p, size_t len, size_t from, uint64_t low, uint64_t high, size_t *ret_at,
		       uint64_t *ret_number);
/* Its metadata, where it has them, and its snapshot, with them or those it refers to; both checked as what came from a
 * peer.  -EPROTO, -ENOMEM. */
int spool_record_meta(const struct spool_record *rec, struct snap_meta **ret, struct err *err);
int spool_record_snap(const struct spool_record *rec, struct snap_meta *meta, struct snap **ret, struct err *err);

#endif
