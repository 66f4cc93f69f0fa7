/* store_inst.c - store instances: a plugin's type, the attributes it was given, its state. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/store_attrs.h"
#include "core/daemon/strgp.h"

struct store {
	const struct store_type *type;
	char *name;
	struct kv attrs;
	bool configured;
	atomic_uint refs;
	max_align_t state[]; /* the plugin's */
};

int store_new(const struct store_type *type, const char *name, struct store **ret, struct err *err)
{
	struct store *st;

	if (type->needs)
		return err_set(err, -ENOSYS, "store %s: this ldms was built without %s; install it and run make again",
			       type->name, type->needs);
	st = xcalloc(1, sizeof(*st) + type->state_size);
	st->type = type;
	st->name = xstrdup(name);
	atomic_init(&st->refs, 1);
	*ret = st;
	return 0;
}

int store_config(struct store *st, const struct kv *attrs, struct err *err)
{
	int rc;

	if (st->configured && !st->type->config_more)
		return err_set(err, -EINVAL,
			       "store %s: it is configured already, and that cannot be changed; load another instance",
			       st->name);
	rc = store_attrs_check(st->name, st->type->name, st->type->attrs, NULL, attrs, err);
	if (rc)
		return rc;
	if (st->configured)
		return st->type->config_more(st, attrs, err);
	kv_copy(&st->attrs, attrs);
	memset(st->state, 0, st->type->state_size);
	rc = st->type->config(st, err);
	if (rc)
		kv_fini(&st->attrs);
	st->configured = !rc;
	return rc;
}

bool store_configured(const struct store *st)
{
	return st->configured;
}

struct store *store_get(struct store *st)
{
	atomic_fetch_add_explicit(&st->refs, 1, memory_order_relaxed);
	return st;
}

void store_put(struct store *st)
{
	if (!st || atomic_fetch_sub_explicit(&st->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (st->configured)
		st->type->fini(st);
	kv_fini(&st->attrs);
	free(st->name);
	free(st);
}

const struct store_type *store_type(const struct store *st)
{
	return st->type;
}

void *store_state(struct store *st)
{
	return st->state;
}

const char *store_name(const struct store *st)
{
	return st->name;
}

const char *store_attr(const struct store *st, const char *name)
{
	return kv_get(&st->attrs, name);
}

int store_attr_u64(const struct store *st, const char *name, uint64_t dflt, uint64_t *ret, struct err *err)
{
	const char *text = store_attr(st, name);
	int rc;

	if (!text) {
		*ret = dflt;
		return 0;
	}
	rc = unit_u64(text, ret, err);
	return rc ? err_prefix(err, rc, "store %s: %s: ", st->name, name) : 0;
}
