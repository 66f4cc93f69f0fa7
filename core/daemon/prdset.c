/* prdset.c - the sets of a producer: mirrored, updated, stored, gone.  Their files: prdset_impl.h.
 *
 *	START --lookup--> LOOKUP --rset--> UPDATING --> READY --turn--> UPDATING --> READY ...
 *
 * A set that some updater wants is looked up at once, and read at once when the lookup is done: the first data do not
 * wait for the schedule.  The mirror is published after that first read, so that whoever follows our directory finds
 * data in it at once, too.  A set that an updater wants pushed is read that once as well, behind the request to push,
 * so that no sample falls between; from then on it comes by itself.
 */
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/offers.h"
#include "core/daemon/prdgroup.h"
#include "core/daemon/prdlast.h"
#include "core/daemon/prdset_impl.h"
#include "core/daemon/updtr.h"
/* last */
#include "core/base/small_hash.h"

static const char *const state_names[] = { "START", "LOOKUP", "READY", "UPDATING" };

const char *prdset_state_name(enum prdset_state s)
{
	return state_names[s];
}

/* Let go of the mirror; the set begins anew. */
static void prdset_forget(struct prdset *ps)
{
	if (ps->published)
		setdb_del(ps->prdcr->d->sets, ps->set);
	ps->published = false;
	rset_free(ps->rs);
	set_put(ps->set);
	snap_meta_put(ps->meta);
	ps->meta = NULL;
	ps->rs = NULL;
	ps->set = NULL;
	ps->pushed = false;
	ps->state = PRDSET_START;
}

/* They are offered it no more. */
static void strgps_leave(const struct prdset *ps, struct strgp **strgps)
{
	for (struct strgp **sg = strgps; sg && *sg; sg++) {
		strgp_leave(*sg, ps->name);
		strgp_put(*sg);
	}
	free(strgps);
}

void prdset_free(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;

	HASH_DEL(p->sets, ps);
	p->stats.sets--;
	prdgap_keep(ps);
	updtr_set_del(ps);
	prdgroup_fini(ps);
	if (ps->ticket)
		p->asking[ps->ticket - 1].ps = NULL;
	if (ps->stored && ps->set)
		prdlast_keep(p->d->lasts, ps->set);
	prdset_forget(ps);
	strgps_leave(ps, ps->strgps);
	free(ps->schema);
	free(ps);
}

void prdset_free_all(struct prdcr *p)
{
	while (p->sets)
		prdset_free(p->sets);
}

struct prdset *prdset_find(struct prdcr *p, const char *name)
{
	struct prdset *ps;

	HASH_FIND_STR(p->sets, name, ps);
	return ps;
}

struct prdset *prdset_new(struct prdcr *p, const char *name, const char *schema)
{
	struct prdset *ps = xcalloc(1, sizeof(*ps) + strlen(name) + 1);

	ps->prdcr = p;
	ps->schema = xstrdup(schema);
	prdgroup_init(ps);
	memcpy(ps->name, name, strlen(name) + 1);
	HASH_ADD_STR(p->sets, name, ps);
	p->stats.sets++;
	prdgap_recall(ps);
	return ps;
}

void prdset_offer(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;
	bool taken = false;

	for (unsigned int i = 0; i < p->updtrs_n; i++)
		taken |= updtr_set_add(p->updtrs[i], ps);
	if (taken)
		prdset_turn(ps);
}

/* -- storing ------------------------------------------------------------------------------------------------------- */

/* The running policies that take this set; made anew when a policy started or stopped since the last time. */
struct strgp **prdset_strgps(struct prdset *ps)
{
	struct daemon *d = ps->prdcr->d;
	unsigned int gen = atomic_load_explicit(&d->strgp_gen, memory_order_acquire), n = 0;
	struct strgp **old = ps->strgps;

	if (gen == ps->strgp_gen)
		return ps->strgps;
	ps->strgps = NULL;
	pthread_mutex_lock(&d->strgp_lock);
	ps->strgp_gen = d->strgp_gen;
	NODE_EACH(nd, d->strgps) {
		struct strgp *sg = ((struct strgp_node *)nd)->strgp;

		if (!strgp_wants(sg, ps->prdcr->conf.name, ps->schema, ps->name))
			continue;
		ps->strgps = xrealloc(ps->strgps, (n + 2) * sizeof(*ps->strgps));
		strgp_join(sg, ps->name, ps->prdcr->conf.name, ps->schema);
		ps->strgps[n++] = strgp_get(sg);
		ps->strgps[n] = NULL;
	}
	pthread_mutex_unlock(&d->strgp_lock);
	strgps_leave(ps, old); /* behind the joining: what was counted for it stays */
	if (!ps->strgps) {
		snap_meta_put(ps->meta);
		ps->meta = NULL;
	}
	return ps->strgps;
}

void prdset_store(struct prdset *ps, struct snap *sn)
{
	struct offers *os = daemon_offers(ps->prdcr->d, ps->prdcr->loop);

	for (struct strgp **sg = ps->strgps; sn && *sg; sg++) {
		struct snap *theirs = sg[1] ? snap_get(sn) : sn;

		if (os)
			offers_add(os, *sg, theirs);
		else
			strgp_offer_all(*sg, &theirs, 1);
	}
}

/* Its first sample here may have come by another way already. */
static bool came_before(struct prdset *ps, const struct set_data *data)
{
	bool first = !ps->stored;

	ps->stored = true;
	return first && prdlast_is(ps->prdcr->d->lasts, ps->name, le32toh(data->ts_sec), le32toh(data->ts_usec));
}

/* -- updates ------------------------------------------------------------------------------------------------------- */

void prdset_name_taken(struct prdset *ps)
{
	if (!ps->told)
		log_error("producer",
			  "%s: set %s is offered by another producer as well and ignored here; give one of the two "
			  "another "
			  "instance name",
			  ps->prdcr->conf.name, ps->name);
	ps->told = true;
}

static void prdset_publish(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;

	if (!setdb_add(p->d->sets, ps->set, NULL)) {
		ps->published = true;
		log_debug("updater", "%s: set %s is ready", p->conf.name, ps->name);
		return;
	}
	prdset_name_taken(ps); /* ours waits, looked up anew on a later turn */
	prdset_forget(ps);
}

/* The loop's idea of now: when it woke up, so that no clock is read for a set. */
static uint32_t turn_us(const struct prdset *ps)
{
	return (uint32_t)(int64_t)(ev_now(loop_ev(ps->prdcr->loop)) * 1e6);
}

static void time_count(struct prdset *ps)
{
	struct prdset_times *t = &ps->times;
	uint32_t now_us = turn_us(ps), took_us = now_us - ps->asked_us;
	bool known = ps->state == PRDSET_UPDATING || ps->pushed;

	ps->asked_us = now_us;
	ps->pushed = ps->rs->pushed != RSET_PULL;
	if (!known || took_us > INT32_MAX)
		return; /* the first push; a clock that was set back */
	if (!t->n++ || took_us < t->min_us)
		t->min_us = took_us;
	if (took_us > t->max_us)
		t->max_us = took_us;
	t->sum_us += took_us;
}

bool prdset_is_unsampled(const struct set_data *data)
{
	static const char never[sizeof(data->ts_sec) + sizeof(data->ts_usec)];

	return data && !memcmp((const char *)data + offsetof(struct set_data, ts_sec), never, sizeof(never));
}

void prdset_nothing_new(struct prdset *ps)
{
	ps->prdcr->stats.oversampled++;
	ps->times.oversampled++;
}

void prdset_updated(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
{
	struct prdset *ps = rs->arg;
	struct prdcr *p = ps->prdcr;

	switch (res) {
	case UPDATE_NEW:
		p->stats.updates++;
		prdgap_count(ps, data);
		if (!rs->busy) /* else more samples of the ring follow */
			time_count(ps);
		ps->told = false;
		if (prdset_strgps(ps) && !came_before(ps, data))
			prdset_store(ps, snap_next(ps->set, data, &ps->meta));
		break;
	case UPDATE_SAME:
		prdset_nothing_new(ps);
		break;
	case UPDATE_TORN:
		if (prdset_is_unsampled(data))
			prdset_nothing_new(ps);
		else
			p->stats.torn += !ps->group; /* a group has no samples */
		break;
	case UPDATE_FAIL:
		p->stats.failed++;
		if (!ps->told)
			log_error("updater", "%s: set %s: the update failed: %s; it is looked up anew on schedule",
				  p->conf.name, ps->name, err_name(rc));
		ps->told = true;
		/* its memory is gone, or it has another shape than when it was looked up; the news of that may be on
		 * its way.  What the mirror holds is no longer anybody's */
		prdset_forget(ps);
		return;
	}
	if (rs->busy)
		return; /* more samples of the ring follow */
	ps->state = PRDSET_READY;
	/* also a set that its sampler has not written yet: it is shown as what it is, inconsistent */
	if (!ps->published)
		prdset_publish(ps);
}

void prdset_turn(struct prdset *ps)
{
	switch ((enum prdset_state)ps->state) {
	case PRDSET_START:
		if (ps->rest)
			ps->rest--;
		else
			prdset_lookup(ps);
		break;
	case PRDSET_READY:
		if (ps->group && (ps->published || ps->prdcr->conf.type == PRDCR_LOCAL))
			break; /* it has nothing to read, and says by itself when its members change */
		if (ps->prdcr->conf.type == PRDCR_LOCAL)
			prdset_local_turn(ps);
		else if (!rset_update(ps->rs))
			ps->state = PRDSET_UPDATING, ps->asked_us = turn_us(ps);
		break;
	case PRDSET_UPDATING:
		ps->prdcr->stats.skipped++;
		ps->times.skipped++;
		break;
	case PRDSET_LOOKUP:
		break;
	}
}

void prdset_push_turn(struct prdset *ps)
{
	if (ps->state == PRDSET_START || ps->prdcr->conf.type == PRDCR_LOCAL)
		prdset_turn(ps); /* a local set comes by nobody's push: look whether there is something new */
	else
		prdset_push_follow(ps); /* its side may have ended it */
}
