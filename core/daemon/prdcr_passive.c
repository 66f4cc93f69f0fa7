/* prdcr_passive.c - producers of type PRDCR_PASSIVE: their peer connects to us, and says nothing
 *
 * Such a peer is a bridge: it makes a connection for us to read its sets, and asks for nothing itself.  What tells it
 * from the tools that come from the same host is just that: they ask at once.  So every `reconnect` it is looked
 * whether a connection from the producer's host has been quiet for a while.  The name is resolved for the producer's
 * loop; the connections of all loops are looked at by the main loop, which may hold one after the other.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdcr_impl.h"
#include "xprt/addr.h"
#include "xprt/resolve.h"

#define QUIET_US (500 * MSEC_US) /* who has not asked by then will not */

struct search {
	struct daemon *d;
	char *name; /* the producer's, which may be gone by then */
	struct in6_addr *ips;
	unsigned int n;
};

static struct xprt *quiet_peer(const struct search *s, struct loop *loop)
{
	struct xprt *x = NULL;

	for (unsigned int i = 0; i < s->n && !x; i++)
		x = xprt_find_quiet(loop, &s->ips[i], QUIET_US);
	return x;
}

/* Does the producer still want one?  From here on nothing happens to it but by the main loop. */
static bool may_take(struct prdcr *p)
{
	bool may;

	loop_enter(p->loop);
	may = p->state == PRDCR_DISCONNECTED && prdcr_waits(p) && !p->resolve; /* else another search follows */
	if (may)
		prdcr_deadline(p, 0);
	loop_leave(p->loop);
	return may;
}

static bool take_one(struct prdcr *p, const struct search *s, struct loop *loop)
{
	struct xprt *x;

	loop_enter(loop);
	x = quiet_peer(s, loop);
	if (x)
		prdcr_take(p, x);
	loop_leave(loop);
	return x;
}

static void search_cb(void *arg)
{
	struct search *s = arg;
	struct prdcr *p = node_find(s->d->prdcrs, s->name);
	bool taken = false;
	char *why;

	if (p && p->conf.type == PRDCR_PASSIVE && may_take(p)) {
		for (unsigned int i = 0; i < s->d->n_io && !taken; i++)
			taken = take_one(p, s, s->d->io[i]);
		if (!taken) {
			loop_enter(p->loop);
			why = xasprintf("no connection from %s", p->conf.host);
			prdcr_why_set(p, why);
			free(why);
			prdcr_deadline(p, p->conf.reconnect_us);
			loop_leave(p->loop);
		}
	}
	free(s->name);
	free(s->ips);
	free(s);
}

static void resolved_cb(void *arg, struct addrinfo *list, const char *why)
{
	struct prdcr *p = arg;
	struct search *s;

	p->resolve = NULL;
	if (!list) {
		if (strcmp(prdcr_why(p), why))
			log_warning("producer", "%s: %s", p->conf.name, why);
		prdcr_is_down(p, XPRT_RESOLVE, why); /* and looks again */
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->d = p->d;
	s->name = xstrdup(p->conf.name);
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		struct sockaddr_storage ss = { 0 };

		memcpy(&ss, a->ai_addr, a->ai_addrlen);
		s->ips = xrealloc(s->ips, (s->n + 1) * sizeof(*s->ips));
		s->n += addr_ip(&ss, &s->ips[s->n]);
	}
	loop_call(p->d->main, search_cb, s);
}

void prdcr_look(struct prdcr *p)
{
	if (!p->resolve)
		p->resolve = resolve_start(p->d->work, p->loop, p->conf.host, 0, resolved_cb, p);
}
