/* group.c - aggregators that share producers: who is alive, and who runs what the dead ran.
 *
 * A producer that moves between two that live is stopped at the one before it is started at the other.
 */
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/maestro/maestro_impl.h"

static struct member *member_of(const struct maestro *m, const struct plan_group *g, size_t agg)
{
	return m->members[g->aggs[agg]];
}

static bool is_in(const struct maestro *m, const struct plan_group *g, const struct member *mb)
{
	bool in = false;

	for (size_t i = 0; i < g->n_aggs && !in; i++)
		in = member_of(m, g, i) == mb;
	return in;
}

static bool group_all_met(const struct maestro *m, const struct plan_group *g)
{
	bool met = true;

	for (size_t a = 0; a < g->n_aggs && met; a++)
		met = member_of(m, g, a)->tried;
	return met;
}

void groups_init(struct maestro *m)
{
	free(m->known);
	m->known = xcalloc(m->plan->n_groups + 1, sizeof(*m->known));
	for (size_t d = 0; d < m->plan->n_daemons; d++)
		m->members[d]->shares = false;
	for (size_t i = 0; i < m->plan->n_groups; i++) {
		const struct plan_group *g = &m->plan->groups[i];

		for (size_t a = 0; a < g->n_aggs; a++)
			member_of(m, g, a)->shares = true;
		m->known[i] = group_all_met(m, g);
	}
}

bool groups_known(const struct member *mb)
{
	const struct maestro *m = mb->m;
	bool known = true;

	for (size_t i = 0; i < m->plan->n_groups && mb->shares && known; i++)
		known = m->known[i] || !is_in(m, &m->plan->groups[i], mb);
	return known;
}

bool groups_have(const struct member *mb, const char *prdcr)
{
	const struct maestro *m = mb->m;
	bool have = false;

	for (size_t i = 0; i < m->plan->n_groups && !have; i++) {
		const struct plan_group *g = &m->plan->groups[i];

		for (size_t p = 0; p < g->n_prdcrs && !have && is_in(m, g, mb); p++)
			have = !strcmp(g->prdcrs[p].name, prdcr);
	}
	return have;
}

/* -- who runs what ------------------------------------------------------------------------------------------------- */

static bool is_alive(void *arg, size_t daemon)
{
	const struct maestro *m = arg;

	return !m->members[daemon]->dead;
}

static double weight(void *arg, size_t group, size_t prdcr)
{
	const struct maestro *m = arg;
	const struct plan_group *g = &m->plan->groups[group];
	double bytes = m->members[g->prdcrs[prdcr].daemon]->bytes;

	return g->balance == PLAN_BY_BYTES && bytes > 0 ? bytes : 1;
}

static void group_touch(struct maestro *m, const struct plan_group *g)
{
	for (size_t i = 0; i < g->n_aggs; i++)
		member_touch(member_of(m, g, i));
}

/* The living run what there is; who is concerned is told.  `balance`: also move what makes the load even. */
static void resettle(struct maestro *m, bool balance)
{
	const struct share_weigh w = { .weight = weight, .arg = m };
	uint32_t **was = xcalloc(m->share->n + 1, sizeof(*was));
	size_t moved = 0;

	for (size_t i = 0; i < m->share->n; i++) {
		const struct share_group *sg = &m->share->groups[i];

		was[i] = xcalloc(sg->n + 1, sizeof(**was));
		memcpy(was[i], sg->runs, sg->n * sizeof(**was));
	}
	if (balance)
		share_balance(m->share, m->plan, &w);
	share_settle(m->share, m->plan, is_alive, m, &w);
	for (size_t i = 0; i < m->share->n; i++) {
		const struct share_group *sg = &m->share->groups[i];
		size_t n = 0;

		for (size_t p = 0; p < sg->n; p++)
			n += was[i][p] != sg->runs[p];
		if (n && m->known[i]) {
			log_info("maestro", "group %s: %zu of %zu producers move", m->plan->groups[i].name, n, sg->n);
			group_touch(m, &m->plan->groups[i]);
		}
		moved += n;
		free(was[i]);
	}
	free(was);
}

/* All of a group were asked: what was found running stays where it is, as far as the load allows. */
static void group_found(struct maestro *m, size_t group)
{
	const struct plan_group *g = &m->plan->groups[group];

	for (size_t a = 0; a < g->n_aggs; a++)
		for (size_t p = 0; p < g->n_prdcrs; p++)
			if (member_runs(member_of(m, g, a), g->prdcrs[p].name))
				share_found(m->share, group, p, (uint32_t)a);
}

void groups_met(struct member *mb)
{
	struct maestro *m = mb->m;
	bool returned = mb->dead && mb->state != MEMBER_AWAY, news = false;

	if (!mb->shares)
		return;
	if (returned) {
		log_info("maestro", "%s: it is back", mb->name);
		mb->dead = false;
	}
	for (size_t i = 0; i < m->plan->n_groups; i++) {
		const struct plan_group *g = &m->plan->groups[i];

		if (m->known[i] || !is_in(m, g, mb) || !group_all_met(m, g))
			continue;
		if (!m->inherited)
			group_found(m, i);
		m->known[i] = news = true;
	}
	if (news || returned)
		resettle(m, news);
	for (size_t i = 0; i < m->plan->n_groups && news; i++)
		for (size_t a = 0; a < m->plan->groups[i].n_aggs; a++) {
			struct member *other = member_of(m, &m->plan->groups[i], a);

			if (other->state == MEMBER_WAITING && groups_known(other))
				member_compare(other);
		}
}

void groups_measured(struct maestro *m)
{
	resettle(m, true);
}

bool groups_may_start(const struct member *mb, const char *prdcr)
{
	const struct maestro *m = mb->m;

	if (leavers_run(m, prdcr))
		return false;
	for (size_t i = 0; i < m->plan->n_groups; i++) {
		const struct plan_group *g = &m->plan->groups[i];

		for (size_t a = 0; a < g->n_aggs && is_in(m, g, mb); a++) {
			const struct member *other = member_of(m, g, a);

			/* who is still has been told, and did not stop it */
			if (other != mb && other->state != MEMBER_AWAY && other->state != MEMBER_STILL &&
			    member_runs(other, prdcr))
				return false;
		}
	}
	return true;
}

void groups_woken(const struct member *mb)
{
	const struct maestro *m = mb->m;

	for (size_t i = 0; i < m->plan->n_groups; i++) {
		const struct plan_group *g = &m->plan->groups[i];

		for (size_t a = 0; a < g->n_aggs && (mb->leaving || is_in(m, g, mb)); a++)
			if (member_of(m, g, a) != mb)
				member_wake(member_of(m, g, a));
	}
}

void groups_died(struct member *mb)
{
	mb->dead = mb->tried = true;
	groups_met(mb);
	resettle(mb->m, false);
	adverts_died(mb);
}
