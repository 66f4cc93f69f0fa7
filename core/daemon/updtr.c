/* updtr.c - updaters and their schedules.  See updtr.h. */
#include "core/daemon/updtr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/prdgroup.h"

/* A set with a hint is read this much after it was sampled, unless the environment says otherwise, as it does to ldmsd;
 * but never so late that it falls together with the next sample. */
#define HINT_LAG_US  (100 * MSEC_US)
#define HINT_LAG_ENV "LDMSD_UPDTR_OFFSET_INCR" /* microseconds */
/* A peer's hint may not make us faster than this, nor slower than that; others are passed over. */
#define HINT_MIN_US (1 * MSEC_US)
#define HINT_MAX_US (366ll * 86400 * SEC_US)

struct task;

/* A set on a schedule. */
struct updtr_member {
	TAILQ_ENTRY(updtr_member) turn; /* the task's, in order of coming: sets of one producer stand together */
	struct updtr_member *next;      /* the set's */
	struct task *task;
	struct prdset *ps;
	const struct prdset *via; /* the group that it is read behind; NULL: it has a turn of its own */
};

/* One schedule on one loop. */
struct task {
	LIST_ENTRY(task) link;
	struct updtr *u;
	struct loop *loop;
	int64_t interval_us, offset_us;
	ev_periodic tick;
	TAILQ_HEAD(, updtr_member) members;
};

struct match {
	struct rx rx;
	enum updtr_selector sel;
};

/* On producers' names; the last one that matches counts. */
struct rule {
	struct rx rx;
	bool del; /* not those, whatever rules before it say */
};

struct updtr {
	struct node node; /* in the daemon's table */
	struct daemon *d;
	struct updtr_conf conf;
	bool running;
	int64_t hint_lag_us;
	int64_t phase_us; /* conf.async: the offset that its start made */
	struct rule *rules;
	size_t rules_n;
	struct match *matches;
	size_t matches_n;
	LIST_HEAD(, task) tasks[DAEMON_IO_LOOPS_MAX + 1]; /* by loop (loop_index), each under its loop's lock */
};

/* Producers live on the I/O loops; the local one on the main loop. */
static unsigned int loop_index(const struct daemon *d, const struct loop *l)
{
	for (unsigned int i = 0; i < d->n_io; i++)
		if (d->io[i] == l)
			return i;
	return DAEMON_IO_LOOPS_MAX;
}

static int schedule_check(int64_t interval_us, int64_t offset_us, struct err *err)
{
	if (interval_us <= 0)
		return err_set(err, -EINVAL, "The update interval value must be larger than 0.");
	if (offset_us > interval_us / 2 || offset_us < -interval_us / 2)
		return err_set(err, -EINVAL,
			       "The absolute value of the offset value must not be larger than the half of the update "
			       "interval.");
	return 0;
}

static int64_t hint_lag_us(void)
{
	const char *text = getenv(HINT_LAG_ENV);
	int64_t us;

	if (!text || !*text)
		return HINT_LAG_US;
	if (!unit_time_us(text, &us, NULL) && us >= 0)
		return us;
	log_warning("updater", HINT_LAG_ENV "=%s is no time; as without it, %lld microseconds", text, HINT_LAG_US);
	return HINT_LAG_US;
}

struct updtr *updtr_new(struct daemon *d, const struct updtr_conf *conf, struct err *err)
{
	struct updtr *u;

	if (schedule_check(conf->interval_us, conf->offset_us, err))
		return NULL;
	u = xcalloc(1, sizeof(*u));
	u->d = d;
	u->hint_lag_us = hint_lag_us();
	u->conf = *conf;
	u->conf.name = xstrdup(conf->name);
	u->node.name = u->conf.name;
	for (unsigned int i = 0; i <= DAEMON_IO_LOOPS_MAX; i++)
		LIST_INIT(&u->tasks[i]);
	return u;
}

void updtr_free(struct updtr *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->rules_n; i++)
		rx_fini(&u->rules[i].rx);
	for (size_t i = 0; i < u->matches_n; i++)
		rx_fini(&u->matches[i].rx);
	free(u->rules);
	free(u->matches);
	free((char *)u->conf.name);
	free(u);
}

static int changeable(const struct updtr *u, struct err *err)
{
	if (u->running)
		return err_set(err, -EBUSY, "Configuration changes cannot be made while the updater is running.");
	return 0;
}

/* A rule makes an older one of the same expression void; one that takes away is of no use in front. */
static int rule_add(struct updtr *u, const char *regex, bool del, struct err *err)
{
	struct rule rule = { .del = del };
	size_t n = 0;
	int rc = rx_init(&rule.rx, regex, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < u->rules_n; i++) {
		struct rule *r = &u->rules[i];

		if (!strcmp(r->rx.text, regex) || (r->del && !n))
			rx_fini(&r->rx);
		else
			u->rules[n++] = *r;
	}
	if (del && !n) {
		rx_fini(&rule.rx);
	} else {
		u->rules = xrealloc(u->rules, (n + 1) * sizeof(*u->rules));
		u->rules[n++] = rule;
	}
	u->rules_n = n;
	return 0;
}

int updtr_prdcr_add(struct updtr *u, const char *regex, struct err *err)
{
	int rc = changeable(u, err);

	return rc ? rc : rule_add(u, regex, false, err);
}

int updtr_prdcr_del(struct updtr *u, const char *regex, struct err *err)
{
	if (u->running) /* with the comma, as ldmsd has it */
		return err_set(err, -EBUSY, "Configuration changes cannot be made while the updater is running,");
	return rule_add(u, regex, true, err);
}

int updtr_match_add(struct updtr *u, const char *regex, enum updtr_selector sel, struct err *err)
{
	struct match m = { .sel = sel };
	int rc = changeable(u, err);

	if (!rc)
		rc = rx_init(&m.rx, regex, err);
	if (rc)
		return rc;
	u->matches = xrealloc(u->matches, (u->matches_n + 1) * sizeof(*u->matches));
	u->matches[u->matches_n++] = m;
	return 0;
}

int updtr_match_del(struct updtr *u, const char *regex, enum updtr_selector sel, struct err *err)
{
	int rc = changeable(u, err);

	for (size_t i = 0; !rc && i < u->matches_n; i++) {
		if (u->matches[i].sel != sel || strcmp(u->matches[i].rx.text, regex))
			continue;
		rx_fini(&u->matches[i].rx);
		u->matches[i] = u->matches[--u->matches_n];
		return 0;
	}
	return rc ? rc : err_set(err, -ENOENT, "The specified regex does not match any condition.");
}

int updtr_schedule_set(struct updtr *u, const struct updtr_conf *conf, struct err *err)
{
	int rc = changeable(u, err);

	if (!rc)
		rc = schedule_check(conf->interval_us, conf->offset_us, err);
	if (rc)
		return rc;
	u->conf.interval_us = conf->interval_us;
	u->conf.offset_us = conf->async ? 0 : conf->offset_us;
	u->conf.async = conf->async;
	u->conf.auto_interval = conf->auto_interval;
	return 0;
}

const struct updtr_conf *updtr_conf(const struct updtr *u)
{
	return &u->conf;
}

bool updtr_running(const struct updtr *u)
{
	return u->running;
}

bool updtr_takes_prdcr(const struct updtr *u, const char *prdcr)
{
	if (is_mirrored(prdcr) != is_mirrored(u->conf.name))
		return false;
	for (size_t i = u->rules_n; i; i--)
		if (rx_match(&u->rules[i - 1].rx, prdcr))
			return !u->rules[i - 1].del;
	return false;
}

/* -- schedules ---------------------------------------------------------------------------------------------------- */

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

bool updtr_hint_parse(const char *text, int64_t *interval_us, int64_t *offset_us, bool *loose)
{
	char *end;
	long long interval = strtoll(text, &end, 10), offset = 0;

	if (end == text || interval < HINT_MIN_US || interval > HINT_MAX_US)
		return false;
	*loose = *end != ':' || !end[1];
	if (!*loose)
		offset = strtoll(end + 1, &end, 10);
	else
		end += *end == ':';
	if (*end || offset >= interval || offset <= -interval)
		return false;
	*interval_us = interval;
	*offset_us = offset;
	return true;
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

bool updtr_takes_set(const struct updtr *u, const struct prdset *ps)
{
	for (size_t i = 0; i < u->matches_n; i++)
		if (rx_match(&u->matches[i].rx, u->matches[i].sel == UPDTR_SCHEMA ? ps->schema : ps->name))
			return true;
	return !u->matches_n;
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

static void member_del(struct updtr_member *m)
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
		member_del(m);
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

		member_del(ps->members);
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

/* -- looking ------------------------------------------------------------------------------------------------------- */

const char *updtr_match(const struct updtr *u, size_t i, enum updtr_selector *ret)
{
	if (i >= u->matches_n)
		return NULL;
	*ret = u->matches[i].sel;
	return u->matches[i].rx.text;
}

static size_t schedule_add(struct updtr_schedule *v, size_t n, size_t max, const struct task *t)
{
	for (size_t i = 0; i < n && i < max; i++)
		if (v[i].interval_us == t->interval_us && v[i].offset_us == t->offset_us)
			return n;
	if (n < max)
		v[n] = (struct updtr_schedule){ .interval_us = t->interval_us, .offset_us = t->offset_us };
	return n + 1;
}

/* The same schedule is a task on each loop. */
size_t updtr_schedules(const struct updtr *u, struct updtr_schedule *ret, size_t max)
{
	const struct updtr_conf *conf = &u->conf;
	size_t n = 1;

	if (!max)
		return 1;
	ret[0] = (struct updtr_schedule){ conf->interval_us, conf->async ? u->phase_us : conf->offset_us, conf->async,
					  true };
	for (unsigned int i = 0; i <= DAEMON_IO_LOOPS_MAX; i++) {
		struct loop *l = i < u->d->n_io ? u->d->io[i] : i == DAEMON_IO_LOOPS_MAX ? u->d->main : NULL;
		const struct task *t;

		if (!l)
			continue;
		loop_enter(l);
		LIST_FOREACH(t, &u->tasks[i], link)
			n = schedule_add(ret, n, max, t);
		loop_leave(l);
	}
	return n;
}

/* -- producers ------------------------------------------------------------------------------------------------------
 */

static void attach(struct updtr *u, struct prdcr *p)
{
	if (!updtr_takes_prdcr(u, prdcr_conf(p)->name))
		return;
	loop_enter(prdcr_loop(p));
	prdcr_updtr_add(p, u);
	loop_leave(prdcr_loop(p));
}

static void detach(struct updtr *u, struct prdcr *p)
{
	loop_enter(prdcr_loop(p));
	for (struct prdset *ps = prdcr_sets(p); ps; ps = ps->hh.next) {
		bool was = false;

		for (struct updtr_member *m = ps->members, *next; m; m = next) {
			next = m->next;
			if (m->task->u != u)
				continue;
			member_del(m);
			was = true;
		}
		if (was)
			prdset_updtrs_changed(ps);
	}
	prdcr_updtr_del(p, u);
	loop_leave(prdcr_loop(p));
}

int updtr_start(struct updtr *u, struct err *err)
{
	struct daemon_turn turn = { 0 };

	if (u->running)
		return err_set(err, -EBUSY, "The updater is already running.");
	u->running = true;
	u->phase_us = u->conf.async ? wall_us() % u->conf.interval_us : 0;
	log_info("updater", "%s: STOPPED -> RUNNING", u->conf.name);
	NODE_EACH(n, u->d->prdcrs) {
		daemon_step(u->d, &turn);
		attach(u, (struct prdcr *)n);
	}
	daemon_steps_end(u->d, &turn);
	return 0;
}

void updtr_stop(struct updtr *u)
{
	struct daemon_turn turn = { 0 };

	if (!u->running)
		return;
	NODE_EACH(n, u->d->prdcrs) {
		daemon_step(u->d, &turn);
		detach(u, (struct prdcr *)n);
	}
	daemon_steps_end(u->d, &turn);
	u->running = false;
	log_info("updater", "%s: RUNNING -> STOPPED", u->conf.name);
}

void updtr_prdcr_came(struct daemon *d, struct prdcr *p)
{
	NODE_EACH(n, d->updtrs) {
		if (((struct updtr *)n)->running)
			attach((struct updtr *)n, p);
	}
}

void updtr_prdcr_goes(struct daemon *d, struct prdcr *p)
{
	NODE_EACH(n, d->updtrs)
		detach((struct updtr *)n, p);
}
