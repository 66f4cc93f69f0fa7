/* maestro.c - see maestro.h */
#include "core/maestro/maestro.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/maestro/lock.h"
#include "core/maestro/maestro_impl.h"
#include "core/maestro/watch.h"

#define TICK_S    0.25
#define ANSWER_US (5 * SEC_US) /* for any answer: a daemon that owes one for so long is dropped, and dialed again */
#define SAVE_US   SEC_US       /* between two times that what was sent is written */
#define LOST_MIN  4            /* daemons: so few may go without being asked for twice */
#define SAY_US    SEC_US       /* between two lines on how many agree */

const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_NONE] = "on their way",       [OUTCOME_APPLIED] = "applied", [OUTCOME_UNCHANGED] = "unchanged",
	[OUTCOME_UNREACHABLE] = "unreachable", [OUTCOME_REFUSED] = "refused", [OUTCOME_DIFFERS] = "differ",
};

/* -- the file ------------------------------------------------------------------------------------------------------ */

static void on_note(void *arg, const struct conf_note *note)
{
	(void)arg;
	if (note->line)
		log_at(note->warning ? LOG_WARNING_ : LOG_ERROR_, "maestro", "%s:%u:%u: %s", note->file, note->line,
		       note->col, note->words);
	else
		log_at(note->warning ? LOG_WARNING_ : LOG_ERROR_, "maestro", "%s", note->words);
}

static double weigh_same(void *arg, size_t group, size_t prdcr)
{
	(void)arg;
	(void)group;
	(void)prdcr;
	return 1;
}

static const struct share_weigh same_weight = { .weight = weigh_same };

/* What it was sent, and where, for who is not there any more, or elsewhere. */
static void left_note(struct leaving *l, struct member *mb)
{
	struct link_conf at;

	*l = (struct leaving){ .name = xstrdup(mb->name),
			       .sent = mb->sent,
			       .count = mb->count,
			       .left_s = clock_us(CLOCK_REALTIME) / SEC_US };
	mb->sent = NULL;
	if (!mb->link)
		return;
	link_conf_get(mb->link, &at);
	leaving_at(l, &at);
}

/* Daemons that are the same stay connected. */
static void members_replace(struct maestro *m, const struct plan *was)
{
	struct member **old = m->members;
	struct leaving *left = xcalloc(was->n_daemons + 1, sizeof(*left));
	size_t n = 0;

	m->members = xcalloc(m->plan->n_daemons + 1, sizeof(*m->members));
	for (size_t i = 0; i < m->plan->n_daemons; i++) {
		const struct plan_daemon *d = &m->plan->daemons[i];
		size_t k = plan_find(was, d->name);
		struct member *mb = k == PLAN_NONE ? NULL : old[k];

		if (mb && member_is_at(mb, d)) {
			old[k] = NULL;
			mb->daemon = i;
			m->members[i] = mb;
		}
	}
	for (size_t i = 0; i < was->n_daemons; i++) {
		if (old[i])
			left_note(&left[n++], old[i]);
		member_free(old[i]);
	}
	for (size_t i = 0; i < m->plan->n_daemons; i++)
		if (!m->members[i])
			m->members[i] = member_new(m, i);
	leavers_replace(m, left, n);
	leavings_free(left, n);
	free(old);
}

/* A pattern that lacks a digit, or half a file: what most daemons are sent would be taken away. */
static bool is_most(size_t lost, size_t had)
{
	return lost >= LOST_MIN && lost > had / 2;
}

/* It counts when the file is written once more, and has as many then. */
static bool is_doubtful(struct maestro *m, const struct plan *now)
{
	size_t had = m->plan->n_daemons, lost = plan_lost(m->plan, now);
	bool doubtful = is_most(lost, had) && m->doubted != now->n_daemons;

	m->doubted = doubtful ? now->n_daemons : 0;
	if (doubtful)
		log_error("maestro",
			  "%s: %zu of %zu daemons are not in it any more; the cluster stays as it is: if that is "
			  "meant, write the file once more (touch)",
			  m->conf.file, lost, had);
	return doubtful;
}

static void file_reload(struct maestro *m)
{
	struct plan *was = m->plan, *now;
	struct share *share;
	struct err err = { "" };

	if (plan_read(m->conf.file, on_note, m, &now, &err)) {
		log_error("maestro", "%s; the cluster stays as it is", err.msg);
		return;
	}
	if (!now->n_daemons) {
		log_error("maestro", "%s: it names no daemon any more; the cluster stays as it is", m->conf.file);
		plan_free(now);
		return;
	}
	if (is_doubtful(m, now)) {
		plan_free(now);
		return;
	}
	log_info("maestro", "%s: read anew: %zu daemons", m->conf.file, now->n_daemons);
	m->plan = now;
	if (m->leads) {
		share = share_new(now, &same_weight);
		share_inherit(share, now, m->share, was);
		share_free(m->share);
		m->share = share;
		m->inherited = true;
		members_replace(m, was);
		groups_init(m);
		groups_measured(m);
		for (size_t i = 0; i < now->n_daemons; i++)
			member_touch(m->members[i]);
	}
	plan_free(was);
}

static void file_look(struct maestro *m)
{
	struct err err = { "" };

	switch (watch_look(m->conf.watch, &err)) {
	case WATCH_CHANGED:
		file_reload(m);
		break;
	case WATCH_GONE:
		log_error("maestro", "%s; the cluster stays as it is", err.msg);
		break;
	case WATCH_NOTHING:
		break;
	}
}

/* -- what became of it --------------------------------------------------------------------------------------------- */

void maestro_counts(const struct maestro *m, size_t n[OUTCOMES])
{
	memset(n, 0, OUTCOMES * sizeof(*n));
	for (size_t i = 0; i < m->plan->n_daemons && m->members; i++)
		n[m->members[i]->outcome]++;
}

void maestro_each(const struct maestro *m, void (*fn)(void *arg, const char *name, enum outcome o, const char *words),
		  void *arg)
{
	for (size_t i = 0; i < m->plan->n_daemons && m->members; i++) {
		struct member *mb = m->members[m->plan->order[i]];

		fn(arg, mb->name, mb->outcome, buf_str(&mb->words));
	}
}

/* One line, when it is another one than before. */
static void say_counts(struct maestro *m, int64_t now_us)
{
	size_t n[OUTCOMES];
	struct buf b = { 0 };

	if (now_us - m->said_us < SAY_US)
		return;
	maestro_counts(m, n);
	if (!memcmp(n, m->said, sizeof(n)))
		return;
	memcpy(m->said, n, sizeof(n));
	m->said_us = now_us;
	buf_addf(&b, "%zu daemons: %zu agree", m->plan->n_daemons, n[OUTCOME_APPLIED] + n[OUTCOME_UNCHANGED]);
	for (int o = 0; o < OUTCOMES; o++)
		if (n[o] && o != OUTCOME_APPLIED && o != OUTCOME_UNCHANGED)
			buf_addf(&b, ", %zu %s", n[o], outcome_names[o]);
	log_info("maestro", "%s", buf_str(&b));
	buf_fini(&b);
}

static bool is_done(const struct maestro *m, const struct member *mb, int64_t now_us)
{
	int64_t late_us = now_us - m->began_us - m->conf.wait_us;
	bool late = late_us > 0;

	if (!mb->link)
		return true;
	/* one that takes the connection each time, and never answers */
	if (mb->state == MEMBER_READING && mb->outcome == OUTCOME_UNREACHABLE && late_us > ANSWER_US)
		return true;
	return mb->state == MEMBER_STILL || (mb->state == MEMBER_AWAY && late && mb->lost_us);
}

static void end_if_done(struct maestro *m, int64_t now_us)
{
	size_t done = 0;

	for (size_t i = 0; i < m->plan->n_daemons; i++)
		done += is_done(m, m->members[i], now_us);
	if (done != m->progress && m->conf.progress)
		m->conf.progress(m->conf.arg, done, m->plan->n_daemons);
	m->progress = done;
	if (done == m->plan->n_daemons && leavers_done(m, now_us - m->began_us > m->conf.wait_us))
		loop_stop(m->loop);
}

static void save(struct maestro *m)
{
	struct err err = { "" };

	m->dirty = false;
	m->saved_us = clock_us(CLOCK_MONOTONIC);
	if (m->conf.state && m->leads && remembered_write(m, &err))
		log_error("maestro", "%s", err.msg);
}

/* -- all of it ----------------------------------------------------------------------------------------------------- */

static void on_tick(struct ev_loop *ev, ev_timer *t, int events)
{
	struct maestro *m = t->data;
	int64_t now_us = clock_us(CLOCK_MONOTONIC);

	(void)ev;
	(void)events;
	if (m->conf.mode == MAESTRO_KEEP)
		file_look(m);
	if (!m->leads) {
		if (m->conf.mode == MAESTRO_ONCE && now_us - m->began_us > m->conf.wait_us)
			loop_stop(m->loop);
		return;
	}
	groups_tick(m);
	leavers_tick(m);
	if (m->conf.mode == MAESTRO_KEEP)
		adverts_tick(m);
	if (m->measured) {
		m->measured = false;
		groups_measured(m);
	}
	if (m->dirty && now_us - m->saved_us > SAVE_US)
		save(m);
	if (m->conf.mode == MAESTRO_KEEP)
		say_counts(m, now_us);
	else
		end_if_done(m, now_us);
}

static void lead(struct maestro *m)
{
	struct remembered *r = m->conf.state ? remembered_read(m->conf.state) : NULL;
	struct leaving *all;
	size_t n, n_left;

	m->leads = true;
	m->inherited = false;
	m->began_us = clock_us(CLOCK_MONOTONIC);
	m->share = share_new(m->plan, &same_weight);
	m->members = xcalloc(m->plan->n_daemons + 1, sizeof(*m->members));
	for (size_t i = 0; i < m->plan->n_daemons; i++)
		m->members[m->plan->order[i]] = member_new(m, m->plan->order[i]);
	groups_init(m);
	if (r) {
		n = remembered_all(r, &all);
		n_left = leavers_take(m, all, n, false);
		if (n_left && !remembered_is_of(r, m->file))
			log_warning(
				"maestro",
				"%s: it is of another cluster file, which may still have %zu daemons that %s does not "
				"have: they are left as they are; each file wants a --state of its own",
				m->conf.state, n_left, m->conf.file);
		else if (m->conf.mode == MAESTRO_KEEP && is_most(n_left, n))
			log_warning("maestro",
				    "%s: %zu of %zu daemons are not in it any more: they are left as they are, and "
				    "forgotten; --once would have taken away what they were sent",
				    m->conf.file, n_left, n);
		else
			leavers_take(m, all, n, true);
		leavings_free(all, n);
	}
	remembered_free(r);
}

static void follow(struct maestro *m)
{
	if (m->leads && m->dirty)
		save(m);
	m->leads = false;
	leavers_free(m);
	for (size_t i = 0; i < m->plan->n_daemons && m->members; i++) {
		member_free(m->members[i]);
		m->members[i] = NULL;
	}
	free(m->members);
	m->members = NULL;
	share_free(m->share);
	m->share = NULL;
}

static void on_lock(void *arg, bool ours)
{
	struct maestro *m = arg;

	if (ours && !m->leads)
		lead(m);
	else if (!ours)
		follow(m);
}

static char *path_whole(const char *path)
{
	char *dir = *path == '/' ? NULL : getcwd(NULL, 0), *ret = dir ? xasprintf("%s/%s", dir, path) : xstrdup(path);

	free(dir);
	return ret;
}

int maestro_new(const struct maestro_conf *conf, struct loop *loop, struct plan *plan, struct maestro **ret,
		struct err *err)
{
	struct maestro *m = xcalloc(1, sizeof(*m));

	m->conf = *conf;
	m->loop = loop;
	m->plan = plan;
	m->file = path_whole(conf->file);
	m->links = links_new(loop, ANSWER_US, err);
	if (!m->links) {
		free(m->file);
		free(m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

bool maestro_leads(const struct maestro *m)
{
	return m->leads;
}

void maestro_start(struct maestro *m)
{
	m->began_us = clock_us(CLOCK_MONOTONIC);
	ev_timer_init(&m->tick, on_tick, TICK_S, TICK_S);
	m->tick.data = m;
	ev_timer_start(loop_ev(m->loop), &m->tick);
	if (m->conf.lock)
		lock_start(m->conf.lock, m->loop, on_lock, m);
	else
		lead(m);
}

void maestro_free(struct maestro *m)
{
	if (!m)
		return;
	ev_timer_stop(loop_ev(m->loop), &m->tick);
	follow(m);
	links_free(m->links);
	plan_free(m->plan);
	free(m->known);
	free(m->file);
	free(m);
}
