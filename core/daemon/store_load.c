/* store_load.c - stores out of shared objects: see so_load.h; store/plugin.h is what they are written with.
 *
 * To the policies such a store is one as all others are: a struct store_type whose functions hand on to the object's.
 * An object of an older header knows less of our tables, one of a newer header more than we have: sizes tell.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/daemon/so_load.h"
#include "core/daemon/store_load_impl.h"

#define PRODUCER_MAX 64 /* bytes of its name */

static_assert((int)LDMS_COL_D64_ARRAY == V_D64_ARRAY && (int)LDMS_COL_TEXT == V_CHAR_ARRAY &&
		      (int)LDMS_COL_TIME == V_TIMESTAMP && (int)LDMS_COL_TAKEN == ROW_TIME &&
		      (int)LDMS_COL_INSTANCE == ROW_INSTANCE,
	      "numbers are handed through");

static const struct plugin *plugin_of(const struct store *st)
{
	return (const struct plugin *)store_type(st);
}

/* A failure that is none, or has no words. */
static int failed(const struct store *st, const char *what, int rc, struct err *err)
{
	if (rc > 0)
		rc = -EIO;
	if (rc && err && !err->msg[0])
		err_set(err, rc, "%s failed without a word (%s); its author can mend that", what, err_name(rc));
	return rc ? err_prefix(err, rc, "store %s: ", store_name(st)) : 0;
}

/* -- tables -------------------------------------------------------------------------------------------------------- */

static void table_free(struct ldms_table *t)
{
	for (uint32_t i = 0; i < t->schema->n_indices; i++)
		free(t->indices[i]);
	free(t->indices);
	free(t->cols);
	json_row_fini(&t->json);
	buf_fini(&t->text);
	row_schema_put(t->schema);
	free(t);
}

static struct ldms_col col_of(const struct row_field *f, const struct row_schema *rs)
{
	struct ldms_col col = { .name = f->name, .type = f->type, .count = 1 };

	if (f->col == ROW_FIELD_TIME) {
		col.what = LDMS_COL_TAKEN;
	} else if (f->col == ROW_FIELD_PRODUCER) {
		col.what = LDMS_COL_PRODUCER;
		col.count = PRODUCER_MAX;
	} else {
		col.what = rs->cols[f->col].what;
		col.count = rs->cols[f->col].count;
	}
	return col;
}

/* The number of that column's field. */
static uint32_t field_of(const struct ldms_table *t, uint32_t col)
{
	const struct row_fields *f = table_fields(t);
	uint32_t i;

	for (i = 0; i < f->n && f->v[i].col != col; i++)
		;
	return i;
}

static struct ldms_table *table_new(struct store_sink *sk, const struct row_schema *rs)
{
	struct ldms_table *t = xcalloc(1, sizeof(*t) + sk->plugin->own.table_size);

	t->sink = sk;
	t->schema = row_schema_get(rs);
	digest_hex(rs->digest, t->digest);
	json_row_init(&t->json, rs);
	t->cols = xcalloc(table_fields(t)->n, sizeof(*t->cols));
	for (uint32_t i = 0; i < table_fields(t)->n; i++)
		t->cols[i] = col_of(&table_fields(t)->v[i], rs);
	t->indices = xcalloc(rs->n_indices, sizeof(*t->indices));
	for (uint32_t i = 0; i < rs->n_indices; i++) {
		t->indices[i] = xcalloc(rs->indices[i].n_cols, sizeof(**t->indices));
		for (uint32_t k = 0; k < rs->indices[i].n_cols; k++)
			t->indices[i][k] = field_of(t, rs->indices[i].cols[k]);
	}
	return t;
}

/* The rows' table, in front of the others.  There are as many as a policy knows shapes: strgp_shape.c bounds them. */
static int table_get(struct store_sink *sk, const struct row_schema *rs, struct ldms_table **ret, struct err *err)
{
	struct ldms_table **at = &sk->tables, *t;
	int rc = 0;

	while ((t = *at) && t->schema != rs && !row_schema_same(t->schema, rs))
		at = &t->next;
	if (t) {
		*at = t->next;
	} else {
		t = table_new(sk, rs);
		if (sk->plugin->own.table)
			rc = failed(sk->store, "table()", sk->plugin->own.table(t, err), err);
		if (rc) {
			table_free(t);
			return rc;
		}
	}
	t->next = sk->tables;
	sk->tables = t;
	*ret = t;
	return 0;
}

/* -- the functions that policies call ------------------------------------------------------------------------------ */

static int so_config(struct store *st, struct err *err)
{
	const struct plugin *p = plugin_of(st);

	return p->own.config ? failed(st, "config()", p->own.config(st, err), err) : 0;
}

static int so_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	const struct plugin *p = plugin_of(st);
	struct store_sink *sk = xcalloc(1, sizeof(*sk) + p->own.sink_size);
	int rc;

	sk->plugin = p;
	sk->store = st;
	sk->container = xstrdup(container);
	rc = p->own.open ? failed(st, "open()", p->own.open(sk, err), err) : 0;
	if (rc) {
		free(sk->container);
		free(sk);
		return rc;
	}
	*ret = sk;
	return 0;
}

static int so_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	struct ldms_row r = { .row = row };
	int rc = table_get(sk, row->schema, &r.table, err);

	return rc ? rc : failed(sk->store, "row()", sk->plugin->own.row(sk, &r, err), err);
}

static int so_flush(struct store_sink *sk, struct err *err)
{
	return sk->plugin->own.flush ? failed(sk->store, "flush()", sk->plugin->own.flush(sk, err), err) : 0;
}

static uint64_t so_refused(struct store_sink *sk, struct err *why)
{
	uint64_t n = sk->refused;

	if (n && why)
		*why = sk->refused_why;
	sk->refused = 0;
	return n;
}

static void so_close(struct store_sink *sk)
{
	const struct ldms_store_plugin *own = &sk->plugin->own;
	struct ldms_table *t;

	while ((t = sk->tables)) {
		sk->tables = t->next;
		if (own->table_end)
			own->table_end(t);
		table_free(t);
	}
	if (own->close)
		own->close(sk);
	free(sk->container);
	free(sk);
}

static void so_fini(struct store *st)
{
	const struct plugin *p = plugin_of(st);

	if (p->own.fini)
		p->own.fini(st);
}

/* Operators type it, and read it in tables. */
static bool is_word(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("_-.", text[n])))
		n++;
	return n && !text[n];
}

static int own_check(const struct ldms_store_plugin *own, struct err *err)
{
	if (own->size < offsetof(struct ldms_store_plugin, row) + sizeof(own->row) || !own->name || !own->row)
		return err_set(err, -ENOEXEC, "its store lacks name or row; its author can mend that");
	if (!is_word(own->name))
		return err_set(err, -ENOEXEC,
			       "its store's name is no word of letters, digits, _, - and .; its author can "
			       "mend that");
	for (const struct ldms_store_attr *a = own->attrs; a && a->name; a++)
		if (!is_word(a->name) || !a->help)
			return err_set(
				err, -ENOEXEC,
				"the attribute number %zu of its store has no help, or a name that is no word; its "
				"author can mend that",
				(size_t)(a - own->attrs) + 1);
	return 0;
}

/* They last as long as the object, which stays to the end of the process. */
static const struct store_attr *attrs_of(const struct ldms_store_attr *own)
{
	struct store_attr *attrs;
	size_t n = 0;

	while (own && own[n].name)
		n++;
	if (!n)
		return NULL;
	attrs = xcalloc(n + 1, sizeof(*attrs));
	for (size_t i = 0; i < n; i++)
		attrs[i] = (struct store_attr){ own[i].name, own[i].dflt, own[i].help, NULL };
	return attrs;
}

int store_of_so(const void *plugin, void *hook, const char *path, const struct store_type **ret, struct err *err)
{
	const struct ldms_store_plugin *own = plugin;
	struct plugin *p;
	int rc = so_check(&(struct so_face){ "store", LDMS_STORE_ABI, sizeof(*own), sizeof(store_host) }, own->abi,
			  own->size, own->host_size, err);

	if (!rc)
		rc = own_check(own, err);
	if (rc)
		return rc;
	*(const struct ldms_store_host **)hook = &store_host;
	p = xcalloc(1, sizeof(*p));
	memcpy(&p->own, own, own->size);
	p->type = (struct store_type){
		.name = own->name,
		.brief = own->brief ? own->brief : "",
		.path = path,
		.attrs = attrs_of(own->attrs),
		.dir_attr = own->dir_attr,
		.file_attr = own->file_attr,
		.state_size = own->store_size,
		.config = so_config,
		.open = so_open,
		.row = so_row,
		.flush = so_flush,
		.refused = so_refused,
		.close = so_close,
		.fini = so_fini,
	};
	*ret = &p->type;
	return 0;
}
