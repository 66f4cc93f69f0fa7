/* prdset_hint.c - how a set of a producer comes: what its side says of its schedule, what we say of ours downstream, and
 * whether its side is asked to push it. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/daemon/prdgroup.h"
#include "core/daemon/prdset_impl.h"
#include "core/daemon/updtr.h"

#define HINT_SIZE 48 /* two numbers of 64 bits, and a colon */

void prdset_hint_take(struct prdset *ps, const struct info_pair *info, unsigned int n)
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

void prdset_push_follow(struct prdset *ps)
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
	prdset_push_follow(ps);
	hint_show(ps);
}

void prdset_info_changed(struct prdset *ps, const struct dir_set *set)
{
	struct info_pair *pairs;
	char hint[HINT_SIZE];

	prdset_hint_take(ps, set->info, set->info_n);
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
