/* attr.h - attributes of samplers as values. */
#ifndef PLUGINS_ATTR_H
#define PLUGINS_ATTR_H

#include "plugins/samp.h"

/* Is it wanted?  A bare word says so, too; `dflt` when it is not there.  -EINVAL with the attribute's name. */
int attr_bool(const struct samp *sp, const char *name, bool dflt, bool *ret, struct err *err);
/* A number from min to max; `dflt`, which may lie outside, when it is not there. */
int attr_range(const struct samp *sp, const char *name, uint64_t dflt, uint64_t min, uint64_t max, uint64_t *ret,
	       struct err *err);
/* A time above 0, in microseconds; `dflt` when it is not there. */
int attr_time(const struct samp *sp, const char *name, int64_t dflt_us, int64_t *ret_us, struct err *err);
/* The text of an attribute that must be there; `example` shows how. */
int attr_needed(const struct samp *sp, const char *name, const char *example, const char **ret, struct err *err);

#endif
