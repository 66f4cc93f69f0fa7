/* store_attrs.c - see store_attrs.h */
#include "core/daemon/store_attrs.h"

#include <errno.h>
#include <string.h>

#include "core/base/str.h"

#define ATTRS_MAX 64 /* that one store has; for "did you mean" */

static bool is_among(const struct store_attr *attrs, const char *key)
{
	for (; attrs && attrs->name; attrs++)
		if (!strcmp(attrs->name, key))
			return true;
	return false;
}

static int unknown(const char *store, const char *plugin, const struct store_attr *attrs, const char *key,
		   struct err *err)
{
	const char *names[ATTRS_MAX + 1] = { NULL }, *near;

	for (size_t n = 0; attrs && attrs->name && n < ATTRS_MAX; attrs++)
		names[n++] = attrs->name;
	near = nearest(key, names);
	return err_set(err, -EINVAL, "store %s: %s has no attribute '%s'%s%s%s", store, plugin, key,
		       near ? "; did you mean '" : "; leave it out", near ? near : "", near ? "'?" : "");
}

int store_attrs_check(const char *store, const char *plugin, const struct store_attr *attrs,
		      const struct store_attr *common, const struct kv *kv, struct err *err)
{
	for (size_t i = 0; i < kv->n; i++) {
		const char *key = kv->v[i].key;

		/* "name" is the instance's, which `config` finds it by */
		if (strcmp(key, "name") && !is_among(attrs, key) && !is_among(common, key))
			return unknown(store, plugin, attrs, key, err);
	}
	return 0;
}
