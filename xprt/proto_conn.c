/* proto_conn.c - the message that both sides exchange to connect: see the table in xprt_impl.h */
#include <string.h>

#include "core/base/rd.h"
#include "xprt/xprt_impl.h"

#define CONN_RAIL 1 /* type */

static const uint8_t ldms_version[4] = { 4, 2, 0, 0 };

const struct xprt_quota conn_no_quota = { .recv_quota = BUS_UNLIMITED, .rate = BUS_UNLIMITED };

struct xprt_quota conn_quota(const struct xprt_quota *q)
{
	return (struct xprt_quota){ .recv_quota = q->recv_quota > 0 ? q->recv_quota : BUS_UNLIMITED,
				    .rate = q->rate > 0 ? q->rate : BUS_UNLIMITED };
}

void conn_put(uint8_t to[CONN_SZ], const char *auth, const struct conn *c)
{
	const uint32_t type = htobe32(CONN_RAIL), n_eps = htobe32(c->n_eps), idx = htobe32(c->idx),
		       pid = htobe32(c->pid);
	const uint32_t msg_on = htobe32(c->msg_on);
	const uint64_t gn = htobe64(c->gn), rate = htobe64((uint64_t)c->quota.rate),
		       quota = htobe64((uint64_t)c->quota.recv_quota);

	memset(to, 0, CONN_SZ);
	memcpy(to, ldms_version, sizeof(ldms_version));
	memcpy(to + 4, auth, strnlen(auth, AUTH_NAME_MAX));
	memcpy(to + 20, &type, sizeof(type));
	memcpy(to + 24, &rate, sizeof(rate));
	memcpy(to + 32, &quota, sizeof(quota));
	memcpy(to + 40, &n_eps, sizeof(n_eps));
	memcpy(to + 44, &idx, sizeof(idx));
	memcpy(to + 48, &pid, sizeof(pid));
	memcpy(to + 52, &gn, sizeof(gn));
	memcpy(to + 60, &msg_on, sizeof(msg_on));
}

static const struct conn_verdict conn_ok = { NULL, XPRT_CLOSED }, conn_short = { "Bad conn msg", XPRT_PROTO },
				 conn_version = { "Version mismatch", XPRT_VERSION },
				 conn_auth = { "Auth mismatch", XPRT_AUTH }, conn_bad = { "Bad msg", XPRT_PROTO };

void conn_auth_name(const void *bytes, size_t len, char ret[AUTH_NAME_MAX + 1])
{
	const char *p = (const char *)bytes + sizeof(ldms_version);
	size_t n = len - sizeof(ldms_version), i;

	for (i = 0; i < n && i < AUTH_NAME_MAX && p[i]; i++)
		ret[i] = p[i] > ' ' && p[i] <= '~' ? p[i] : '?';
	ret[i] = '\0';
}

const struct conn_verdict *conn_get(const void *bytes, size_t len, const char *auth, struct conn *ret)
{
	const uint8_t *version, *name;
	size_t name_len;
	uint32_t type;
	struct rd r;

	if (len < sizeof(ldms_version))
		return &conn_short;
	r = rd_over(bytes, len);
	version = rd_take(&r, sizeof(ldms_version));
	if (memcmp(version, ldms_version, sizeof(ldms_version)))
		return &conn_version;
	name_len = rd_left(&r) < AUTH_NAME_MAX + 1 ? rd_left(&r) : AUTH_NAME_MAX + 1;
	name = rd_take(&r, name_len);
	name_len = strnlen((const char *)name, name_len);
	if (name_len != strlen(auth) || memcmp(name, auth, name_len))
		return &conn_auth;
	if (len < CONN_LEGACY_SZ + sizeof(type)) {
		*ret = (struct conn){ .n_eps = 1, .quota = conn_no_quota, .legacy = true };
		return &conn_ok;
	}
	type = rd_be32(&r);
	if (len != CONN_SZ || type != CONN_RAIL)
		return &conn_bad;
	ret->quota.rate = (int64_t)rd_be64(&r);
	ret->quota.recv_quota = (int64_t)rd_be64(&r);
	ret->n_eps = rd_be32(&r);
	ret->idx = rd_be32(&r);
	ret->pid = rd_be32(&r);
	ret->gn = rd_be64(&r);
	ret->msg_on = rd_be32(&r) != 0;
	ret->legacy = false;
	return &conn_ok;
}
