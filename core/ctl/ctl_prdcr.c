/* ctl_prdcr.c - the verbs on producers */
#include <errno.h>

#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/updtr.h"
#include "xprt/auth.h"
#include "xprt/ep.h"

#define RAIL_MAX	  64 /* connections to one producer; more is a typing error */
#define RECONNECT_DFLT_US (20 * SEC_US) /* about what a rebooting node needs until it answers at all */

static struct prdcr *find(struct ctl *c, struct err *err)
{
	struct prdcr *p = node_find(c->d->prdcrs, ctl_text(c, ATTR_NAME, ""));

	if (!p)
		err_set(err, -ENOENT, "The producer specified does not exist.");
	return p;
}

int ctl_prdcr_add(struct ctl *c, struct err *err)
{
	bool local = !strcmp(ctl_text(c, ATTR_TYPE, ""), "local");
	struct prdcr_conf conf = {
		.name = ctl_text(c, ATTR_NAME, NULL),
		.xprt = ctl_text(c, ATTR_XPRT, "sock"),
		.host = ctl_text(c, ATTR_HOST, local ? "localhost" : NULL),
		.auth = ctl_text(c, ATTR_AUTH, "none"),
		.port = (unsigned short)ctl_num(c, ATTR_PORT, 411),
		.type = local ? PRDCR_LOCAL : PRDCR_ACTIVE,
		.reconnect_us = ctl_num(c, ATTR_INTERVAL, RECONNECT_DFLT_US),
		.rail = (unsigned int)ctl_num(c, ATTR_RAIL, 1),
		.uid = c->uid,
		.gid = c->gid,
		.perm = (uint32_t)ctl_num(c, ATTR_PERM, 0770),
	};
	const struct auth_type *auth;
	const struct ep_type *ep;
	struct prdcr *p;

	if (!conf.host)
		return err_set(err, -EINVAL, "The attribute 'host' is required.");
	if (!local && (ep_type_find(conf.xprt, &ep, err) || auth_type_find(conf.auth, &auth, err)))
		return -ENOENT;
	if (node_find(c->d->prdcrs, conf.name))
		return err_set(err, -EEXIST, "The prdcr %s already exists.", conf.name);
	if (!conf.rail || conf.rail > RAIL_MAX)
		return err_set(err, -EINVAL, "'rail' attribute must be a positive integer of at most %d, got '%u'", RAIL_MAX,
			       conf.rail);
	if (!local && !conf.port)
		return err_set(err, -EINVAL, "The attribute 'port' is required.");
	p = prdcr_new(c->d, &conf, err);
	if (!p)
		return -EINVAL;
	node_add(&c->d->prdcrs, (struct node *)p);
	updtr_prdcr_came(c->d, p);
	return 0;
}

int ctl_prdcr_del(struct ctl *c, struct err *err)
{
	struct prdcr *p = find(c, err);
	bool busy;

	if (!p)
		return -ENOENT;
	loop_enter(prdcr_loop(p));
	busy = prdcr_state(p) != PRDCR_STOPPED;
	loop_leave(prdcr_loop(p));
	if (busy)
		return err_set(err, -EBUSY, "The producer is in use.");
	updtr_prdcr_goes(c->d, p);
	node_del(&c->d->prdcrs, (struct node *)p);
	prdcr_free(p);
	return 0;
}

static int start(struct ctl *c, struct prdcr *p, struct err *err)
{
	int rc;

	loop_enter(prdcr_loop(p));
	rc = prdcr_start(p, ctl_num(c, ATTR_INTERVAL, 0), err);
	loop_leave(prdcr_loop(p));
	return rc;
}

static void stop(struct ctl *c, struct prdcr *p)
{
	loop_enter(prdcr_loop(p));
	prdcr_stop(p);
	loop_leave(prdcr_loop(p));
}

int ctl_prdcr_start(struct ctl *c, struct err *err)
{
	struct prdcr *p = find(c, err);

	return p ? start(c, p, err) : -ENOENT;
}

int ctl_prdcr_stop(struct ctl *c, struct err *err)
{
	struct prdcr *p = find(c, err);

	if (!p)
		return -ENOENT;
	stop(c, p);
	return 0;
}

/* Those that are already as wanted are left alone. */
static int each_match(struct ctl *c, void (*fn)(struct ctl *c, struct prdcr *p), struct err *err)
{
	struct rx rx = { 0 };
	int rc = rx_init(&rx, ctl_text(c, ATTR_REGEX, ""), err);

	if (rc)
		return rc;
	NODE_EACH(n, c->d->prdcrs) {
		if (rx_match(&rx, n->name))
			fn(c, (struct prdcr *)n);
	}
	rx_fini(&rx);
	return 0;
}

static void start_one(struct ctl *c, struct prdcr *p)
{
	start(c, p, NULL);
}

int ctl_prdcr_start_regex(struct ctl *c, struct err *err)
{
	return each_match(c, start_one, err);
}

int ctl_prdcr_stop_regex(struct ctl *c, struct err *err)
{
	return each_match(c, stop, err);
}

static void status_one(struct buf *b, struct prdcr *p)
{
	const struct prdcr_conf *conf = prdcr_conf(p);
	struct prdcr_stats st;
	const char *sep = "";

	prdcr_stats(p, &st);
	buf_addf(b, "{ \"name\":");
	reply_string(b, conf->name);
	buf_addf(b, ",\"type\":\"%s\",\"host\":", conf->type == PRDCR_LOCAL ? "local" : "active");
	reply_string(b, conf->host);
	buf_addf(b, ",\"port\":%u,\"transport\":", conf->port);
	reply_string(b, conf->xprt);
	buf_addf(b, ",\"auth\":");
	reply_string(b, conf->auth);
	buf_addf(b,
		 ",\"rail\":\"%u\",\"quota\":\"-1\",\"rx_rate\":\"-1\",\"reconnect_us\":\"%lld\",\"state\":\"%s\","
		 "\"sets\": [",
		 conf->rail, (long long)conf->reconnect_us, prdcr_state_name(prdcr_state(p)));
	for (struct prdset *ps = prdcr_sets(p); ps; ps = ps->hh.next) {
		buf_addf(b, "%s{ \"inst_name\":", sep);
		reply_string(b, ps->name);
		buf_addf(b, ",\"schema_name\":");
		reply_string(b, ps->schema);
		buf_addf(b, ",\"state\":\"%s\"}", prdset_state_name(ps->state));
		sep = ",\n";
	}
	/* beyond ldmsd: what a person wants to know of a producer that is not there, or whose sets do not move */
	buf_addf(b, "],\"why\":");
	reply_string(b, prdcr_why(p));
	buf_addf(b,
		 ",\"connects\":%llu,\"disconnects\":%llu,\"failures\":%llu,\"updates\":%llu,\"oversampled\":%llu,"
		 "\"torn\":%llu,\"failed\":%llu,\"skipped\":%llu}",
		 (unsigned long long)st.connects, (unsigned long long)st.disconnects, (unsigned long long)st.failures,
		 (unsigned long long)st.updates, (unsigned long long)st.oversampled, (unsigned long long)st.torn,
		 (unsigned long long)st.failed, (unsigned long long)st.skipped);
}

int ctl_prdcr_status(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *sep = "";

	if (name && !node_find(c->d->prdcrs, name))
		return err_set(err, -ENOENT, "prdcr '%s' doesn't exist.", name);
	c->json = true;
	node_sort(&c->d->prdcrs);
	buf_addf(&c->reply, "[");
	NODE_EACH(n, c->d->prdcrs) {
		struct prdcr *p = (struct prdcr *)n;

		if (name && strcmp(name, n->name))
			continue;
		buf_addf(&c->reply, "%s", sep);
		sep = ",\n";
		loop_enter(prdcr_loop(p));
		status_one(&c->reply, p);
		loop_leave(prdcr_loop(p));
	}
	buf_addf(&c->reply, "]");
	return 0;
}
