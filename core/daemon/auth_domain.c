/* auth_domain.c - see auth_domain.h */
#include "core/daemon/auth_domain.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/confine.h"

#define METHOD_DFLT "none"

static int domain_new(struct daemon *d, const char *name, const char *plugin, const struct kv *args,
		      struct auth_domain **ret, struct err *err)
{
	struct auth_conf *kept = NULL;
	struct kv copy = { 0 };
	struct auth_domain *ad;
	int rc;

	if (args)
		kv_copy(&copy, args);
	rc = auth_open(plugin, &copy, &kept, err);
	if (!rc)
		rc = auth_settle(kept, &copy, err);
	if (!rc && kv_get(&copy, "conf"))
		rc = confine_path(d->confine, "secret file", PATH_READ, kv_get(&copy, "conf"), err);
	if (rc) {
		auth_conf_put(kept);
		kv_fini(&copy);
		return err_prefix(err, rc, "authentication domain %s: ", name);
	}
	if (kept->type->caution)
		log_warning("ldmsd", "authentication domain %s: %s %s", name, plugin, kept->type->caution);
	ad = xcalloc(1, sizeof(*ad));
	ad->node.name = xstrdup(name);
	ad->plugin = xstrdup(plugin);
	ad->args = copy;
	ad->kept = kept;
	ad->refs = 1;
	*ret = ad;
	return 0;
}

void auth_domain_put(struct auth_domain *ad)
{
	if (!ad || atomic_fetch_sub(&ad->refs, 1) != 1)
		return;
	free((char *)ad->node.name);
	free((char *)ad->plugin);
	kv_fini(&ad->args);
	auth_conf_put(ad->kept);
	free(ad);
}

struct auth_domain *auth_domain_get(struct daemon *d, const char *name, struct err *err)
{
	struct auth_domain *ad = node_find(d->auths, name);

	if (ad) {
		atomic_fetch_add(&ad->refs, 1);
		return ad;
	}
	if (strcmp(name, AUTH_DOMAIN_DFLT) && strcmp(name, METHOD_DFLT)) {
		err_set(err, -ENOENT,
			"authentication domain '%s' not found. Please make sure that it is created with `auth_add` "
			"config "
			"command.",
			name);
		return NULL;
	}
	ad = node_find(d->plain_auths, name);
	if (!ad) {
		if (domain_new(d, name, METHOD_DFLT, NULL, &ad, err))
			return NULL;
		node_add(&d->plain_auths, &ad->node);
	}
	atomic_fetch_add(&ad->refs, 1);
	return ad;
}

struct auth_domain *auth_domain_private(struct daemon *d, const char *name, const struct kv *args, struct err *err)
{
	struct auth_domain *base = auth_domain_get(d, name, NULL), *ad = NULL;

	domain_new(d, name, base ? base->plugin : name, args, &ad, err);
	auth_domain_put(base);
	return ad;
}

/* Those that were given; a method may have added to them (auth_settle). */
static bool same_args(const struct kv *have, const struct kv *given)
{
	bool same = have->n >= given->n;

	for (size_t i = 0; i < given->n && same; i++)
		same = !strcmp(have->v[i].key, given->v[i].key) &&
		       !strcmp(have->v[i].value ? have->v[i].value : "", given->v[i].value ? given->v[i].value : "");
	return same;
}

/* What runs already needs no second look at its secret, which may be out of reach by now. */
static struct auth_domain *domain_again(const struct daemon *runs, const char *name, const char *plugin,
					const struct kv *args)
{
	struct auth_domain *was = runs ? node_find(runs->auths, name) : NULL, *ad;

	if (!was || strcmp(was->plugin, plugin) || !same_args(&was->args, args))
		return NULL;
	ad = xcalloc(1, sizeof(*ad));
	ad->node.name = xstrdup(name);
	ad->plugin = xstrdup(plugin);
	kv_copy(&ad->args, &was->args);
	ad->kept = auth_conf_get(was->kept);
	ad->refs = 1;
	return ad;
}

int auth_domain_add(struct daemon *d, const char *name, const char *plugin, const struct kv *args, struct err *err)
{
	struct auth_domain *ad = domain_again(d->draft_of, name, plugin ? plugin : name, args);
	int rc = 0;

	if (node_find(d->auths, name)) {
		auth_domain_put(ad);
		return err_set(err, -EEXIST, "authentication domain %s: exists already", name);
	}
	if (!ad)
		rc = domain_new(d, name, plugin ? plugin : name, args, &ad, err);
	if (!rc)
		node_add(&d->auths, &ad->node);
	return rc;
}

int auth_domain_del(struct daemon *d, const char *name, struct err *err)
{
	struct auth_domain *ad = node_find(d->auths, name);
	unsigned int users;

	if (!ad)
		return err_set(err, -ENOENT, "'%s' authentication domain not found", name);
	users = atomic_load(&ad->refs) - 1; /* the table's is one */
	if (users)
		return err_set(err, -EBUSY,
			       "authentication domain %s: %u producer%s or listener%s use it; delete them first", name,
			       users, users == 1 ? "" : "s", users == 1 ? "" : "s");
	node_del(&d->auths, &ad->node);
	auth_domain_put(ad);
	return 0;
}

int auth_default_set(struct daemon *d, const char *plugin, const struct kv *args, struct err *err)
{
	const struct auth_domain *ad = node_find(d->auths, AUTH_DOMAIN_DFLT);

	if (!ad)
		return auth_domain_add(d, AUTH_DOMAIN_DFLT, plugin, args, err);
	log_error("config", "The default authentication was already set to '%s'. Ignore the new value '%s'", ad->plugin,
		  plugin);
	return 0;
}

static void table_free(struct node **table)
{
	while (*table) {
		struct auth_domain *ad = (struct auth_domain *)*table;

		node_del(table, &ad->node);
		auth_domain_put(ad);
	}
}

void auth_domains_free(struct daemon *d)
{
	table_free(&d->auths);
	table_free(&d->plain_auths);
}
