/* spool_metas.c - see spool_metas.h */
#include "core/daemon/spool_metas.h"

#include <stdlib.h>
#include <uthash.h>

#include "core/base/xalloc.h"

struct spool_meta {
	struct snap_meta *meta;
	uint32_t at;
	UT_hash_handle hh_place, hh_meta;
};

void spool_metas_add(struct spool_metas *ms, struct snap_meta *m, uint32_t at)
{
	struct spool_meta *sm = xcalloc(1, sizeof(*sm));

	sm->meta = snap_meta_get(m);
	sm->at = at;
	HASH_ADD(hh_place, ms->by_place, at, sizeof(sm->at), sm);
	HASH_ADD(hh_meta, ms->by_meta, meta, sizeof(sm->meta), sm);
}

struct snap_meta *spool_metas_at(const struct spool_metas *ms, uint32_t at)
{
	struct spool_meta *sm;

	HASH_FIND(hh_place, ms->by_place, &at, sizeof(at), sm);
	return sm ? sm->meta : NULL;
}

bool spool_metas_find(const struct spool_metas *ms, const struct snap_meta *m, uint32_t *ret_at)
{
	struct spool_meta *sm;

	HASH_FIND(hh_meta, ms->by_meta, &m, sizeof(m), sm);
	if (!sm)
		return false;
	*ret_at = sm->at;
	return true;
}

void spool_metas_clear(struct spool_metas *ms)
{
	struct spool_meta *sm, *next;

	HASH_CLEAR(hh_meta, ms->by_meta);
	HASH_ITER(hh_place, ms->by_place, sm, next) {
		HASH_DELETE(hh_place, ms->by_place, sm);
		snap_meta_put(sm->meta);
		free(sm);
	}
}
