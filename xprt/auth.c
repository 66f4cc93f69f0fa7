/* auth.c - every method of authentication.  To add one: write xprt/auth_NAME.c, add X(NAME) here. */
#include "xprt/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"

#define AUTHS(X) X(munge) X(naive) X(none) X(ovis)

#define X(n) extern const struct auth_type auth_##n;
AUTHS(X)
#undef X

static const struct auth_type *const auth_types[] = {
#define X(n) &auth_##n,
	AUTHS(X)
#undef X
};

#define X(n) " " #n
static const char auth_names[] = AUTHS(X);
#undef X

static const char *const why_names[AUTH_WHYS] = {
	[AUTH_METHOD] = "method",   [AUTH_SECRET] = "secret",     [AUTH_EXPIRED] = "expired",
	[AUTH_REWOUND] = "rewound", [AUTH_REPLAYED] = "replayed", [AUTH_HELPER] = "helper",
	[AUTH_SILENT] = "silent",   [AUTH_HUNG_UP] = "hung-up",   [AUTH_BROKEN] = "broken",
};

const char *auth_why_name(enum auth_why why)
{
	return (unsigned int)why < AUTH_WHYS && why_names[why] ? why_names[why] : "?";
}

int auth_type_find(const char *name, const struct auth_type **ret, struct err *err)
{
	for (size_t i = 0; i < sizeof(auth_types) / sizeof(*auth_types); i++) {
		const struct auth_type *t = auth_types[i];

		if (strcmp(t->name, name))
			continue;
		if (t->needs)
			return err_set(err, -ENOTSUP, "authentication %s: this ldms was built without %s", name,
				       t->needs);
		*ret = t;
		return 0;
	}
	return err_set(err, -EINVAL, "authentication %s: unknown; there is:%s", name, auth_names);
}

static int options_check(const struct auth_type *t, const struct kv *args, struct err *err)
{
	static const char *const none[] = { NULL };
	const char *const *options = t->options ? t->options : none;

	for (size_t i = 0; args && i < args->n; i++) {
		const char *key = args->v[i].key, *near;
		size_t k = 0;

		while (options[k] && strcmp(options[k], key))
			k++;
		if (options[k] && args->v[i].value && *args->v[i].value)
			continue;
		if (options[k])
			return err_set(err, -EINVAL, "authentication %s: option '%s' wants a value: %s=...", t->name,
				       key, key);
		if (!*options)
			return err_set(err, -EINVAL, "authentication %s: takes no options, not '%s'", t->name, key);
		near = nearest(key, options);
		return err_set(err, -EINVAL, "authentication %s: unknown option '%s'; did you mean '%s'?", t->name, key,
			       near ? near : *options);
	}
	return 0;
}

int auth_open(const char *name, const struct kv *args, struct auth_conf **ret, struct err *err)
{
	static const struct kv nothing;
	const struct auth_type *type;
	void *own = NULL;
	int rc = auth_type_find(name, &type, err);

	if (!rc)
		rc = options_check(type, args, err);
	if (!rc && type->open)
		rc = type->open(args ? args : &nothing, &own, err);
	if (rc)
		return rc;
	*ret = xcalloc(1, sizeof(**ret));
	**ret = (struct auth_conf){ .type = type, .own = own, .refs = 1 };
	return 0;
}

int auth_settle(const struct auth_conf *ac, struct kv *args, struct err *err)
{
	return ac->type->settle ? ac->type->settle(args, err) : 0;
}

struct auth_conf *auth_conf_get(struct auth_conf *ac)
{
	atomic_fetch_add(&ac->refs, 1);
	return ac;
}

void auth_conf_put(struct auth_conf *ac)
{
	if (!ac || atomic_fetch_sub(&ac->refs, 1) != 1)
		return;
	if (ac->type->close)
		ac->type->close(ac->own);
	free(ac);
}
