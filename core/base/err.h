/* err.h - one convention for failure: a negative errno, and the words beside it.
 *
 * A function that can fail returns 0 (or a value >= 0) when all is well and a negative errno when not, and takes a
 * `struct err *` as its last argument, which may be NULL.  The words are written once, at the deepest place that still
 * knows the object, and say which object, what happened and what to do.  Layers above pass them on, or put a name in
 * front with err_prefix().
 */
#ifndef CORE_BASE_ERR_H
#define CORE_BASE_ERR_H

#include <stddef.h>

#define ERR_MAX 512 /* bytes of words, the NUL included; longer ones are cut */

struct err {
	char msg[ERR_MAX];
};

/* Write the words into `err` (may be NULL) and return `rc`, so that `return err_set(err, -ENOENT, ...)` reads well. */
int err_set(struct err *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put words in front of those already there ("producer n17: " + "..."); returns `rc`. */
int err_prefix(struct err *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* strerror() that is safe in threads, for a positive or a negative errno. */
const char *err_name(int rc);

#endif
