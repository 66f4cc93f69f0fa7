/* words.h - what ldmsd answers where an attribute is missing or bad, to the letter: controllers and tests of sites look
 * for these words.  Files are answered in ours, which say more. */
#ifndef CORE_CTL_WORDS_H
#define CORE_CTL_WORDS_H

#include "core/ctl/verb.h"

/* The answer to a request without an attribute that is required; `rc` is returned. */
int words_missing(const struct verb *v, const struct attr_use *u, int rc, struct err *err);
/* Likewise to one whose value is bad; `err` has our words already, which stay where ldmsd has none. */
int words_bad(const struct verb *v, const struct attr_use *u, const char *value, int rc, struct err *err);

#endif
