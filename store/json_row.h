/* json_row.h - a row as one object of JSON, without blanks, as ldmsd's Kafka stores send it:
 *
 *	{"timestamp":1795188733.001993,"load1min":0.23000000000000001,"hist":[76,0],"name":"lo"}
 *
 * Texts are escaped, though (the JSON is valid whatever they hold), and numbers that JSON has not (infinite, not a
 * number) and missing values are null.
 */
#ifndef STORE_JSON_ROW_H
#define STORE_JSON_ROW_H

#include "core/base/buf.h"
#include "store/row_fields.h"

struct json_row {
	struct row_fields fields;
	struct buf keys;    /* `{"name":`, `,"name":` of each field */
	uint32_t *key_ends; /* in there, by field */
	size_t room;        /* bytes that a row takes at most, without its texts */
};

void json_row_init(struct json_row *j, const struct row_schema *rs);
void json_row_fini(struct json_row *j);
void json_row_put(struct buf *to, const struct json_row *j, const struct row *row);

#endif
