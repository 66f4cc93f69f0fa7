/* row_impl.h - the inside of a cut, shared by its files: row_new.c (making one), row_shape.c (does it fit?), row.c
 * (cutting); and decomp_cut.c, whose cuts have the metrics that they use as columns here. */
#ifndef STORE_ROW_IMPL_H
#define STORE_ROW_IMPL_H

#include "core/base/buf.h"
#include "store/row.h"

#define SEEN_N 8 /* memories of descriptors; names of up to 64 bytes difference in length */

/* What a column is made of: a metric, a member of the record that the row is for, the entry, its number, or nothing (a
 * record array beside a list). */
enum src_kind { SRC_METRIC, SRC_MEMBER, SRC_ENTRY, SRC_ENTRY_IDX, SRC_NOTHING };

struct src {
	enum src_kind kind;
	uint32_t metric; /* index in the set; of the list or record array for the others */
	uint32_t member;
};

/* Where the values of n SRC_METRIC columns, one behind the other, stand: in the metadata or in the data element, PLACE_STEP
 * bytes from one to the next. */
#define PLACE_STEP 8
struct place {
	uint32_t col, off, n;
};

/* Bytes of the metadata, from `off` on. */
struct span {
	uint32_t off;
	struct buf bytes;
};

struct seen {
	uint32_t card, meta_sz, data_sz, heap_sz;
	struct span dict, descs, *types; /* types: the record types with their members */
	struct place *places;            /* those in the metadata, then the others */
	uint32_t n_meta, n_places, longest; /* longest: the place of most columns, of those in the data element */
	bool plain; /* all of them are available */
	uint64_t mark; /* nobody else's; by SEEN_N its place in row_cut.seen is left; 0: not used */
};

struct row_cut {
	struct row_schema *schema;
	char *set_schema;
	uint8_t digest[DIGEST_LEN];
	bool has_digest;
	struct src *src;               /* by column */
	struct value *v;               /* the row being cut, by column */
	bool v_plain;                  /* of SRC_METRIC columns: type and count are the columns' */
	struct buf shape, other_shape; /* see row_shape_write() */
	bool expands;                  /* a list or a record array gives the rows */
	uint32_t list;                 /* ... this metric */
	uint32_t list_col, list_cols;  /* ... whose columns stand here: the number, then the entry's */
	bool records;
	uint32_t record; /* ... of this record type */
	uint64_t idx;    /* what the column of the entry's number points to, little endian */
	uint32_t *types; /* the record types that are looked into */
	uint32_t n_types;
	struct decomp_cut *decomp; /* what a decomposition makes of the columns; NULL: they are the row's */
	struct seen seen[SEEN_N];
	unsigned int seen_next; /* to be used */
};

/* -- row_schema.c -------------------------------------------------------------------------------------------------- */

struct row_schema *row_schema_new(const char *name);
/* Add a column; takes the name. */
void row_schema_col(struct row_schema *rs, char *name, enum value_type type, uint32_t count);
/* Its digest, over the columns' names and types in order, as a set's is over its metrics'. */
void row_schema_digest(struct row_schema *rs);

/* -- row_new.c ----------------------------------------------------------------------------------------------------- */

/* A cut without columns, and adding one; takes the name.  row_cut_ready() when all are there. */
struct row_cut *row_cut_begin(const struct image *im);
void row_cut_col(struct row_cut *c, char *name, enum value_type type, uint32_t count, struct src src);
void row_cut_type(struct row_cut *c, uint32_t record); /* it is looked into */
void row_cut_ready(struct row_cut *c, const struct image *im);

/* -- row.c --------------------------------------------------------------------------------------------------------- */

/* Point c->v to the values of the metrics. */
void row_cut_metrics(struct row_cut *c, const struct seen *s, const struct image *im);

/* -- row_shape.c --------------------------------------------------------------------------------------------------- */

/* Names, types and array lengths of what the cut uses, as these metadata have them.  False when they lack it. */
bool row_shape_write(const struct row_cut *c, const struct set_meta *m, struct buf *b);
/* The memory of these metadata, made if need be; NULL when the cut does not fit them. */
const struct seen *row_seen(struct row_cut *c, const struct set_meta *m);
/* The same, for metadata that may have been looked at before. */
const struct seen *row_seen_again(struct row_cut *c, struct snap_meta *m);
void row_seen_fini(struct row_cut *c);

#endif
