/* row_schema.c - the columns of rows, kept by those who store them */
#include <nettle/sha2.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/row_impl.h"

struct row_schema *row_schema_new(const char *name)
{
	struct row_schema *rs = xcalloc(1, sizeof(*rs));

	atomic_init(&rs->refs, 1);
	rs->name = xstrdup(name);
	return rs;
}

void row_schema_col(struct row_schema *rs, char *name, enum value_type type, uint32_t count)
{
	rs->cols = xrealloc(rs->cols, (rs->n_cols + 1) * sizeof(*rs->cols));
	rs->cols[rs->n_cols++] =
		(struct row_col){ .name = name, .type = type, .count = value_is_array(type) ? count : 1 };
}

struct row_schema *row_schema_get(const struct row_schema *rs)
{
	struct row_schema *mine = (struct row_schema *)rs;

	atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
	return mine;
}

void row_schema_put(struct row_schema *rs)
{
	if (!rs || atomic_fetch_sub_explicit(&rs->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (uint32_t i = 0; i < rs->n_cols; i++)
		free(rs->cols[i].name);
	for (uint32_t i = 0; i < rs->n_indices; i++) {
		free(rs->indices[i].name);
		free(rs->indices[i].cols);
	}
	free(rs->indices);
	free(rs->cols);
	free(rs->name);
	free(rs);
}

bool row_schema_same(const struct row_schema *a, const struct row_schema *b)
{
	if (a == b)
		return true;
	if (a->n_cols != b->n_cols || memcmp(a->digest, b->digest, DIGEST_LEN) || strcmp(a->name, b->name))
		return false;
	for (uint32_t i = 0; i < a->n_cols; i++)
		if (a->cols[i].count != b->cols[i].count || a->cols[i].type != b->cols[i].type)
			return false;
	return true;
}

void row_schema_digest(struct row_schema *rs)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	for (uint32_t i = 0; i < rs->n_cols; i++) {
		uint32_t type = htole32(rs->cols[i].type);

		sha256_update(&ctx, strlen(rs->cols[i].name), (const uint8_t *)rs->cols[i].name);
		sha256_update(&ctx, sizeof(type), (const uint8_t *)&type);
	}
	sha256_digest(&ctx, DIGEST_LEN, rs->digest);
}
