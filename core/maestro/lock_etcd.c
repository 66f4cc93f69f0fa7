/* lock_etcd.c - a lock in etcd, by its v3 HTTP gateway
 *
 *	/v3/lease/grant      {"TTL":"10"}            -> {"ID":"123","TTL":"10"}
 *	/v3/lease/keepalive  {"ID":"123"}            -> {"result":{"ID":"123","TTL":"10"}}; no TTL: it ran out
 *	/v3/lease/revoke     {"ID":"123"}
 *	/v3/kv/txn           put the key with the lease if there is none -> {"succeeded":true}; else its value
 *
 * Keys and values are base64.  The key goes with its lease.  The members of the cluster are asked in turn until one
 * answers.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/http.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/base/yaml.h"
#include "core/maestro/lock_impl.h"

#define ANSWER_MAX  (64u << 10) /* bytes: a lease, or the key and its value */
#define FILE_MAX    (1u << 20)
#define MEMBERS_MAX 32
#define RELEASE_US  SEC_US

struct etcd_lock {
	char *urls[MEMBERS_MAX];
	size_t n, at; /* the one that answered last */
	struct http *http;
	char *key, *id; /* base64 */
	int64_t lease_us;
	char *lease; /* its number; NULL: there is none */
};

static char *base64(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)text;
	struct buf b = { 0 };
	char *ret;

	for (size_t n = strlen(text); n; n -= n < 3 ? n : 3, p += 3) {
		uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

		buf_u8(&b, (uint8_t)digits[v >> 18]);
		buf_u8(&b, (uint8_t)digits[v >> 12 & 63]);
		buf_u8(&b, (uint8_t)(n > 1 ? digits[v >> 6 & 63] : '='));
		buf_u8(&b, (uint8_t)(n > 2 ? digits[v & 63] : '='));
	}
	ret = xstrdup(buf_str(&b));
	buf_fini(&b);
	return ret;
}

/* -- the cluster file ---------------------------------------------------------------------------------------------- */

static int members_take(struct etcd_lock *e, const char *path, const struct yaml_node *root, struct err *err)
{
	const struct yaml_node *members = yaml_get(root, "members");

	if (!members || members->kind != YAML_LIST || !members->n || members->n > MEMBERS_MAX)
		return err_set(err, -EINVAL,
			       "--cluster %s: it needs `members: [{host: HOST, port: PORT}, ...]`, 1 to %d", path,
			       MEMBERS_MAX);
	for (size_t i = 0; i < members->n; i++) {
		const struct yaml_node *m = members->values[i], *host = yaml_get(m, "host"),
				       *port = yaml_get(m, "port");

		if (!host || host->kind != YAML_TEXT || (port && port->kind != YAML_TEXT))
			return err_set(err, -EINVAL, "%s:%u:%u: a member has a host and a port", path, m->line, m->col);
		e->urls[e->n++] = xasprintf(strchr(host->text, ':') ? "http://[%s]:%s" : "http://%s:%s", host->text,
					    port ? port->text : "2379");
	}
	return 0;
}

static int members_read(struct etcd_lock *e, const char *path, struct err *err)
{
	const struct yaml_node *root = NULL;
	struct yaml *y = NULL;
	struct buf text = { 0 };
	unsigned int line = 0, col = 0;
	FILE *f = fopen(path, "re");
	int rc = f ? buf_slurp(&text, f, FILE_MAX) : -errno;

	if (rc)
		err_set(err, rc, "--cluster %s: %s", path, err_name(rc));
	if (!rc) {
		rc = yaml_tree_parse((const char *)text.p, text.len, &y, &root, &line, &col, err);
		if (rc)
			err_prefix(err, rc, "%s:%u:%u: ", path, line, col);
	}
	if (!rc)
		rc = members_take(e, path, root, err);
	yaml_tree_free(y);
	buf_fini(&text);
	if (f)
		fclose(f);
	return rc;
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

static int ask_one(struct etcd_lock *e, const char *path, const char *body, int64_t deadline_us, json_t **ret,
		   struct err *err)
{
	const struct http_conf conf = { .url = e->urls[e->at], .body_max = ANSWER_MAX };
	char *url = xasprintf("%s%s", e->urls[e->at], path);
	const struct http_req req = {
		.method = "POST", .url = url, .body = body, .body_len = strlen(body), .deadline_us = deadline_us
	};
	struct http_answer a = { 0 };
	json_error_t why;
	int rc = e->http ? 0 : http_open(&conf, &e->http, err);

	if (!rc)
		rc = http_ask(e->http, &req, &a, err);
	if (!rc && a.status / 100 != 2)
		rc = err_set(err, -EREMOTEIO, "%s: status %u: %.200s", url, a.status, buf_str(&a.body));
	if (!rc) {
		*ret = json_loadb((const char *)a.body.p, a.body.len, JSON_DISABLE_EOF_CHECK, &why);
		if (!*ret)
			rc = err_set(err, -EPROTO, "%s: its answer is no JSON: %s", url, why.text);
	}
	http_answer_fini(&a);
	free(url);
	return rc;
}

/* The members in turn, from the one that answered last; each has its share of the time. */
static int ask(struct etcd_lock *e, const char *path, const char *body, int64_t deadline_us, json_t **ret,
	       struct err *err)
{
	int rc = -ETIMEDOUT;

	for (size_t i = 0; i < e->n && rc; i++) {
		int64_t left_us = deadline_us - clock_us(CLOCK_MONOTONIC);

		if (left_us <= 0)
			break;
		rc = ask_one(e, path, body, left_us / (int64_t)(e->n - i), ret, err);
		if (!rc)
			break;
		http_close(e->http);
		e->http = NULL;
		e->at = (e->at + 1) % e->n;
	}
	return rc;
}

/* A number, which the gateway writes as a text. */
static const char *number_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && *s && !s[strspn(s, "0123456789-")] ? s : NULL;
}

static void lease_forget(struct etcd_lock *e)
{
	free(e->lease);
	e->lease = NULL;
}

static int lease_grant(struct etcd_lock *e, int64_t deadline_us, struct err *err)
{
	char *body = xasprintf("{\"TTL\":\"%lld\"}", (long long)((e->lease_us + SEC_US - 1) / SEC_US));
	json_t *got = NULL;
	int rc = ask(e, "/v3/lease/grant", body, deadline_us, &got, err);

	if (!rc && number_of(got, "ID"))
		e->lease = xstrdup(number_of(got, "ID"));
	else if (!rc)
		rc = err_set(err, -EPROTO, "%s: it grants no lease", e->urls[e->at]);
	json_decref(got);
	free(body);
	return rc;
}

/* 1: it goes on; 0: it has run out. */
static int lease_keep(struct etcd_lock *e, int64_t deadline_us, struct err *err)
{
	char *body = xasprintf("{\"ID\":\"%s\"}", e->lease);
	json_t *got = NULL;
	int rc = ask(e, "/v3/lease/keepalive", body, deadline_us, &got, err);
	const char *ttl = rc ? NULL : number_of(json_object_get(got, "result"), "TTL");

	if (!rc)
		rc = ttl && atoll(ttl) > 0;
	json_decref(got);
	free(body);
	return rc;
}

/* 1: the key is ours, now or since before. */
static int key_take(struct etcd_lock *e, int64_t deadline_us, struct err *err)
{
	char *body = xasprintf(
		"{\"compare\":[{\"key\":\"%s\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":"
		"\"0\"}],\"success\":[{\"request_put\":{\"key\":\"%s\",\"value\":\"%s\",\"lease\":\"%s\"}}],"
		"\"failure\":[{\"request_range\":{\"key\":\"%s\"}}]}",
		e->key, e->key, e->id, e->lease, e->key);
	const json_t *kv;
	const char *value;
	json_t *got = NULL;
	int rc = ask(e, "/v3/kv/txn", body, deadline_us, &got, err);

	if (!rc && json_is_true(json_object_get(got, "succeeded"))) {
		rc = 1;
	} else if (!rc) {
		kv = json_object_get(json_array_get(json_object_get(got, "responses"), 0), "response_range");
		kv = json_array_get(json_object_get(kv, "kvs"), 0);
		value = json_string_value(json_object_get(kv, "value"));
		rc = value && !strcmp(value, e->id);
	}
	json_decref(got);
	free(body);
	return rc;
}

static int etcd_hold(void *lock, int64_t deadline_us, struct err *err)
{
	struct etcd_lock *e = lock;
	int rc = e->lease ? lease_keep(e, deadline_us, err) : 0;

	if (rc < 0)
		return rc;
	if (!rc) {
		lease_forget(e);
		rc = lease_grant(e, deadline_us, err);
	}
	return rc < 0 ? rc : key_take(e, deadline_us, err);
}

static void etcd_release(void *lock)
{
	struct etcd_lock *e = lock;
	json_t *got = NULL;
	char *body;

	if (!e->lease)
		return;
	body = xasprintf("{\"ID\":\"%s\"}", e->lease);
	ask(e, "/v3/lease/revoke", body, clock_us(CLOCK_MONOTONIC) + RELEASE_US, &got, NULL);
	json_decref(got);
	free(body);
	lease_forget(e);
}

static void etcd_close(void *lock)
{
	struct etcd_lock *e = lock;

	http_close(e->http);
	for (size_t i = 0; i < e->n; i++)
		free(e->urls[i]);
	free(e->key);
	free(e->id);
	free(e->lease);
	free(e);
}

static int etcd_open(const struct lock_conf *conf, void **ret, struct err *err)
{
	struct etcd_lock *e = xcalloc(1, sizeof(*e));
	char *key = xasprintf("/%s/maestro/lock", conf->prefix), *id = lock_id();
	struct http_conf first = { .body_max = ANSWER_MAX };
	int rc;

	e->key = base64(key);
	e->id = base64(id);
	e->lease_us = conf->lease_us;
	free(key);
	free(id);
	rc = members_read(e, conf->cluster, err);
	first.url = rc ? NULL : e->urls[0];
	if (!rc)
		rc = http_open(&first, &e->http, err);
	if (rc)
		etcd_close(e);
	else
		*ret = e;
	return rc;
}

const struct lock_type lock_etcd = { etcd_open, etcd_hold, etcd_release, etcd_close };
