/* ctl_auth.c - the verbs on authentication */
#include <errno.h>
#include <stdlib.h>

#include "core/base/kv.h"
#include "core/ctl/verbs.h"
#include "core/daemon/auth_domain.h"

int ctl_auth_add(struct ctl *c, struct err *err)
{
	struct kv args = { 0 };
	int rc;

	kv_parse(&args, ctl_text(c, ATTR_STRING, ""));
	rc = auth_domain_add(c->d, ctl_text(c, ATTR_NAME, ""), ctl_text(c, ATTR_PLUGIN, NULL), &args, err);
	kv_fini(&args);
	/* ldmsd's words, so that what looks for them finds them, and ours */
	return rc ? err_prefix(err, rc, "Authentication domain creation failed, errno: %d: ", abs(rc)) : 0;
}

int ctl_auth_del(struct ctl *c, struct err *err)
{
	return auth_domain_del(c->d, ctl_text(c, ATTR_NAME, ""), err);
}

int ctl_default_auth(struct ctl *c, struct err *err)
{
	struct kv args = { 0 };
	int rc;

	kv_parse(&args, ctl_text(c, ATTR_STRING, ""));
	rc = auth_default_set(c->d, ctl_text(c, ATTR_PLUGIN, ""), &args, err);
	kv_fini(&args);
	if (rc)
		c->d->listen_failed = true; /* for no port could be opened with it */
	return rc;
}

int ctl_auth_check(const struct ctl *c, struct err *err)
{
	struct auth_domain *ad = auth_domain_get(c->d, ctl_text(c, ATTR_AUTH, AUTH_DOMAIN_DFLT), NULL);

	if (!ad)
		return err_set(err, -ENOENT, "Authentication name not found, check the auth_add configuration.");
	auth_domain_put(ad);
	return 0;
}
