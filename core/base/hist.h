/* hist.h - how often which value came: a histogram of fixed size, exact below 16, then to an eighth. */
#ifndef CORE_BASE_HIST_H
#define CORE_BASE_HIST_H

#include <stdint.h>

#define HIST_EXACT   16 /* a bucket for each value below */
#define HIST_STEPS   8  /* buckets from a power of two to the next */
#define HIST_POWERS  26 /* ... from 16 to 2^30; what is larger counts as the largest */
#define HIST_BUCKETS (HIST_EXACT + HIST_POWERS * HIST_STEPS)

struct hist { /* begins as all zero */
	uint64_t n, max;
	uint32_t buckets[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t v);
/* The value that a share of all (0..1) does not exceed, rounded up to its bucket's end, but never above the largest; 0
 * when there are none. */
uint64_t hist_quantile(const struct hist *h, double share);

#endif
