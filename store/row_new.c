/* row_new.c - making a cut: which columns a set gives, and what each is made of */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/set/layout.h"
#include "store/decomp.h"
#include "store/row_impl.h"

void row_cut_col(struct row_cut *c, char *name, enum value_type type, uint32_t count, struct src src)
{
	row_schema_col(c->schema, name, type, count);
	c->src = xrealloc(c->src, c->schema->n_cols * sizeof(*c->src));
	c->src[c->schema->n_cols - 1] = src;
}

void row_cut_type(struct row_cut *c, uint32_t record)
{
	for (uint32_t i = 0; i < c->n_types; i++)
		if (c->types[i] == record)
			return;
	c->types = xrealloc(c->types, (c->n_types + 1) * sizeof(*c->types));
	c->types[c->n_types++] = record;
}

/* The first entry tells what the entries are; *ret of type V_NONE when there is none. */
static struct value first_entry(const struct image *im, struct value list)
{
	if (list.type == V_RECORD_ARRAY && record_array_len(list))
		return record_array_get(im, list, 0);
	if (list.type == V_LIST && list_first(list).off)
		return list_value(im, list_first(list));
	return (struct value){ .type = V_NONE };
}

static int cols_of_list(struct row_cut *c, const struct image *im, uint32_t metric, struct err *err)
{
	const char *name = image_metric(im->meta, metric).name;
	struct value first = first_entry(im, image_value(im, metric));

	if (first.type == V_NONE)
		return err_set(err, -EAGAIN, "set %s: %s has no entry yet, which would tell its columns",
			       image_instance(im->meta), name);
	if (first.type != V_RECORD_INST && !value_elem_size(first.type))
		return err_set(err, -EINVAL,
			       "set %s: the entries of %s are of type %s, which no row can hold; name other "
			       "metrics with strgp_metric_add",
			       image_instance(im->meta), name, value_type_name(first.type));
	c->list_col = c->schema->n_cols;
	row_cut_col(c, xasprintf("%s_entry_idx", name), V_U64, 1, (struct src){ SRC_ENTRY_IDX, metric, 0 });
	if (first.type == V_RECORD_INST) {
		c->records = true;
		c->record = record_type_of(first);
		row_cut_type(c, c->record);
		for (uint32_t i = 0, n = record_card(im->meta, c->record); i < n; i++) {
			struct metric member = record_member(im->meta, c->record, i);

			row_cut_col(c, xasprintf("%s_%s", name, member.name), member.type, member.count,
				    (struct src){ SRC_MEMBER, metric, i });
		}
	} else {
		row_cut_col(c, xstrdup(name), first.type, first.count, (struct src){ SRC_ENTRY, metric, 0 });
	}
	c->list_cols = c->schema->n_cols - c->list_col;
	return 0;
}

/* Which metrics: the named ones, or all. */
static int pick(const struct image *im, const char *const *metrics, size_t n, uint32_t *picked, struct err *err)
{
	if (!n)
		for (uint32_t i = 0; i < image_card(im->meta); i++)
			picked[i] = i;
	for (size_t k = 0; k < n; k++) {
		int i = image_find(im->meta, metrics[k]);

		if (i < 0)
			return err_set(err, -EINVAL,
				       "set %s (schema %s) has no metric %s, which the policy names; correct the name "
				       "(`ldms ls -l` shows what there is) or remove it with strgp_metric_del",
				       image_instance(im->meta), image_schema(im->meta), metrics[k]);
		picked[k] = (uint32_t)i;
	}
	return 0;
}

/* Find what gives the rows: the list, or else the record array.  A record array beside a list has an empty column, as
 * with ldmsd: such sets are about. */
static int find_list(struct row_cut *c, const struct image *im, const uint32_t *picked, size_t n, struct err *err)
{
	uint32_t at[2][2], count[2] = { 0, 0 }; /* lists, record arrays: the first two of each */
	unsigned int what;

	for (size_t k = 0; k < n; k++) {
		enum value_type type = desc_of(im->meta, picked[k])->type;

		what = type == V_RECORD_ARRAY;
		if ((what || type == V_LIST) && count[what] < 2)
			at[what][count[what]++] = picked[k];
	}
	what = !count[0];
	if (count[what] > 1)
		return err_set(err, -EINVAL,
			       "set %s holds more than one %s (%s, %s), and a row can be for an entry of one; name the "
			       "metrics to store with strgp_metric_add, or give the policy a decomposition",
			       image_instance(im->meta), what ? "record array" : "list",
			       image_metric(im->meta, at[what][0]).name, image_metric(im->meta, at[what][1]).name);
	c->expands = count[what];
	if (c->expands)
		c->list = at[what][0];
	if (count[0] && count[1])
		log_warning("store", "set %s: the records of %s are not stored beside list %s; its column is empty",
			    image_instance(im->meta), image_metric(im->meta, at[1][0]).name,
			    image_metric(im->meta, c->list).name);
	return 0;
}

static int cols_of_metric(struct row_cut *c, const struct image *im, uint32_t i, struct err *err)
{
	const struct metric_desc *d = desc_of(im->meta, i); /* its type also where it is unavailable for now */

	if (c->expands && i == c->list)
		return cols_of_list(c, im, i, err);
	if (d->type == V_RECORD_ARRAY)
		row_cut_col(c, xstrdup(d->name_unit), d->type, 1, (struct src){ SRC_NOTHING, i, 0 });
	else if (d->type != V_RECORD_TYPE)
		row_cut_col(c, xstrdup(d->name_unit), d->type, desc_count(d), (struct src){ SRC_METRIC, i, 0 });
	return 0;
}

static int cols_of_set(struct row_cut *c, const struct image *im, const char *const *metrics, size_t n, struct err *err)
{
	size_t n_picked = n ? n : image_card(im->meta);
	uint32_t *picked = xcalloc(n_picked, sizeof(*picked));
	int rc = pick(im, metrics, n, picked, err);

	if (!rc)
		rc = find_list(c, im, picked, n_picked, err);
	for (size_t k = 0; !rc && k < n_picked; k++)
		rc = cols_of_metric(c, im, picked[k], err);
	free(picked);
	return rc;
}

struct row_cut *row_cut_begin(const struct image *im)
{
	struct row_cut *c = xcalloc(1, sizeof(*c));
	const uint8_t *digest = image_digest(im->meta);

	c->schema = row_schema_new(image_schema(im->meta));
	c->set_schema = xstrdup(c->schema->name);
	c->has_digest = digest;
	if (digest)
		memcpy(c->digest, digest, DIGEST_LEN);
	return c;
}

void row_cut_ready(struct row_cut *c, const struct image *im)
{
	c->v = xcalloc(c->schema->n_cols, sizeof(*c->v));
	row_shape_write(c, im->meta, &c->shape);
}

int row_cut_new(const struct image *im, const char *const *metrics, size_t n, struct row_cut **ret, struct err *err)
{
	struct row_cut *c = row_cut_begin(im);
	int rc = cols_of_set(c, im, metrics, n, err);

	if (rc) {
		row_cut_free(c);
		return rc;
	}
	/* of some metrics only: sets that differ elsewhere give the same rows */
	if (c->has_digest && !n)
		memcpy(c->schema->digest, c->digest, DIGEST_LEN);
	else
		row_schema_digest(c->schema);
	row_cut_ready(c, im);
	if (c->expands)
		c->v[c->list_col] = (struct value){ V_U64, 1, (const uint8_t *)&c->idx };
	*ret = c;
	return 0;
}

void row_cut_free(struct row_cut *c)
{
	if (!c)
		return;
	decomp_cut_free(c->decomp);
	row_seen_fini(c);
	free(c->types);
	buf_fini(&c->shape);
	buf_fini(&c->other_shape);
	row_schema_put(c->schema);
	free(c->set_schema);
	free(c->src);
	free(c->v);
	free(c);
}

const struct row_schema *row_cut_schema(const struct row_cut *c)
{
	return c->schema;
}
