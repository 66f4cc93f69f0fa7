/* row_rig.h - rows for the tests of stores, without the sets that they are cut from. */
#ifndef TESTS_ROW_RIG_H
#define TESTS_ROW_RIG_H

#include "core/base/xalloc.h"
#include "store/row.h"

struct def {
	const char *name;
	enum value_type type;
	uint32_t count;
};

static inline struct row_schema *schema_of(const char *name, const struct def *defs, uint32_t n)
{
	struct row_schema *rs = xcalloc(1, sizeof(*rs));

	rs->name = xstrdup(name);
	atomic_init(&rs->refs, 1);
	rs->cols = xcalloc(n, sizeof(*rs->cols));
	rs->n_cols = n;
	rs->digest[0] = (uint8_t)n;
	rs->digest[1] = (uint8_t)defs[n - 1].type;
	for (uint32_t i = 0; i < n; i++) {
		rs->cols[i].name = xstrdup(defs[i].name);
		rs->cols[i].type = defs[i].type;
		rs->cols[i].count = defs[i].count ? defs[i].count : 1;
	}
	return rs;
}

#define SCHEMA(name, defs) schema_of(name, defs, sizeof(defs) / sizeof(*(defs)))

static inline struct value value_at(enum value_type type, uint32_t count, const void *p)
{
	return (struct value){ type, count, p };
}

#endif
