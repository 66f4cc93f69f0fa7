/* decomp_as_is.c - the decomposition that makes a column of every metric
 *
 * The row schema is called SCHEMA_DDDDDDD, with the first digits of the set's digest: nodes with another kernel have
 * other metrics, and their rows go elsewhere by themselves.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/decomp_impl.h"

#define DIGITS 7

struct index_names {
	char *name;
	char **cols;
	uint32_t n;
};

struct as_is {
	struct decomp d;
	struct index_names *indices;
	uint32_t n;
};

/* -- the file ------------------------------------------------------------------------------------------------------ */

static int index_read(struct index_names *ix, const char *who, const struct jat *at, struct err *err)
{
	struct jat name = jat_get(at, "name"), cols = jat_get(at, "cols");

	if (!json_is_string(name.v))
		return jat_err(&name, -EINVAL, err, "strgp '%s': index '%zu': index['name'] is required.", who, at->i);
	if (!json_is_array(cols.v) || !json_array_size(cols.v))
		return jat_err(&cols, -EINVAL, err, "strgp '%s': index '%zu': index['cols'] is required.", who, at->i);
	ix->name = xstrdup(json_string_value(name.v));
	ix->cols = xcalloc(json_array_size(cols.v), sizeof(*ix->cols));
	for (size_t i = 0; i < json_array_size(cols.v); i++) {
		struct jat col = jat_nth(&cols, i);

		if (!json_is_string(col.v))
			return jat_err(&col, -EINVAL, err, "strgp '%s': index '%zu': column names are strings.", who,
				       at->i);
		ix->cols[ix->n++] = xstrdup(json_string_value(col.v));
	}
	return 0;
}

static int as_is_read(struct decomp *d, const struct jat *at, struct err *err)
{
	struct as_is *a = (struct as_is *)d;
	struct jat all = jat_get(at, "indices");
	int rc = 0;

	if (!all.v)
		return 0;
	if (!json_is_array(all.v))
		return jat_err(&all, -EINVAL, err, "The 'indices' key must refer to an array.");
	a->indices = xcalloc(json_array_size(all.v), sizeof(*a->indices));
	for (size_t i = 0; i < json_array_size(all.v) && !rc; i++) {
		struct jat ix = jat_nth(&all, i);

		rc = index_read(&a->indices[a->n++], d->who, &ix, err);
	}
	return rc;
}

static void as_is_free(struct decomp *d)
{
	struct as_is *a = (struct as_is *)d;

	for (uint32_t i = 0; i < a->n; i++) {
		for (uint32_t k = 0; k < a->indices[i].n; k++)
			free(a->indices[i].cols[k]);
		free(a->indices[i].cols);
		free(a->indices[i].name);
	}
	free(a->indices);
}

/* -- sets ---------------------------------------------------------------------------------------------------------- */

static void index_add(struct decomp_cut *dc, struct part *p, const struct image *im, const struct index_names *ix)
{
	const struct row_schema *rs = p->schema;
	uint32_t *cols = xcalloc(ix->n, sizeof(*cols)), i, k;

	for (k = 0; k < ix->n; k++) {
		for (i = 0; i < rs->n_cols && strcmp(rs->cols[i].name, ix->cols[k]); i++)
			;
		if (i == rs->n_cols)
			break;
		cols[k] = i;
	}
	if (k < ix->n)
		cut_warn(dc, im,
			 "row schema %s: index %s: there is no column %s; its rows are stored without that index",
			 rs->name, ix->name, ix->cols[k]);
	else
		part_index(p, ix->name, cols, ix->n);
	free(cols);
}

static void as_is_cut(struct decomp *d, struct decomp_cut *dc, const struct image *im)
{
	const struct as_is *a = (const struct as_is *)d;
	char digits[DIGITS + 1] = "0000000", *name;
	struct part *p;

	for (unsigned int i = 0; i < DIGITS && dc->digest[i]; i++)
		digits[i] = (char)tolower((unsigned char)dc->digest[i]);
	name = xasprintf("%s_%s", image_schema(im->meta), digits);
	p = part_new(dc, name);
	part_special(dc, p, "timestamp");
	for (uint32_t i = 0, n = image_card(im->meta); i < n; i++)
		part_metric(dc, p, im, i);
	for (uint32_t i = 0; i < a->n; i++)
		index_add(dc, p, im, &a->indices[i]);
	part_ready(p);
	free(name);
}

const struct decomp_type decomp_as_is = {
	.name = "as_is",
	.size = sizeof(struct as_is),
	.read = as_is_read,
	.free = as_is_free,
	.cut = as_is_cut,
};
