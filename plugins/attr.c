/* attr.c - see attr.h */
#include "plugins/attr.h"

#include <errno.h>

#include "core/base/unit.h"

int attr_bool(const struct samp *sp, const char *name, bool dflt, bool *ret, struct err *err)
{
	const char *word = samp_attr(sp, name);

	*ret = samp_attr_has(sp, name) || dflt;
	return word && unit_bool(word, ret, err) ? err_prefix(err, -EINVAL, "%s=: ", name) : 0;
}

int attr_range(const struct samp *sp, const char *name, uint64_t dflt, uint64_t min, uint64_t max, uint64_t *ret,
	       struct err *err)
{
	int rc = samp_attr_u64(sp, name, dflt, ret, err);

	if (!rc && samp_attr(sp, name) && (*ret < min || *ret > max))
		rc = err_set(err, -EINVAL, "%s=%llu: must lie between %llu and %llu", name, (unsigned long long)*ret,
			     (unsigned long long)min, (unsigned long long)max);
	return rc;
}

int attr_time(const struct samp *sp, const char *name, int64_t dflt_us, int64_t *ret_us, struct err *err)
{
	const char *text = samp_attr(sp, name);

	*ret_us = dflt_us;
	if (text && (unit_time_us(text, ret_us, NULL) || *ret_us <= 0))
		return err_set(err, -EINVAL, "%s=%s: must be a time above 0, as in %s=5s", name, text, name);
	return 0;
}

int attr_needed(const struct samp *sp, const char *name, const char *example, const char **ret, struct err *err)
{
	*ret = samp_attr(sp, name);
	return *ret ? 0 : err_set(err, -EINVAL, "the attribute %s= is missing; give it, as in %s", name, example);
}
