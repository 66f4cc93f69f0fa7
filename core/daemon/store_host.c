/* store_host.c - what a store of another maker may ask: its attributes, its tables, and the values of a row
 *
 * What stands in a row stays ours: values are asked for by the number of a column, and a number that is none is answered
 * with nothing, and logged.  The time and the producer that rows without a decomposition have in front are two columns
 * more there.
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
	return t->n_cols;
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

	if (i < t->n_cols)
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

/* Its value; V_NONE of a column in front, whose value has no such form, and of none. */
static struct value value_of(const struct ldms_row *r, uint32_t col)
{
	static const struct value none = { .type = V_NONE };

	if (col >= r->table->n_cols)
		slip(r->table, col);
	return col >= r->table->front && col < r->table->n_cols ? r->row->v[col - r->table->front] : none;
}

/* Is that the time, or the producer, in front of all others? */
static bool is_front(const struct ldms_row *r, uint32_t col, enum row_what what)
{
	return col < r->table->front && r->table->cols[col].what == what;
}

static uint64_t host_row_u64(const struct ldms_row *r, uint32_t col, uint32_t elem)
{
	return is_front(r, col, ROW_TIME) ? r->row->ts_sec : value_u64(value_of(r, col), elem);
}

static int64_t host_row_s64(const struct ldms_row *r, uint32_t col, uint32_t elem)
{
	return is_front(r, col, ROW_TIME) ? r->row->ts_sec : value_s64(value_of(r, col), elem);
}

static double host_row_d64(const struct ldms_row *r, uint32_t col, uint32_t elem)
{
	return is_front(r, col, ROW_TIME) ? r->row->ts_sec + r->row->ts_usec / 1e6 : value_d64(value_of(r, col), elem);
}

static struct ldms_time host_row_time(const struct ldms_row *r, uint32_t col)
{
	struct value v = value_of(r, col);
	struct value_time t;

	if (is_front(r, col, ROW_TIME))
		return host_row_taken(r);
	if (v.type != V_TIMESTAMP)
		return (struct ldms_time){ 0 };
	t = value_time(v);
	return (struct ldms_time){ t.sec, t.usec };
}

static const char *host_row_bytes(const struct ldms_row *r, uint32_t col, size_t *ret_len)
{
	struct value v = value_of(r, col);
	const char *text = "";

	if (is_front(r, col, ROW_PRODUCER)) {
		*ret_len = strlen(r->row->producer);
		return r->row->producer;
	}
	*ret_len = v.type == V_CHAR_ARRAY || v.type == V_CHAR ? value_text(v, &text) : 0;
	return text;
}

static uint32_t host_row_count(const struct ldms_row *r, uint32_t col)
{
	struct value v = value_of(r, col);
	size_t len;

	if (is_front(r, col, ROW_TIME))
		return 1;
	if (v.type != V_CHAR_ARRAY && !is_front(r, col, ROW_PRODUCER))
		return v.type == V_NONE ? 0 : v.count;
	host_row_bytes(r, col, &len);
	return (uint32_t)len;
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

static size_t host_row_text(const struct ldms_row *r, uint32_t col, char *out, size_t size)
{
	struct value v = value_of(r, col);
	struct buf *b = &r->table->text;
	size_t len, n;
	const char *text;

	buf_reset(b);
	if (is_front(r, col, ROW_TIME))
		buf_addf(b, "%u.%06u", r->row->ts_sec, r->row->ts_usec % 1000000);
	else if (v.type == V_CHAR_ARRAY || v.type == V_CHAR || is_front(r, col, ROW_PRODUCER)) {
		text = host_row_bytes(r, col, &len);
		buf_add(b, text, len);
	} else {
		put_numbers(b, v);
	}
	n = b->len < size ? b->len : size ? size - 1 : 0;
	if (n)
		memcpy(out, b->p, n);
	if (size)
		out[n] = '\0';
	return b->len;
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
};
