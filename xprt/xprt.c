/* xprt.c - the face: see xprt.h */
#include "xprt/xprt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "xprt/proto.h"
#include "xprt/resolve.h"
#include "xprt/xprt_impl.h"

static void resolved_cb(void *arg, struct addrinfo *list, const char *why)
{
	struct xprt *x = arg;
	unsigned int n = 0;

	x->resolve = NULL;
	if (!list) {
		rail_down(x, XPRT_RESOLVE, why);
		return;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		n++;
	x->addrs = xcalloc(n, sizeof(*x->addrs));
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		struct peer_addr *to = &x->addrs[x->n_addrs++];

		memcpy(&to->ss, a->ai_addr, a->ai_addrlen);
		to->len = a->ai_addrlen;
	}
	rail_dial(x);
}

static void dial_cb(struct loop_job *job)
{
	struct xprt *x = (struct xprt *)((char *)job - offsetof(struct xprt, dial));

	if (!x->closed)
		rail_dial(x);
}

int xprt_connect(struct xprt_env *env, struct loop *loop, const struct xprt_conf *conf, const struct xprt_events *ev,
		 void *arg, struct xprt **ret, struct err *err)
{
	const struct ep_type *type;
	struct peer_addr at = { 0 };
	struct auth_conf *auth_conf;
	struct xprt *x;
	int rc;

	if (conf->n_eps > RAIL_EPS_MAX)
		return err_set(err, -EINVAL, "%s: a rail of %u connections; at most %u", conf->host, conf->n_eps,
			       RAIL_EPS_MAX);
	rc = ep_type_find(conf->type, &type, err);
	if (rc)
		return rc;
	if (type->address) {
		rc = type->address(conf->host, conf->port, &at.ss, &at.len, err);
		if (rc)
			return rc;
	}
	rc = auth_open(conf->auth, conf->auth_args, &auth_conf, err);
	if (rc && !conf->auth_kept)
		return rc;
	if (rc)
		auth_conf = auth_conf_get(conf->auth_kept);
	x = rail_new(env, loop, type, ev, arg, conf->n_eps ? conf->n_eps : 1);
	x->auth = auth_conf->type;
	x->auth_conf = auth_conf;
	x->quota = conn_quota(&conf->quota);
	*ret = x;
	if (type->address) {
		x->peer = xasprintf("%s:%s", type->name, conf->host);
		x->addrs = xcalloc(1, sizeof(*x->addrs));
		x->addrs[x->n_addrs++] = at;
		x->dial.fn = dial_cb;
		loop_post(loop, &x->dial);
		return 0;
	}
	x->peer = strchr(conf->host, ':') ? xasprintf("[%s]:%u", conf->host, conf->port)
					  : xasprintf("%s:%u", conf->host, conf->port);
	x->resolve = resolve_start(env->work, loop, conf->host, conf->port, resolved_cb, x);
	return 0;
}

bool xprt_is_adoptable(const struct xprt *x)
{
	return x->l && !x->adopted;
}

int xprt_adopt(struct xprt *x, const struct xprt_events *ev, void *arg, struct err *err)
{
	if (!xprt_is_adoptable(x))
		return err_set(err, -EBUSY, "%s: the connection is in use already", x->peer);
	x->adopted = true;
	x->ev = ev;
	x->arg = arg;
	return 0;
}

struct xprt *xprt_find_quiet(struct loop *loop, const struct in6_addr *ip, int64_t quiet_us)
{
	int64_t since_us = mono_us() - quiet_us;
	struct in6_addr from;
	struct xprt *x;

	LIST_FOREACH(x, &io_of(loop)->xprts, entry)
		if (x->up && x->up_us <= since_us && !x->asked && xprt_is_adoptable(x) && addr_ip(&x->addr, &from) &&
		    !memcmp(&from, ip, sizeof(from)))
			return x;
	return NULL;
}

bool xprt_authenticating(const struct xprt *x, struct err *ret)
{
	for (unsigned int i = 0; i < x->n_eps; i++) {
		const struct lane *lane = x->lanes[i];
		enum auth_why why;

		if (lane && lane->state == LANE_AUTH)
			return lane_waits(lane, &why, ret), true;
	}
	return false;
}

bool xprt_is_up(const struct xprt *x)
{
	return x->up;
}

struct loop *xprt_loop(const struct xprt *x)
{
	return x->loop;
}

struct xprt_env *xprt_env(const struct xprt *x)
{
	return x->env;
}

const char *xprt_peer(const struct xprt *x)
{
	return x->peer;
}

const struct sockaddr *xprt_peer_addr(const struct xprt *x)
{
	return (const struct sockaddr *)&x->addr;
}

void xprt_peer_cred(const struct xprt *x, uint32_t *uid, uint32_t *gid)
{
	*uid = x->uid;
	*gid = x->gid;
}

void *xprt_arg(const struct xprt *x)
{
	return x->arg;
}
