/* auth_domain.h - authentication domains: a method and its arguments under a name, for listeners and producers.
 *
 * A domain never changes, so that whoever holds a reference may read it on any loop; the table is the main loop's.
 * DEFAULT is what is used where no name is given; `none` is there without being added.
 */
#ifndef CORE_DAEMON_AUTH_DOMAIN_H
#define CORE_DAEMON_AUTH_DOMAIN_H

#include "core/daemon/daemon.h"
#include "xprt/auth.h"

#define AUTH_DOMAIN_DFLT "DEFAULT"

struct auth_domain {
	struct node node;   /* in the daemon's table; node.name is ours */
	const char *plugin; /* the method: xprt_conf.auth */
	struct kv args;     /* xprt_conf.auth_args */
	/* xprt_conf.auth_kept: as it was when the domain was made.  A new secret in its file is taken with the next
	 * connection; a daemon that has given up root's rights cannot read it again. */
	struct auth_conf *kept;
	atomic_uint refs;
};

/* The domain of that name, with a reference for you; NULL and words when there is none. */
struct auth_domain *auth_domain_get(struct daemon *d, const char *name, struct err *err);
void auth_domain_put(struct auth_domain *ad); /* any thread; NULL is fine */
/* One for a single user, in no table: `name` is a domain, or a method, and `args` are used in place of the domain's
 * own. */
struct auth_domain *auth_domain_private(struct daemon *d, const char *name, const struct kv *args, struct err *err);

/* Make one; its method is asked whether the arguments will do.  `plugin` NULL: as the name.  -EEXIST. */
int auth_domain_add(struct daemon *d, const char *name, const char *plugin, const struct kv *args, struct err *err);
/* -ENOENT; -EBUSY while a producer or a listener uses it. */
int auth_domain_del(struct daemon *d, const char *name, struct err *err);
/* Make DEFAULT.  The first one counts: a later one is logged, and ignored. */
int auth_default_set(struct daemon *d, const char *plugin, const struct kv *args, struct err *err);
void auth_domains_free(struct daemon *d);

#endif
