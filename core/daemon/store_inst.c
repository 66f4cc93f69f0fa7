/* store_inst.c - store instances: a plugin's type, the attributes it was given, its state. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/strgp.h"

#define ATTRS_MAX 64 /* that one store has; for "did you mean" */

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

static bool attr_known(const struct store_type *type, const char *key)
{
	for (const struct store_attr *a = type->attrs; a && a->name; a++)
		if (!strcmp(a->name, key))
			return true;
	return !strcmp(key, "name"); /* the instance's, which `config` finds it by */
}

static int attr_unknown(const struct store *st, const char *key, struct err *err)
{
	const char *names[ATTRS_MAX + 1] = { NULL }, *near;
	size_t n = 0;

	for (const struct store_attr *a = st->type->attrs; a && a->name && n < ATTRS_MAX; a++)
		names[n++] = a->name;
	near = nearest(key, names);
	return err_set(err, -EINVAL, "store %s: %s has no attribute '%s'%s%s%s", st->name, st->type->name, key,
		       near ? "; did you mean '" : "; leave it out", near ? near : "", near ? "'?" : "");
}

int store_config(struct store *st, const struct kv *attrs, struct err *err)
{
	int rc;

	if (st->configured && !st->type->config_more)
		return err_set(err, -EINVAL,
			       "store %s: it is configured already, and that cannot be changed; load another instance",
			       st->name);
	for (size_t i = 0; i < attrs->n; i++)
		if (!attr_known(st->type, attrs->v[i].key))
			return attr_unknown(st, attrs->v[i].key, err);
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
