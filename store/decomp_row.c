/* decomp_row.c - a row of a static decomposition, from JSON; the words about mistakes are ldmsd's, where it has some */
#include <errno.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/decomp_impl.h"

struct row_reader {
	struct decomp_row *row;
	const char *who;
	size_t i; /* of the row */
};

/* -- columns ------------------------------------------------------------------------------------------------------- */

/* "u64", "u64[]", "u64_array", "ts"; V_NONE for what is none. */
static enum value_type type_of(const char *word)
{
	static const char suffix[] = "_array";
	size_t n = strlen(word);
	enum value_type t;
	char text[16];

	if (!strcmp(word, "ts"))
		return V_TIMESTAMP;
	t = value_type_find(word);
	if (n > sizeof(suffix) - 1 && n < sizeof(text) && !strcmp(word + n - (sizeof(suffix) - 1), suffix)) {
		snprintf(text, sizeof(text), "%.*s[]", (int)(n - (sizeof(suffix) - 1)), word);
		t = value_type_find(text);
	}
	return value_elem_size(t) ? t : V_NONE;
}

static enum op op_of(const char *word)
{
	static const char *const words[] = {
		[OP_DIFF] = "diff", [OP_MEAN] = "mean", [OP_MIN] = "min", [OP_MAX] = "max"
	};

	for (enum op op = OP_DIFF; op <= OP_MAX; op++)
		if (!strcmp(words[op], word))
			return op;
	return OP_NONE;
}

/* src, rec_member, dst: "LIST[member]" is short for two of them. */
static int names_read(struct row_reader *r, struct decomp_col *col, const struct jat *at, struct err *err)
{
	struct jat src = jat_get(at, "src"), dst = jat_get(at, "dst"), member = jat_get(at, "rec_member");
	const char *text = json_string_value(src.v), *open = text ? strchr(text, '[') : NULL;

	if (!text)
		return jat_err(&src, -EINVAL, err,
			       "strgp '%s': row '%zu'--col '%zu': column['src'] is required and must be a string.",
			       r->who, r->i, at->i);
	if (dst.v && !json_is_string(dst.v))
		return jat_err(&dst, -EINVAL, err, "strgp '%s': row '%zu'--col '%zu': column['dst'] must be a string.",
			       r->who, r->i, at->i);
	if (member.v && !json_is_string(member.v))
		return jat_err(&member, -EINVAL, err, "strgp '%s': row '%zu'--col '%zu': rec_member must be a string.",
			       r->who, r->i, at->i);
	col->dst = xstrdup(dst.v ? json_string_value(dst.v) : text);
	if (member.v) {
		col->src = xstrdup(text);
		col->member = xstrdup(json_string_value(member.v));
	} else if (open) {
		if (text[strlen(text) - 1] != ']')
			return jat_err(&src, -EINVAL, err,
				       "strgp '%s': row '%zu'--col '%zu': incomplete brackets in column['src'].",
				       r->who, r->i, at->i);
		col->src = xstrndup(text, (size_t)(open - text));
		col->member = xstrndup(open + 1, strlen(open) - 2);
	} else {
		col->src = xstrdup(text);
	}
	return 0;
}

static int fill_read(struct row_reader *r, struct decomp_col *col, const struct jat *at, struct err *err)
{
	struct jat fill = jat_get(at, "fill");
	struct err why = { "" };
	int rc;

	if (!fill.v)
		return 0;
	if (col->type == V_NONE)
		return jat_err(&fill, -EINVAL, err,
			       "strgp '%s': row '%zu': col[dst] '%s','fill' error, 'type' is required.", r->who, r->i,
			       col->dst);
	rc = decomp_fill_read(&col->fill, col->type, fill.v, &why);
	return rc ? jat_err(&fill, rc, err, "strgp '%s': row '%zu': col[dst] '%s','fill' error %d: %s", r->who, r->i,
			    col->dst, -rc, why.msg)
		  : 0;
}

static int col_read(struct row_reader *r, struct decomp_col *col, const struct jat *at, struct err *err)
{
	struct jat type = jat_get(at, "type"), op = jat_get(at, "op");
	int rc;

	if (!json_is_object(at->v))
		return jat_err(at, -EINVAL, err,
			       "strgp '%s': row '%zu'--col '%zu': a column entry must be a dictionary.", r->who, r->i,
			       at->i);
	rc = names_read(r, col, at, err);
	if (rc)
		return rc;
	if (type.v && !json_is_string(type.v))
		return jat_err(&type, -EINVAL, err, "strgp '%s': row '%zu'--col %zu : bad 'type'", r->who, r->i, at->i);
	col->type = type.v ? type_of(json_string_value(type.v)) : V_NONE;
	rc = fill_read(r, col, at, err);
	if (rc || !op.v)
		return rc;
	if (!json_is_string(op.v))
		return jat_err(&op, -EINVAL, err,
			       "strgp '%s': row '%zu'--col %zu : 'op' must be a string: diff, mean, min or max", r->who,
			       r->i, at->i);
	col->op = op_of(json_string_value(op.v));
	if (col->op == OP_NONE)
		return jat_err(&op, -EINVAL, err,
			       "strgp '%s': row '%zu'--col %zu : unrecognized functional operator '%s'", r->who, r->i,
			       at->i, json_string_value(op.v));
	if (col->type == V_CHAR_ARRAY)
		return jat_err(&op, -EINVAL, err,
			       "strgp '%s': row '%zu'--col %zu : operators want numbers, not 'char_array'", r->who,
			       r->i, at->i);
	r->row->n_ops++;
	return 0;
}

static int cols_read(struct row_reader *r, const struct jat *at, struct err *err)
{
	struct jat cols = jat_get(at, "cols");
	int rc = 0;

	if (!json_is_array(cols.v))
		return jat_err(&cols, -EINVAL, err,
			       "strgp '%s': row '%zu': row['cols'] is required and must be an array.", r->who, r->i);
	if (!json_array_size(cols.v))
		return jat_err(&cols, -EINVAL, err, "strgp '%s': row '%zu': row['cols'] list is empty", r->who, r->i);
	r->row->cols = xcalloc(json_array_size(cols.v), sizeof(*r->row->cols));
	for (size_t i = 0; i < json_array_size(cols.v) && !rc; i++) {
		struct jat col = jat_nth(&cols, i);

		rc = col_read(r, &r->row->cols[r->row->n_cols++], &col, err);
	}
	return rc;
}

/* The column of that dst, n_cols when there is none. */
static uint32_t col_find(const struct decomp_row *row, const char *dst)
{
	uint32_t i = 0;

	while (i < row->n_cols && (!dst || strcmp(row->cols[i].dst, dst)))
		i++;
	return i;
}

/* -- indices ------------------------------------------------------------------------------------------------------- */

static int index_read(struct row_reader *r, struct row_index *ix, const struct jat *at, struct err *err)
{
	struct jat name = jat_get(at, "name"), cols = jat_get(at, "cols");

	if (!json_is_object(at->v))
		return jat_err(at, -EINVAL, err, "strgp '%s': row '%zu': an index must be a dictionary.", r->who, r->i);
	if (!json_is_string(name.v))
		return jat_err(&name, -EINVAL, err, "strgp '%s': row '%zu': index '%zu': index['name'] is required.",
			       r->who, r->i, at->i);
	if (!json_is_array(cols.v) || !json_array_size(cols.v))
		return jat_err(&cols, -EINVAL, err, "strgp '%s': row '%zu': index '%zu':index['cols'] is required.",
			       r->who, r->i, at->i);
	ix->name = xstrdup(json_string_value(name.v));
	ix->cols = xcalloc(json_array_size(cols.v), sizeof(*ix->cols));
	for (size_t i = 0; i < json_array_size(cols.v); i++) {
		struct jat col = jat_nth(&cols, i);
		const char *dst = json_string_value(col.v);
		uint32_t c = col_find(r->row, dst);

		if (c == r->row->n_cols)
			return jat_err(&col, -ENOENT, err, "strgp '%s': row '%zu': index '%zu': column '%s' not found.",
				       r->who, r->i, at->i, dst ? dst : "(not a string)");
		ix->cols[ix->n_cols++] = c;
	}
	return 0;
}

static int indices_read(struct row_reader *r, const struct jat *at, struct err *err)
{
	struct jat all = jat_get(at, "indices");
	int rc = 0;

	if (!all.v)
		return 0;
	if (!json_is_array(all.v))
		return jat_err(&all, -EINVAL, err, "strgp '%s': row '%zu': the 'indices' value must be an array.",
			       r->who, r->i);
	r->row->indices = xcalloc(json_array_size(all.v), sizeof(*r->row->indices));
	for (size_t i = 0; i < json_array_size(all.v) && !rc; i++) {
		struct jat ix = jat_nth(&all, i);

		rc = index_read(r, &r->row->indices[r->row->n_indices++], &ix, err);
	}
	return rc;
}

/* -- the group ----------------------------------------------------------------------------------------------------- */

static int group_cols(struct row_reader *r, const struct jat *at, const char *key, uint32_t **ret, uint32_t *ret_n,
		      struct err *err)
{
	struct jat all = jat_get(at, key);

	if (!json_is_array(all.v))
		return jat_err(&all, -EINVAL, err,
			       "strgp '%s': row '%zu': group['%s'] is a required and must be an array.", r->who, r->i,
			       key);
	*ret = xcalloc(json_array_size(all.v), sizeof(**ret));
	for (size_t i = 0; i < json_array_size(all.v); i++) {
		struct jat col = jat_nth(&all, i);
		const char *dst = json_string_value(col.v);
		uint32_t c = col_find(r->row, dst);

		if (c == r->row->n_cols)
			return jat_err(
				&col, -EINVAL, err,
				"strgp '%s': row '%zu': group['%s'] the specified column '%s'is not present in the "
				"column list.",
				r->who, r->i, key, dst ? dst : "(not a string)");
		(*ret)[(*ret_n)++] = c;
	}
	return 0;
}

static int group_read(struct row_reader *r, const struct jat *at, struct err *err)
{
	struct jat g = jat_get(at, "group"), limit = jat_get(&g, "limit"), timeout = jat_get(&g, "timeout");
	struct decomp_group *group = &r->row->group;
	json_int_t n = json_integer_value(limit.v);
	int rc;

	group->limit = LIMIT_DFLT;
	if (!g.v)
		return !r->row->n_ops
			       ? 0
			       : jat_err(at, -EINVAL, err,
					 "%s: row: %zu, The 'group' clause is required if functional operators are in "
					 "use.",
					 r->who, r->i);
	rc = group_cols(r, &g, "index", &group->index, &group->n_index, err);
	if (!rc)
		rc = group_cols(r, &g, "order", &group->order, &group->n_order, err);
	if (rc)
		return rc;
	if (limit.v && (!json_is_integer(limit.v) || n < 1 || n > LIMIT_MAX))
		return jat_err(&limit, -EINVAL, err,
			       "strgp '%s': row '%zu': group['limit'] must be a whole number from 1 to %d.", r->who,
			       r->i, LIMIT_MAX);
	if (limit.v)
		group->limit = (uint32_t)n;
	if (!timeout.v)
		return 0;
	if (!json_is_string(timeout.v))
		return jat_err(
			&timeout, -EINVAL, err,
			"strgp '%s': row '%zu': group['timeout'] must be a STRING describing time (e.g. \"10s\").",
			r->who, r->i);
	if (unit_time_us(json_string_value(timeout.v), &group->timeout_us, NULL) || group->timeout_us < 0)
		return jat_err(&timeout, -EINVAL, err,
			       "strgp '%s': row '%zu': group['timeout'] value \"%s\" has invalid format.", r->who, r->i,
			       json_string_value(timeout.v));
	return 0;
}

/* -- the row ------------------------------------------------------------------------------------------------------- */

int decomp_row_read(struct decomp_row *row, const char *who, const struct jat *at, struct err *err)
{
	struct row_reader r = { row, who, at->i };
	struct jat schema = jat_get(at, "schema");
	int rc;

	if (!json_is_object(at->v))
		return jat_err(at, -EINVAL, err, "strgp '%s': row '%zu': The list item must be a dictionary.", who,
			       at->i);
	if (!json_is_string(schema.v))
		return jat_err(&schema, -EINVAL, err,
			       "strgp '%s': row '%zu': row['schema'] attribute is required and must be a string", who,
			       at->i);
	row->schema = xstrdup(json_string_value(schema.v));
	rc = cols_read(&r, at, err);
	if (!rc)
		rc = indices_read(&r, at, err);
	return rc ? rc : group_read(&r, at, err);
}

void decomp_row_fini(struct decomp_row *row)
{
	ops_free(row->ops);
	for (uint32_t i = 0; i < row->n_cols; i++) {
		free(row->cols[i].src);
		free(row->cols[i].member);
		free(row->cols[i].dst);
		free((void *)row->cols[i].fill.p);
	}
	for (uint32_t i = 0; i < row->n_indices; i++) {
		free(row->indices[i].name);
		free(row->indices[i].cols);
	}
	free(row->schema);
	free(row->cols);
	free(row->indices);
	free(row->group.index);
	free(row->group.order);
}
