/* announce.c - see announce.h
 *
 * A change is numbered under the database's lock, so that a peer which has just been given a list is told exactly what
 * changed after it.  Locks: `all_lock` before the database's.
 */
#include "xprt/announce.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "xprt/proto.h"

struct station { /* a loop with peers that listen */
	struct loop *loop;
	unsigned int peers;
};

struct announce {
	struct setdb_listener listener;
	struct setdb *sets;
	_Atomic uint64_t serial;
	struct station *stations; /* guarded by the database's lock */
	unsigned int n, peers;    /* peers: guarded by all_lock */
	LIST_ENTRY(announce) entry;
};

struct note { /* on its way to a loop */
	struct loop_job job;
	struct loop *loop;
	struct setdb *sets;
	enum setdb_event ev;
	struct set *set;      /* a reference is held */
	struct set_owner was; /* SETDB_PERM */
	uint64_t serial;
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, announce) all = LIST_HEAD_INITIALIZER(all);

static void arrive_cb(struct loop_job *job)
{
	struct note *n = (struct note *)job;
	struct xprt *x, *next;

	for (x = LIST_FIRST(&io_of(n->loop)->told); x; x = next) {
		next = LIST_NEXT(x, told);
		if (x->env->sets == n->sets)
			dir_tell(x, n->ev, n->set, &n->was, n->serial);
	}
	set_put(n->set);
	free(n);
}

static void changed_cb(struct setdb_listener *listener, enum setdb_event ev, struct set *s)
{
	struct announce *a = (struct announce *)listener;

	a->serial++;
	for (unsigned int i = 0; i < a->n; i++) {
		struct note *n = xcalloc(1, sizeof(*n));

		*n = (struct note){ .job = { .fn = arrive_cb },
				    .loop = a->stations[i].loop,
				    .sets = a->sets,
				    .ev = ev,
				    .set = set_get(s),
				    .was = s->was,
				    .serial = a->serial };
		loop_post(n->loop, &n->job);
	}
}

uint64_t announce_serial(const struct announce *a)
{
	return a->serial;
}

static struct announce *announce_of(struct setdb *sets)
{
	struct announce *a;

	LIST_FOREACH(a, &all, entry)
		if (a->sets == sets)
			return a;
	a = xcalloc(1, sizeof(*a));
	a->listener.fn = changed_cb;
	a->sets = sets;
	LIST_INSERT_HEAD(&all, a, entry);
	setdb_listen(sets, &a->listener);
	return a;
}

static struct station *station_of(struct announce *a, struct loop *loop)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (a->stations[i].loop == loop)
			return &a->stations[i];
	a->stations = xrealloc(a->stations, (a->n + 1) * sizeof(*a->stations));
	a->stations[a->n] = (struct station){ .loop = loop };
	return &a->stations[a->n++];
}

void announce_join(struct xprt *x)
{
	struct setdb *sets = x->env->sets;

	if (!sets || x->announce)
		return;
	LIST_INSERT_HEAD(&x->io->told, x, told);
	pthread_mutex_lock(&all_lock);
	x->announce = announce_of(sets);
	x->announce->peers++;
	setdb_lock(sets);
	station_of(x->announce, x->loop)->peers++;
	setdb_unlock(sets);
	pthread_mutex_unlock(&all_lock);
}

void announce_leave(struct xprt *x)
{
	struct announce *a = x->announce;
	struct station *st;

	if (!a)
		return;
	x->announce = NULL;
	LIST_REMOVE(x, told);
	pthread_mutex_lock(&all_lock);
	setdb_lock(a->sets);
	st = station_of(a, x->loop);
	if (!--st->peers)
		*st = a->stations[--a->n];
	setdb_unlock(a->sets);
	if (!--a->peers) {
		setdb_unlisten(a->sets, &a->listener);
		LIST_REMOVE(a, entry);
		free(a->stations);
		free(a);
	}
	pthread_mutex_unlock(&all_lock);
}
