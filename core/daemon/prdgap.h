/* prdgap.h - samples of a producer's sets that never came: slots of a set's schedule that lie between two samples and
 * have none.
 *
 * A set's hint says on which schedule it is written; its samples' own timestamps say in which slot each was.  So it does
 * not matter who lost the others: the sampler that died, the connection, a level of aggregators in between, or we.  Of
 * a set that goes and comes back what is known is kept: what lies between counts.  A clock that steps loses nothing.
 */
#ifndef CORE_DAEMON_PRDGAP_H
#define CORE_DAEMON_PRDGAP_H

#include <stdint.h>
#include <uthash.h>

struct prdcr;
struct prdset;
struct set_data;

/* Part of a set. */
struct prdgap {
	int64_t end_us;      /* of the newest sample's slot, as its side has the time; 0: none came */
	int64_t came_us;     /* when that sample came: monotonic */
	int64_t interval_us; /* the schedule's */
	uint32_t missed;
	int32_t spare; /* samples more than slots: two that share one, the first of them late; not below 0 */
};

/* Of a set that went. */
struct prdgap_gone {
	UT_hash_handle hh; /* the producer's: the one that went first is first */
	struct prdgap gap;
	char name[];
};

/* A sample that is further ahead of the last one than the time that passed between them was written by a clock that
 * stepped, when it is so much: one that came late makes the next one look ahead, too, but not as far. */
#define PRDGAP_STEP_US (60 * INT64_C(1000000))

/* The next sample of a schedule: how many between it and the last one did not come. */
uint32_t prdgap_next(struct prdgap *g, int64_t interval_us, int64_t offset_us, int64_t ts_us, int64_t now_us);
/* Count what is missing in front of this sample of the set; those of sets without a hint are not known. */
void prdgap_count(struct prdset *ps, const struct set_data *data);
/* The set comes; it goes. */
void prdgap_recall(struct prdset *ps);
void prdgap_keep(const struct prdset *ps);
/* Nothing that went will be missed any more. */
void prdgap_forget(struct prdcr *p);

#endif
