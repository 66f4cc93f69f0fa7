/* csv_head.c - the header line of a CSV file, and the line of its columns' types.
 *
 * The first timestamp of a decomposition's row is headed as the time of other rows is, whatever the column's name, as
 * ldmsd does; a further one has its own name, so that no two columns have the same.
 */
#include "store/csv.h"

#define INSTANCE_SZ 256 /* as ldmsd's KIND has it */

/* How many fields a column has, user data and the second one of a time not counted. */
static uint32_t col_fields(const struct csv_conf *conf, const struct row_schema *rs, const struct row_col *col)
{
	return csv_expands(conf, rs) && value_is_array(col->type) && col->type != V_CHAR_ARRAY ? col->count : 1;
}

/* A column's name in the header: NAME, or NAME0 NAME1 ... for the elements of an array. */
static void name_add(struct buf *b, const struct csv_conf *conf, const char *name, bool elem, uint32_t i,
		     const char *suffix)
{
	const char *quote = conf->ietf ? "\"" : "";

	if (elem)
		buf_addf(b, "%s%s%u%s%s", quote, name, i, suffix, quote);
	else
		buf_addf(b, "%s%s%s%s", quote, name, suffix, quote);
}

/* The two of a time; `name` NULL for the row's own. */
static void time_add(struct buf *b, const struct csv_conf *conf, const char *name)
{
	name_add(b, conf, name ? name : "Time", false, 0, conf->time_format ? "_msec" : "");
	buf_add(b, ",", 1);
	name_add(b, conf, name ? name : "Time", false, 0, "_usec");
}

static void col_add(struct buf *b, const struct csv_conf *conf, const struct row_schema *rs, const struct row_col *col)
{
	bool elems = csv_expands(conf, rs) && value_is_array(col->type) && col->type != V_CHAR_ARRAY;
	bool userdata = csv_userdata(conf, rs, col);

	for (uint32_t i = 0, n = col_fields(conf, rs, col); i < n; i++) {
		if (i)
			buf_add(b, ",", 1);
		if (userdata) {
			name_add(b, conf, col->name, elems, i, ".userdata");
			buf_add(b, ",", 1);
		}
		name_add(b, conf, col->name, elems, i, userdata ? ".value" : "");
	}
}

void csv_header_add(struct buf *b, const struct csv_conf *conf, const struct row_schema *rs)
{
	bool timed = !rs->decomposed; /* the row's own time is headed */

	buf_add(b, "#", 1);
	if (timed) {
		time_add(b, conf, NULL);
		buf_add(b, ",", 1);
		name_add(b, conf, "ProducerName", false, 0, "");
	}
	for (uint32_t c = 0; c < rs->n_cols; c++) {
		const struct row_col *col = &rs->cols[c];

		if (c || !rs->decomposed)
			buf_add(b, ",", 1);
		if (!rs->decomposed || col->type != V_TIMESTAMP) {
			col_add(b, conf, rs, col);
			continue;
		}
		time_add(b, conf, timed || col->what == ROW_DURATION ? col->name : NULL);
		timed |= col->what != ROW_DURATION;
	}
	buf_add(b, "\n", 1);
}

/* The type of one field. */
static void kind_add(struct buf *b, const struct csv_conf *conf, const struct row_schema *rs, const struct row_col *col)
{
	bool arrays = conf->typeheader == 2;

	if (rs->decomposed && col->type == V_TIMESTAMP)
		buf_addf(b, "timestamp,u64");
	else if (col->type == V_CHAR_ARRAY && col->what == ROW_PRODUCER)
		buf_addf(b, "char[]%d", CSV_PRODUCER_SZ);
	else if (col->type == V_CHAR_ARRAY && col->what == ROW_INSTANCE)
		buf_addf(b, "char[]%d", INSTANCE_SZ);
	else if (col->type == V_CHAR_ARRAY && !arrays)
		buf_addf(b, "char[]");
	else if (value_is_array(col->type) && (arrays || !csv_expands(conf, rs)))
		buf_addf(b, "%s%u", value_type_name(col->type), col->count);
	else
		buf_addf(b, "%s", value_type_name(value_elem_type(col->type)));
}

void csv_kinds_add(struct buf *b, const struct csv_conf *conf, const struct row_schema *rs)
{
	bool arrays = conf->typeheader == 2;

	buf_addf(b, "#!ldms%s-kinds%s!", arrays ? "-array" : "", conf->userdata ? "-udata" : "");
	if (!rs->decomposed)
		buf_addf(b, "timestamp,u64,char[]%d", CSV_PRODUCER_SZ);
	for (uint32_t c = 0; c < rs->n_cols; c++) {
		const struct row_col *col = &rs->cols[c];
		uint32_t n = arrays ? 1 : col_fields(conf, rs, col);

		for (uint32_t i = 0; i < n; i++) {
			if (c || i || !rs->decomposed)
				buf_add(b, ",", 1);
			if (csv_userdata(conf, rs, col))
				buf_addf(b, "u64,");
			kind_add(b, conf, rs, col);
		}
	}
	buf_add(b, "\n", 1);
}
