/* clock.c - a number that grows by one with each sample: the least that a sampler can be */
#include <errno.h>

#include "plugins/samp.h"

static const struct metric_def metrics[] = {
	{ "null_tick", V_U64, "", METRIC_COUNTER, "samples so far", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

struct ticks {
	struct set *set;
	int metric;
	uint64_t n;
};

static int clock_open(struct samp *sp, struct err *err)
{
	struct ticks *t = samp_state(sp);

	t->metric = samp_set_make(sp, samp_schema_new(sp, "clock", err), metrics, 1, NULL, &t->set, err);
	return t->metric < 0 ? t->metric : 0;
}

static int clock_sample(struct samp *sp, struct err *err)
{
	struct ticks *t = samp_state(sp);

	samp_begin(sp, t->set);
	set_u64(t->set, t->metric, ++t->n);
	samp_end(sp, t->set);
	return 0;
}

static void clock_close(struct samp *sp)
{
}

const struct samp_type samp_clock = {
	.name = "clock",
	.brief = "counts its samples",
	.source = "its own counter",
	.metrics = metrics,
	.state_size = sizeof(struct ticks),
	.open = clock_open,
	.sample = clock_sample,
	.close = clock_close,
};
