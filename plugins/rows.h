/* rows.h - a list whose entries are rewritten every sample: the places of the entries are kept, and the list itself is
 * touched only when its length changes.
 *
 *	do
 *		for (n = 0; there is one more; n++)
 *			write to rows_at(&rows, n), unless that is NULL: no room, -ESTALE
 *	while (rows_cut(&rows, n));
 */
#ifndef PLUGINS_ROWS_H
#define PLUGINS_ROWS_H

#include "plugins/samp.h"

struct rows {
	struct set *set;
	int list;     /* its metric */
	int record;   /* the entries' record type; ROWS_U64: they are plain numbers */
	void **slots; /* of the entries that the list has: a record's first member, or the number */
	size_t n, cap;
	size_t at; /* for rows_next() */
};

#define ROWS_U64 (-1)

/* The place of entry i (at most one behind the last); NULL when the set has no room for it. */
void *rows_grow(struct rows *rows, size_t i);
static inline void *rows_at(struct rows *rows, size_t i)
{
	return i < rows->n ? rows->slots[i] : rows_grow(rows, i);
}

/* The place of the next entry, counting from rows->at. */
static inline void *rows_next(struct rows *rows)
{
	return rows_at(rows, rows->at++);
}

/* Make the list n entries long, n not more than it is; true: it was longer, and its entries must be written again. */
bool rows_cut(struct rows *rows, size_t n);
void rows_fini(struct rows *rows);

/* What such a list is in a schema: its record type, and the list, with room for twice as many entries as there are now
 * (`n`), and for `min` of them.  The set is made later: rows->set. */
struct rows_type {
	const char *record, *list, *unit; /* names; the list's unit */
	const struct metric_def *members;
	size_t n_members;
};
int rows_add(struct rows *rows, struct schema *s, const struct rows_type *type, size_t n, size_t min, struct err *err);
/* A set with that list alone, beside what every set has; `suffix` as for samp_set_new(). */
int rows_set_new(struct rows *rows, struct samp *sp, const char *schema, const char *suffix,
		 const struct rows_type *type, size_t n, size_t min, struct err *err);

#endif
