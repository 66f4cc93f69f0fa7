/* store_load_impl.h - what store_load.c (a store of another maker, as policies see it) and store_host.c (what it may ask)
 * share. */
#ifndef CORE_DAEMON_STORE_LOAD_IMPL_H
#define CORE_DAEMON_STORE_LOAD_IMPL_H

#include "core/base/buf.h"
#include "core/daemon/strgp.h"
#include "store/json_row.h"

/* What is opaque there is ours here. */
#define ldms_store store
#define ldms_sink  store_sink
#define ldms_err   err
#include "store/plugin.h"

struct plugin {
	struct store_type type;
	struct ldms_store_plugin own; /* what an older object lacks is NULL */
};

struct ldms_table {
	struct ldms_table *next;
	struct store_sink *sink;
	struct row_schema *schema;
	char digest[2 * DIGEST_LEN + 1];
	struct json_row json;  /* with the fields: what a column is */
	struct ldms_col *cols; /* one for each; the names are the fields' */
	uint32_t **indices;    /* of the schema, in numbers of fields */
	struct buf text;       /* room for one value or row */
	max_align_t state[];   /* the store's */
};

struct store_sink {
	const struct plugin *plugin;
	struct store *store;
	char *container;
	struct ldms_table *tables; /* the one used last is the first */
	uint64_t refused;
	struct err refused_why;
	bool slipped;        /* said */
	max_align_t state[]; /* the store's */
};

struct ldms_row {
	struct ldms_table *table;
	const struct row *row;
};

static inline const struct row_fields *table_fields(const struct ldms_table *t)
{
	return &t->json.fields;
}

extern const struct ldms_store_host store_host;

#endif
