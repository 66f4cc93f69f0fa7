/* listen.c - listeners: who may come in, and on which loop a peer lives.
 *
 * A connection asks on the listener's first loop.  What it says there (struct conn) tells which rail it belongs to, and
 * so where it goes: to the loop of that rail's other connections, or to the next in turn.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "xprt/xprt_impl.h"

struct xprt_listener *listener_get(struct xprt_listener *l)
{
	atomic_fetch_add(&l->refs, 1);
	return l;
}

void listener_put(struct xprt_listener *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	auth_conf_put(l->auth_conf);
	pthread_mutex_destroy(&l->lock);
	free(l->loops);
	free(l->host);
	free(l);
}

/* -- who may come -------------------------------------------------------------------------------------------------- */

/* The first to come is the first to go: one that connects properly is through long before. */
static bool guests_fit(struct xprt_listener *l)
{
	uint64_t limit = l->env->limits.guests;

	return !limit || atomic_load(&l->env->stats.guests) < limit || guests_evict(io_of(l->loops[0]));
}

bool listener_admit(struct xprt_listener *l, const struct sockaddr_storage *addr, enum refusal *why)
{
	const struct xprt_limits *lim = &l->env->limits;
	uint64_t conns = lim->conns, per_addr = lim->conns_per_addr;
	struct addr_count *c = NULL;
	struct in6_addr ip;
	bool ok;

	*why = REFUSE_CONNS;
	if (conns && atomic_load(&l->env->stats.incoming) >= conns)
		return false;
	*why = REFUSE_GUESTS;
	if (!guests_fit(l))
		return false;
	*why = REFUSE_CONNS_PER_ADDR;
	if (!addr_ip(addr, &ip))
		return true;
	pthread_mutex_lock(&l->lock);
	HASH_FIND(hh, l->addrs, &ip, sizeof(ip), c);
	if (!c) {
		c = xcalloc(1, sizeof(*c));
		c->ip = ip;
		HASH_ADD(hh, l->addrs, ip, sizeof(c->ip), c);
	}
	ok = !per_addr || c->n < per_addr;
	c->n += ok;
	pthread_mutex_unlock(&l->lock);
	return ok;
}

void listener_left(struct xprt_listener *l, const struct sockaddr_storage *addr)
{
	struct addr_count *c;
	struct in6_addr ip;

	if (!addr_ip(addr, &ip))
		return;
	pthread_mutex_lock(&l->lock);
	HASH_FIND(hh, l->addrs, &ip, sizeof(ip), c);
	if (c && !--c->n) {
		HASH_DEL(l->addrs, c);
		free(c);
	}
	pthread_mutex_unlock(&l->lock);
}

/* -- where it goes ------------------------------------------------------------------------------------------------- */

struct loop *listener_place(struct xprt_listener *l, const struct rail_id *id, struct rail_place **ret)
{
	struct rail_place *p = NULL;
	struct loop *loop;

	pthread_mutex_lock(&l->lock);
	if (id)
		HASH_FIND(hh, l->places, id, sizeof(*id), p);
	loop = p ? p->loop : l->loops[l->next_loop++ % l->n_loops];
	if (id && !p) {
		p = xcalloc(1, sizeof(*p));
		p->id = *id;
		p->loop = loop;
		HASH_ADD(hh, l->places, id, sizeof(p->id), p);
	}
	if (p)
		p->refs++;
	pthread_mutex_unlock(&l->lock);
	*ret = p;
	return loop;
}

void listener_place_put(struct xprt_listener *l, struct rail_place *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&l->lock);
	if (!--p->refs) {
		HASH_DEL(l->places, p);
		free(p);
	}
	pthread_mutex_unlock(&l->lock);
}

/* -- the face ------------------------------------------------------------------------------------------------------ */

int xprt_listen(struct xprt_env *env, struct loop *const *loops, unsigned int n, const struct xprt_listen_conf *conf,
		const struct xprt_events *ev, void *arg, struct xprt_listener **ret, struct err *err)
{
	const struct ep_type *type;
	struct xprt_listener *l;
	struct auth_conf *auth_conf;
	int rc;

	rc = ep_type_find(conf->type, &type, err);
	if (rc)
		return rc;
	rc = auth_open(conf->auth, conf->auth_args, &auth_conf, err);
	if (rc)
		return rc;
	l = xcalloc(1, sizeof(*l));
	*l = (struct xprt_listener){ .env = env,
				     .type = type,
				     .loops = xcalloc(n, sizeof(*l->loops)),
				     .n_loops = n,
				     .ev = ev,
				     .arg = arg,
				     .host = xstrdup(conf->host),
				     .port = conf->port,
				     .auth = auth_conf->type,
				     .auth_conf = auth_conf,
				     .quota = conn_quota(&conf->quota),
				     .refs = 1 };
	memcpy(l->loops, loops, n * sizeof(*loops));
	pthread_mutex_init(&l->lock, NULL);
	loop_enter(l->loops[0]);
	rc = type->listen(l, err);
	loop_leave(l->loops[0]);
	if (rc) {
		listener_put(l);
		return rc;
	}
	*ret = l;
	return 0;
}

void xprt_listener_shut(struct xprt_listener *l)
{
	atomic_store(&l->closed, true); /* who is on the way to another loop is turned away there */
	loop_enter(l->loops[0]);
	l->type->unlisten(l);
	loop_leave(l->loops[0]);
}

void xprt_listener_close(struct xprt_listener *l)
{
	if (!l)
		return;
	xprt_listener_shut(l);
	for (unsigned int i = 0; i < l->n_loops; i++) {
		struct io *io;
		struct xprt *x, *next;

		loop_enter(l->loops[i]);
		io = io_of(l->loops[i]);
		guests_end(l, io);
		for (x = LIST_FIRST(&io->xprts); x; x = next) {
			next = LIST_NEXT(x, entry);
			if (x->l == l && !x->adopted)
				xprt_close(x);
		}
		loop_leave(l->loops[i]);
	}
	listener_put(l);
}

unsigned short xprt_listener_port(const struct xprt_listener *l)
{
	return l->port;
}
