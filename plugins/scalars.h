/* scalars.h - numbers of which the names are known beforehand: lines `word number` anywhere in a text.
 *
 * For files whose names are not known, see keyval.h.
 */
#ifndef PLUGINS_SCALARS_H
#define PLUGINS_SCALARS_H

#include "plugins/cells.h"

struct scalar {
	char word[32];  /* what its line begins with, the character behind the name included: "ctxt ", "rchar:" */
	uint32_t len;   /* of it; at most 24: the rest is for proc_starts() */
	uint64_t *slot; /* little endian, as set_slot() gives it */
};

void scalar_set(struct scalar *s, const char *word, uint64_t *slot);
/* Write the number of each of these words that has a line; the others stay.  Lines in the order of the table are found
 * at once. */
void scalars_scan(const struct scalar *v, size_t n, const char *text);
/* The same for the line at p alone, and its cell is learnt; *next is 0 at first. */
void scalars_learn(const struct scalar *v, size_t n, size_t *next, const char *p, struct cells *c);

#endif
