/* row_fields.h - what a message says of a row, by name: its columns; and in front of them, where the row is of the plain
 * cut, "timestamp" and "producer". */
#ifndef STORE_ROW_FIELDS_H
#define STORE_ROW_FIELDS_H

#include "store/row.h"

#define ROW_FIELD_TIME     UINT32_MAX       /* in place of a column: the row's time, */
#define ROW_FIELD_PRODUCER (UINT32_MAX - 1) /* ... its producer */

struct row_field {
	char *name;
	enum value_type type;
	uint32_t col;
};

struct row_fields {
	struct row_field *v;
	uint32_t n;
};

enum row_field_names {
	ROW_FIELD_NAMES_AS_IS,
	ROW_FIELD_NAMES_AVRO, /* letters, digits and _ alone, no digit in front */
};

/* Columns that hold no value in any row (a record array beside a list) are left out; a name that was there already gets
 * _2, _3 ... behind it. */
void row_fields_init(struct row_fields *f, const struct row_schema *rs, enum row_field_names names);
void row_fields_fini(struct row_fields *f);
/* A name as Avro takes it; yours. */
char *row_field_name_avro(const char *name);

/* The value of field i of a row; of type V_NONE when it has none.  `room` is where the time goes. */
struct row_field_room {
	uint32_t time[2];
};
struct value row_field_value_fixed(const struct row_field *f, const struct row *row, struct row_field_room *room);
static inline struct value row_field_value(const struct row_field *f, const struct row *row,
					   struct row_field_room *room)
{
	return f->col < ROW_FIELD_PRODUCER ? row->v[f->col] : row_field_value_fixed(f, row, room);
}

#endif
