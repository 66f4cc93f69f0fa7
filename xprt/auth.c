/* auth.c - every method of authentication.  To add one: write xprt/auth_NAME.c, add X(NAME) here. */
#include "xprt/auth.h"

#include <errno.h>
#include <string.h>

#define AUTHS(X) X(none)

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
