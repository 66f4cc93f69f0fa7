/* spool_metas.h - where in a segment of a spool metadata stand: most snapshots of a set have those of the one before, and
 * refer to them.
 */
#ifndef CORE_DAEMON_SPOOL_METAS_H
#define CORE_DAEMON_SPOOL_METAS_H

#include "core/set/snap.h"

struct spool_meta;

/* Both ways; all zero is empty. */
struct spool_metas {
	struct spool_meta *by_place, *by_meta;
};

/* Remember that the record that begins there has these (a reference is taken). */
void spool_metas_add(struct spool_metas *ms, struct snap_meta *m, uint32_t at);
/* NULL: none there. */
struct snap_meta *spool_metas_at(const struct spool_metas *ms, uint32_t at);
/* For a record that is written: where its metadata stand.  False: nowhere, or so many refer to them already that they
 * are to be written again: what is spoilt on the disk must not take too much with it. */
bool spool_metas_refer(struct spool_metas *ms, const struct snap_meta *m, uint32_t *ret_at);
void spool_metas_clear(struct spool_metas *ms);

#endif
