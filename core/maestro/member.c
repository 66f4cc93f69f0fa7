/* member.c - one daemon: asked what runs, compared, sent the difference, asked again.
 *
 *	AWAY -> READING -> (WAITING for its group ->) APPLYING -> READING (is it so?) -> STILL -> READING ...
 *
 * As long as the daemon runs (its count of changes only grows) it is known what it was sent: what differs from that was
 * changed by an operator.
 */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_text.h"
#include "core/maestro/maestro_impl.h"
#include "core/maestro/runs.h"

#define AGAIN_US (30 * SEC_US) /* what was refused is tried again: a file may be there by then */

/* -- what is known of it ------------------------------------------------------------------------------------------- */

void member_settle(struct member *mb, enum outcome o)
{
	mb->state = MEMBER_STILL;
	mb->outcome = o;
	mb->asked_us = clock_us(CLOCK_MONOTONIC);
	book_free(mb->want);
	mb->want = NULL;
	if (!mb->shares) {
		book_free(mb->have);
		mb->have = NULL;
	}
	if (mb->shares || mb->leaving)
		groups_woken(mb);
	if (!mb->stale)
		return;
	mb->verify = false;
	member_read(mb);
}

static void forget_life(struct member *mb)
{
	book_free(mb->sent);
	mb->sent = NULL;
	mb->count = 0;
	free(mb->drift);
	mb->drift = NULL;
}

/* Is nothing there of what it was sent?  (Its files may have counted further than we did.) */
static bool has_lost_all(const struct member *mb, const struct book *have)
{
	static const enum book_kind kinds[] = { BOOK_PLUGIN,   BOOK_PRDCR, BOOK_ADVERTISER, BOOK_PRDCR_LISTEN,
						BOOK_SETGROUP, BOOK_UPDTR, BOOK_STRGP };
	size_t sent = 0, left = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds) && mb->sent; k++)
		for (const struct book_item *it = mb->sent->items[kinds[k]]; it; it = it->hh.next) {
			sent++;
			left += !!book_find(have, kinds[k], it->name);
		}
	return sent && !left;
}

/* -- reading ------------------------------------------------------------------------------------------------------- */

static void on_read(void *arg, int rc, struct runs *runs, const char *why)
{
	struct member *mb = arg;

	if (rc < 0)
		return; /* it went away */
	if (rc) {
		log_error("maestro", "%s: refused: %s", mb->name, why);
		buf_reset(&mb->words);
		buf_addf(&mb->words, "%s", why);
		mb->tried = true;
		mb->stale = false;
		member_settle(mb, OUTCOME_REFUSED);
		groups_met(mb);
		return;
	}
	if (runs->count < mb->count || has_lost_all(mb, runs->have)) {
		log_info("maestro", "%s: it was started anew", mb->name);
		forget_life(mb);
	}
	mb->count = runs->count;
	mb->ldmsd = runs->ldmsd;
	book_free(mb->have);
	mb->have = runs->have;
	runs->have = NULL;
	mb->tried = true;
	mb->state = MEMBER_WAITING;
	if (mb->shares)
		groups_met(mb);
	if (mb->state == MEMBER_WAITING && (mb->leaving ? leaver_may_go(mb) : groups_known(mb)))
		member_compare(mb);
}

void member_read(struct member *mb)
{
	mb->state = MEMBER_READING;
	mb->stale = false;
	mb->asked_us = clock_us(CLOCK_MONOTONIC);
	runs_read(mb->link, on_read, mb);
}

static bool same_books(const struct book *a, const struct book *b)
{
	for (int k = 0; k < BOOK_KINDS; k++) {
		if (HASH_COUNT(a->items[k]) != HASH_COUNT(b->items[k]))
			return false;
		for (const struct book_item *it = a->items[k]; it; it = it->hh.next) {
			const struct book_item *other = book_find(b, (enum book_kind)k, it->name);

			if (!other || !book_item_same(it, other))
				return false;
		}
	}
	return true;
}

void member_touch(struct member *mb)
{
	struct book *want;
	bool same;

	if (mb->state == MEMBER_READING || mb->state == MEMBER_APPLYING) {
		mb->stale = true;
	} else if (mb->state == MEMBER_WAITING && groups_known(mb)) {
		member_compare(mb);
	} else if (mb->state == MEMBER_STILL) {
		want = member_wanted(mb, NULL);
		same = want && mb->sent && same_books(want, mb->sent);
		book_free(want);
		if (same)
			return;
		mb->verify = false;
		member_read(mb);
	}
}

/* -- its link ------------------------------------------------------------------------------------------------------ */

static void on_up(void *arg)
{
	struct member *mb = arg;

	log_info("maestro", "%s: connected", mb->name);
	mb->verify = false;
	mb->lost_us = 0;
	mb->trusted = false;
	mb->newest_us = 0;
	adverts_up(mb);
	member_read(mb);
}

static void on_down(void *arg, enum xprt_fail fail, const char *why)
{
	struct member *mb = arg;

	if (mb->state != MEMBER_AWAY || mb->outcome != OUTCOME_UNREACHABLE)
		log_warning("maestro", "%s: unreachable: %s", mb->name, why);
	mb->state = MEMBER_AWAY;
	mb->outcome = OUTCOME_UNREACHABLE;
	mb->asking = false;
	mb->stale = false;
	buf_reset(&mb->words);
	buf_addf(&mb->words, "%s", why);
	if (!mb->lost_us)
		mb->lost_us = clock_us(CLOCK_MONOTONIC);
	mb->fail = fail;
	apply_free(mb->apply); /* one whose starts wait */
	mb->apply = NULL;
	if (mb->shares || mb->leaving)
		groups_woken(mb);
	if (mb->shares)
		groups_doubt(mb);
}

static void on_count(void *arg, int rc, const char *text)
{
	struct member *mb = arg;

	mb->asking = false;
	if (rc || mb->state != MEMBER_STILL || strtoul(text, NULL, 10) == mb->count)
		return;
	mb->verify = false;
	member_read(mb);
}

static bool is_weighed(const struct member *mb)
{
	const struct plan *p = mb->m->plan;
	bool weighed = false;

	for (size_t i = 0; i < p->n_groups; i++)
		weighed |= p->groups[i].balance == PLAN_BY_BYTES;
	return weighed;
}

static void on_bytes(void *arg, double bytes)
{
	struct member *mb = arg;

	mb->bytes = bytes;
	mb->m->measured = true;
}

static void on_turn(void *arg, int64_t now_us)
{
	struct member *mb = arg;
	int64_t idle_us = now_us - mb->asked_us;

	if (mb->state != MEMBER_STILL || mb->asking || mb->m->conf.mode != MAESTRO_KEEP)
		return;
	if (mb->outcome == OUTCOME_REFUSED && idle_us >= AGAIN_US) {
		mb->verify = false;
		member_read(mb);
	} else if (mb->outcome != OUTCOME_REFUSED && idle_us >= mb->m->conf.poll_us) {
		mb->asking = true;
		mb->asked_us = now_us;
		if (mb->bytes < 0 && !mb->shares && is_weighed(mb))
			link_measure(mb->link, on_bytes, mb);
		link_ask(mb->link, "cfg_cntr", on_count, mb);
	}
}

static const struct link_events link_events = { .up = on_up, .down = on_down, .turn = on_turn };

struct link_conf link_conf_of(const struct plan_daemon *d)
{
	return (struct link_conf){
		.xprt = d->xprt,
		.host = d->host,
		.port = d->port,
		.auth = d->auth,
		.auth_args = d->auth_args,
	};
}

bool member_is_at(const struct member *mb, const struct plan_daemon *d)
{
	const struct link_conf lc = link_conf_of(d);

	return mb->link && d->host ? link_is_to(mb->link, &lc) : !mb->link && !d->host;
}

struct member *member_new(struct maestro *m, size_t daemon)
{
	const struct plan_daemon *d = &m->plan->daemons[daemon];
	struct member *mb = xcalloc(1, sizeof(*mb));
	const struct link_conf lc = link_conf_of(d);

	mb->m = m;
	mb->daemon = daemon;
	mb->name = xstrdup(d->name);
	mb->bytes = -1;
	member_refusals_forget(mb);
	if (d->host)
		mb->link = link_new(m->links, &lc, &link_events, mb);
	else
		buf_addf(&mb->words, "it has no endpoint in %s", m->conf.file);
	mb->outcome = d->host ? OUTCOME_NONE : OUTCOME_UNREACHABLE;
	mb->tried = !d->host;
	return mb;
}

struct member *member_new_leaving(struct maestro *m, struct leaving *l)
{
	struct member *mb = xcalloc(1, sizeof(*mb));

	mb->m = m;
	mb->daemon = PLAN_NONE;
	mb->leaving = true;
	mb->left_s = l->left_s;
	mb->name = xstrdup(l->name);
	mb->bytes = -1;
	member_refusals_forget(mb);
	mb->sent = l->sent;
	mb->count = l->count;
	l->sent = NULL;
	mb->link = link_new(m->links, &l->at, &link_events, mb);
	return mb;
}

void member_free(struct member *mb)
{
	if (!mb)
		return;
	link_free(mb->link);
	apply_free(mb->apply);
	book_free(mb->sent);
	book_free(mb->have);
	book_free(mb->want);
	book_free(mb->not_sent);
	book_free(mb->owed);
	adverts_free(&mb->adverts);
	buf_fini(&mb->words);
	free(mb->drift);
	free(mb->name);
	free(mb);
}

bool member_runs(const struct member *mb, const char *prdcr)
{
	const struct book_item *it = mb->have ? book_find(mb->have, BOOK_PRDCR, prdcr) : NULL;

	return it && it->on;
}
