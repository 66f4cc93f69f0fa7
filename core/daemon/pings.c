/* pings.c - see pings.h */
#include "core/daemon/pings.h"

#include <math.h>

#define SPREAD 4 /* standard deviations that an answer may come later than the slowest so far */

bool pings_send(struct pings *p, int64_t now_us)
{
	if (p->out) {
		p->skipped++;
		return false;
	}
	p->out = true;
	p->sent_us = now_us;
	return true;
}

void pings_answered(struct pings *p, int64_t now_us)
{
	p->out = false;
	p->took_us[p->n++ % PINGS_KEPT] = now_us - p->sent_us;
}

void pings_sum(const struct pings *p, struct pings_sum *ret)
{
	unsigned int n = p->n < PINGS_KEPT ? p->n : PINGS_KEPT;
	double sum = 0, squares = 0, mean;

	*ret = (struct pings_sum){ 0 };
	for (unsigned int i = 0; i < n; i++) {
		sum += (double)p->took_us[i];
		if (p->took_us[i] > ret->max_us)
			ret->max_us = p->took_us[i];
	}
	mean = n ? sum / n : 0;
	for (unsigned int i = 0; i < n; i++)
		squares += ((double)p->took_us[i] - mean) * ((double)p->took_us[i] - mean);
	ret->avg_us = (int64_t)mean;
	ret->sd_us = n > 1 ? sqrt(squares / (n - 1)) : 0;
}

int64_t pings_patience_us(const struct pings *p, int64_t at_least_us)
{
	struct pings_sum sum;
	int64_t us;

	pings_sum(p, &sum);
	us = sum.max_us + (int64_t)(SPREAD * sum.sd_us);
	return us > at_least_us ? us : at_least_us;
}
