/* spool_metas.c - see spool_metas.h */
#include "core/daemon/spool_metas.h"

#include <stdlib.h>
#include <uthash.h>

#include "core/base/xalloc.h"

#define REFER_MAX 64

struct spool_meta {
	struct snap_meta *meta;
	uint32_t at, refer;
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

static void meta_del(struct spool_metas *ms, struct spool_meta *sm)
{
	HASH_DELETE(hh_place, ms->by_place, sm);
	HASH_DELETE(hh_meta, ms->by_meta, sm);
	snap_meta_put(sm->meta);
	free(sm);
}

bool spool_metas_refer(struct spool_metas *ms, const struct snap_meta *m, uint32_t *ret_at)
{
	struct spool_meta *sm;

	HASH_FIND(hh_meta, ms->by_meta, &m, sizeof(m), sm);
	if (!sm)
		return false;
	if (sm->refer++ == REFER_MAX) {
		meta_del(ms, sm);
		return false;
	}
	*ret_at = sm->at;
	return true;
}

void spool_metas_clear(struct spool_metas *ms)
{
	struct spool_meta *sm, *next;

	HASH_ITER(hh_place, ms->by_place, sm, next)
		meta_del(ms, sm);
}
