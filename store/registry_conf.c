/* registry_conf.c - what a schema registry's properties say */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/registry_impl.h"

#define URL_DFLT "http://localhost:8081"

static int set_url(struct registry *r, const char *value, struct err *err)
{
	char *copy = xstrdup(value), *save = NULL;
	int rc = 0;

	for (char *url = strtok_r(copy, ", ", &save); !rc && url; url = strtok_r(NULL, ", ", &save)) {
		size_t len = strlen(url);

		while (len && url[len - 1] == '/')
			url[--len] = '\0';
		if (r->n == URLS_MAX)
			rc = err_set(err, -EINVAL, "at most %d servers go there", URLS_MAX);
		else if (strchr(url, '@'))
			rc = err_set(err, -EINVAL,
				     "a password in a URL gets into logs; say schema.registry.basic.auth.user.info="
				     "USER:PASSWORD");
		else
			rc = http_url_check(url, err);
		if (!rc)
			r->urls[r->n++] = xstrdup(url);
	}
	if (!rc && !r->n)
		rc = err_set(err, -EINVAL, "a URL goes there, as " URL_DFLT);
	free(copy);
	return rc;
}

static int set_user(struct registry *r, const char *value, struct err *err)
{
	const char *colon = strchr(value, ':');

	if (!colon)
		return err_set(err, -EINVAL, "USER:PASSWORD goes there");
	r->user = xstrndup(value, (size_t)(colon - value));
	r->password = xstrdup(colon + 1);
	return 0;
}

static int set_ca(struct registry *r, const char *value, struct err *err)
{
	r->ca = xstrdup(value);
	return 0;
}

static int set_cert(struct registry *r, const char *value, struct err *err)
{
	r->cert = xstrdup(value);
	return 0;
}

static int set_key(struct registry *r, const char *value, struct err *err)
{
	r->key = xstrdup(value);
	return 0;
}

static int set_verify(struct registry *r, const char *value, struct err *err)
{
	bool verify;
	int rc = unit_bool(value, &verify, err);

	r->no_verify = !rc && !verify;
	return rc;
}

/* The wire format that consumers know; libserdes could also leave the number out, and then nobody can read it. */
static int set_framing(struct registry *r, const char *value, struct err *err)
{
	return strcmp(value, "cp1") ? err_set(err, -EINVAL, "only cp1 is there; leave it out") : 0;
}

static const struct property {
	const char *name;
	int (*set)(struct registry *r, const char *value, struct err *err);
} properties[] = {
	{ "schema.registry.url", set_url },
	{ "schema.registry.basic.auth.user.info", set_user },
	{ "schema.registry.ssl.ca.location", set_ca },
	{ "schema.registry.ssl.certificate.location", set_cert },
	{ "schema.registry.ssl.key.location", set_key },
	{ "enable.ssl.certificate.verification", set_verify },
	{ "serializer.framing", set_framing },
	{ "deserializer.framing", NULL }, /* for readers */
	{ "debug", NULL },
	{ 0 },
};

static int property_unknown(const char *key, struct err *err)
{
	struct buf names = { 0 };
	int rc;

	for (const struct property *p = properties; p->name; p++)
		buf_addf(&names, "%s%s", p == properties ? "" : ", ", p->name);
	rc = err_set(err, -EINVAL, "there is no property '%s'; there are %s", key, buf_str(&names));
	buf_fini(&names);
	return rc;
}

static int property_set(struct registry *r, const char *key, const char *value, struct err *err)
{
	const struct property *p;
	int rc = 0;

	for (p = properties; p->name && strcmp(p->name, key); p++)
		;
	if (!p->name)
		return property_unknown(key, err);
	if (p->set)
		rc = p->set(r, value, err);
	return rc ? err_prefix(err, rc, "%s: ", key) : 0;
}

int registry_configure(struct registry *r, const struct kv *props, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < props->n; i++)
		if (kafka_prop(props, props->v[i].key) == props->v[i].value) /* not said again behind it */
			rc = property_set(r, props->v[i].key, props->v[i].value, err);
	return rc || r->n ? rc : set_url(r, URL_DFLT, err);
}
