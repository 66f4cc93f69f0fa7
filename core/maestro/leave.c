/* leave.c - daemons that the file has lost: what they were sent is taken away, and they run on.
 *
 * One that has another name now, or another place, is not lost: what it was sent goes with it.  Also when the name and the
 * spelling of the place are both others: before anything is taken away, all daemons of the file on ports where it listens
 * have been tried, and none of them was met at its address.  What an operator has made or changed there is left as it is.
 * With a state file this outlives maestro.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_text.h"
#include "core/maestro/maestro_impl.h"

#define GIVE_UP_S (24 * 3600) /* without reaching it: who has its address by now may be another one */

/* -- places of the daemons of a plan ------------------------------------------------------------------------------- */

struct place {
	UT_hash_handle hh;
	size_t daemon; /* of the plan */
	char key[];
};

static char *place_key(const struct link_conf *at)
{
	return xasprintf("%s %u %s", at->xprt, at->port, at->host);
}

static struct place *places_of(const struct plan *plan)
{
	struct place *all = NULL, *p, *old;

	for (size_t i = 0; i < plan->n_daemons; i++) {
		const struct plan_daemon *d = &plan->daemons[i];
		const struct link_conf at = link_conf_of(d);
		char *key = d->host ? place_key(&at) : NULL;

		if (!key)
			continue;
		old = NULL;
		HASH_FIND_STR(all, key, old);
		if (!old) {
			p = xcalloc(1, sizeof(*p) + strlen(key) + 1);
			p->daemon = i;
			strcpy(p->key, key);
			HASH_ADD_STR(all, key, p);
		}
		free(key);
	}
	return all;
}

/* The daemon there, or PLAN_NONE. */
static size_t place_find(struct place *all, const struct link_conf *at)
{
	char *key = place_key(at);
	struct place *p = NULL;

	HASH_FIND_STR(all, key, p);
	free(key);
	return p ? p->daemon : PLAN_NONE;
}

static void places_free(struct place *all)
{
	struct place *p, *tmp;

	HASH_ITER(hh, all, p, tmp) {
		HASH_DEL(all, p);
		free(p);
	}
}

size_t plan_lost(const struct plan *was, const struct plan *now)
{
	struct place *places = places_of(now);
	size_t n = 0;

	for (size_t i = 0; i < was->n_daemons; i++) {
		const struct plan_daemon *d = &was->daemons[i];
		const struct link_conf at = link_conf_of(d);

		n += plan_find(now, d->name) == PLAN_NONE && (!d->host || place_find(places, &at) == PLAN_NONE);
	}
	places_free(places);
	return n;
}

/* -- who leaves ---------------------------------------------------------------------------------------------------- */

/* What is known of him is now known of another one; if he was started anew meanwhile, that is seen. */
static void hand_over(struct leaving *l, struct member *to)
{
	if (to->sent)
		return;
	to->sent = l->sent;
	to->count = l->count;
	l->sent = NULL;
}

static void begin(struct maestro *m, struct leaving *l)
{
	struct member *mb;

	if (!l->at.host) {
		log_warning("maestro",
			    "%s: it is not in the file any more, nor known where it was; it runs on as it is", l->name);
		return;
	}
	log_info("maestro", "%s: it is not in the file any more: what it was sent is taken away", l->name);
	mb = member_new_leaving(m, l);
	mb->next = m->leavers;
	m->leavers = mb;
	m->dirty = true;
}

/* Its name is another one's now. */
static void rename_away(struct leaving *l)
{
	char *name = xasprintf("%s@%s:%u", l->name, l->at.host ? l->at.host : "", l->at.port);

	free(l->name);
	l->name = name;
}

/* Who is at its place now has what is known of that place; a name may go around, as numbers do when a host goes. */
size_t leavers_take(struct maestro *m, struct leaving *v, size_t n, bool go)
{
	struct place *places = n ? places_of(m->plan) : NULL;
	bool *known = xcalloc(m->plan->n_daemons + 1, sizeof(*known)), *there = xcalloc(n + 1, sizeof(*there));
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		size_t now = v[i].at.host ? place_find(places, &v[i].at) : PLAN_NONE;

		there[i] = now != PLAN_NONE;
		if (!there[i])
			continue;
		known[now] = true;
		if (v[i].sent)
			hand_over(&v[i], m->members[now]);
	}
	for (size_t i = 0; i < n; i++) {
		size_t now = plan_find(m->plan, v[i].name);

		if (there[i])
			continue;
		if (now != PLAN_NONE && !known[now]) {
			if (v[i].sent)
				hand_over(&v[i], m->members[now]);
			continue;
		}
		left++;
		if (go && now != PLAN_NONE)
			rename_away(&v[i]);
		if (go && v[i].sent)
			begin(m, &v[i]);
		else if (go)
			log_info("maestro", "%s: it is not in the file any more, and was sent nothing", v[i].name);
	}
	free(known);
	free(there);
	places_free(places);
	return left;
}

void leavings_free(struct leaving *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].xprt);
		free(v[i].host);
		free(v[i].auth);
		kv_fini(&v[i].auth_args);
		book_free(v[i].sent);
	}
	free(v);
}

void leaving_at(struct leaving *l, const struct link_conf *at)
{
	l->xprt = xstrdup(at->xprt);
	l->host = xstrdup(at->host);
	l->auth = xstrdup(at->auth);
	if (at->auth_args)
		kv_copy(&l->auth_args, at->auth_args);
	l->at = (struct link_conf){ l->xprt, l->host, at->port, l->auth, l->auth_args.n ? &l->auth_args : NULL };
}

/* -- until it is done ---------------------------------------------------------------------------------------------- */

/* Is it there again, under its name or at its place?  Then it is the other one's affair. */
static void leavers_back(struct maestro *m)
{
	struct place *places = m->leavers ? places_of(m->plan) : NULL;
	struct member **at = &m->leavers, *mb;

	while ((mb = *at)) {
		struct link_conf lc;
		struct member *to;
		size_t now;

		link_conf_get(mb->link, &lc);
		now = place_find(places, &lc);
		if (now == PLAN_NONE)
			now = plan_find(m->plan, mb->name);
		to = now == PLAN_NONE ? NULL : m->members[now];
		if (!to) {
			at = &mb->next;
			continue;
		}
		/* what of it was taken away already is not what an operator did */
		if (!to->sent && (mb->state == MEMBER_AWAY || mb->state == MEMBER_READING)) {
			to->sent = mb->sent;
			to->count = mb->count;
			mb->sent = NULL;
		}
		*at = mb->next;
		member_free(mb);
	}
	places_free(places);
}

void leavers_replace(struct maestro *m, struct leaving *v, size_t n)
{
	leavers_back(m);
	leavers_take(m, v, n, true);
}

/* What it was sent, and `to` was not, is to go if the file has it no more.  (What is on its way to `to` is noted when that is
 * over.) */
static void owe(struct member *to, struct member *mb)
{
	bool busy = to->state == MEMBER_APPLYING;
	struct book *now = busy ? to->want : to->sent, *with = busy ? to->owed : to->sent;

	if (!busy && !to->sent) {
		to->sent = mb->sent;
		mb->sent = NULL;
	}
	for (int k = 0; k < BOOK_KINDS && with && mb->sent; k++)
		for (const struct book_item *it = mb->sent->items[k]; it; it = it->hh.next)
			if (!book_find(now, (enum book_kind)k, it->name))
				book_put_item(with, (enum book_kind)k, it);
}

/* It has been read. */
static bool listens(const struct member *mb, unsigned short port)
{
	const struct book_item *it = mb->have ? mb->have->items[BOOK_LISTEN] : NULL;
	bool does = port == link_port(mb->link);

	for (; it && !does; it = it->hh.next) {
		const char *number = strrchr(it->name, ':');

		does = number && strtoul(number + 1, NULL, 10) == port;
	}
	return does;
}

/* The member of the plan that is the same daemon, in *ret; false: that is not known yet. */
static bool same_daemon(const struct member *mb, struct member **ret)
{
	const struct maestro *m = mb->m;
	bool known = true;

	*ret = NULL;
	for (size_t i = 0; i < m->plan->n_daemons && !*ret; i++) {
		struct member *other = m->members[i];

		if (!other->link || !listens(mb, link_port(other->link)))
			continue;
		if (link_same_host(other->link, mb->link))
			*ret = other;
		known &= link_was_up(other->link) || other->lost_us;
	}
	return *ret || known;
}

bool leaver_may_go(const struct member *mb)
{
	struct member *other;

	return same_daemon(mb, &other) && !other;
}

/* It has been read: true when it is another one's, who is told. */
static bool is_another(struct member *mb)
{
	struct member *other;

	if (mb->state != MEMBER_WAITING || !same_daemon(mb, &other))
		return false;
	if (!other) {
		member_read(mb);
		return false;
	}
	log_info("maestro", "%s: it is %s in the file now", mb->name, other->name);
	owe(other, mb);
	member_touch(other);
	return true;
}

static bool has_ended(const struct member *mb)
{
	if (mb->state == MEMBER_STILL) {
		log_info("maestro", "%s: %s", mb->name,
			 mb->refused || mb->outcome == OUTCOME_REFUSED
				 ? "it did not let all of it be taken away; it runs on"
				 : "nothing is left there of what it was sent; it runs on");
		return true;
	}
	if (mb->state != MEMBER_AWAY || clock_us(CLOCK_REALTIME) / SEC_US - mb->left_s < GIVE_UP_S)
		return false;
	log_warning("maestro",
		    "%s: it could not be reached for a day since the file lost it: what it was sent stays there",
		    mb->name);
	return true;
}

void leavers_tick(struct maestro *m)
{
	struct member **at = &m->leavers, *mb;

	while ((mb = *at)) {
		if (!is_another(mb) && !has_ended(mb)) {
			at = &mb->next;
			continue;
		}
		*at = mb->next;
		groups_woken(mb);
		member_free(mb);
		m->dirty = true;
	}
}

void leavers_free(struct maestro *m)
{
	struct member *mb;

	while ((mb = m->leavers)) {
		m->leavers = mb->next;
		member_free(mb);
	}
}

bool leavers_done(const struct maestro *m, bool late)
{
	bool done = true;

	for (const struct member *mb = m->leavers; mb && done; mb = mb->next)
		done = late && mb->state == MEMBER_AWAY && mb->lost_us;
	return done;
}

/* Who cannot be reached may be dead, and what it runs is wanted elsewhere. */
bool leavers_run(const struct maestro *m, const char *prdcr)
{
	for (const struct member *mb = m->leavers; mb; mb = mb->next) {
		const struct book *runs = mb->have ? mb->have : mb->sent;
		const struct book_item *it = runs ? book_find(runs, BOOK_PRDCR, prdcr) : NULL;

		if (it && it->on && mb->state != MEMBER_STILL && (mb->state != MEMBER_AWAY || !mb->lost_us))
			return true;
	}
	return false;
}

struct book *leavers_sent(const struct member *mb)
{
	struct book *made = book_copy(mb->sent), *now = book_copy(mb->sent);

	book_unify(now, mb->have);
	for (int k = 0; k < BOOK_KINDS; k++)
		for (const struct book_item *it = now->items[k]; it; it = it->hh.next) {
			const struct book_item *have = book_find(mb->have, (enum book_kind)k, it->name);

			if (have && strcmp(have->line, it->line))
				book_del(made, (enum book_kind)k, book_find(made, (enum book_kind)k, it->name));
		}
	book_free(now);
	return made;
}
