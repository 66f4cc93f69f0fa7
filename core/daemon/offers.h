/* offers.h - snapshots on their way from an I/O loop to the policies, gathered while the loop handles what came: a
 * policy's lock is taken once for many of them, where one offer after the other makes the loops and the worker wait for
 * each other.
 *
 * They are handed over when there are many, and before the loop waits: whoever holds the loop's lock without being one
 * of its callbacks finds none here.
 */
#ifndef CORE_DAEMON_OFFERS_H
#define CORE_DAEMON_OFFERS_H

#include "core/base/loop.h"
#include "core/daemon/strgp.h"

struct offers;

/* Of one loop, which does not turn yet (offers_free: no more). */
struct offers *offers_new(struct loop *l);
void offers_free(struct offers *o); /* NULL is fine; what is in it is handed over */

/* The loop is held; takes the snapshot's reference. */
void offers_add(struct offers *o, struct strgp *sg, struct snap *sn);

#endif
