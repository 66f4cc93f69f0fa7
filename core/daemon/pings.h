/* pings.h - how long a peer takes to answer, and how long a silence is too long.  All on the monotonic clock. */
#ifndef CORE_DAEMON_PINGS_H
#define CORE_DAEMON_PINGS_H

#include <stdbool.h>
#include <stdint.h>

#define PINGS_KEPT 8 /* the last ones are looked back on */

struct pings { /* all zero at first */
	int64_t took_us[PINGS_KEPT];
	unsigned int n; /* answers in all */
	uint64_t skipped;
	bool out;        /* one has no answer yet */
	int64_t sent_us; /* the last one */
};

struct pings_sum {
	int64_t max_us, avg_us;
	double sd_us;
};

/* One is due: false while the last one has no answer, which is counted. */
bool pings_send(struct pings *p, int64_t now_us);
void pings_answered(struct pings *p, int64_t now_us);
void pings_sum(const struct pings *p, struct pings_sum *ret);
/* The longest silence of a living peer: `at_least`, or more for one whose answers take longer, or vary that much. */
int64_t pings_patience_us(const struct pings *p, int64_t at_least_us);

#endif
