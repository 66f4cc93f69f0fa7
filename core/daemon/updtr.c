/* updtr.c - updaters: their configuration, and which producers they take.  See updtr.h; schedules: updtr_task.c. */
#include "core/daemon/updtr.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/updtr_impl.h"

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

struct updtr *updtr_new(struct daemon *d, const struct updtr_conf *conf, struct err *err)
{
	struct updtr *u;

	if (schedule_check(conf->interval_us, conf->offset_us, err))
		return NULL;
	u = xcalloc(1, sizeof(*u));
	u->d = d;
	u->hint_lag_us = updtr_hint_lag_us();
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

bool updtr_takes_set(const struct updtr *u, const struct prdset *ps)
{
	for (size_t i = 0; i < u->matches_n; i++)
		if (rx_match(&u->matches[i].rx, u->matches[i].sel == UPDTR_SCHEMA ? ps->schema : ps->name))
			return true;
	return !u->matches_n;
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

/* -- producers ----------------------------------------------------------------------------------------------------- */

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
			updtr_member_del(m);
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
