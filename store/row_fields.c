/* row_fields.c - see row_fields.h */
#include "store/row_fields.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "store/unique.h"

char *row_field_name_avro(const char *name)
{
	char *ours = xasprintf("%s%s", isdigit((unsigned char)*name) || !*name ? "_" : "", name);

	for (char *p = ours; *p; p++)
		if (!isalnum((unsigned char)*p) || (unsigned char)*p > 0x7f)
			*p = '_';
	return ours;
}

static void add(struct row_fields *f, struct unique *all, char *name, enum value_type type, uint32_t col)
{
	f->v[f->n++] = (struct row_field){ unique_add(all, name), type, col };
}

static bool holds_values(enum value_type type)
{
	return type == V_TIMESTAMP || value_elem_size(type);
}

void row_fields_init(struct row_fields *f, const struct row_schema *rs, enum row_field_names names)
{
	struct unique all = { NULL };

	*f = (struct row_fields){ .v = xcalloc(rs->n_cols + 2, sizeof(*f->v)) };
	if (!rs->decomposed) {
		add(f, &all, xstrdup("timestamp"), V_TIMESTAMP, ROW_FIELD_TIME);
		add(f, &all, xstrdup("producer"), V_CHAR_ARRAY, ROW_FIELD_PRODUCER);
	}
	for (uint32_t i = 0; i < rs->n_cols; i++) {
		const struct row_col *col = &rs->cols[i];

		if (holds_values(col->type))
			add(f, &all,
			    names == ROW_FIELD_NAMES_AVRO ? row_field_name_avro(col->name) : xstrdup(col->name),
			    col->type, i);
	}
	unique_fini(&all);
}

void row_fields_fini(struct row_fields *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		free(f->v[i].name);
	free(f->v);
	*f = (struct row_fields){ 0 };
}

struct value row_field_value_fixed(const struct row_field *f, const struct row *row, struct row_field_room *room)
{
	if (f->col == ROW_FIELD_TIME) {
		room->time[0] = htole32(row->ts_sec);
		room->time[1] = htole32(row->ts_usec);
		return (struct value){ V_TIMESTAMP, 1, (const uint8_t *)room->time };
	}
	return (struct value){ V_CHAR_ARRAY, (uint32_t)strlen(row->producer), (const uint8_t *)row->producer };
}
