/* ctl_advert.c - the verbs of advertising: who tells whom, who listens, and the advertisement itself */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/ctl/ctl_prdcr.h"
#include "core/ctl/reply.h"
#include "core/ctl/session.h"
#include "core/ctl/verbs.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/prdcr_listen.h"
#include "xprt/ep.h"

#define PERM_DFLT 0770

/* -- this side advertises ------------------------------------------------------------------------------------------ */

static struct prdcr *advert_find(struct ctl *c, struct err *err)
{
	return ctl_prdcr_find(c, c->d->adverts, "advertiser", err);
}

int ctl_advertiser_add(struct ctl *c, struct err *err)
{
	return ctl_prdcr_make(c, PRDCR_ADVERTISER, &c->d->adverts, err);
}

/* With the attributes of advertiser_add it adds first.  For one that is there they are not looked at: maestro then
 * sends a port of "None". */
int ctl_advert_first(struct ctl *c, struct err *err)
{
	uint64_t port;

	if (node_find(c->d->adverts, ctl_text(c, ATTR_NAME, "")) || !ctl_has(c, ATTR_HOST))
		return 0;
	if (ctl_has(c, ATTR_PORT)) {
		if (unit_u64(ctl_text(c, ATTR_PORT, ""), &port, err))
			return err_prefix(err, -EINVAL, "advertiser_start: attribute 'port': ");
		if (!port || port > UINT16_MAX)
			return err_set(err, -EINVAL, "The attribute 'port' is required.");
		c->num[ATTR_PORT] = (int64_t)port;
	}
	return ctl_advertiser_add(c, err);
}

int ctl_advertiser_start(struct ctl *c, struct err *err)
{
	int rc = ctl_advert_first(c, err);
	struct prdcr *p = rc ? NULL : advert_find(c, err);

	if (rc)
		return rc;
	return p ? ctl_prdcr_run(c, p, err) : -ENOENT;
}

int ctl_advertiser_stop(struct ctl *c, struct err *err)
{
	struct prdcr *p = advert_find(c, err);

	if (!p)
		return -ENOENT;
	ctl_prdcr_halt(c, p);
	return 0;
}

int ctl_advertiser_del(struct ctl *c, struct err *err)
{
	struct prdcr *p = advert_find(c, err);

	return p ? ctl_prdcr_drop(c, p, &c->d->adverts, "advertiser", err) : -ENOENT;
}

/* -- this side listens --------------------------------------------------------------------------------------------- */

static struct prdcr_listen *listen_find(struct ctl *c, struct err *err)
{
	struct prdcr_listen *l = node_find(c->d->prdcr_listens, ctl_text(c, ATTR_NAME, ""));

	if (!l)
		err_set(err, -ENOENT, "The listen_producer '%s' does not exist.", ctl_text(c, ATTR_NAME, ""));
	return l;
}

/* maestro sends the reconnect interval under the number of perm=: what cannot be a permission is passed over. */
static uint32_t listen_perm(const struct ctl *c)
{
	const char *text = ctl_text(c, ATTR_PERM, NULL);
	char *end;
	long perm;

	if (!text)
		return PERM_DFLT;
	perm = strtol(text, &end, 0);
	if (!*end && end != text && perm >= 0 && perm <= 0777)
		return (uint32_t)perm;
	log_warning("config", "prdcr_listen_add %s: perm=%s is no permission; 0%o is used", ctl_text(c, ATTR_NAME, ""),
		    text, PERM_DFLT);
	return PERM_DFLT;
}

/* What only those that connect back need, and those that do not cannot use. */
static int listen_active(const struct ctl *c, bool active, struct err *err)
{
	static const struct {
		enum attr_id id;
		const char *name;
		bool required;
	} attrs[] = {
		{ ATTR_PORT, "advertiser_port", true }, { ATTR_XPRT, "advertiser_xprt", true },
		{ ATTR_INTERVAL, "reconnect", true },   { ATTR_AUTH, "advertiser_auth", false },
		{ ATTR_RAIL, "rail", false },
	};
	const struct ep_type *ep;

	for (size_t i = 0; i < sizeof(attrs) / sizeof(*attrs); i++) {
		if (active && attrs[i].required && !ctl_has(c, attrs[i].id))
			return err_set(err, -EINVAL, "The attribute '%s' is required for the 'active' mode.",
				       attrs[i].name);
		if (!active && ctl_has(c, attrs[i].id))
			log_info("config", "prdcr_listen_add %s: '%s' is for type=active; it is ignored",
				 ctl_text(c, ATTR_NAME, ""), attrs[i].name);
	}
	if (!active)
		return 0;
	if (ep_type_find(ctl_text(c, ATTR_XPRT, ""), &ep, err) || ctl_auth_check(c, err))
		return -ENOENT;
	if (!ctl_num(c, ATTR_PORT, 0))
		return err_set(err, -EINVAL, "prdcr_listen_add: advertiser_port=0 is no port");
	return ctl_prdcr_rail_check(c, err);
}

int ctl_prdcr_listen_add(struct ctl *c, struct err *err)
{
	struct prdcr_listen_conf conf = {
		.name = ctl_text(c, ATTR_NAME, NULL),
		.regex = ctl_text(c, ATTR_REGEX, NULL),
		.ip = ctl_text(c, ATTR_CACHE_IP, NULL),
		.active = !strcmp(ctl_text(c, ATTR_TYPE, "passive"), "active"),
		.disable_start = ctl_num(c, ATTR_AUTO_INTERVAL, false),
		.max = (uint64_t)ctl_num(c, ATTR_SIZE, PRDCR_LISTEN_MAX_DFLT),
		.uid = c->uid,
		.gid = c->gid,
		.perm = listen_perm(c),
		.xprt = ctl_text(c, ATTR_XPRT, "sock"),
		.auth = AUTH_DOMAIN_DFLT,
		.reconnect = ctl_text(c, ATTR_INTERVAL, ""),
		.reconnect_us = ctl_num(c, ATTR_INTERVAL, 0),
		.port = (unsigned short)ctl_num(c, ATTR_PORT, 0),
		.rail = (unsigned int)ctl_num(c, ATTR_RAIL, 1),
	};
	struct prdcr_listen *l;
	int rc = listen_active(c, conf.active, err);

	if (conf.active)
		conf.auth = ctl_text(c, ATTR_AUTH, AUTH_DOMAIN_DFLT);
	if (!rc)
		rc = ctl_quota(c, &conf.quota, err);
	if (rc)
		return rc;
	if (conf.active && conf.reconnect_us <= 0)
		return err_set(err, -EINVAL, "The reconnect interval must be a positive number.");
	if (node_find(c->d->prdcr_listens, conf.name))
		return err_set(err, -EEXIST, "The prdcr listener %s already exists.", conf.name);
	l = prdcr_listen_new(c->d, &conf, err);
	if (!l)
		return -EINVAL;
	node_add(&c->d->prdcr_listens, (struct node *)l);
	return 0;
}

static int listen_run(struct ctl *c, bool on, struct err *err)
{
	struct prdcr_listen *l = listen_find(c, err);

	if (!l)
		return -ENOENT;
	prdcr_listen_run(l, on);
	return 0;
}

int ctl_prdcr_listen_start(struct ctl *c, struct err *err)
{
	return listen_run(c, true, err);
}

int ctl_prdcr_listen_stop(struct ctl *c, struct err *err)
{
	return listen_run(c, false, err);
}

int ctl_prdcr_listen_del(struct ctl *c, struct err *err)
{
	struct prdcr_listen *l = listen_find(c, NULL);

	if (!l)
		return err_set(err, -ENOENT, "The producer listen '%s' does not exist.\n", ctl_text(c, ATTR_NAME, ""));
	if (prdcr_listen_running(l))
		return err_set(err, -EBUSY, "The producer listen '%s' is in use.\n", prdcr_listen_conf(l)->name);
	node_del(&c->d->prdcr_listens, (struct node *)l);
	prdcr_listen_free(l);
	return 0;
}

static void listen_status(struct ctl *c, const struct prdcr_listen *l)
{
	const struct prdcr_listen_conf *conf = prdcr_listen_conf(l);
	struct buf *b = &c->reply;
	struct prdcr_listen_stats st;
	const char *sep = "";

	prdcr_listen_stats(l, &st);
	buf_addf(b, "{\"name\":");
	reply_string(b, conf->name);
	buf_addf(b, ",\"state\":\"%s\",\"regex\":", prdcr_listen_running(l) ? "running" : "stopped");
	reply_string(b, conf->regex);
	buf_addf(b, ",\"IP range\":");
	reply_string(b, conf->ip);
	buf_addf(b, ",\"quota\":");
	reply_size(b, conf->quota.recv_quota);
	buf_addf(b, ",\"rx_rate\":");
	reply_size(b, conf->quota.rate);
	buf_addf(b, ",\"type\":\"%s\"", conf->active ? "active" : "passive");
	if (conf->active) {
		buf_addf(b, ",\"xprt\":");
		reply_string(b, conf->xprt);
		buf_addf(b, ",\"port\":\"%u\",\"auth_dom\":", conf->port);
		reply_string(b, conf->auth);
		buf_addf(b, ",\"rail_sz\":\"%u\",\"reconnect\":", conf->rail);
		reply_string(b, conf->reconnect);
	}
	buf_addf(b, ",\"producers\":[");
	NODE_EACH(n, c->d->prdcrs) {
		const char *by = prdcr_conf((struct prdcr *)n)->listen;

		if (!by || strcmp(by, conf->name))
			continue;
		buf_addf(b, "%s", sep);
		reply_string(b, n->name);
		sep = ",";
	}
	/* beyond ldmsd */
	buf_addf(b, "],\"max\":%llu,\"taken\":%llu,\"refused\":%llu}", (unsigned long long)conf->max,
		 (unsigned long long)st.taken, (unsigned long long)st.refused);
}

int ctl_prdcr_listen_status(struct ctl *c, struct err *err)
{
	const char *sep = "";

	(void)err;
	c->json = true;
	node_sort(&c->d->prdcr_listens);
	node_sort(&c->d->prdcrs);
	buf_addf(&c->reply, "[");
	NODE_EACH(n, c->d->prdcr_listens) {
		buf_addf(&c->reply, "%s", sep);
		sep = ",\n";
		listen_status(c, (struct prdcr_listen *)n);
	}
	buf_addf(&c->reply, "]");
	return 0;
}

/* -- the advertisement --------------------------------------------------------------------------------------------- */

/* The peer knows that it was heard: now its sets are asked for. */
static void take_over(struct ctl *c)
{
	struct xprt *x = ctl_peer_enter(c);

	if (!x)
		return; /* gone meanwhile; it will come again */
	prdcr_take(c->after_arg, x);
	ctl_peer_leave(c);
}

int ctl_advertise(struct ctl *c, struct err *err)
{
	struct sockaddr_storage from;
	struct prdcr *p;
	struct xprt *x = ctl_peer_enter(c);
	bool may, take;
	int rc;

	if (!x)
		return err_set(err, -EINVAL, "advertise: is for daemons to say to each other");
	may = xprt_is_adoptable(x);
	memcpy(&from, xprt_peer_addr(x), sizeof(from));
	ctl_peer_leave(c);
	if (!may)
		return err_set(err, -EBUSY, "advertise: this connection is in use already");
	rc = prdcr_listen_ask(c->d, ctl_text(c, ATTR_HOST, ""), (unsigned short)ctl_num(c, ATTR_PORT, 0),
			      (struct sockaddr *)&from, &p, &take, err);
	if (rc || !take)
		return rc;
	c->after = take_over;
	c->after_arg = p;
	return 0;
}
