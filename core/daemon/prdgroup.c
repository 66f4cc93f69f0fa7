/* prdgroup.c - see prdgroup.h */
#include "core/daemon/prdgroup.h"

#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/setgroup.h"
#include "core/daemon/updtr.h"

struct prdgroup {
	char **keys; /* info keys of the members, in the group's order */
	unsigned int n;
};

/* The groups that name a set; in the producer's table. */
struct membership {
	struct prdset **groups;
	unsigned int n;
	UT_hash_handle hh;
	char name[];
};

void prdgroup_init(struct prdset *ps)
{
	if (!strcmp(ps->schema, SETGROUP_SCHEMA))
		ps->group = xcalloc(1, sizeof(*ps->group));
}

/* -- who is in which ----------------------------------------------------------------------------------------------- */

static struct membership *membership_find(const struct prdcr *p, const char *name)
{
	struct membership *ms;

	HASH_FIND_STR(p->memberships, name, ms);
	return ms;
}

static void membership_add(struct prdset *group, const char *name)
{
	struct prdcr *p = group->prdcr;
	struct membership *ms = membership_find(p, name);

	if (!ms) {
		ms = xcalloc(1, sizeof(*ms) + strlen(name) + 1);
		memcpy(ms->name, name, strlen(name) + 1);
		HASH_ADD_STR(p->memberships, name, ms);
	}
	ms->groups = xrealloc(ms->groups, (ms->n + 1) * sizeof(*ms->groups));
	ms->groups[ms->n++] = group;
}

static void membership_del(struct prdset *group, const char *name)
{
	struct prdcr *p = group->prdcr;
	struct membership *ms = membership_find(p, name);

	for (unsigned int i = 0; i < ms->n; i++) {
		if (ms->groups[i] != group)
			continue;
		ms->groups[i] = ms->groups[--ms->n];
		break;
	}
	if (ms->n)
		return;
	HASH_DEL(p->memberships, ms);
	free(ms->groups);
	free(ms);
}

struct prdset *prdgroup_of(const struct prdset *ps, unsigned int i)
{
	const struct membership *ms = membership_find(ps->prdcr, ps->name);

	return ms && i < ms->n ? ms->groups[i] : NULL;
}

bool prdgroup_member(const struct prdset *group, unsigned int i, struct prdset **ret)
{
	const struct prdgroup *g = group->group;

	if (!g || i >= g->n)
		return false;
	*ret = prdset_find(group->prdcr, setgroup_member(g->keys[i]));
	return true;
}

/* -- what the group says ------------------------------------------------------------------------------------------- */

/* The same names in the same order: most news of a group are of its hint. */
static bool is_same(const struct prdgroup *g, const struct info_pair *info, unsigned int n)
{
	unsigned int k = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!setgroup_member(info[i].key))
			continue;
		if (k == g->n || strcmp(g->keys[k++], info[i].key))
			return false;
	}
	return k == g->n;
}

static void keys_free(struct prdgroup *g)
{
	for (unsigned int i = 0; i < g->n; i++)
		free(g->keys[i]);
	free(g->keys);
}

/* A name is added once, however often a peer says it: this group's come one behind the other. */
static void key_add(struct prdset *group, const char *key)
{
	const char *name = setgroup_member(key);
	const struct membership *ms = name ? membership_find(group->prdcr, name) : NULL;
	struct prdgroup *g = group->group;

	if (!name || g->n == SETGROUP_MEMBERS_MAX || (ms && ms->groups[ms->n - 1] == group))
		return;
	g->keys[g->n++] = xstrdup(key);
	membership_add(group, name);
}

void prdgroup_read(struct prdset *group, const struct info_pair *info, unsigned int n)
{
	struct prdgroup *g = group->group, old;

	if (!g || is_same(g, info, n))
		return;
	old = *g;
	for (unsigned int i = 0; i < old.n; i++)
		membership_del(group, setgroup_member(old.keys[i]));
	*g = (struct prdgroup){ .keys = xcalloc(n + 1, sizeof(*g->keys)) };
	for (unsigned int i = 0; i < n; i++)
		key_add(group, info[i].key);
	for (unsigned int i = 0; i < old.n; i++) { /* perhaps nobody wants it any more */
		struct prdset *ps = prdset_find(group->prdcr, setgroup_member(old.keys[i]));

		if (ps)
			prdset_offer(ps);
	}
	prdset_offer(group); /* and with it all that are in now */
	keys_free(&old);
}

void prdgroup_fini(struct prdset *group)
{
	struct prdgroup *g = group->group;

	if (!g)
		return;
	for (unsigned int i = 0; i < g->n; i++)
		membership_del(group, setgroup_member(g->keys[i]));
	keys_free(g);
	free(g);
	group->group = NULL;
}

void prdgroup_put_info(const struct prdset *group, struct set *mirror)
{
	const struct prdgroup *g = group->group;

	if (!g)
		return;
	for (unsigned int i = mirror->info_n; i > 0; i--)
		if (setgroup_member(mirror->info[i - 1].key))
			set_info_del(mirror, mirror->info[i - 1].key);
	for (unsigned int i = 0; i < g->n; i++)
		set_info_put(mirror, g->keys[i], SETGROUP_VALUE);
}
