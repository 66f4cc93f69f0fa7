/* fill.h - made-up values: runs of numbers of any type, as the set has them (little endian). */
#ifndef PLUGINS_FILL_H
#define PLUGINS_FILL_H

#include <stdint.h>

#include "core/set/value.h"

/* `n` elements of the type, or of what an array of that type is made of: v, v + step, ...; each is cut to its type.
 * Texts count through a..z, and an array's last character is NUL. */
void fill_ints(void *to, enum value_type t, uint32_t n, uint64_t v, int64_t step);
/* The same; whole numbers lose the fraction. */
void fill_reals(void *to, enum value_type t, uint32_t n, double v, double step);

#endif
