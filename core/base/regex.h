/* regex.h - the operators' expressions: POSIX extended, searched for anywhere unless anchored, with clear errors. */
#ifndef CORE_BASE_REGEX_H
#define CORE_BASE_REGEX_H

#include <regex.h>
#include <stdbool.h>

#include "core/base/err.h"

struct rx {
	char *text; /* as written */
	regex_t re;
	char *literal; /* "^word$": compared as a word; NULL: none */
};

/* -EINVAL and the C library's words for a bad one, or ours for one that could do harm (regex_tame.h). */
int rx_init(struct rx *rx, const char *text, struct err *err);
void rx_fini(struct rx *rx);
bool rx_match(const struct rx *rx, const char *s);

/* Another kind, for texts of many lines: ^ and $ are a line's ends.  What matches first, or what stands in its first pair
 * of parentheses; false: nothing. */
int rx_init_find(struct rx *rx, const char *text, struct err *err);
bool rx_find(const struct rx *rx, const char *s, size_t *ret_from, size_t *ret_len);

#endif
