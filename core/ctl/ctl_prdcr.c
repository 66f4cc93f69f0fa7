/* ctl_prdcr.c - the verbs that make, change and end producers; questions about them are ctl_prdcr_stat.c's */
#include <errno.h>

#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/ctl/ctl_prdcr.h"
#include "core/ctl/verbs.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/prdcr_listen.h"
#include "core/daemon/prdcr_sub.h"
#include "core/daemon/updtr.h"
#include "xprt/ep.h"

#define RAIL_MAX          64            /* connections to one producer; more is a typing error */
#define NO_PORT           UINT16_MAX    /* of a peer that connects to us: what ldmsd shows */
#define RECONNECT_DFLT_US (20 * SEC_US) /* about what a rebooting node needs until it answers at all */

struct prdcr *ctl_prdcr_find(struct ctl *c, struct node *table, const char *kind, struct err *err)
{
	struct prdcr *p = node_find(table, ctl_text(c, ATTR_NAME, ""));

	if (!p)
		err_set(err, -ENOENT, "The %s specified does not exist.", kind);
	return p;
}

static struct prdcr *find(struct ctl *c, struct err *err)
{
	return ctl_prdcr_find(c, c->d->prdcrs, "producer", err);
}

int ctl_prdcr_rail_check(const struct ctl *c, struct err *err)
{
	int64_t rail = ctl_num(c, ATTR_RAIL, 1);

	if (rail < 1)
		return err_set(err, -EINVAL, "'rail' attribute must be a positive integer, got '%lld'",
			       (long long)rail);
	if (rail > RAIL_MAX)
		return err_set(err, -EINVAL, "'rail' attribute must be a positive integer of at most %d, got '%lld'",
			       RAIL_MAX, (long long)rail);
	return 0;
}

int ctl_prdcr_make(struct ctl *c, enum prdcr_type type, struct node **table, struct err *err)
{
	bool local = type == PRDCR_LOCAL, passive = type == PRDCR_PASSIVE;
	struct prdcr_conf conf = {
		.name = ctl_text(c, ATTR_NAME, NULL),
		.xprt = ctl_text(c, ATTR_XPRT, "sock"),
		.host = ctl_text(c, ATTR_HOST, local ? "localhost" : NULL),
		.auth = ctl_text(c, ATTR_AUTH, AUTH_DOMAIN_DFLT),
		.port = passive ? NO_PORT : (unsigned short)ctl_num(c, ATTR_PORT, 411),
		.type = type,
		.reconnect_us = ctl_num(c, ATTR_INTERVAL, RECONNECT_DFLT_US),
		.rail = (unsigned int)ctl_num(c, ATTR_RAIL, 1),
		.uid = c->uid,
		.gid = c->gid,
		.perm = (uint32_t)ctl_num(c, ATTR_PERM, 0770),
	};
	const struct ep_type *ep;
	struct prdcr *p;

	if (ctl_quota(c, &conf.quota, err))
		return -EINVAL;
	if (is_mirrored(conf.name) && !c->itself)
		return err_set(err, -EINVAL, "%s is an invalid producer name", conf.name);
	if (!conf.host)
		return err_set(err, -EINVAL, "The attribute 'host' is required.");
	if (!local && ep_type_find(conf.xprt, &ep, err))
		return -ENOENT;
	if (ctl_prdcr_rail_check(c, err))
		return -EINVAL;
	if (!local && !conf.port)
		return err_set(err, -EINVAL, "The attribute 'port' is required.");
	if (conf.reconnect_us <= 0)
		return err_set(err, -EINVAL, "The reconnect interval must be a positive number.");
	if (node_find(*table, conf.name))
		return err_set(err, -EEXIST, "The prdcr %s already exists.", conf.name);
	if (ctl_auth_check(c, err))
		return -ENOENT;
	p = prdcr_new(c->d, &conf, err);
	if (!p)
		return -EINVAL;
	node_add(table, (struct node *)p);
	if (table == &c->d->prdcrs) {
		updtr_prdcr_came(c->d, p);
		prdcr_rules_apply(c->d, p);
	}
	if (passive && ctl_has(c, ATTR_PORT))
		buf_addf(&c->reply, "Ignore the given port %s because the type of producer %s is passive.",
			 ctl_text(c, ATTR_PORT, ""), conf.name);
	return 0;
}

int ctl_prdcr_add(struct ctl *c, struct err *err)
{
	static const enum prdcr_type types[] = { PRDCR_ACTIVE, PRDCR_BRIDGE, PRDCR_LOCAL, PRDCR_PASSIVE };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(prdcr_type_name(types[i]), ctl_text(c, ATTR_TYPE, "")))
			return ctl_prdcr_make(c, types[i], &c->d->prdcrs, err);
	return err_set(err, -EINVAL, "The attribute type '%s' is invalid.", ctl_text(c, ATTR_TYPE, ""));
}

int ctl_bridge_add(struct ctl *c, struct err *err)
{
	return ctl_prdcr_make(c, PRDCR_BRIDGE, &c->d->prdcrs, err);
}

int ctl_prdcr_drop(struct ctl *c, struct prdcr *p, struct node **table, const char *kind, struct err *err)
{
	bool busy;

	loop_enter(prdcr_loop(p));
	busy = prdcr_state(p) != PRDCR_STOPPED && prdcr_state(p) != PRDCR_STANDBY;
	if (!busy)
		prdcr_stop(p); /* who stands by goes */
	loop_leave(prdcr_loop(p));
	if (busy)
		return err_set(err, -EBUSY, "The %s is in use.", kind);
	if (table == &c->d->prdcrs)
		updtr_prdcr_goes(c->d, p);
	prdcr_listen_left(c->d, prdcr_conf(p));
	node_del(table, (struct node *)p);
	prdcr_free(p);
	return 0;
}

int ctl_prdcr_del(struct ctl *c, struct err *err)
{
	struct prdcr *p = find(c, err);

	return p ? ctl_prdcr_drop(c, p, &c->d->prdcrs, "producer", err) : -ENOENT;
}

int ctl_prdcr_run(struct ctl *c, struct prdcr *p, struct err *err)
{
	int rc;

	loop_enter(prdcr_loop(p));
	rc = prdcr_start(p, ctl_num(c, ATTR_INTERVAL, 0), err);
	loop_leave(prdcr_loop(p));
	return rc;
}

void ctl_prdcr_halt(struct ctl *c, struct prdcr *p)
{
	(void)c;
	loop_enter(prdcr_loop(p));
	prdcr_stop(p);
	loop_leave(prdcr_loop(p));
}

int ctl_prdcr_start(struct ctl *c, struct err *err)
{
	struct prdcr *p = find(c, err);

	return p ? ctl_prdcr_run(c, p, err) : -ENOENT;
}

int ctl_prdcr_stop(struct ctl *c, struct err *err)
{
	struct prdcr *p = find(c, err);

	if (!p)
		return -ENOENT;
	ctl_prdcr_halt(c, p);
	return 0;
}

int ctl_prdcr_each_match(struct ctl *c, void (*fn)(struct ctl *c, struct prdcr *p), struct err *err)
{
	struct daemon_turn turn = { 0 };
	struct rx rx = { 0 };
	int rc = rx_init(&rx, ctl_text(c, ATTR_REGEX, ""), err);

	if (rc)
		return rc;
	NODE_EACH(n, c->d->prdcrs) {
		if (!rx_match(&rx, n->name))
			continue;
		daemon_step(c->d, &turn);
		fn(c, (struct prdcr *)n);
	}
	daemon_steps_end(c->d, &turn);
	rx_fini(&rx);
	return 0;
}

/* As with ctl_prdcr_halt: those that are already as wanted are left alone. */
static void start_one(struct ctl *c, struct prdcr *p)
{
	ctl_prdcr_run(c, p, NULL);
}

int ctl_prdcr_start_regex(struct ctl *c, struct err *err)
{
	return ctl_prdcr_each_match(c, start_one, err);
}

int ctl_prdcr_stop_regex(struct ctl *c, struct err *err)
{
	return ctl_prdcr_each_match(c, ctl_prdcr_halt, err);
}
