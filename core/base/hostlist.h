/* hostlist.h - "n[001-128]", "samp-<01..20>", "samp-{01..20}", "a,b c:412": many names from a few characters.
 *
 * Grammar: parts separated by commas or blanks outside brackets; a part is text with any number of bracket groups
 * [ranges], <ranges> or {ranges}; ranges are separated by commas; a range is LOW-HIGH, LOW..HIGH, or one number (in
 * {} and <> also a word, as in a shell: {a,b}).  Padding is the width of LOW as written.  Several groups give their
 * product, the rightmost fastest.  Order is as written; duplicates are dropped, the first one kept.  Empty parts are
 * skipped; a list of nothing has no names and is no error.  "[fe80::1]:411" is an address, not a group.
 */
#ifndef CORE_BASE_HOSTLIST_H
#define CORE_BASE_HOSTLIST_H

#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define HOSTLIST_MAX 100000 /* names in one list; more is a typing error */

struct hostlist {
	char **names; /* n of them, NUL-terminated */
	size_t n;
};

/* -EINVAL with the place and the remedy: nested or unbalanced brackets, a bad range, low > high, too many. */
int hostlist_parse(const char *text, struct hostlist *ret, struct err *err);
void hostlist_fini(struct hostlist *hl);

/* The other way round, for people: add the names to `to`, sorted and in few words, as "a n[01-20,24] n7:412".  A name
 * that stands twice is said twice.  Behind about `max` bytes (0: none are left out) comes "and 12 more". */
void hostlist_fold(const char *const *names, size_t n, size_t max, struct buf *to);
/* Split "host", "host:port", "[v6]:port" or a bare v6 address; *ret_host is yours; *ret_port is left alone when the
 * text has none.  -EINVAL for a bad port. */
int hostport_parse(const char *text, char **ret_host, unsigned short *ret_port, struct err *err);

#endif
