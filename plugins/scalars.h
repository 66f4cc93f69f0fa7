/* scalars.h - numbers of which the names are known beforehand: lines `word number` anywhere in a text.
 *
 * For files whose names are not known, see keyval.h.
 */
#ifndef PLUGINS_SCALARS_H
#define PLUGINS_SCALARS_H

#include <stddef.h>
#include <stdint.h>

struct scalar {
	const char *word; /* what its line begins with, the character behind the name included: "ctxt ", "rchar:" */
	uint64_t *slot;   /* little endian, as set_slot() gives it */
};

/* Write the number of each of these words that has a line; the others stay.  Lines in the order of the table are found
 * at once. */
void scalars_scan(const struct scalar *v, size_t n, const char *text);

#endif
