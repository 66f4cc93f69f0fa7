/* row.h - what a store is given: rows of named, typed columns.
 *
 * A row schema is made once for each shape of set (and decomposition) and kept; a row only points into the snapshot it
 * was cut from.  The plain cut, used when a policy has no decomposition, is the one of ldmsd's store_csv: the time, the
 * producer, then every metric in order; a list or a record array gives one row for each entry: a column
 * NAME_entry_idx (from 0), then NAME_MEMBER for each member of a record, or NAME for an entry that is no record; the
 * other metrics are repeated on each row.  Record types have no column; a record array beside a list has an empty one.
 */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <errno.h>

#include "core/base/err.h"
#include "core/set/snap.h"

/* What a decomposition's column holds, where it is no metric: a file of CSV says more of these. */
enum row_what { ROW_METRIC, ROW_TIME, ROW_DURATION /* a timestamp, too */, ROW_PRODUCER, ROW_INSTANCE };

struct row_col {
	char *name;
	enum value_type type;
	uint32_t count; /* array length; 1 for scalars */
	enum row_what what;
};

/* Columns that a store may want to find rows by, as a decomposition says. */
struct row_index {
	char *name;
	uint32_t *cols; /* places in row_schema.cols, in the order of the key */
	uint32_t n_cols;
};

struct row_schema {
	char *name;                 /* the set's schema, or what the decomposition calls it */
	uint8_t digest[DIGEST_LEN]; /* of what the columns are made from: another digest is another shape */
	struct row_col *cols;
	uint32_t n_cols;
	struct row_index *indices;
	uint32_t n_indices;
	/* Made by a decomposition: the columns are all there is to a row (a timestamp and a producer only where it has
	 * such columns); otherwise the time and the producer of struct row stand in front of them. */
	bool decomposed;
	atomic_uint refs;
};

/* A store that keeps something for each schema holds a reference to it. */
struct row_schema *row_schema_get(const struct row_schema *rs);
void row_schema_put(struct row_schema *rs); /* NULL is fine; the last one frees */
/* Do rows of both belong together: the name, the digest, and what the digest does not tell, the array lengths? */
bool row_schema_same(const struct row_schema *a, const struct row_schema *b);

/* How one snapshot becomes rows. */
struct row_cut;

/* All but the values is borrowed from the snapshot and the schema; valid while the store's call lasts. */
struct row {
	const struct row_schema *schema;
	const char *producer, *instance;
	uint32_t ts_sec, ts_usec;
	const struct value *v; /* schema->n_cols of them; V_NONE: no value; the type may be another than the column's */
	/* Of so many columns from that one on the values are of the columns' types, each 8 bytes behind the one before: a
	 * store need not look at them one by one.  0: not known. */
	uint32_t flat, n_flat;
	const struct row_cut *cut; /* with `im`: where row_user_data() looks */
	const struct image *im;
};
/* The user data of the metric that column i was made of; 0 for none.  Looked up when asked for: few stores do. */
uint64_t row_user_data(const struct row *row, uint32_t i);

/* For sets of this one's shape.  `metrics`: only these, in this order (n of them; 0: all).  -EINVAL with words when a
 * set of this shape cannot be cut (a metric it lacks, two lists); -EAGAIN when its list is empty: what its entries are
 * is seen in the first one only, a later snapshot will tell. */
int row_cut_new(const struct image *im, const char *const *metrics, size_t n, struct row_cut **ret, struct err *err);
void row_cut_free(struct row_cut *c);
/* Of a plain cut. */
const struct row_schema *row_cut_schema(const struct row_cut *c);
/* Was this cut made for sets of the given metadata's shape (names, types, array lengths)? */
bool row_cut_fits(struct row_cut *c, const struct set_meta *m);
/* Call fn for each row of the snapshot, in order; stops when it returns non-zero and returns that.  -ESTALE before the
 * first row when the cut does not fit the snapshot: there is no need to ask row_cut_fits() before. ROW_HAD does not stop
 * it: the row is left out, because the store has it already, and operators of a decomposition count it no second time. */
#define ROW_HAD (-EALREADY)
int row_cut_each(struct row_cut *c, const struct snap *sn, int (*fn)(const struct row *row, void *arg), void *arg);

#endif
