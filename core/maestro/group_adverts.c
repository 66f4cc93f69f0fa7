/* group_adverts.c - daemons that advertise to all aggregators of a group: each is collected from by one of them.
 *
 * Who comes is not in the file: the aggregators are asked.  Each starts who comes to it, so that none is lost whatever
 * becomes of maestro; here all but one are stopped again, and wait, connected, to take over.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"
#include "core/maestro/maestro_impl.h"

static bool shares_adverts(const struct plan_group *g)
{
	return g->n_listens && g->n_aggs > 1;
}

/* -- telling them -------------------------------------------------------------------------------------------------- */

static void on_told(void *arg, int rc, const char *words)
{
	struct member *mb = arg;

	mb->adverts_open--;
	mb->adverts_us = 0; /* what came of it? */
	/* it may have done so by itself meanwhile */
	if (rc <= 0 || rc == EBUSY || rc == EINVAL || rc == ENOENT)
		return;
	if (!mb->adverts_refused)
		log_error("maestro", "%s: it does not let producers that advertise be started and stopped: %s",
			  mb->name, *words ? words : err_name(rc));
	mb->adverts_refused = true;
}

struct telling {
	struct maestro *m;
	const struct plan_group *g;
	size_t started, stopped;
};

static void tell(void *arg, size_t agg, const char *name, bool start)
{
	struct telling *t = arg;
	struct member *mb = t->m->members[t->g->aggs[agg]];
	char *line = xasprintf("%s%cname=%s", start ? "prdcr_start" : "prdcr_stop", LINE_SEP, name);

	*(start ? &t->started : &t->stopped) += 1;
	mb->adverts_open++;
	link_ask(mb->link, line, on_told, mb);
	free(line);
}

static bool is_known(const struct maestro *m, const struct plan_group *g)
{
	bool known = true;

	for (size_t a = 0; a < g->n_aggs && known; a++) {
		const struct member *mb = m->members[g->aggs[a]];

		known = mb->dead || (mb->adverts_known && !mb->adverts_open && !mb->adverts_refused);
	}
	return known;
}

static void settle(struct maestro *m, size_t group)
{
	const struct plan_group *g = &m->plan->groups[group];
	const struct share_group *sg = &m->share->groups[group];
	struct telling t = { .m = m, .g = g };
	struct advert_agg *aggs;

	if (!is_known(m, g))
		return;
	aggs = xcalloc(g->n_aggs + 1, sizeof(*aggs));
	for (size_t a = 0; a < g->n_aggs; a++) {
		const struct member *mb = m->members[g->aggs[a]];

		if (mb->dead)
			continue;
		aggs[a].all = mb->adverts;
		aggs[a].told = link_is_up(mb->link);
		for (size_t p = 0; p < sg->n; p++)
			aggs[a].others += sg->runs[p] == a;
	}
	adverts_settle(aggs, g->n_aggs, g->rebalance == PLAN_EAGER, tell, &t);
	free(aggs);
	if (t.started + t.stopped)
		log_info("maestro", "group %s: %zu producers that advertise started, %zu stopped", g->name, t.started,
			 t.stopped);
}

void adverts_died(struct member *mb)
{
	struct maestro *m = mb->m;

	adverts_free(&mb->adverts);
	mb->adverts_known = false;
	for (size_t i = 0; i < m->plan->n_groups; i++)
		if (shares_adverts(&m->plan->groups[i]))
			settle(m, i);
}

/* -- asking them --------------------------------------------------------------------------------------------------- */

/* All have said. */
static void answered(struct maestro *m)
{
	for (size_t i = 0; i < m->plan->n_groups; i++) {
		const struct plan_group *g = &m->plan->groups[i];
		bool asking = !shares_adverts(g);

		for (size_t a = 0; a < g->n_aggs && !asking; a++)
			asking = m->members[g->aggs[a]]->adverts_asking;
		if (!asking)
			settle(m, i);
	}
}

static void on_status(void *arg, int rc, const char *text)
{
	struct member *mb = arg;
	struct err err = { "" };

	mb->adverts_asking = false;
	if (rc < 0)
		return;
	if (rc)
		err_set(&err, 0, "%s", text);
	else
		rc = adverts_take(&mb->adverts, text, &err);
	if (rc && !mb->adverts_refused)
		log_error("maestro", "%s: it does not say who advertises: %s", mb->name, err.msg);
	mb->adverts_refused |= rc; /* until it is connected anew */
	mb->adverts_known |= !rc;
	answered(mb->m);
}

void adverts_up(struct member *mb)
{
	mb->adverts_known = mb->adverts_refused = false;
	mb->adverts_us = 0;
}

void adverts_tick(struct maestro *m)
{
	int64_t now_us = clock_us(CLOCK_MONOTONIC);

	for (size_t i = 0; i < m->plan->n_groups; i++) {
		const struct plan_group *g = &m->plan->groups[i];

		for (size_t a = 0; a < g->n_aggs && shares_adverts(g); a++) {
			struct member *mb = m->members[g->aggs[a]];

			if (link_is_up(mb->link) && !mb->adverts_asking && !mb->adverts_open &&
			    now_us - mb->adverts_us >= m->conf.poll_us) {
				mb->adverts_asking = true;
				mb->adverts_us = now_us;
				link_ask(mb->link, "prdcr_status", on_status, mb);
			}
		}
	}
}
