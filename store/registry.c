/* registry.c - a schema registry over HTTP, as Confluent's, Karapace and Apicurio have it:
 *
 *	POST /subjects/SUBJECT/versions   {"schema":"..."}   ->   {"id":7}
 *
 * which registers a schema, or says the number of one that is there.  Each is asked for once for a subject, whatever
 * the row schema's digest; the instance's policies share what is known.
 */
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/base/http.h"
#include "core/base/json_put.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/kafka.h"

#define URL_DFLT    "http://localhost:8081"
#define URLS_MAX    8
#define ANSWER_MAX  (64u << 10)
#define DEADLINE_US (2 * SEC_US) /* for one server; the policy's worker waits */
#define KNOWN_MAX   65536        /* schemas: a cluster has some tens */
#define CONFLICT    409          /* not compatible with the subject's earlier ones */
#define NO_SCHEMA   422

struct known {
	UT_hash_handle hh;
	char *key; /* subject, blank, schema */
	uint32_t id;
};

struct registry {
	pthread_mutex_t lock; /* for all below, also while a server is asked: the others want to know the same */
	struct server {
		char *url;
		struct http *http; /* NULL: not asked yet */
	} servers[URLS_MAX];
	size_t n, at; /* at: the one that answered last */
	char *user, *password;
	char *ca, *cert, *key;
	bool no_verify;
	struct known *known;
};

/* -- configuration ------------------------------------------------------------------------------------------------- */

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
			r->servers[r->n++].url = xstrdup(url);
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

int registry_new(const struct kv *props, struct registry **ret, struct err *err)
{
	struct registry *r = xcalloc(1, sizeof(*r));
	int rc = 0;

	pthread_mutex_init(&r->lock, NULL);
	for (size_t i = 0; !rc && i < props->n; i++)
		if (kafka_prop(props, props->v[i].key) == props->v[i].value) /* not said again behind it */
			rc = property_set(r, props->v[i].key, props->v[i].value, err);
	if (!rc && !r->n)
		rc = set_url(r, URL_DFLT, err);
	if (rc)
		registry_free(r);
	else
		*ret = r;
	return rc;
}

void registry_free(struct registry *r)
{
	struct known *k, *next;

	if (!r)
		return;
	HASH_ITER(hh, r->known, k, next) {
		HASH_DEL(r->known, k);
		free(k->key);
		free(k);
	}
	for (size_t i = 0; i < r->n; i++) {
		http_close(r->servers[i].http);
		free(r->servers[i].url);
	}
	pthread_mutex_destroy(&r->lock);
	free(r->user);
	free(r->password);
	free(r->ca);
	free(r->cert);
	free(r->key);
	free(r);
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

void registry_request(struct buf *to, const char *schema)
{
	buf_addf(to, "{\"schema\":");
	json_put_str(to, schema);
	buf_u8(to, '}');
}

int registry_answer_id(const char *body, size_t len, uint32_t *ret, struct err *err)
{
	json_t *root = json_loadb(body, len, 0, NULL), *id = json_object_get(root, "id");
	int rc = 0;

	if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) > INT32_MAX)
		rc = err_set(err, -EPROTO, "answers without the number of a schema");
	else
		*ret = (uint32_t)json_integer_value(id);
	json_decref(root);
	return rc;
}

void registry_answer_words(const char *body, size_t len, char *to, size_t size)
{
	json_t *root = json_loadb(body, len, 0, NULL);
	const char *message = json_string_value(json_object_get(root, "message"));

	snprintf(to, size, "%.200s", message ? message : "no reason given");
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	json_decref(root);
}

static int server_open(const struct registry *r, struct server *s, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/vnd.schemaregistry.v1+json",
					       "Accept: application/vnd.schemaregistry.v1+json", NULL };
	const struct http_conf conf = {
		.url = s->url,
		.headers = headers,
		.user = r->user,
		.password = r->password,
		.tls = { .ca = r->ca, .cert = r->cert, .key = r->key, .no_verify = r->no_verify },
		.body_max = ANSWER_MAX,
	};

	return s->http ? 0 : http_open(&conf, &s->http, err);
}

static int server_ask(const struct registry *r, struct server *s, const char *subject, const struct buf *body,
		      uint32_t *ret, struct err *err)
{
	struct http_answer answer = { 0 };
	struct buf url = { 0 };
	char words[256];
	int rc = server_open(r, s, err);

	buf_addf(&url, "%s/subjects/", s->url);
	http_quote(&url, subject);
	buf_addf(&url, "/versions");
	if (!rc)
		rc = http_ask(s->http,
			      &(struct http_req){ .method = "POST",
						  .url = buf_str(&url),
						  .body = body->p,
						  .body_len = body->len,
						  .deadline_us = DEADLINE_US },
			      &answer, err);
	if (rc)
		goto out;
	registry_answer_words((const char *)answer.body.p, answer.body.len, words, sizeof(words));
	if (answer.status == 200) {
		rc = registry_answer_id((const char *)answer.body.p, answer.body.len, ret, err);
		if (rc)
			err_prefix(err, rc, "%s: ", s->url);
	} else if (answer.status == CONFLICT || answer.status == NO_SCHEMA) {
		rc = err_set(
			err, -EINVAL,
			"%s: subject %s: the registry refuses the schema (%u: %s); set the subject's compatibility "
			"to NONE, or give the row schema another name, then start the policy again",
			s->url, subject, answer.status, words);
	} else {
		rc = err_set(err, -EREMOTEIO, "%s: subject %s: the registry answers with status %u: %s", s->url,
			     subject, answer.status, words);
	}
out:
	http_answer_fini(&answer);
	buf_fini(&url);
	return rc;
}

/* The one that answered last time, then the others. */
static int ask(struct registry *r, const char *subject, const struct buf *body, uint32_t *ret, struct err *err)
{
	int rc = -EREMOTEIO;

	for (size_t i = 0; i < r->n; i++) {
		size_t at = (r->at + i) % r->n;

		rc = server_ask(r, &r->servers[at], subject, body, ret, err);
		if (!rc || rc == -EINVAL) {
			r->at = at;
			return rc;
		}
	}
	return err_prefix(err, rc, "schema registry ");
}

static void remember(struct registry *r, const char *key, size_t len, uint32_t id)
{
	struct known *k;

	if (HASH_COUNT(r->known) >= KNOWN_MAX)
		return;
	k = xcalloc(1, sizeof(*k));
	k->key = xmalloc(len);
	memcpy(k->key, key, len);
	k->id = id;
	HASH_ADD_KEYPTR(hh, r->known, k->key, len, k);
}

int registry_id(struct registry *r, const char *subject, const char *schema, uint32_t *ret, struct err *err)
{
	struct buf key = { 0 }, body = { 0 };
	struct known *k;
	int rc = 0;

	buf_addf(&key, "%s %s", subject, schema);
	pthread_mutex_lock(&r->lock);
	HASH_FIND(hh, r->known, key.p, key.len, k);
	if (k) {
		*ret = k->id;
		goto out;
	}
	registry_request(&body, schema);
	rc = ask(r, subject, &body, ret, err);
	if (rc)
		goto out;
	remember(r, (const char *)key.p, key.len, *ret);
	log_info("store", "schema registry %s: subject %s has schema id=%u", r->servers[r->at].url, subject, *ret);
out:
	pthread_mutex_unlock(&r->lock);
	buf_fini(&key);
	buf_fini(&body);
	return rc;
}
