/* store_host.c - what a store of another maker may ask: its attributes, its tables, and the values of a row
 *
 * What stands in a row stays ours: values are asked for by the number of a column, and a number that is none is answered
 * with nothing, and logged.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "core/base/log.h"
#include "core/daemon/store_load_impl.h"
#include "store/csv.h"
#include "store/digits.h"

#define WORDS_MAX 512 /* bytes of a line */

static_assert((int)LDMS_STORE_ERROR == LOG_ERROR_ && (int)LDMS_STORE_DEBUG == LOG_DEBUG_, "levels are handed through");

/* -- words, sinks and tables --------------------------------------------------------------------------------------- */

static int host_error(struct err *err, int rc, const char *fmt, va_list ap)
{
	char words[WORDS_MAX];

	vsnprintf(words, sizeof(words), fmt, ap);
	return err_set(err, rc < 0 ? rc : -EIO, "%s", words);
}

static void host_log(const struct store *st, int level, const char *fmt, va_list ap)
{
	char words[WORDS_MAX];

	vsnprintf(words, sizeof(words), fmt, ap);
	if (level < LOG_DEBUG_ || level > LOG_ERROR_)
		level = LOG_ERROR_;
	if (log_wants((enum log_level)level, "store"))
		log_line((enum log_level)level, "store", "%s: %s", store_name(st), words);
}

static void *host_sink_state(struct store_sink *sk)
{
	return sk->state;
}

static struct store *host_sink_store(const struct store_sink *sk)
{
	return sk->store;
}

static const char *host_sink_container(const struct store_sink *sk)
{
	return sk->container;
}

static void host_sink_refused(struct store_sink *sk, uint64_t rows, const char *fmt, va_list ap)
{
	sk->refused += rows;
	vsnprintf(sk->refused_why.msg, sizeof(sk->refused_why.msg), fmt, ap);
}

static void *host_table_state(struct ldms_table *t)
{
	return t->state;
}

static struct store_sink *host_table_sink(const struct ldms_table *t)
{
	return t->sink;
}

static const char *host_table_name(const struct ldms_table *t)
{
	return t->schema->name;
}

static const char *host_table_digest(const struct ldms_table *t)
{
	return t->digest;
}

static uint32_t host_table_cols(const struct ldms_table *t)
{
	return table_fields(t)->n;
}

static void slip(const struct ldms_table *t, uint32_t col)
{
	if (!t->sink->slipped)
		log_error("store", "%s: rows of %s have no column %u; the author of store %s can mend that",
			  store_name(t->sink->store), t->schema->name, col, t->sink->plugin->type.name);
	t->sink->slipped = true;
}

static const struct ldms_col *host_table_col(const struct ldms_table *t, uint32_t i)
{
	static const struct ldms_col none = { .name = "", .count = 1 };

	if (i < table_fields(t)->n)
		return &t->cols[i];
	slip(t, i);
	return &none;
}

static const char *host_table_index(const struct ldms_table *t, uint32_t i, const uint32_t **ret_cols, uint32_t *ret_n)
{
	const struct row_schema *rs = t->schema;

	if (i >= rs->n_indices)
		return NULL;
	*ret_cols = t->indices[i];
	*ret_n = rs->indices[i].n_cols;
	return rs->indices[i].name;
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

static struct ldms_table *host_row_table(const struct ldms_row *r)
{
	return r->table;
}

static struct ldms_time host_row_taken(const struct ldms_row *r)
{
	return (struct ldms_time){ r->row->ts_sec, r->row->ts_usec };
}

static const char *host_row_producer(const struct ldms_row *r)
{
	return r->row->producer;
}

static const char *host_row_instance(const struct ldms_row *r)
{
	return r->row->instance;
}

/* V_NONE where there is none.  `room`: a row's own time has no other place. */
static struct value value_of(const struct ldms_row *r, uint32_t col, struct row_field_room *room)
{
	const struct row_fields *f = table_fields(r->table);

	if (col < f->n)
		return row_field_value(&f->v[col], r->row, room);
	slip(r->table, col);
	return (struct value){ .type = V_NONE };
}

static uint64_t host_row_u64(const struct ldms_row *r, uint32_t col, uint32_t elem)
{
	struct row_field_room room;

	return value_u64(value_of(r, col, &room), elem);
}

static int64_t host_row_s64(const struct ldms_row *r, uint32_t col, uint32_t elem)
{
	struct row_field_room room;

	return value_s64(value_of(r, col, &room), elem);
}

static double host_row_d64(const struct ldms_row *r, uint32_t col, uint32_t elem)
{
	struct row_field_room room;

	return value_d64(value_of(r, col, &room), elem);
}

static struct ldms_time host_row_time(const struct ldms_row *r, uint32_t col)
{
	struct row_field_room room;
	struct value v = value_of(r, col, &room);
	struct value_time t = { 0 };

	if (v.type == V_TIMESTAMP)
		t = value_time(v);
	return (struct ldms_time){ t.sec, t.usec };
}

static const char *host_row_bytes(const struct ldms_row *r, uint32_t col, size_t *ret_len)
{
	struct row_field_room room;
	const char *text;

	*ret_len = value_text(value_of(r, col, &room), &text);
	return text;
}

static uint32_t host_row_count(const struct ldms_row *r, uint32_t col)
{
	struct row_field_room room;
	struct value v = value_of(r, col, &room);
	const char *text;

	if (v.type == V_CHAR_ARRAY)
		return (uint32_t)value_text(v, &text);
	return v.type == V_NONE ? 0 : v.count;
}

/* Scalars, and elements of arrays one by one. */
static void put_numbers(struct buf *b, struct value v)
{
	size_t size = value_elem_size(v.type);
	struct value at = { .type = value_elem_type(v.type), .count = 1 };

	for (uint32_t i = 0; size && i < v.count; i++) {
		char *p = (char *)buf_reserve(b, DIGITS_MAX + 2), *end;

		at.p = v.p + i * size;
		if (i)
			*p++ = ',';
		end = csv_put_value(p, at);
		b->len = (size_t)((uint8_t *)end - b->p);
	}
}

/* As snprintf() does. */
static size_t give(const struct buf *b, char *out, size_t size)
{
	size_t n = b->len < size ? b->len : size ? size - 1 : 0;

	if (n)
		memcpy(out, b->p, n);
	if (size)
		out[n] = '\0';
	return b->len;
}

static size_t host_row_text(const struct ldms_row *r, uint32_t col, char *out, size_t size)
{
	struct buf *b = &r->table->text;
	struct row_field_room room;
	struct value v = value_of(r, col, &room);
	const char *text;
	size_t len;

	buf_reset(b);
	if (v.type == V_CHAR_ARRAY || v.type == V_CHAR) {
		len = value_text(v, &text);
		buf_add(b, text, len);
	} else {
		put_numbers(b, v);
	}
	return give(b, out, size);
}

static size_t host_row_json(const struct ldms_row *r, char *out, size_t size)
{
	struct buf *b = &r->table->text;

	buf_reset(b);
	json_row_put(b, &r->table->json, r->row);
	return give(b, out, size);
}

const struct ldms_store_host store_host = {
	.abi = LDMS_STORE_ABI,
	.size = sizeof(store_host),
	.error = host_error,
	.log = host_log,
	.store_state = store_state,
	.store_name = store_name,
	.store_attr = store_attr,
	.store_attr_u64 = store_attr_u64,
	.sink_state = host_sink_state,
	.sink_store = host_sink_store,
	.sink_container = host_sink_container,
	.sink_refused = host_sink_refused,
	.table_state = host_table_state,
	.table_sink = host_table_sink,
	.table_name = host_table_name,
	.table_digest = host_table_digest,
	.table_cols = host_table_cols,
	.table_col = host_table_col,
	.table_index = host_table_index,
	.row_table = host_row_table,
	.row_taken = host_row_taken,
	.row_producer = host_row_producer,
	.row_instance = host_row_instance,
	.row_count = host_row_count,
	.row_u64 = host_row_u64,
	.row_s64 = host_row_s64,
	.row_d64 = host_row_d64,
	.row_time = host_row_time,
	.row_bytes = host_row_bytes,
	.row_text = host_row_text,
	.row_json = host_row_json,
};
