/* prdcr_listen.c - see prdcr_listen.h
 *
 * What is advertised comes from a stranger: its name is checked, the number of producers bounded, and a producer that
 * has a connection is nobody else's.
 */
#include "core/daemon/prdcr_listen.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdcr_sub.h"
#include "core/daemon/updtr.h"
#include "xprt/addr.h"
#include "xprt/rare.h"

#define HOST_MAX     253     /* bytes of a host's name (RFC 1035) */
#define NO_RECONNECT INT_MAX /* us: what ldmsd shows of a producer that does not connect */

struct prdcr_listen {
	struct node node; /* in the daemon's table */
	struct daemon *d;
	struct prdcr_listen_conf conf; /* strings are ours */
	struct rx rx;                  /* conf.regex */
	struct cidr cidr;              /* conf.ip */
	bool running;
	struct prdcr_listen_stats stats;
};

struct prdcr_listen *prdcr_listen_new(struct daemon *d, const struct prdcr_listen_conf *conf, struct err *err)
{
	struct prdcr_listen *l;
	struct cidr cidr = { 0 };
	struct rx rx = { 0 };

	if (conf->ip && cidr_parse(conf->ip, &cidr, err))
		return NULL;
	if (conf->regex && rx_init(&rx, conf->regex, err))
		return NULL;
	l = xcalloc(1, sizeof(*l));
	l->d = d;
	l->conf = *conf;
	l->rx = rx;
	l->cidr = cidr;
	l->node.name = l->conf.name = xstrdup(conf->name);
	l->conf.regex = xstrdup(conf->regex);
	l->conf.ip = xstrdup(conf->ip);
	l->conf.xprt = xstrdup(conf->xprt);
	l->conf.auth = xstrdup(conf->auth);
	l->conf.reconnect = xstrdup(conf->reconnect);
	NODE_EACH(n, d->prdcrs) { /* of one of this name that was deleted */
		const struct prdcr_conf *pc = prdcr_conf((struct prdcr *)n);

		l->stats.prdcrs += pc->listen && !strcmp(pc->listen, conf->name);
	}
	return l;
}

void prdcr_listen_free(struct prdcr_listen *l)
{
	if (!l)
		return;
	rx_fini(&l->rx);
	free((char *)l->conf.name);
	free((char *)l->conf.regex);
	free((char *)l->conf.ip);
	free((char *)l->conf.xprt);
	free((char *)l->conf.auth);
	free((char *)l->conf.reconnect);
	free(l);
}

void prdcr_listen_run(struct prdcr_listen *l, bool on)
{
	l->running = on;
}

bool prdcr_listen_running(const struct prdcr_listen *l)
{
	return l->running;
}

const struct prdcr_listen_conf *prdcr_listen_conf(const struct prdcr_listen *l)
{
	return &l->conf;
}

void prdcr_listen_stats(const struct prdcr_listen *l, struct prdcr_listen_stats *ret)
{
	*ret = l->stats;
}

void prdcr_listen_left(struct daemon *d, const struct prdcr_conf *prdcr)
{
	struct prdcr_listen *l = prdcr->listen ? node_find(d->prdcr_listens, prdcr->listen) : NULL;

	if (l && l->stats.prdcrs)
		l->stats.prdcrs--;
}

/* -- an advertisement ---------------------------------------------------------------------------------------------- */

/* It becomes part of a name that is logged, shown and matched. */
static bool host_is_sane(const char *host)
{
	size_t n = strnlen(host, HOST_MAX + 1);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr(".-_", host[i]))
			return false;
	return n && n <= HOST_MAX;
}

static bool wants(const struct prdcr_listen *l, const char *host, const struct sockaddr *from)
{
	struct in6_addr ip;

	if (!l->running || (l->conf.regex && !rx_match(&l->rx, host)))
		return false;
	return !l->conf.ip || (addr_ip((const struct sockaddr_storage *)from, &ip) && cidr_has(&l->cidr, &ip));
}

static struct prdcr *prdcr_make(struct prdcr_listen *l, const char *name, const char *host, unsigned short port,
				struct err *err)
{
	const struct prdcr_listen_conf *lc = &l->conf;
	struct prdcr_conf conf = {
		.name = name,
		.xprt = lc->active ? lc->xprt : "sock",
		.host = host,
		.auth = lc->auth,
		.port = lc->active ? lc->port : port,
		.type = lc->active ? PRDCR_ADVERTISED_ACTIVE : PRDCR_ADVERTISED,
		.reconnect_us = lc->active ? lc->reconnect_us : NO_RECONNECT,
		.rail = lc->active ? lc->rail : 1,
		.quota = lc->quota,
		.uid = lc->uid,
		.gid = lc->gid,
		.perm = lc->perm,
		.listen = lc->name,
	};
	struct prdcr *p;

	if (l->stats.prdcrs >= lc->max) {
		l->stats.refused++;
		err_set(err, -ENOSPC, "prdcr_listen %s: it has made its %llu producers; raise max=, or delete some",
			lc->name, (unsigned long long)lc->max);
		return NULL;
	}
	p = prdcr_new(l->d, &conf, err);
	if (!p)
		return NULL;
	l->stats.prdcrs++;
	node_add(&l->d->prdcrs, (struct node *)p);
	updtr_prdcr_came(l->d, p);
	prdcr_rules_apply(l->d, p);
	if (!lc->disable_start) {
		loop_enter(prdcr_loop(p));
		prdcr_start(p, 0, err);
		loop_leave(prdcr_loop(p));
	}
	return p;
}

/* May the peer have this producer, which was there before? */
static int prdcr_claim(struct prdcr_listen *l, struct prdcr *p, bool *ret_take, struct err *err)
{
	bool waits;

	if (prdcr_conf(p)->type == PRDCR_ADVERTISED_ACTIVE && l->conf.active)
		return 0; /* we connect anyhow */
	loop_enter(prdcr_loop(p));
	waits = prdcr_conf(p)->type == PRDCR_ADVERTISED && prdcr_waits(p);
	loop_leave(prdcr_loop(p));
	if (waits && !l->conf.active) { /* nobody but this loop can change that */
		*ret_take = true;
		return 0;
	}
	l->stats.refused++;
	return err_set(err, -EBUSY, "The client already has a running producer with the given name.");
}

/* One line, however many are turned away. */
static void refused_log(const char *host, unsigned short port, const struct sockaddr *from, const struct err *why)
{
	static struct rare rare;
	char text[ADDR_TEXT_MAX];
	unsigned long held;

	if (rare_now(&rare, &held))
		log_warning("producer",
			    "%.64s:%u at %s advertises itself and is refused: %s (%lu others since the last line)",
			    host, port, addr_text((const struct sockaddr_storage *)from, text), why->msg, held);
}

static int ask(struct daemon *d, const char *host, unsigned short port, const struct sockaddr *from, struct prdcr **ret,
	       bool *ret_take, struct err *err)
{
	struct prdcr_listen *l = NULL;
	char *name;
	int rc = 0;

	if (!host_is_sane(host))
		return err_set(err, -EINVAL,
			       "advertise: the host is no name: at most %d letters, digits, '.', '-' and '_'",
			       HOST_MAX);
	NODE_EACH(n, d->prdcr_listens) {
		if ((!l || strcmp(n->name, l->node.name) < 0) && wants((struct prdcr_listen *)n, host, from))
			l = (struct prdcr_listen *)n;
	}
	if (!l)
		return err_set(err, -ENOENT, "The given hostname '%s' doesn't match any `prdcr_listen`'s regex.", host);
	name = xasprintf("%s:%u", host, l->conf.active ? l->conf.port : port);
	*ret = node_find(d->prdcrs, name);
	if (*ret) {
		rc = prdcr_claim(l, *ret, ret_take, err);
	} else {
		*ret = prdcr_make(l, name, host, port, err);
		*ret_take = *ret && !l->conf.active;
		rc = *ret ? 0 : -ENOSPC;
	}
	l->stats.taken += !rc;
	free(name);
	return rc;
}

int prdcr_listen_ask(struct daemon *d, const char *host, unsigned short port, const struct sockaddr *from,
		     struct prdcr **ret, bool *ret_take, struct err *err)
{
	struct err why = { "" };
	int rc;

	*ret_take = false;
	rc = ask(d, host, port, from, ret, ret_take, &why);
	if (!rc)
		return 0;
	refused_log(host_is_sane(host) ? host : "(no name)", port, from, &why);
	return err_set(err, rc, "%s", why.msg);
}
