/* updtr_task.c - the schedules of updaters, and the sets on them.  See updtr.h. */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/daemon/prdgroup.h"
#include "core/daemon/updtr_impl.h"

/* Producers live on the I/O loops; the local one on the main loop. */
static unsigned int loop_index(const struct daemon *d, const struct loop *l)
{
	for (unsigned int i = 0; i < d->n_io; i++)
		if (d->io[i] == l)
			return i;
	return DAEMON_IO_LOOPS_MAX;
}

static void tick_cb(struct ev_loop *ev, ev_periodic *w, int events)
{
	struct task *t = w->data;
	struct updtr_member *m, *next;

	(void)ev;
	(void)events;
	for (m = TAILQ_FIRST(&t->members); m; m = next) {
		next = TAILQ_NEXT(m, turn);
		if (t->u->conf.push)
			prdset_push_turn(m->ps);
		else
			prdset_turn(m->ps);
	}
}

static struct task *task_get(struct updtr *u, struct loop *loop, int64_t interval_us, int64_t offset_us)
{
	unsigned int i = loop_index(u->d, loop);
	double interval = (double)interval_us / 1e6, offset = (double)offset_us / 1e6;
	struct task *t;

	LIST_FOREACH(t, &u->tasks[i], link) {
		if (t->interval_us == interval_us && t->offset_us == offset_us)
			return t;
	}
	t = xcalloc(1, sizeof(*t));
	t->u = u;
	t->loop = loop;
	t->interval_us = interval_us;
	t->offset_us = offset_us;
	TAILQ_INIT(&t->members);
	ev_periodic_init(&t->tick, tick_cb, offset < 0 ? offset + interval : offset, interval, NULL);
	t->tick.data = t;
	ev_periodic_start(loop_ev(loop), &t->tick);
	LIST_INSERT_HEAD(&u->tasks[i], t, link);
	return t;
}

static void task_free(struct task *t)
{
	ev_periodic_stop(loop_ev(t->loop), &t->tick);
	LIST_REMOVE(t, link);
	free(t);
}

static void schedule(const struct updtr *u, const struct prdset *ps, int64_t *interval_us, int64_t *offset_us)
{
	int64_t lag_us = u->hint_lag_us;

	*interval_us = u->conf.interval_us;
	*offset_us = u->conf.async ? u->phase_us : u->conf.offset_us;
	if (!u->conf.auto_interval || !ps->hint_interval_us)
		return;
	*interval_us = ps->hint_interval_us;
	if (lag_us > *interval_us / 2)
		lag_us = *interval_us / 2;
	*offset_us = (ps->hint_offset_us + lag_us) % *interval_us;
}

/* `via`: the group behind which it is read, on its schedule. */
static void member_add(struct updtr *u, struct prdset *ps, struct updtr_member *via)
{
	struct updtr_member *m = xcalloc(1, sizeof(*m));
	int64_t interval_us, offset_us;

	schedule(u, ps, &interval_us, &offset_us);
	m->task = via ? via->task : task_get(u, prdcr_loop(ps->prdcr), interval_us, offset_us);
	m->ps = ps;
	m->via = via ? via->ps : NULL;
	m->next = ps->members;
	ps->members = m;
	if (via)
		TAILQ_INSERT_AFTER(&m->task->members, via, m, turn);
	else
		TAILQ_INSERT_TAIL(&m->task->members, m, turn);
}

void updtr_member_del(struct updtr_member *m)
{
	struct task *t = m->task;

	for (struct updtr_member **at = &m->ps->members; *at; at = &(*at)->next) {
		if (*at != m)
			continue;
		*at = m->next;
		break;
	}
	TAILQ_REMOVE(&t->members, m, turn);
	free(m);
	if (TAILQ_EMPTY(&t->members))
		task_free(t);
}

static struct updtr_member *member_of(const struct updtr *u, const struct prdset *ps)
{
	struct updtr_member *m = ps->members;

	while (m && m->task->u != u)
		m = m->next;
	return m;
}

/* The group behind which the set is to be read: one that the updater wants for itself, not for another group's sake. */
static struct updtr_member *via_of(const struct updtr *u, const struct prdset *ps)
{
	struct updtr_member *m;
	struct prdset *g;

	for (unsigned int i = 0; (g = prdgroup_of(ps, i)); i++) {
		m = g == ps ? NULL : member_of(u, g);
		if (m && !m->via)
			return m;
	}
	return NULL;
}

static bool is_placed(const struct updtr *u, const struct updtr_member *m, const struct updtr_member *via)
{
	int64_t interval_us, offset_us;

	if (via || m->via)
		return via && m->via == via->ps && m->task == via->task;
	schedule(u, m->ps, &interval_us, &offset_us);
	return interval_us == m->task->interval_us && offset_us == m->task->offset_us;
}

/* Give the set the place in the schedules that it ought to have now; true when it had none before. */
static bool place(struct updtr *u, struct prdset *ps)
{
	bool own = updtr_takes_set(u, ps), had;
	struct updtr_member *m = member_of(u, ps), *via = own && ps->group ? NULL : via_of(u, ps);

	had = m;
	if (m && (own || via) && is_placed(u, m, via))
		return false;
	if (m)
		updtr_member_del(m);
	if (own || via)
		member_add(u, ps, via);
	if (had || own || via)
		prdset_updtrs_changed(ps);
	return (own || via) && !had;
}

/* The members of a group, in its order: each goes right behind it, so the last one first. */
static void members_place(struct updtr *u, const struct prdset *group)
{
	struct prdset *ps;
	unsigned int n = 0;

	while (prdgroup_member(group, n, &ps))
		n++;
	while (n) {
		prdgroup_member(group, --n, &ps);
		if (ps && ps != group && place(u, ps))
			prdset_turn(ps);
	}
}

bool updtr_set_add(struct updtr *u, struct prdset *ps)
{
	bool come = place(u, ps);

	if (ps->group)
		members_place(u, ps);
	return come;
}

void updtr_set_del(struct prdset *ps)
{
	while (ps->members) {
		struct updtr *u = ps->members->task->u;

		updtr_member_del(ps->members);
		if (ps->group)
			members_place(u, ps); /* who was read for its sake alone is left */
	}
}

void updtr_set_hint(struct prdset *ps)
{
	struct updtr_member *m, *next;

	for (m = ps->members; m; m = next) {
		next = m->next;
		updtr_set_add(m->task->u, ps);
	}
}

enum rset_push updtr_set_push(const struct prdset *ps)
{
	enum rset_push push = RSET_PULL;

	for (const struct updtr_member *m = ps->members; m; m = m->next)
		if (m->task->u->conf.push > push)
			push = m->task->u->conf.push;
	return push;
}

bool updtr_set_schedule(const struct prdset *ps, int64_t *interval_us, int64_t *offset_us)
{
	for (const struct updtr_member *m = ps->members; m; m = m->next) {
		if (m->task->u->conf.push)
			continue;
		*interval_us = m->task->interval_us;
		*offset_us = m->task->offset_us;
		return true;
	}
	return false;
}
