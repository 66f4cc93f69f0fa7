/* regex_names.h - an expression that matches exactly the names that it was made of: "^samp-[1-4]-ep$". */
#ifndef CORE_BASE_REGEX_NAMES_H
#define CORE_BASE_REGEX_NAMES_H

#include <stddef.h>

/* Expressions, POSIX extended and tame (regex_tame.h), each below `max` bytes unless a single name is longer; in the
 * order of the names as text.  *ret has *ret_n of them, each yours, as is the list. */
void regex_names(const char *const *names, size_t n, size_t max, char ***ret, size_t *ret_n);

#endif
