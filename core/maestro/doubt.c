/* doubt.c - an aggregator cannot be reached: is it dead?
 *
 * A connection that is lost says little: the aggregator may have been killed, or a switch between it and us may be off
 * while it goes on collecting.  To take its producers over then would have every set twice.  So who is to collect from
 * it is asked whether he still does: while he does it is alive.  Who has nobody above him is dead when its host says
 * that nobody listens, or nothing for a while.
 *
 * A process that stands still keeps its connections: when nothing new comes over them for longer than samples and updates
 * take, it is as good as dead.
 */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"
#include "core/maestro/maestro_impl.h"

#define SILENT_US  (2 * SEC_US)  /* without a word, and with nobody above to ask: dead */
#define LOOK_US    SEC_US        /* between two looks at the sets that come from it: there may be many */
#define STILL_US   (3 * SEC_US)  /* longer than twice what a sample takes, and no new one: it stands still */
#define UNKNOWN_US (60 * SEC_US) /* between two samples of who says nothing of it */

static void is_dead(struct member *mb, const char *why)
{
	log_warning("maestro", "%s: it is dead%s; others of its group run its producers", mb->name, why);
	groups_died(mb);
}

/* Who is to collect from it, and under which name; *ret_above: somebody is, reachable or not. */
static struct member *witness_of(const struct member *mb, const char **ret_prdcr, bool *ret_above)
{
	const struct maestro *m = mb->m;

	*ret_above = false;
	for (size_t i = 0; i < m->plan->n_groups; i++) {
		const struct plan_group *g = &m->plan->groups[i];

		for (size_t p = 0; p < g->n_prdcrs; p++) {
			uint32_t runs = m->share->groups[i].runs[p];
			struct member *above;

			if (g->prdcrs[p].daemon != mb->daemon || runs == SHARE_NOBODY)
				continue;
			above = m->members[g->aggs[runs]];
			if (above == mb)
				continue;
			*ret_above = true;
			*ret_prdcr = g->prdcrs[p].name;
			/* who was not told of it yet knows nothing */
			if (link_is_up(above->link) && member_runs(above, *ret_prdcr))
				return above;
		}
	}
	return NULL;
}

/* It may be gone from the file when the answer comes. */
struct doubt {
	struct maestro *m;
	char *name;
};

static void ask(struct member *mb, struct member *witness, char *line, ask_fn fn)
{
	struct doubt *q = xcalloc(1, sizeof(*q));

	q->m = mb->m;
	q->name = xstrdup(mb->name);
	mb->doubted = true;
	link_ask(witness->link, line, fn, q);
	free(line);
}

/* Who was asked about, when it still matters and there is an answer; NULL. */
static struct member *answered(void *arg, int rc)
{
	struct doubt *q = arg;
	size_t daemon = plan_find(q->m->plan, q->name);
	/* -ECANCELED: who was asked is gone; others may be gone, too, but not one of the plan who stays */
	struct member *mb = daemon == PLAN_NONE ? NULL : q->m->members[daemon];

	free(q->name);
	free(q);
	if (!mb)
		return NULL;
	mb->doubted = false;
	return mb->state != MEMBER_AWAY || mb->dead || rc < 0 ? NULL : mb;
}

static int64_t interval_in(const char *line)
{
	struct fields f;
	int64_t us = 0;

	fields_parse(&f, line);
	unit_time_us(fields_get(&f, ATTR_INTERVAL), &us, NULL);
	fields_fini(&f);
	return us;
}

/* The longest time between two updates that it makes. */
static int64_t updates_us(const struct member *mb)
{
	int64_t longest_us = 0;

	for (const struct book_item *it = mb->have ? mb->have->items[BOOK_UPDTR] : NULL; it; it = it->hh.next) {
		int64_t us = interval_in(it->line);

		longest_us = us > longest_us ? us : longest_us;
	}
	return longest_us;
}

/* The shortest time between two samples of a daemon's. */
static int64_t samples_us(const struct member *mb)
{
	int64_t shortest_us = INT64_MAX;

	for (const struct book_item *it = mb->sent ? mb->sent->items[BOOK_PLUGIN] : NULL; it; it = it->hh.next) {
		int64_t us = it->run ? interval_in(it->run) : 0;

		shortest_us = us && us < shortest_us ? us : shortest_us;
	}
	return shortest_us;
}

/* How long it takes at most until a newer sample has come by way of it. */
static int64_t fresh_in_us(const struct member *mb, const struct member *witness)
{
	const struct maestro *m = mb->m;
	int64_t least_us = INT64_MAX, us;

	for (size_t i = 0; i < m->plan->n_groups; i++) {
		const struct plan_group *g = &m->plan->groups[i];

		for (size_t p = 0; p < g->n_prdcrs; p++) {
			uint32_t runs = m->share->groups[i].runs[p];

			if (runs == SHARE_NOBODY || m->members[g->aggs[runs]] != mb)
				continue;
			us = samples_us(m->members[g->prdcrs[p].daemon]);
			least_us = us < least_us ? us : least_us;
		}
	}
	return (least_us < INT64_MAX ? least_us : UNKNOWN_US) + updates_us(mb) + updates_us(witness);
}

/* The newest of the times in "timestamp.sec":"1","timestamp.usec":"2"; 0: there is none. */
static int64_t newest_in(const char *text)
{
	static const char sec[] = "\"timestamp.sec\":\"", usec[] = "\"timestamp.usec\":\"";
	int64_t newest_us = 0;

	while ((text = strstr(text, sec))) {
		const char *rest = strstr(text, usec);
		int64_t us = strtoll(text + strlen(sec), NULL, 10) * SEC_US;

		if (rest)
			us += strtoll(rest + strlen(usec), NULL, 10);
		if (us > newest_us)
			newest_us = us;
		text += strlen(sec);
	}
	return newest_us;
}

/* Its connection stands, but does anything come over it?  A process that stands still keeps its connections. */
static void on_sets(void *arg, int rc, const char *text)
{
	struct member *mb = answered(arg, rc), *witness;
	const char *prdcr;
	bool above;
	int64_t newest_us = mb && !rc ? newest_in(text) : 0, now_us = clock_us(CLOCK_MONOTONIC);

	if (!newest_us)
		return;
	if (newest_us != mb->newest_us) {
		mb->newest_us = newest_us;
		mb->fresh_us = now_us;
		return;
	}
	witness = witness_of(mb, &prdcr, &above);
	if (witness && now_us - mb->fresh_us > STILL_US + 2 * fresh_in_us(mb, witness)) {
		is_dead(mb, ": it is connected to who collects from it, but nothing comes");
	}
}

static void on_witness(void *arg, int rc, const char *text)
{
	struct member *mb = answered(arg, rc), *witness;
	const char *prdcr;
	bool above;

	if (!mb)
		return;
	if (rc || !strstr(text, "\"state\":\"CONNECTED\"")) {
		is_dead(mb, "");
		return;
	}
	if (!mb->trusted)
		log_warning("maestro",
			    "%s: it cannot be reached from here, but who collects from it is connected to it",
			    mb->name);
	mb->trusted = mb->tried = true;
	groups_met(mb);
	witness = witness_of(mb, &prdcr, &above);
	if (witness && clock_us(CLOCK_MONOTONIC) - mb->looked_us > LOOK_US) {
		mb->looked_us = clock_us(CLOCK_MONOTONIC);
		ask(mb, witness, xasprintf("prdcr_set_status%cproducer=%s", LINE_SEP, prdcr), on_sets);
	}
}

static bool is_silent(const struct member *mb)
{
	return clock_us(CLOCK_MONOTONIC) - mb->lost_us > SILENT_US;
}

/* No answer from it, and nobody to ask. */
static bool looks_dead(const struct member *mb, bool above)
{
	switch (mb->fail) {
	case XPRT_REFUSED:
	case XPRT_NOT_LDMS:
		return true;
	case XPRT_AUTH:
	case XPRT_VERSION:
	case XPRT_LIMIT:
	case XPRT_LOCAL:
		return false; /* it is there, and does not want us; or it is our own affair */
	default:
		return !above && is_silent(mb);
	}
}

void groups_doubt(struct member *mb)
{
	struct member *witness;
	const char *prdcr;
	bool above;

	if (mb->dead || mb->doubted || mb->state != MEMBER_AWAY)
		return;
	witness = witness_of(mb, &prdcr, &above);
	if (witness) {
		ask(mb, witness, xasprintf("prdcr_status%cname=%s", LINE_SEP, prdcr), on_witness);
	} else if (looks_dead(mb, above)) {
		is_dead(mb, "");
	} else if (!mb->tried && (mb->fail != XPRT_LOST || is_silent(mb))) {
		mb->tried = true;
		groups_met(mb);
	}
}

void groups_tick(struct maestro *m)
{
	for (size_t i = 0; i < m->plan->n_daemons; i++)
		if (m->members[i]->shares && m->members[i]->lost_us)
			groups_doubt(m->members[i]);
}
