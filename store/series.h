/* series.h - rows as engines of time series want them: which columns name the series (tags, labels), which are its values.
 *
 * Two rows with the same tags and the same time are one and the same to such an engine, the later one in place of the
 * earlier: whatever tells rows apart must be a tag.  These are: the producer and the set's instance; the columns
 * component_id and job_id; in rows that are for the entries of a list, the entry's number and its texts; with a
 * decomposition, which was made by hand, all texts.  `tags=` adds columns to these, `notags=` takes some away.
 */
#ifndef STORE_SERIES_H
#define STORE_SERIES_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "store/store.h"

#define SERIES_ATTRS                                                                                                   \
	{ "notags", NULL, "A,B,...: columns, or producer or instance, that are no tags", "A,B,..." },                             \
	{                                                                                                              \
		"tags", NULL, "A,B,...: more columns that are tags, beside those that are by themselves", "A,B,..."               \
	}

struct series_conf {
	const char *who;       /* the store, borrowed */
	char **tags, **notags; /* ended by NULL; or NULL */
};

int series_conf_read(struct store *st, struct series_conf *ret, struct err *err);
void series_conf_fini(struct series_conf *c);

#define SERIES_NUMBERS_MAX (1u << 18) /* that a row may have, arrays counted by their elements: each is a series */

/* -EINVAL with words: rows of this schema are too large for an engine of time series, and for our memory. */
int series_check(const struct row_schema *rs, struct err *err);

enum series_role { SERIES_NOTHING, SERIES_TAG, SERIES_VALUE };

/* The column of the number of a list's entry that stands in front of columns; here of the first one ... */
#define SERIES_NO_LIST UINT32_MAX
/* ... and of the one behind column i, where it is `list` for i. */
uint32_t series_list(const struct row_schema *rs, uint32_t i, uint32_t list);
/* What column i is. */
enum series_role series_role(const struct series_conf *c, const struct row_schema *rs, uint32_t i, uint32_t list);
/* Is column i the number of a list's entry, or of that entry? */
bool series_is_of_list(const struct row_schema *rs, uint32_t i, uint32_t list);
/* Do the row's producer and instance stand in no column, so that they are tags of their own?  `what` says which of them,
 * and `name` what it is called. */
bool series_has_own(const struct series_conf *c, const struct row_schema *rs, enum row_what what, const char *name);

/* Text as all engines take it: what is no UTF-8 becomes the character of that number (as in Latin-1), control characters
 * a space.  Appends to `to` what stands in `text`, up to its NUL. */
void series_text(struct buf *to, const char *text, size_t len);

/* Rows of one shape; a sink keeps one for each, the one of the last row is found first. */
struct series_shapes {
	void **v;
	size_t n;
	struct series_last {                     /* the row before */
		const struct row_schema *schema; /* and im: to compare, nothing else; NULL: there is none */
		const struct image *im;
		uint32_t sec, usec;
		struct buf key; /* its tags, where they are kept */
		bool keep, kept, said;
	} last;
};
/* The place in `v` where the shape of that schema is, else NULL; `schema` says what schema a shape is of. */
void *series_shape_find(struct series_shapes *s, const struct row_schema *rs,
			const struct row_schema *(*schema)(const void *shape));
void series_shape_add(struct series_shapes *s, void *shape);
/* Say so, once, when the row has the tags and the time of the one before: to the engine they are one.  `key`: its tags. */
void series_watch(struct series_shapes *s, const struct series_conf *c, const struct row *row, const void *key,
		  size_t len);
void series_unwatch(struct series_shapes *s); /* that row was not taken: it comes again */
void series_shapes_fini(struct series_shapes *s, void (*shape_free)(void *shape));

#endif
