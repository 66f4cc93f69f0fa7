/* schema.h - the shape of a set before there is one: its metrics in order, and the digest of names and types.
 *
 * A schema is built by a sampler (or by hand in tests), given to set_new() any number of times, and then freed: a set
 * keeps nothing of it but bytes.  Names and units are copied.  Not for use by two threads at once.
 */
#ifndef CORE_SET_SCHEMA_H
#define CORE_SET_SCHEMA_H

#include "core/base/err.h"
#include "core/set/value.h"

#define SCHEMA_NAME_MAX  220 /* bytes without NUL: the wire's length byte holds the name, its NUL, digest, one spare */
#define METRIC_NAME_MAX  253 /* name, NUL, unit, NUL share one length byte of at most 255 */
#define SCHEMA_CARD_MAX  (1 << 20)  /* metrics in one set: interrupts times processors of a large machine, and some */
#define SCHEMA_ARRAY_MAX (1u << 24) /* elements of one array */
#define DIGEST_LEN       32

struct schema;

/* What a sampler's table says of a metric.  `kind` and `help` are for people and for the exporter (about.h), not on the
 * wire, but for METRIC_INFO: what never or rarely changes, a name or a limit, is a META value.  (Members of records are
 * DATA whatever they are.) */
enum metric_kind { METRIC_GAUGE, METRIC_COUNTER, METRIC_INFO };
struct metric_def {
	const char *name;
	enum value_type type;
	const char *unit; /* NULL: none */
	enum metric_kind kind;
	const char *help; /* static: it is not copied */
	uint32_t count;   /* elements of an array; 0 means 1 */
};

struct schema *schema_new(const char *name, struct err *err);
void schema_free(struct schema *s); /* NULL is fine */
const char *schema_name(const struct schema *s);
uint32_t schema_card(const struct schema *s);

/* All of these return the metric's index in the set (>= 0), or a negative errno with words: -EEXIST for a name that is
 * there already, -EINVAL for a bad name or type, -E2BIG for sizes beyond the maxima. */
int schema_add(struct schema *s, const char *name, enum value_type t, const char *unit, struct err *err);
int schema_add_array(struct schema *s, const char *name, enum value_type t, uint32_t n, const char *unit,
		     struct err *err);
int schema_add_meta(struct schema *s, const char *name, enum value_type t, const char *unit, struct err *err);
int schema_add_meta_array(struct schema *s, const char *name, enum value_type t, uint32_t n, const char *unit,
			  struct err *err);
/* From a table, in order; the index of the first one. */
int schema_add_defs(struct schema *s, const struct metric_def *defs, size_t n, struct err *err);
/* What metric i of the schema is, when it did not come from a table.  `help` is static text, or NULL. */
void schema_about_set(struct schema *s, int i, enum metric_kind kind, const char *help);
/* Likewise for those of the table's names of which nothing was said so far; it is ended by a row without name, or NULL. */
void schema_about_fill(struct schema *s, const struct metric_def *defs);
/* A list; `heap` is the number of bytes to reserve for its entries (schema_list_heap says how many). */
int schema_add_list(struct schema *s, const char *name, const char *unit, uint32_t heap, struct err *err);
/* A record type with its members, and arrays of such records. */
int schema_add_record(struct schema *s, const char *name, const struct metric_def *members, size_t n, struct err *err);
int schema_add_record_array(struct schema *s, const char *name, int record, uint32_t n, const char *unit,
			    struct err *err);

/* Is that a name for a set or a schema, of at most `max` bytes?  `what` ("set", "schema") and the name begin the words. */
int schema_name_check(const char *what, const char *name, size_t max, struct err *err);

bool schema_is_record(const struct schema *s, int i); /* is metric i a record type? */
/* Heap bytes that n entries of a list take: entries of scalars/arrays (type, count), or records of type `record`. */
size_t schema_list_heap(enum value_type t, uint32_t count, size_t n);
size_t schema_record_heap(const struct schema *s, int record, size_t n);

/* What its maker wants to know again; means nothing here.  NULL unless said. */
void schema_tag_set(struct schema *s, const void *tag);
const void *schema_tag(const struct schema *s);
/* Samples kept in the set's ring; 1 unless said. */
void schema_array_card_set(struct schema *s, uint32_t n);
/* Index of the metric of that name, or -ENOENT. */
int schema_find(const struct schema *s, const char *name);
/* SHA-256 over names and types in order (wire: "schema digest"). */
void schema_digest(const struct schema *s, uint8_t digest[DIGEST_LEN]);

#endif
