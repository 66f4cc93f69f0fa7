/* keyval.c - see keyval.h */
#include "plugins/keyval.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/xalloc.h"

#define RECORD_MAX 128 /* bytes of a line; the kernel's have less than 80 */

struct keyval_row {
	uint64_t *slot; /* where the value goes */
	uint32_t len;   /* of the name and the delimiter that ends it, in keyval.names */
	int32_t metric; /* its index, or -1 for a line that is ignored */
};

/* Is there a line `name delim value` at p?  The bytes of the name with its delimiter, or 0. */
static size_t line_name(const char *p, char delim)
{
	size_t n = proc_word(p, delim);

	return n && p[n] == delim && proc_is_digit(*proc_blanks(p + n + 1)) ? n + 1 : 0;
}

/* Rows and their names while they are put together. */
struct table {
	struct keyval_row *rows;
	size_t n, cap;
	struct buf names;
};

static void table_add(struct table *t, const char *name, struct keyval_row row)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->rows = xrealloc(t->rows, t->cap * sizeof(*t->rows));
	}
	t->rows[t->n++] = row;
	buf_add(&t->names, name, row.len);
}

/* Takes the table over. */
static void keyval_table_set(struct keyval *kv, struct table *t)
{
	memset(buf_reserve(&t->names, PROC_SLACK), 0, PROC_SLACK);
	free(kv->rows);
	free(kv->names);
	kv->rows = t->rows;
	kv->n = t->n;
	kv->names = (char *)t->names.p;
}

/* The metric of a new line, or -1 when it makes none; < -1: schema_add() says why. */
static int metric_add(struct schema *schema, const struct keyval_type *type, const char *word, size_t len,
		      struct err *err)
{
	char name[METRIC_NAME_MAX + 1];
	int i;

	if (len >= sizeof(name))
		return -1;
	memcpy(name, word, len);
	name[len] = 0;
	if (schema_find(schema, name) >= 0)
		return -1;
	i = schema_add(schema, name, V_U64, "", err);
	if (i >= 0)
		schema_about_set(schema, i, type->kind ? type->kind(name) : METRIC_GAUGE, type->help);
	return i == -1 ? -2 : i;
}

static int keyval_read_shape(struct keyval *kv, const struct keyval_type *type, struct schema *schema, struct err *err)
{
	struct table t = { 0 };
	const char *p;
	size_t len;
	int metric = 0;

	for (p = kv->file.buf; metric >= -1 && (len = line_name(p, kv->delim)); p = proc_next_line(p)) {
		metric = metric_add(schema, type, p, len - 1, err);
		table_add(&t, p, (struct keyval_row){ .len = (uint32_t)len, .metric = metric });
	}
	keyval_table_set(kv, &t);
	if (metric < -1)
		return err_prefix(err, metric, "%s: ", kv->file.path);
	if (!kv->n)
		return err_set(err, -ENODATA, "%s: its first line is no name and number; is it the right file?",
			       kv->file.path);
	return 0;
}

int keyval_open(struct keyval *kv, struct samp *sp, const struct keyval_type *type, struct err *err)
{
	struct schema *s;
	int rc;

	kv->delim = type->delim;
	rc = proc_open(&kv->file, samp_root(sp), type->path, err);
	kv->file.record_max = RECORD_MAX;
	if (!rc)
		rc = proc_read(&kv->file, err);
	if (rc)
		return rc;
	s = samp_schema_new(sp, type->schema, err);
	if (!s)
		return -EINVAL;
	rc = keyval_read_shape(kv, type, s, err);
	if (rc) {
		schema_free(s);
		return rc;
	}
	kv->set = samp_set_new(sp, s, "", err);
	if (!kv->set)
		return -ENOMEM;
	for (size_t i = 0; i < kv->n; i++)
		kv->rows[i].slot = kv->rows[i].metric < 0 ? &kv->ignored : set_slot(kv->set, kv->rows[i].metric);
	return 0;
}

/* The file's lines stand in another order: put the rows into it.  -ESTALE when they are not the same lines. */
static int keyval_reorder(struct keyval *kv)
{
	struct table t = { 0 };
	bool *used = xcalloc(kv->n, sizeof(*used));
	const char *p;
	size_t len;
	int rc = 0;

	for (p = kv->file.buf; (len = line_name(p, kv->delim)); p = proc_next_line(p)) {
		const char *name = kv->names;
		size_t i;

		for (i = 0; i < kv->n; name += kv->rows[i++].len)
			if (!used[i] && kv->rows[i].len == len && proc_starts(p, name, len))
				break;
		if (i == kv->n)
			break;
		used[i] = true;
		table_add(&t, p, kv->rows[i]);
	}
	if (len || t.n < kv->n) { /* a line of no row, or a row without a line */
		free(t.rows);
		buf_fini(&t.names);
		rc = -ESTALE;
	} else {
		keyval_table_set(kv, &t);
	}
	free(used);
	return rc;
}

/* The next line, behind a value: a look at the two ends that lines have saves the search. */
static inline const char *line_next(const char *p)
{
	if (*p == '\n')
		return p + 1;
	if (!memcmp(p, " kB\n", 4))
		return p + 4;
	return proc_next_line(p);
}

/* Write the values of the lines as long as they are the rows in order; are they all? */
static bool keyval_scan(struct keyval *kv)
{
	const char *p = kv->file.buf, *name = kv->names;
	const struct keyval_row *r = kv->rows, *end = r + kv->n;

	for (; r < end; name += r->len, r++) {
		const char *digits;

		if (!proc_starts(p, name, r->len))
			return false;
		p += r->len;
		if (*p == ' ')
			p = proc_blanks(p);
		digits = p;
		*r->slot = htole64(proc_digits(&p));
		if (p == digits)
			return false;
		p = line_next(p);
	}
	return !line_name(p, kv->delim);
}

int keyval_sample(struct keyval *kv, struct samp *sp, struct err *err)
{
	int rc = proc_read(&kv->file, err);

	if (rc)
		return rc;
	samp_begin(sp, kv->set);
	if (!keyval_scan(kv) && ((rc = keyval_reorder(kv)) || !keyval_scan(kv))) {
		samp_cancel(sp, kv->set);
		return err_set(err, -ESTALE, "%s: lines have come or gone", kv->file.path);
	}
	samp_end(sp, kv->set);
	return 0;
}

void keyval_close(struct keyval *kv)
{
	proc_close(&kv->file);
	free(kv->rows);
	free(kv->names);
}
