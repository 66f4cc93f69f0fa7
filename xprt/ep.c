/* ep.c - every transport.  To add one: write xprt/NAME.c, add X(NAME) here. */
#include "xprt/ep.h"

#include <errno.h>
#include <string.h>

#define EPS(X)                                                                                                         \
	X(mem)                                                                                                         \
	X(sock)

#define X(n) extern const struct ep_type ep_##n;
EPS(X)
#undef X

static const struct ep_type *const ep_types[] = {
#define X(n) &ep_##n,
	EPS(X)
#undef X
};

#define X(n) " " #n
static const char ep_names[] = EPS(X);
#undef X

int ep_type_find(const char *name, const struct ep_type **ret, struct err *err)
{
	for (size_t i = 0; i < sizeof(ep_types) / sizeof(*ep_types); i++) {
		const struct ep_type *t = ep_types[i];

		if (strcmp(t->name, name))
			continue;
		if (t->needs)
			return err_set(err, -ENOTSUP,
				       "transport %s: this ldms was built without %s; install it and build again", name,
				       t->needs);
		*ret = t;
		return 0;
	}
	return err_set(err, -ENOENT, "transport %s: unknown; there are:%s", name, ep_names);
}

void ep_local(const struct ep *ep, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (ep->type->local)
		ep->type->local(ep, ret);
}
