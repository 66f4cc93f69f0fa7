/* str.h - words. */
#ifndef CORE_BASE_STR_H
#define CORE_BASE_STR_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits at *p: their value, and *p behind them.  False when there are none or 64 bits do not hold it. */
bool str_digits(const char **p, uint64_t *ret);
/* The nearest of `names` (ended by NULL) to a mistyped word, or NULL when none is near: "did you mean". */
const char *nearest(const char *word, const char *const *names);

#endif
