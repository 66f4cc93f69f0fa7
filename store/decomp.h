/* decomp.h - decompositions: files of JSON that say which rows a set becomes (man ldms-decomposition).
 *
 * A policy reads its file once, with decomp_load().  For each shape of set that it meets decomp_cut_new() finds out where
 * the columns come from; the cut is then used as any other (row.h).  What the operators (diff, mean, min, max) remember
 * of earlier rows is kept with the decomposition, until decomp_reset().
 *
 * Nothing is lost without words: a column that a set has nothing for is empty on the rows of that set, and said once;
 * the other columns and the other rows are as ever.
 */
#ifndef STORE_DECOMP_H
#define STORE_DECOMP_H

#include <stdio.h>

#include "store/row.h"

#define DECOMP_FILE_MAX (16u << 20) /* bytes */

struct decomp;
struct decomp_cut;

/* From a file; `who` is the policy.  Words are ldmsd's where it has some; *ret_line is where in the file the mistake is, 0:
 * not in a place. */
int decomp_load(const char *who, const char *path, struct decomp **ret, unsigned int *ret_line, struct err *err);
/* From memory. */
int decomp_parse(const char *who, const char *text, size_t len, struct decomp **ret, unsigned int *ret_line,
		 struct err *err);
void decomp_free(struct decomp *d); /* NULL is fine; when no cut of it is left */
/* Were both read from the same text? */
bool decomp_same(const struct decomp *a, const struct decomp *b);

/* The rest is for one thread, that of the policy's rows. */

/* For sets of this one's shape.  It always succeeds. */
struct row_cut *decomp_cut_new(struct decomp *d, const struct image *im);
/* For a row_cut_each() callback: the store never takes rows of this row's schema; sets of this shape give none from now
 * on.  Those of other row schemas go on. */
void decomp_refuse(const struct row *row);
/* Does it leave rows out because of that? */
bool decomp_refuses(const struct row_cut *c);
/* Forget earlier rows. */
void decomp_reset(struct decomp *d);

/* -- for row*.c ---------------------------------------------------------------------------------------------------- */

/* `row` with all but the schema and the values. */
int decomp_cut_each(struct row_cut *c, struct row *row, int (*fn)(const struct row *row, void *arg), void *arg);
void decomp_cut_free(struct decomp_cut *dc); /* NULL is fine */

#endif
