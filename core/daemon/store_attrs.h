/* store_attrs.h - are the attributes of a `config` those of its store? */
#ifndef CORE_DAEMON_STORE_ATTRS_H
#define CORE_DAEMON_STORE_ATTRS_H

#include "core/base/kv.h"
#include "store/store.h"

/* -EINVAL with words, and what is near, for the first that is not in the plugin's table (may be NULL), nor in `common`
 * (may be NULL). */
int store_attrs_check(const char *store, const char *plugin, const struct store_attr *attrs,
		      const struct store_attr *common, const struct kv *kv, struct err *err);

#endif
