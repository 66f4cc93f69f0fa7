/* prdset.c - the sets of a producer: announced, looked up, mirrored, updated, gone.
 *
 *	START --lookup--> LOOKUP --rset--> UPDATING --> READY --turn--> UPDATING --> READY ...
 *
 * A set that some updater wants is looked up at once, and read at once when the lookup is done: the first data do not
 * wait for the schedule.  The mirror is published after that first read, so that whoever follows our directory finds
 * data in it at once, too.  A set that an updater wants pushed is read that once as well, behind the request to push,
 * so that no sample falls between; from then on it comes by itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/prdcr_outage.h"
#include "core/daemon/prdgroup.h"
#include "core/daemon/prdlast.h"
#include "core/daemon/updtr.h"
/* last */
#include "core/base/small_hash.h"

#define HINT_SIZE	    48 /* two numbers of 64 bits, and a colon */
#define ASKING_MIN	    4  /* places for lookups without answer; they double */
#define LOOKUP_FAILURES_MAX 7 /* a set that cannot be had is asked for every 2^7th turn in the end */

static const char *const state_names[] = { "START", "LOOKUP", "READY", "UPDATING" };

const char *prdset_state_name(enum prdset_state s)
{
	return state_names[s];
}

/* What its side says of the set's schedule; the pairs of a published set are guarded. */
static void hint_take(struct prdset *ps, const struct info_pair *info, unsigned int n)
{
	ps->hint_interval_us = 0;
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(info[i].key, UPDTR_HINT_KEY))
			updtr_hint_parse(info[i].value, &ps->hint_interval_us, &ps->hint_offset_us, &ps->hint_loose);
}

static void hint_text(int64_t interval_us, int64_t offset_us, char text[HINT_SIZE])
{
	snprintf(text, HINT_SIZE, "%lld:%lld", (long long)interval_us, (long long)offset_us);
}

/* What we say of it: the schedule that we read it on, in the place of the one that it came with.  Where it is pushed,
 * that one is as good as ever. */
static bool hint_ours(const struct prdset *ps, char text[HINT_SIZE])
{
	int64_t interval_us, offset_us;

	if (!updtr_set_schedule(ps, &interval_us, &offset_us))
		return false;
	hint_text(interval_us, offset_us, text);
	return true;
}

/* Show it; a set that came without a hint is left without. */
static void hint_show(struct prdset *ps)
{
	char hint[HINT_SIZE];

	if (!ps->set || !ps->hint_interval_us)
		return;
	if (!hint_ours(ps, hint)) {
		if (!updtr_set_push(ps))
			return; /* nobody updates it now: what stands there says how old it may be */
		hint_text(ps->hint_interval_us, ps->hint_offset_us, hint);
	}
	setdb_info_put(ps->prdcr->d->sets, ps->set, UPDTR_HINT_KEY, hint);
}

/* Ask its side to push it, or not to, as the updaters want it. */
static void push_follow(struct prdset *ps)
{
	enum rset_push want = ps->group ? RSET_PULL : updtr_set_push(ps); /* of a group nothing comes */

	if (ps->rs && ps->rs->pushed != want)
		rset_push(ps->rs, want); /* where that fails, the connection is ending */
}

void prdset_updtrs_changed(struct prdset *ps)
{
	if (!ps->members)
		ps->gap.end_us = 0; /* what nobody reads is not missed */
	if (ps->prdcr->conf.type == PRDCR_LOCAL)
		return; /* its own writer says what there is to say */
	push_follow(ps);
	hint_show(ps);
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

static void prdset_free(struct prdset *ps)
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

static struct prdset *prdset_new(struct prdcr *p, const char *name, const char *schema)
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
static struct strgp **prdset_strgps(struct prdset *ps)
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

static void prdset_store(struct prdset *ps, struct snap *sn)
{
	for (struct strgp **sg = ps->strgps; sn && *sg; sg++)
		strgp_offer(*sg, sn);
	snap_put(sn);
}

/* Its first sample here may have come by another way already. */
static bool came_before(struct prdset *ps, const struct set_data *data)
{
	bool first = !ps->stored;

	ps->stored = true;
	return first && prdlast_is(ps->prdcr->d->lasts, ps->name, le32toh(data->ts_sec), le32toh(data->ts_usec));
}

/* -- updates ------------------------------------------------------------------------------------------------------- */

/* Two producers offer a set of this name: the first one's is here. */
static void name_taken(struct prdset *ps)
{
	if (!ps->told)
		log_error("producer",
			  "%s: set %s is offered by another producer as well and ignored here; give one of the two another "
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
	name_taken(ps); /* ours waits, looked up anew on a later turn */
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

/* Its first sample is still to come: that nothing can be read yet is no mishap.  The bytes are as they came, and lie
 * anywhere. */
static bool is_unsampled(const struct set_data *data)
{
	static const char never[sizeof(data->ts_sec) + sizeof(data->ts_usec)];

	return data && !memcmp((const char *)data + offsetof(struct set_data, ts_sec), never, sizeof(never));
}

static void nothing_new(struct prdset *ps)
{
	ps->prdcr->stats.oversampled++;
	ps->times.oversampled++;
}

static void on_updated(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
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
		nothing_new(ps);
		break;
	case UPDATE_TORN:
		if (is_unsampled(data))
			nothing_new(ps);
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

/* The set may have gone since it asked: so a lookup carries a number, not a pointer.  The number is a place in
 * p->asking, taken from a list of free ones. */
static void ticket_take(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;

	if (!p->asking_free) {
		uint32_t n = p->asking_n ? 2 * p->asking_n : ASKING_MIN;

		p->asking = xrealloc(p->asking, n * sizeof(*p->asking));
		for (uint32_t i = n; i > p->asking_n; i--) {
			p->asking[i - 1] = (struct asking){ .next = p->asking_free };
			p->asking_free = i;
		}
		p->asking_n = n;
	}
	p->asking_out++;
	ps->ticket = p->asking_free;
	p->asking_free = p->asking[ps->ticket - 1].next;
	p->asking[ps->ticket - 1].ps = ps;
}

void prdset_asking_free(struct prdcr *p)
{
	free(p->asking);
	p->asking = NULL;
	p->asking_n = p->asking_free = p->asking_out = 0;
}

/* The answer has come: who asked, or NULL when it has gone since. */
static struct prdset *ticket_back(struct prdcr *p, uintptr_t ticket)
{
	struct asking *a = &p->asking[ticket - 1];
	struct prdset *ps = a->ps;

	*a = (struct asking){ .next = p->asking_free };
	p->asking_free = (uint32_t)ticket;
	if (ps)
		ps->ticket = 0;
	if (!--p->asking_out)
		prdset_asking_free(p);
	return ps;
}

/* A lookup failed: ask again on a later turn, ever later. */
static void lookup_failed(struct prdset *ps, const char *why)
{
	if (!ps->told)
		log_warning("producer", "%s: set %s: the lookup failed: %s; it is tried again on schedule",
			    ps->prdcr->conf.name, ps->name, why);
	ps->told = true;
	ps->state = PRDSET_START;
	if (ps->failures < LOOKUP_FAILURES_MAX)
		ps->failures++;
	ps->rest = (uint16_t)((1u << ps->failures) - 1);
}

static void on_lookup(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	struct prdset *ps = ticket_back(xprt_arg(x), (uintptr_t)arg);

	(void)more;
	if (!ps || !rs) {
		rset_free(rs);
		if (ps)
			lookup_failed(ps, why && *why ? why : err_name(rc));
		return;
	}
	ps->failures = 0;
	ps->rs = rs;
	ps->set = set_get(rs->set);
	rs->arg = ps;
	rs->updated = on_updated;
	prdgroup_put_info(ps, ps->set); /* the news of it may have overtaken the lookup */
	prdset_updtrs_changed(ps);
	ps->state = PRDSET_READY;
	prdset_turn(ps);
}

static void lookup(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;
	struct set *other = setdb_find(p->d->sets, ps->name);
	struct err err = { "" };

	if (other) { /* no need to ask: prdset_publish() would refuse it */
		set_put(other);
		name_taken(ps);
		return;
	}
	ticket_take(ps);
	if (!xprt_lookup(p->x, ps->name, 0, on_lookup, (void *)(uintptr_t)ps->ticket, &err)) {
		ps->state = PRDSET_LOOKUP;
		return;
	}
	ticket_back(p, ps->ticket);
	lookup_failed(ps, err.msg);
}

/* A local set has nothing to fetch: a new generation is a new sample. */
static void turn_local(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;
	uint64_t gn = set_gn(ps->set);
	struct snap *sn;

	if (gn == ps->gn) {
		nothing_new(ps);
		return;
	}
	ps->gn = gn;
	if (!prdset_strgps(ps)) {
		ps->gap.end_us = 0;
		return;
	}
	sn = snap_next(ps->set, NULL, &ps->meta);
	if (sn && le32toh(sn->im.data->flags) == SET_TRANS_DONE) {
		ps->gn = le64toh(sn->im.data->gn); /* it may have been written since it was asked for its generation */
		p->stats.updates++;
		prdgap_count(ps, sn->im.data);
		prdset_store(ps, sn);
	} else {
		if (sn && is_unsampled(sn->im.data))
			nothing_new(ps);
		else
			p->stats.torn++;
		snap_put(sn);
	}
}

void prdset_turn(struct prdset *ps)
{
	switch ((enum prdset_state)ps->state) {
	case PRDSET_START:
		if (ps->rest)
			ps->rest--;
		else
			lookup(ps);
		break;
	case PRDSET_READY:
		if (ps->group && (ps->published || ps->prdcr->conf.type == PRDCR_LOCAL))
			break; /* it has nothing to read, and says by itself when its members change */
		if (ps->prdcr->conf.type == PRDCR_LOCAL)
			turn_local(ps);
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
		push_follow(ps); /* its side may have ended it */
}

/* -- the directory ------------------------------------------------------------------------------------------------- */

static void set_info_changed(struct prdset *ps, const struct dir_set *set)
{
	struct info_pair *pairs;
	char hint[HINT_SIZE];

	hint_take(ps, set->info, set->info_n);
	updtr_set_hint(ps);
	prdgroup_read(ps, set->info, set->info_n);
	if (!ps->set)
		return;
	pairs = xcalloc(set->info_n + 1, sizeof(*pairs));
	for (unsigned int i = 0; i < set->info_n; i++) {
		pairs[i] = set->info[i];
		if (!strcmp(pairs[i].key, UPDTR_HINT_KEY) && hint_ours(ps, hint))
			pairs[i].value = hint;
	}
	setdb_info_replace(ps->prdcr->d->sets, ps->set, pairs, set->info_n);
	free(pairs);
}

static void dir_said(const struct prdcr *p)
{
	const struct dir_hidden h = xprt_dir_hidden(p->x);

	/* who comes and goes was said to do so */
	if ((p->attempt < 2 || p->conf.type != PRDCR_ADVERTISED) && prdcr_outage_says(p->d->outages, false))
		log_info("producer", "%s: %u sets", p->conf.name, p->stats.sets);
	if (h.sets)
		log_warning("producer",
			    "%s: %llu more sets are hidden from us (uid %u, gid %u there); see their uid, gid and perm",
			    p->conf.name, (unsigned long long)h.sets, h.uid, h.gid);
}

void prdset_dir(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	struct prdcr *p = arg;
	struct prdset *ps = set ? prdset_find(p, set->name) : NULL;

	switch (ev) {
	case DIR_SET:
	case DIR_ADD:
		if (ps) { /* said twice, or made anew before we heard of the end of the old one */
			if (ev == DIR_SET)
				break;
			prdset_free(ps);
		}
		if (!xprt_allows(x, REFUSE_SETS, p->stats.sets))
			break;
		log_debug("producer", "%s: adding set %s", p->conf.name, set->name);
		ps = prdset_new(p, set->name, set->schema);
		hint_take(ps, set->info, set->info_n);
		prdgroup_read(ps, set->info, set->info_n);
		prdset_offer(ps);
		break;
	case DIR_UPD:
		if (ps)
			set_info_changed(ps, set);
		break;
	case DIR_DEL:
		if (!ps)
			break;
		log_info("producer", "%s: set %s is gone", p->conf.name, set->name);
		if (ps->rs)
			ps->rs->gone = true;
		prdset_free(ps);
		break;
	case DIR_DONE:
		dir_said(p);
		break;
	case DIR_FAIL:
		log_error("producer", "%s: the directory was refused: %s; asked again at the next connection",
			  p->conf.name, err_name(rc));
		break;
	}
}

/* -- local sets ---------------------------------------------------------------------------------------------------- */

struct local_news {
	struct prdcr *p;
	struct set *set;
	enum setdb_event ev;
};

/* What our own set says of itself, and who wants it therefore. */
static void local_info(struct prdset *ps)
{
	unsigned int n;
	struct info_pair *info = setdb_info_copy(ps->prdcr->d->sets, ps->set, &n);

	hint_take(ps, info, n);
	prdgroup_read(ps, info, n);
	info_copy_free(info, n);
	prdset_offer(ps);
}

static void local_add(struct prdcr *p, struct set *s)
{
	struct prdset *ps;

	if (!s->local || prdset_find(p, s->name))
		return;
	ps = prdset_new(p, s->name, image_schema((const struct set_meta *)s->image));
	ps->set = set_get(s);
	ps->state = PRDSET_READY;
	local_info(ps);
}

static void local_cb(void *arg)
{
	struct local_news *n = arg;
	struct prdset *ps = n->p->local_on ? prdset_find(n->p, n->set->name) : NULL;

	if (ps && ps->set != n->set)
		ps = NULL;
	if (n->p->local_on && n->ev == SETDB_ADD && !n->set->deleted)
		local_add(n->p, n->set);
	if (ps && n->ev == SETDB_UPDATE)
		local_info(ps);
	if (ps && n->ev == SETDB_DEL)
		prdset_free(ps);
	set_put(n->set);
	free(n);
}

static void local_changed(struct setdb_listener *l, enum setdb_event ev, struct set *s)
{
	struct prdcr *p = (struct prdcr *)((char *)l - offsetof(struct prdcr, local));
	struct local_news *n;

	if (!s->local || ev == SETDB_PERM)
		return;
	n = xcalloc(1, sizeof(*n));
	*n = (struct local_news){ .p = p, .set = set_get(s), .ev = ev };
	loop_call(p->loop, local_cb, n);
}

struct local_found {
	struct set **v;
	size_t n;
};

static int local_collect(struct set *s, void *arg)
{
	struct local_found *f = arg;

	if (!s->local)
		return 0;
	f->v = xrealloc(f->v, (f->n + 1) * sizeof(*f->v));
	f->v[f->n++] = set_get(s);
	return 0;
}

void prdset_local_start(struct prdcr *p)
{
	struct local_found f = { 0 };

	p->local_on = true;
	p->local.fn = local_changed;
	setdb_listen(p->d->sets, &p->local);
	setdb_each(p->d->sets, local_collect, &f);
	for (size_t i = 0; i < f.n; i++) {
		local_add(p, f.v[i]);
		set_put(f.v[i]);
	}
	free(f.v);
}

void prdset_local_stop(struct prdcr *p)
{
	setdb_unlisten(p->d->sets, &p->local);
	p->local_on = false;
}
