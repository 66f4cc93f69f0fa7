/* decomp_rig.h - decompositions of tests/data/decomp or of texts, sets to give them, and their rows as the text that
 * store_csv writes (after cmocka.h) */
#ifndef TESTS_UNIT_DECOMP_RIG_H
#define TESTS_UNIT_DECOMP_RIG_H

#include <stdio.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/xalloc.h"
#include "core/set/layout.h"
#include "store/decomp.h"

static struct pool *pool;

static inline int pool_setup(void **state)
{
	pool = pool_new(0);
	return 0;
}

static inline int pool_teardown(void **state)
{
	pool_free(pool);
	return 0;
}

static inline struct decomp *decomp_of(const char *text)
{
	struct err err = { "" };
	struct decomp *d = NULL;
	unsigned int line;

	if (decomp_parse("sg", text, strlen(text), &d, &line, &err))
		fail_msg("line %u: %s", line, err.msg);
	return d;
}

static inline struct decomp *decomp_file(const char *name)
{
	char *path = xasprintf("tests/data/decomp/%s.json", name);
	struct err err = { "" };
	struct decomp *d = NULL;
	unsigned int line;

	if (decomp_load("sg", path, &d, &line, &err))
		fail_msg("%s:%u: %s", path, line, err.msg);
	free(path);
	return d;
}

/* Takes the schema. */
static inline struct set *set_of(struct schema *sc, const char *instance)
{
	struct err err = { "" };
	struct set *s;

	if (set_new(pool, sc, instance, "node-1", 0, 0, 0777, &s, &err))
		fail_msg("%s", err.msg);
	schema_free(sc);
	return s;
}

/* A snapshot of that time. */
static inline struct snap *snap_at(struct set *s, uint32_t sec, uint32_t usec)
{
	struct snap *sn = snap_new(s);
	struct set_data *data = (struct set_data *)sn->im.data;

	data->ts_sec = htole32(sec);
	data->ts_usec = htole32(usec);
	data->dur_sec = 0;
	data->dur_usec = htole32(8);
	return sn;
}

/* -- rows as text -------------------------------------------------------------------------------------------------- */

static inline void put_value(struct buf *b, struct value v, uint32_t i, bool scalar)
{
	struct value_time t;
	const char *text;
	size_t len;

	switch (v.type) {
	case V_NONE:
		break;
	case V_CHAR_ARRAY:
	case V_CHAR:
		len = value_text(v, &text);
		buf_add(b, text, len);
		break;
	case V_TIMESTAMP:
		t = value_time(v);
		buf_addf(b, "%u.%06u,%u", t.sec, t.usec, t.usec);
		break;
	default:
		if (value_elem_type(v.type) == V_F32 || value_elem_type(v.type) == V_D64)
			buf_addf(b,
				 scalar                             ? "%f"
				 : value_elem_type(v.type) == V_F32 ? "%.9g"
								    : "%.17g",
				 value_d64(v, i));
		else if (value_elem_type(v.type) == V_U64)
			buf_addf(b, "%llu", (unsigned long long)value_u64(v, i));
		else
			buf_addf(b, "%lld", (long long)value_s64(v, i));
	}
}

static inline void put_header(struct buf *b, const struct row_schema *rs)
{
	buf_addf(b, "%s: ", rs->name);
	for (uint32_t c = 0; c < rs->n_cols; c++) {
		const struct row_col *col = &rs->cols[c];

		buf_addf(b, c ? "," : "#");
		if (col->type == V_TIMESTAMP && col->what == ROW_DURATION)
			buf_addf(b, "%s,%s_usec", col->name, col->name);
		else if (col->type == V_TIMESTAMP)
			buf_addf(b, "Time,Time_usec");
		else if (value_is_array(col->type) && col->type != V_CHAR_ARRAY)
			for (uint32_t i = 0; i < col->count; i++)
				buf_addf(b, "%s%s%u", i ? "," : "", col->name, i);
		else
			buf_addf(b, "%s", col->name);
	}
	buf_addf(b, "\n");
}

struct printed {
	struct buf text;
	struct row_schema *last; /* whose header was printed */
	int stop;                /* give this instead of 0 */
	unsigned int skip, n;    /* ROW_HAD for so many */
};

static inline int print_row(const struct row *row, void *arg)
{
	struct printed *p = arg;
	const struct row_schema *rs = row->schema;

	assert_true(rs->decomposed);
	if (p->n++ < p->skip)
		return ROW_HAD;
	if (p->last != rs) {
		put_header(&p->text, rs);
		row_schema_put(p->last);
		p->last = row_schema_get(rs);
	}
	for (uint32_t c = 0; c < rs->n_cols; c++) {
		const struct row_col *col = &rs->cols[c];
		bool array = value_is_array(col->type) && col->type != V_CHAR_ARRAY;

		for (uint32_t i = 0; i < (array ? col->count : 1); i++) {
			buf_addf(&p->text, c || i ? "," : "");
			put_value(&p->text, row->v[c], i, !array);
		}
	}
	buf_addf(&p->text, "\n");
	return p->stop;
}

/* The rows of a snapshot; a header where the row schema changes. */
static inline void assert_rows(struct row_cut *c, const struct snap *sn, const char *want)
{
	struct printed p = { 0 };

	assert_int_equal(row_cut_each(c, sn, print_row, &p), 0);
	assert_string_equal(buf_str(&p.text), want);
	row_schema_put(p.last);
	buf_fini(&p.text);
}

#endif
