/* prdcr_outage.h - what is said of many producers at once.
 *
 * What happens to one producer is logged at once.  When a switch fails, or a thousand producers are started, that would
 * be a line for each of them, and another when they come back: only the first ones of a while are said, and at its end
 * what has become of all:
 *
 *	37 of 4,900 producers unreachable: n[17-52,60] (connection refused)
 *	all 4,900 producers connected
 *
 * and again, as long as not all are there, when the numbers have changed.
 */
#ifndef CORE_DAEMON_PRDCR_OUTAGE_H
#define CORE_DAEMON_PRDCR_OUTAGE_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/daemon/prdcr.h"

struct prdcr_outage;

struct prdcr_outage *prdcr_outage_new(struct daemon *d);
/* After the end of the main loop. */
void prdcr_outage_free(struct prdcr_outage *o);
/* Something happened to a producer (bad: it is lost, or not reached): is it to be logged?  Any thread. */
bool prdcr_outage_says(struct prdcr_outage *o, bool bad);

/* A producer as it is seen when all are counted. */
struct prdcr_look {
	const char *name;
	enum prdcr_state state;
	enum xprt_fail fail;
	bool failed; /* it is not there, and the last attempt failed */
};
/* The lines (separated by newlines) on these; *ret_away: how many that ought to be are not there. */
void prdcr_outage_words(const struct prdcr_look *looks, size_t n, struct buf *to, unsigned int *ret_away);

#endif
