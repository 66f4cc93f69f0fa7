/* avro.h - rows as Avro records: the schema that says so (JSON), and the binary encoding.
 *
 *	long, int   zigzag (0, -1, 1, -2 ... become 0, 1, 2, 3 ...), 7 bits a byte, the lowest first, the top bit: more
 *	float       4 bytes, double 8, little endian
 *	string      length as long, then the bytes, UTF-8
 *	array       count as long, the elements, then 0; an empty one is the 0 alone
 *	record      its fields in the order of the schema
 *
 * The shapes are those of ldmsd's store_avro_kafka: timestamps are milliseconds, unsigned numbers have the next wider
 * signed type where there is one, u64 from 2^63 on is negative.  What has no value gets the field's default.
 */
#ifndef STORE_AVRO_H
#define STORE_AVRO_H

#include "core/base/buf.h"
#include "store/row_fields.h"

void avro_schema_put(struct buf *to, const char *name, const struct row_fields *f);
void avro_row_put(struct buf *to, const struct row_fields *f, const struct row *row);

#endif
