/* lock_etcd.c - a lock in etcd, by its v3 HTTP gateway
 *
 *	/v3/lease/grant      {"TTL":"10"}            -> {"ID":"123","TTL":"10"}
 *	/v3/lease/keepalive  {"ID":"123"}            -> {"result":{"ID":"123","TTL":"10"}}; no TTL: it ran out
 *	/v3/lease/revoke     {"ID":"123"}
 *	/v3/kv/txn           put the key with the lease if there is none -> {"succeeded":true}; else its value
 *
 * Keys and values are base64.  The key goes with its lease.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/maestro/etcd.h"
#include "core/maestro/lock_impl.h"

#define RELEASE_US SEC_US

struct etcd_lock {
	struct etcd *etcd;
	char *key, *id; /* base64 */
	int64_t lease_us;
	char *lease; /* its number; NULL: there is none */
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *base64(const char *text)
{
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

/* As far as it is printable text; yours. */
static char *base64_text(const char *p)
{
	struct buf b = { 0 };
	uint32_t v = 0;
	unsigned int bits = 0;
	const char *d;
	char *ret;

	for (; *p && (d = strchr(digits, *p)); p++) {
		v = v << 6 | (uint32_t)(d - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if ((v >> bits & 0xff) < ' ' || (v >> bits & 0xff) > '~')
			break;
		buf_u8(&b, (uint8_t)(v >> bits));
	}
	ret = xstrdup(buf_str(&b));
	buf_fini(&b);
	return ret;
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
	int rc = etcd_ask(e->etcd, "/v3/lease/grant", body, deadline_us, &got, err);

	if (!rc && number_of(got, "ID"))
		e->lease = xstrdup(number_of(got, "ID"));
	else if (!rc)
		rc = err_set(err, -EPROTO, "%s: it grants no lease", etcd_url(e->etcd));
	json_decref(got);
	free(body);
	return rc;
}

/* 1: it goes on; 0: it has run out. */
static int lease_keep(struct etcd_lock *e, int64_t deadline_us, struct err *err)
{
	char *body = xasprintf("{\"ID\":\"%s\"}", e->lease);
	json_t *got = NULL;
	int rc = etcd_ask(e->etcd, "/v3/lease/keepalive", body, deadline_us, &got, err);
	const char *ttl = rc ? NULL : number_of(json_object_get(got, "result"), "TTL");

	if (!rc)
		rc = ttl && atoll(ttl) > 0;
	json_decref(got);
	free(body);
	return rc;
}

/* Put it with our lease, if it is as `compare` has it; *got has what is there instead. */
static int key_put(struct etcd_lock *e, const char *compare, int64_t deadline_us, json_t **got, struct err *err)
{
	char *body = xasprintf("{\"compare\":[{\"key\":\"%s\",\"result\":\"EQUAL\",%s}],"
			       "\"success\":[{\"request_put\":{\"key\":\"%s\",\"value\":\"%s\",\"lease\":\"%s\"}}],"
			       "\"failure\":[{\"request_range\":{\"key\":\"%s\"}}]}",
			       e->key, compare, e->key, e->id, e->lease, e->key);
	int rc = etcd_ask(e->etcd, "/v3/kv/txn", body, deadline_us, got, err);

	free(body);
	if (rc)
		return rc;
	return json_is_true(json_object_get(*got, "succeeded"));
}

/* 1: the key is ours, now or since before; 0: err says whose it is. */
static int key_take(struct etcd_lock *e, int64_t deadline_us, struct err *err)
{
	char *ours = xasprintf("\"target\":\"VALUE\",\"value\":\"%s\"", e->id), *who;
	json_t *got = NULL;
	const json_t *kv;
	const char *value, *lease;
	int rc = key_put(e, "\"target\":\"CREATE\",\"create_revision\":\"0\"", deadline_us, &got, err);

	if (!rc) {
		kv = json_object_get(json_array_get(json_object_get(got, "responses"), 0), "response_range");
		kv = json_array_get(json_object_get(kv, "kvs"), 0);
		value = json_string_value(json_object_get(kv, "value"));
		lease = number_of(kv, "lease");
		if (value && !strcmp(value, e->id)) {
			rc = lease && !strcmp(lease, e->lease);
		} else {
			who = base64_text(value ? value : "");
			err_set(err, 0, "%s", who);
			free(who);
			value = NULL;
		}
		/* one that would go with an earlier lease of ours stays with this one */
		if (!rc && value) {
			json_decref(got);
			got = NULL;
			rc = key_put(e, ours, deadline_us, &got, err);
		}
	}
	json_decref(got);
	free(ours);
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
	etcd_ask(e->etcd, "/v3/lease/revoke", body, clock_us(CLOCK_MONOTONIC) + RELEASE_US, &got, NULL);
	json_decref(got);
	free(body);
	lease_forget(e);
}

static void etcd_lock_close(void *lock)
{
	struct etcd_lock *e = lock;

	etcd_close(e->etcd);
	free(e->key);
	free(e->id);
	free(e->lease);
	free(e);
}

static int etcd_lock_open(const struct lock_conf *conf, void **ret, struct err *err)
{
	struct etcd_lock *e = xcalloc(1, sizeof(*e));
	char *key = xasprintf("/%s/maestro/lock", conf->prefix), *id = lock_id();
	int rc;

	e->key = base64(key);
	e->id = base64(id);
	e->lease_us = conf->lease_us;
	free(key);
	free(id);
	rc = etcd_open(conf->cluster, &e->etcd, err);
	if (rc)
		etcd_lock_close(e);
	else
		*ret = e;
	return rc;
}

const struct lock_type lock_etcd = { etcd_lock_open, etcd_hold, etcd_release, etcd_lock_close };
