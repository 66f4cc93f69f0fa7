/* about.c - see about.h */
#include "core/set/about.h"

#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/set/schema_impl.h"
#include "core/set/set.h"

static bool is_said(const struct schema_metric *m)
{
	if (m->kind != METRIC_GAUGE || m->help)
		return true;
	for (uint32_t i = 0; i < m->member_n; i++)
		if (is_said(m->members[i]))
			return true;
	return false;
}

static struct about *table_new(struct schema_metric *const *metrics, uint32_t n)
{
	bool said = false;
	struct about *a;

	for (uint32_t i = 0; i < n; i++)
		said |= is_said(metrics[i]);
	if (!said)
		return NULL;
	a = xcalloc(1, sizeof(*a) + n * sizeof(a->v[0]));
	a->refs = 1;
	a->n = n;
	for (uint32_t i = 0; i < n; i++)
		a->v[i] = (struct metric_about){
			.kind = metrics[i]->kind,
			.help = metrics[i]->help,
			.members = table_new(metrics[i]->members, metrics[i]->member_n),
		};
	return a;
}

struct about *about_new(const struct schema *s)
{
	return table_new(s->metrics, s->card);
}

struct about *about_get(struct about *a)
{
	if (a)
		atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void about_put(struct about *a)
{
	if (!a || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (uint32_t i = 0; i < a->n; i++)
		about_put(a->v[i].members);
	free(a);
}

bool about_equal(const struct about *a, const struct about *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->v[i].kind != b->v[i].kind || a->v[i].help != b->v[i].help ||
		    !about_equal(a->v[i].members, b->v[i].members))
			return false;
	return true;
}

static const struct metric_about *entry(const struct about *a, uint32_t i)
{
	return a && i < a->n ? &a->v[i] : NULL;
}

const struct metric_about *set_about(const struct set *s, uint32_t i)
{
	return entry(s->about, i);
}

const struct metric_about *set_about_member(const struct set *s, uint32_t i, uint32_t m)
{
	const struct metric_about *type = set_about(s, i);

	return type ? entry(type->members, m) : NULL;
}

void set_about_share(struct set *s, const struct set *like)
{
	if (s->about == like->about || !about_equal(s->about, like->about))
		return;
	about_put(s->about);
	s->about = about_get(like->about);
}
