/* decomp_impl.h - the inside of decompositions, shared by their files: decomp.c (files, and the table of types),
 * decomp_read.c (what is said of JSON), decomp_static.c decomp_as_is.c decomp_flex.c (one type each), decomp_row.c (the
 * rows of static, from JSON), decomp_fill.c (values for what is missing), decomp_part.c decomp_special.c (where the
 * columns come from, for sets of one shape), decomp_cut.c (the rows of a set), decomp_ops.c decomp_num.c (operators,
 * conversion).
 */
#ifndef STORE_DECOMP_IMPL_H
#define STORE_DECOMP_IMPL_H

#include <jansson.h>

#include "store/decomp.h"
#include "store/row_impl.h"

#define LIMIT_DFLT 2     /* rows of a group that operators look at */
#define LIMIT_MAX  65536 /* more of them is a typing error: each row would look at all */

/* -- decomp_read.c ------------------------------------------------------------------------------------------------- */

struct reading {
	const char *text;
	size_t len;
	unsigned int line; /* of the mistake */
};

/* A place in the file: a member (key) or an element (i) of the one above; v is NULL where there is none. */
struct jat {
	struct reading *r;
	const struct jat *up;
	const char *key;
	size_t i;
	json_t *v;
};
struct jat jat_get(const struct jat *up, const char *key);
struct jat jat_nth(const struct jat *up, size_t i);
/* Say what is wrong there, and note the line. */
int jat_err(const struct jat *at, int rc, struct err *err, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* -- what the file says -------------------------------------------------------------------------------------------- */

struct ops; /* what the operators remember of rows of one shape */

enum op { OP_NONE, OP_DIFF, OP_MEAN, OP_MIN, OP_MAX };

struct decomp_col {
	char *src, *member; /* a metric or a special source; of a record, or NULL */
	char *dst;
	enum value_type type; /* V_NONE: the metric's */
	struct value fill;    /* V_NONE: none; its bytes are ours */
	enum op op;
};

struct decomp_group {
	uint32_t limit;
	uint32_t *index, *order; /* columns */
	uint32_t n_index, n_order;
	int64_t timeout_us; /* 0: none */
};

struct decomp_row {
	char *schema;
	struct decomp_col *cols;
	struct row_index *indices;
	uint32_t n_cols, n_indices, n_ops;
	struct decomp_group group;
	struct ops *ops; /* of each shape that its rows have had */
};
int decomp_row_read(struct decomp_row *row, const char *who, const struct jat *at, struct err *err);
void decomp_row_fini(struct decomp_row *row);
/* A value of that type as JSON writes it; owns its bytes.  `type` is no V_NONE. */
int decomp_fill_read(struct value *ret, enum value_type type, const json_t *v, struct err *err);

/* -- types --------------------------------------------------------------------------------------------------------- */

struct decomp_type {
	const char *name;
	size_t size; /* of its struct, which begins with struct decomp */
	/* Its members; on failure free() follows. */
	int (*read)(struct decomp *d, const struct jat *at, struct err *err);
	void (*free)(struct decomp *d);
	void (*reset)(struct decomp *d); /* or NULL */
	/* What sets of this one's shape become: a part_new() for each row schema. */
	void (*cut)(struct decomp *d, struct decomp_cut *dc, const struct image *im);
	/* Of its decompositions (struct part.of), those for this set: true for each.  NULL: all it made parts for. */
	const bool *(*choose)(struct decomp *d, struct decomp_cut *dc, const struct image *im);
	void (*cut_free)(struct decomp_cut *dc); /* what choose() keeps there; or NULL */
};
extern const struct decomp_type decomp_static, decomp_as_is, decomp_flex;

struct decomp {
	const struct decomp_type *type;
	char *who; /* the policy, and behind a dot which of a flex */
	uint64_t mark; /* of the whole: see decomp_same() */
};

/* Of any type, by its member "type". */
int decomp_read(const char *who, const struct jat *at, struct decomp **ret, struct err *err);
/* The type of that name, or NULL. */
const struct decomp_type *decomp_type_find(const char *name);
struct decomp *decomp_new(const struct decomp_type *type, const char *who);

/* -- decomp_part.c: sets of one shape ------------------------------------------------------------------------------ */

/* A list or a record array that rows are made from, and where we are in it. */
struct lister {
	uint32_t metric, base; /* its number in the set, and its column in the base cut */
	bool is_list;
	bool known;           /* what its entries are, because there has been one */
	enum value_type type; /* V_RECORD_INST, or another; if known */
	uint32_t count, record;
	struct value all; /* of this set */
	struct list_it it;
	uint32_t i;
	struct value now; /* the entry; V_NONE: there is none any more, or it is of another kind */
};

enum from { FROM_NOTHING, FROM_SPECIAL, FROM_METRIC, FROM_ENTRY, FROM_MEMBER };

/* One column of a row schema, for sets of this shape. */
struct col {
	enum from from;
	uint32_t at; /* special source, column of the base cut, or lister */
	uint32_t member;
	bool convert; /* to the column's type */
	enum op op;
	struct value missing; /* instead of a value that is not there */
	uint8_t *fill;        /* its bytes, when they are ours */
	uint8_t *room;        /* for a converted value, or an operator's */
};

/* Columns one behind the other that are metrics as they are. */
struct run {
	uint32_t col, at, n; /* the first, and its column of the base cut */
};

/* A row schema of a decomposition, for sets of this shape. */
struct part {
	struct row_schema *schema;
	struct col *cols;
	struct value *v;
	uint32_t *each;          /* columns: first the n_each that differ from row to row */
	uint32_t n_each, n_once; /* ... then the n_once that are the same on each; the rest is in runs */
	struct run *runs;
	uint32_t n_runs;
	uint32_t *lists; /* the listers it takes part in */
	uint32_t n_lists;
	bool expands; /* one of them is a list */
	bool refused; /* by the store */
	struct ops *ops;
	unsigned int of; /* which decomposition of a flex */
};

struct decomp_cut {
	struct decomp *d;
	struct row_cut *base; /* its columns are the metrics that are used */
	struct lister *lists;
	struct part *parts;
	uint32_t n_lists, n_parts;
	char digest[2 * DIGEST_LEN + 1];
	unsigned int of;         /* of the parts that are made now */
	unsigned int made_again; /* because lists hold something else than at first */
	bool refuses;            /* one of the parts is refused */
	void *chosen;            /* what choose() keeps */
};

/* A row schema without columns; its columns one by one; and the end. */
struct part *part_new(struct decomp_cut *dc, const char *schema);
void part_special(struct decomp_cut *dc, struct part *p, const char *name);
void part_metric(struct decomp_cut *dc, struct part *p, const struct image *im, uint32_t metric);
/* As the file says; a column that the set has nothing for is said to be so. */
void part_col(struct decomp_cut *dc, struct part *p, const struct image *im, const struct decomp_col *def);
void part_index(struct part *p, const char *name, const uint32_t *cols, uint32_t n);
void part_ready(struct part *p);
void part_fini(struct part *p);
/* The list or record array of that number in the set. */
uint32_t lister_of(struct decomp_cut *dc, const struct image *im, uint32_t metric);
/* Sets that lack this metric, or have it otherwise, are of another shape. */
void part_watch(struct decomp_cut *dc, const struct image *im, uint32_t metric);
/* What the first entry is; type V_NONE: there is none. */
struct value lister_first(const struct image *im, struct value all);
/* A warning about sets of this shape, with the policy's name in front. */
void cut_warn(const struct decomp_cut *dc, const struct image *im, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* -- decomp_special.c ---------------------------------------------------------------------------------------------- */

/* Sources that are no metrics. */
struct special {
	const char *name;
	enum value_type type;
	uint32_t count;
	enum row_what what;
	struct value (*value)(const struct decomp_cut *dc, const struct image *im);
};
extern const struct special specials[];               /* ended by a row without name */
const struct special *special_find(const char *name); /* or NULL */

/* -- decomp_num.c -------------------------------------------------------------------------------------------------- */

/* Can values of one type become the other's? */
bool num_converts(enum value_type from, enum value_type to);
/* Each element by C's rules, `count` of them (0 behind the source's end); into room. */
struct value num_convert(struct value v, enum value_type to, uint32_t count, uint8_t *room);
/* An integer or a timestamp's microseconds / a floating point number, as element i of an array of that type. */
void num_put_int(uint8_t *at, enum value_type type, uint32_t i, __int128 n);
void num_put_float(uint8_t *at, enum value_type type, uint32_t i, double n);
__int128 num_int(struct value v, uint32_t i);
bool num_is_float(enum value_type t);

/* -- decomp_ops.c -------------------------------------------------------------------------------------------------- */

/* Those for rows of this schema, made if need be. */
struct ops *ops_get(struct decomp_row *row, const struct row_schema *rs);
void ops_free(struct ops *o); /* all of the list; NULL is fine */
/* The values of a row: those of operators' columns are replaced by what they make of the group's rows; into room. */
void ops_apply(struct ops *o, struct part *p, int64_t now_us);
/* That row was taken: the next ones look at it, too. */
void ops_keep(struct ops *o);

#endif
