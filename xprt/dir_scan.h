/* dir_scan.h - a scanner of JSON for directories: over the text as it came, without a tree, also over what real peers
 * write that is none.  Strings are copied into an arena, NUL-terminated; as it may still move, they are offsets there. */
#ifndef XPRT_DIR_SCAN_H
#define XPRT_DIR_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

struct dir_scan {
	const char *start, *p, *end;
	struct buf arena;  /* the current set's strings */
	struct buf pairs;  /* the user's: what it gathers of it */
	const char *wrong; /* what the text does not have here; NULL: all well */
};

/* All false: the text does not have it here, and `wrong` says so, unless it is only looked for (peek, eat). */
bool dir_scan_fail(struct dir_scan *s, const char *wanted);
/* The next character that is not white space; NUL at the end.  And past it, if it is this one. */
char dir_scan_peek(struct dir_scan *s);
bool dir_scan_eat(struct dir_scan *s, char c);
/* A string into the arena. */
bool dir_scan_string(struct dir_scan *s, size_t *ret_off);
/* A whole number; what real peers print with a sign (-1) is meant as unsigned.  Fractions and exponents are passed
 * over. */
bool dir_scan_number(struct dir_scan *s, uint64_t *ret);
/* Past a value of whatever kind. */
bool dir_scan_skip(struct dir_scan *s);
/* Go through an object: fn scans the value of each key. */
bool dir_scan_object(struct dir_scan *s, bool (*fn)(struct dir_scan *s, const char *key, size_t key_len, void *arg),
		     void *arg);

#endif
