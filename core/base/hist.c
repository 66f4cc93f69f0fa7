/* hist.c - see hist.h */
#include "core/base/hist.h"

#define EXACT_BITS 4 /* of HIST_EXACT */
#define STEP_BITS  3 /* of HIST_STEPS */

static unsigned int bucket_of(uint64_t v)
{
	unsigned int power, i;

	if (v < HIST_EXACT)
		return (unsigned int)v;
	power = 63 - (unsigned int)__builtin_clzll(v);
	i = HIST_EXACT + (power - EXACT_BITS) * HIST_STEPS + (unsigned int)(v >> (power - STEP_BITS)) % HIST_STEPS;
	return i < HIST_BUCKETS ? i : HIST_BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t bucket_end(unsigned int i)
{
	unsigned int power;

	if (i < HIST_EXACT)
		return i;
	power = (i - HIST_EXACT) / HIST_STEPS + EXACT_BITS;
	return ((uint64_t)HIST_STEPS + (i - HIST_EXACT) % HIST_STEPS + 1) * (UINT64_C(1) << (power - STEP_BITS)) - 1;
}

void hist_add(struct hist *h, uint64_t v)
{
	h->n++;
	if (v > h->max)
		h->max = v;
	h->buckets[bucket_of(v)]++;
}

uint64_t hist_quantile(const struct hist *h, double share)
{
	double want = share * (double)h->n;
	uint64_t seen = 0, end;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (!h->buckets[i] || (double)seen < want)
			continue;
		end = i == HIST_BUCKETS - 1 ? h->max : bucket_end(i);
		return end < h->max ? end : h->max;
	}
	return h->max;
}
