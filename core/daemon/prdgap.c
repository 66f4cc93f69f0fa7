/* prdgap.c - see prdgap.h */
#include "core/daemon/prdgap.h"

#include <endian.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/updtr.h"
/* last */
#include "core/base/small_hash.h"

#define GONE_MIN 64 /* sets that went and are remembered, also of a producer that never had as many at a time */

uint32_t prdgap_next(struct prdgap *g, int64_t interval_us, int64_t offset_us, int64_t ts_us, int64_t now_us)
{
	int64_t dist_us = ts_us - g->end_us, passed_us = now_us - g->came_us, slots = 1, missed;
	bool known = g->end_us && g->interval_us == interval_us;

	if (known && dist_us >= 0 && dist_us < interval_us) { /* as it should be: nothing to divide */
		g->end_us += interval_us;
	} else {
		if (known && (dist_us < -interval_us || dist_us > passed_us + PRDGAP_STEP_US))
			slots = passed_us < interval_us ? 1 : (passed_us + interval_us / 2) / interval_us;
		else if (known)
			slots = dist_us < 0 ? 0 : 1 + dist_us / interval_us;
		g->end_us = next_slot_us(ts_us, interval_us, offset_us);
		g->interval_us = interval_us;
	}
	g->came_us = now_us;
	/* a sample that was late is in its successor's slot: it was missed in its own, and one too many here */
	missed = slots - 1 - g->spare;
	g->spare = missed < 0;
	if (missed <= 0)
		return 0;
	if (missed > UINT32_MAX)
		missed = UINT32_MAX;
	g->missed += (uint32_t)missed;
	return (uint32_t)missed;
}

void prdgap_count(struct prdset *ps, const struct set_data *data)
{
	int64_t interval_us = ps->hint_interval_us, offset_us = ps->hint_loose ? 0 : ps->hint_offset_us;
	int64_t ours_us, our_offset_us;

	if (!interval_us)
		return;
	/* who reads more seldom than it is written does not want the others */
	if (updtr_set_schedule(ps, &ours_us, &our_offset_us) && ours_us > interval_us) {
		interval_us = ours_us;
		offset_us = our_offset_us;
	}
	ps->prdcr->stats.missed +=
		prdgap_next(&ps->gap, interval_us, offset_us, le32toh(data->ts_sec) * SEC_US + le32toh(data->ts_usec),
			    clock_us(CLOCK_MONOTONIC_COARSE));
}

/* -- sets that went ------------------------------------------------------------------------------------------------ */

static void gone_free(struct prdcr *p, struct prdgap_gone *gone)
{
	HASH_DEL(p->gone, gone);
	free(gone);
}

void prdgap_recall(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;
	struct prdgap_gone *gone;

	if (p->stats.sets > p->sets_max)
		p->sets_max = p->stats.sets;
	HASH_FIND_STR(p->gone, ps->name, gone);
	if (!gone)
		return;
	ps->gap = gone->gap;
	gone_free(p, gone);
}

void prdgap_keep(const struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;
	size_t len = strlen(ps->name) + 1;
	struct prdgap_gone *gone;

	if (!ps->gap.end_us)
		return;
	/* names may be new ones each time */
	if (HASH_COUNT(p->gone) >= (p->sets_max > GONE_MIN ? p->sets_max : GONE_MIN))
		gone_free(p, p->gone);
	gone = xcalloc(1, sizeof(*gone) + len);
	gone->gap = ps->gap;
	memcpy(gone->name, ps->name, len);
	HASH_ADD_STR(p->gone, name, gone);
}

void prdgap_forget(struct prdcr *p)
{
	while (p->gone)
		gone_free(p, p->gone);
}
