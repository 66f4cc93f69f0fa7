/* json_scan.h - is a text JSON, and what are the members of an object, or the items of an array?  Nothing is built,
 * nothing is copied. */
#ifndef CORE_BASE_JSON_SCAN_H
#define CORE_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define JSON_DEPTH_MAX 256 /* objects and arrays within each other */

/* One value and nothing behind it but blanks (RFC 8259).  -EINVAL with line, column and what is wrong there. */
int json_check(const char *text, size_t len, struct err *err);

/* A member of an object: the key without its quotes (escapes as they are), the value as it stands; borrowed. */
struct json_member {
	const char *key, *value;
	size_t key_len, value_len;
};
struct json_walk {
	const char *at, *end;
};
/* Begin with the text of an object that json_check() has passed; false when there is no (further) member. */
bool json_walk_init(struct json_walk *w, const char *text, size_t len);
bool json_walk_next(struct json_walk *w, struct json_member *ret);
/* The same for an array: values without keys. */
bool json_items_init(struct json_walk *w, const char *text, size_t len);
bool json_items_next(struct json_walk *w, struct json_member *ret);

/* What a text between its quotes says, without escapes, as UTF-8.  What has no place on one line (control characters,
 * half a character) stays an escape, and so does the backslash: what comes out can be read back. */
void json_unescape(struct buf *to, const char *p, size_t len);

#endif
