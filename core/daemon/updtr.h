/* updtr.h - updaters: when the sets of which producers are read.
 *
 * An updater is the main loop's.  While it runs it has, on every I/O loop, one task for each schedule (interval, offset):
 * one timer that turns all member sets of that loop at interval * k + offset of the wall clock, so that their requests
 * leave together.
 */
#ifndef CORE_DAEMON_UPDTR_H
#define CORE_DAEMON_UPDTR_H

#include "core/daemon/daemon.h"
#include "core/daemon/prdcr.h"

struct updtr_conf {
	const char *name;
	int64_t interval_us, offset_us;
	bool async; /* no offset: on interval * k from its start */
	bool auto_interval; /* sets with an update hint follow it */
	enum rset_push push; /* its sets come by themselves; the interval is then for those that do not yet */
	uint32_t uid, gid, perm;
};

enum updtr_selector { UPDTR_INSTANCE, UPDTR_SCHEMA };

struct updtr *updtr_new(struct daemon *d, const struct updtr_conf *conf, struct err *err);
void updtr_free(struct updtr *u); /* stopped first */
/* Changes only while stopped: -EBUSY. */
int updtr_prdcr_add(struct updtr *u, const char *regex, struct err *err);
int updtr_prdcr_del(struct updtr *u, const char *regex, struct err *err); /* also of what another expression added */
int updtr_match_add(struct updtr *u, const char *regex, enum updtr_selector sel, struct err *err);
int updtr_match_del(struct updtr *u, const char *regex, enum updtr_selector sel, struct err *err);
int updtr_start(struct updtr *u, struct err *err);
void updtr_stop(struct updtr *u);
/* Change the schedule of a stopped updater: that of `conf`. */
int updtr_schedule_set(struct updtr *u, const struct updtr_conf *conf, struct err *err);
/* A producer was added (removed): running updaters whose expressions match begin (cease) to care for it. */
void updtr_prdcr_came(struct daemon *d, struct prdcr *p);
void updtr_prdcr_goes(struct daemon *d, struct prdcr *p);

const struct updtr_conf *updtr_conf(const struct updtr *u);
bool updtr_running(const struct updtr *u);
bool updtr_takes_prdcr(const struct updtr *u, const char *prdcr);
/* Do its matches take a set of a producer that it takes? */
bool updtr_takes_set(const struct updtr *u, const struct prdset *ps);
/* The i-th condition on sets, NULL behind the last one. */
const char *updtr_match(const struct updtr *u, size_t i, enum updtr_selector *ret);

/* A schedule that it turns sets on; offset_us is of no meaning where `async`. */
struct updtr_schedule {
	int64_t interval_us, offset_us;
	bool async, dflt; /* dflt: its own, not a hint's */
};
/* Its schedules, its own one first, which is there also while nothing is on it: how many; fills up to n. */
size_t updtr_schedules(const struct updtr *u, struct updtr_schedule *ret, size_t n);

/* -- for prdcr.c, with the producer's loop held -------------------------------------------------------------------- */

#define UPDTR_HINT_KEY "updt_hint_us" /* of a set's info */
/* An update hint: "interval:offset" in microseconds, or "interval:" (*loose, and the offset 0).  False for what is neither
 * or makes no sense. */
bool updtr_hint_parse(const char *text, int64_t *interval_us, int64_t *offset_us, bool *loose);
/* Does this updater want the set (its match list, or a group that it reads), and if so let it have a turn on schedule.
 * The set's info must be there (hints).  Returns whether it is taken and was not before. */
bool updtr_set_add(struct updtr *u, struct prdset *ps);
/* The set goes away: out of all schedules. */
void updtr_set_del(struct prdset *ps);
/* The hint changed: move it to the schedule it asks for. */
void updtr_set_hint(struct prdset *ps);
/* How its updaters want it to come: what the most demanding of them says. */
enum rset_push updtr_set_push(const struct prdset *ps);
/* The schedule that the newest of the updaters that read it turns it on, for the hint shown downstream; false when none
 * does. */
bool updtr_set_schedule(const struct prdset *ps, int64_t *interval_us, int64_t *offset_us);

#endif
