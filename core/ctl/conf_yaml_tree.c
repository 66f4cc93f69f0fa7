/* conf_yaml_tree.c - who collects from whom in a cluster file: levels, circles, and producers that a daemon has twice. */
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

#define CIRCLE_SAID 8 /* names of a circle */

/* The group of a section of aggregators that is for a daemon; NULL: it is another section. */
static struct ygroup *group_of(const struct ygen *g, size_t ref, size_t *ret)
{
	const struct ysection *s = &g->sections[g->refs[ref].section];

	if (s->kind != Y_AGGREGATORS)
		return NULL;
	*ret = s->group;
	return g->groups[s->group];
}

/* -- levels -------------------------------------------------------------------------------------------------------- */

struct tree {
	unsigned int *level; /* of groups */
	size_t *open;        /* producers whose own groups have no level yet, a group counted each time */
	size_t *ready, n_ready;
	size_t *users, *users_of; /* of group i: the groups that collect from its daemons, from users_of[i] on */
};

/* Calls fn for each group that daemon is an aggregator of. */
static size_t own_groups(const struct ygen *g, size_t daemon, size_t *ret, size_t max)
{
	size_t n = 0, group;

	for (size_t i = g->refs_of[daemon]; i < g->refs_of[daemon + 1] && n < max; i++)
		if (group_of(g, i, &group))
			ret[n++] = group;
	return n;
}

#define OWN_MAX 64 /* groups of one daemon; more are not looked at */

/* Is one of the group's daemons on one of the hosts? */
static bool is_on(const struct ygen *g, const struct ygroup *gr, const struct hostlist *hosts)
{
	for (size_t i = 0; i < gr->n_aggs; i++)
		for (size_t k = 0; k < hosts->n; k++)
			if (!strcmp(g->daemons[gr->aggs[i]]->host, hosts->names[k]))
				return true;
	return false;
}

static void use(struct tree *t, size_t user, size_t used, size_t *fill)
{
	if (!t->users)
		t->users_of[used + 1]++;
	else
		t->users[t->users_of[used] + fill[used]++] = user;
	t->open[user] += !t->users;
}

/* Aggregators that advertise to those that listen. */
static void advertisers(struct ygen *g, struct tree *t, size_t *fill)
{
	for (size_t s = 0; s < g->n_sections; s++) {
		ynode map = yaml_get(g->sections[s].map, "advertise"), n = yaml_get(map, "hosts");
		struct hostlist hosts;

		if (!n || !ygen_names(g, n, &hosts))
			continue;
		for (size_t i = 0; i < g->sections[s].n; i++)
			g->daemons[g->sections[s].daemons[i]]->advertises = true;
		for (size_t i = 0; i < g->n_groups && g->sections[s].kind == Y_AGGREGATORS; i++)
			if (g->groups[i]->n_listens && i != g->sections[s].group && is_on(g, g->groups[i], &hosts))
				use(t, i, g->sections[s].group, fill);
		hostlist_fini(&hosts);
	}
}

/* Who uses whom: counted first, then noted. */
static void users_fill(struct ygen *g, struct tree *t)
{
	size_t own[OWN_MAX], *fill = xcalloc(g->n_groups + 2, sizeof(*fill));

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < g->n_groups; i++)
			for (size_t k = 0; k < g->groups[i]->n_prdcrs; k++) {
				size_t n = own_groups(g, g->groups[i]->prdcrs[k].ep->daemon, own, OWN_MAX);

				for (size_t j = 0; j < n; j++)
					use(t, i, own[j], fill);
			}
		advertisers(g, t, fill);
		if (pass)
			break;
		for (size_t i = 0; i < g->n_groups; i++)
			t->users_of[i + 1] += t->users_of[i];
		t->users = xcalloc(t->users_of[g->n_groups] + 1, sizeof(*t->users));
	}
	free(fill);
}

/* A group that can have no level: it collects, over others perhaps, from itself. */
static void circle_say(struct ygen *g, const struct tree *t, size_t group)
{
	size_t *came = xcalloc(g->n_groups, sizeof(*came)), own[OWN_MAX], at = group, last = group, n = 0;
	struct buf b = { 0 };

	/* go to somebody who is collected from and has no level either, until it is someone who was there */
	while (at != YNONE && came[at] < 2) {
		const struct ygroup *gr = g->groups[at];
		size_t next = YNONE;

		if (came[at]++ == 1 && n++ < CIRCLE_SAID)
			buf_addf(&b, "%s%s", b.len ? " collects from " : "", gr->name);
		for (size_t k = 0; k < gr->n_prdcrs && next == YNONE; k++) {
			size_t m = own_groups(g, gr->prdcrs[k].ep->daemon, own, OWN_MAX);

			for (size_t j = 0; j < m && next == YNONE; j++)
				if (t->open[own[j]])
					next = own[j];
		}
		last = at;
		at = next;
	}
	at = at == YNONE ? last : at; /* the rest of the circle goes over advertisers */
	ygen_bad(g, g->groups[at]->map, "aggregators: %s%s collects from %s: nobody can collect from himself",
		 buf_str(&b), n > CIRCLE_SAID ? " collects from ..." : "", g->groups[at]->name);
	buf_fini(&b);
	free(came);
}

static bool concerns(const struct ygen *g, const struct ygroup *gr)
{
	for (size_t i = 0; g->only && i < gr->n_aggs; i++)
		if (!strcmp(g->daemons[gr->aggs[i]]->name, g->only))
			return true;
	return !g->only;
}

static void levels(struct ygen *g, struct tree *t)
{
	for (size_t i = 0; i < g->n_groups; i++)
		if (!t->open[i])
			t->ready[t->n_ready++] = i;
	for (size_t r = 0; r < t->n_ready; r++) {
		const struct ygroup *gr = g->groups[t->ready[r]];
		unsigned int level = t->level[t->ready[r]] + 1;

		for (size_t k = 0; k < gr->n_aggs; k++)
			if (g->daemons[gr->aggs[k]]->level < level)
				g->daemons[gr->aggs[k]]->level = level;
		for (size_t k = t->users_of[t->ready[r]]; k < t->users_of[t->ready[r] + 1]; k++) {
			size_t user = t->users[k];

			if (t->level[user] < level)
				t->level[user] = level;
			if (!--t->open[user])
				t->ready[t->n_ready++] = user;
		}
	}
	for (size_t i = 0; i < g->n_groups; i++)
		if (t->open[i] && concerns(g, g->groups[i])) {
			circle_say(g, t, i);
			break;
		}
}

/* -- producers of one daemon --------------------------------------------------------------------------------------- */

static void twice_check(struct ygen *g, size_t daemon)
{
	struct mark *names = NULL;
	size_t own[OWN_MAX], n = own_groups(g, daemon, own, OWN_MAX);

	for (size_t i = 0; i < n && n > 1; i++)
		for (size_t k = 0; k < g->groups[own[i]]->n_prdcrs; k++)
			if (mark_add(&names, g->groups[own[i]]->prdcrs[k].ep->name, NULL)) {
				ygen_bad(g, g->groups[own[i]]->map,
					 "aggregators: %s collects from endpoint %s in another entry, too",
					 g->daemons[daemon]->name, g->groups[own[i]]->prdcrs[k].ep->name);
				i = n - 1;
				break;
			}
	marks_free(&names);
}

void ygen_read_tree(struct ygen *g)
{
	struct tree t = {
		.level = xcalloc(g->n_groups + 1, sizeof(*t.level)),
		.open = xcalloc(g->n_groups + 1, sizeof(*t.open)),
		.ready = xcalloc(g->n_groups + 1, sizeof(*t.ready)),
		.users_of = xcalloc(g->n_groups + 2, sizeof(*t.users_of)),
	};

	users_fill(g, &t);
	levels(g, &t);
	for (size_t i = 0; i < g->n_daemons; i++) {
		g->mute = g->only && strcmp(g->only, g->daemons[i]->name);
		twice_check(g, i);
	}
	g->mute = false;
	free(t.level);
	free(t.open);
	free(t.ready);
	free(t.users);
	free(t.users_of);
}
