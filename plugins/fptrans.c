/* fptrans.c - floating point numbers with known values, to see whether they arrive as they left */
#include <errno.h>
#include <math.h>

#include "plugins/fill.h"
#include "plugins/samp.h"

static const struct metric_def metrics[] = {
	{ "float_pi", V_F32, "", METRIC_GAUGE, "pi", 1 },
	{ "double_pi", V_D64, "", METRIC_GAUGE, "pi", 1 },
	{ "float_array_pi", V_F32_ARRAY, "", METRIC_GAUGE, "1 and pi", 2 },
	{ "double_array_pi", V_D64_ARRAY, "", METRIC_GAUGE, "0 and pi", 2 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { METRICS = sizeof(metrics) / sizeof(*metrics) - 1 };

static const struct {
	double from, step;
	uint32_t n;
} values[METRICS] = { { M_PI, 0, 1 }, { M_PI, 0, 1 }, { 1, M_PI - 1, 2 }, { 0, M_PI, 2 } };

struct fptrans {
	struct set *set;
};

static int fptrans_open(struct samp *sp, struct err *err)
{
	struct fptrans *fp = samp_state(sp);
	int first = samp_set_make(sp, samp_schema_new(sp, "fptrans", err), metrics, METRICS, NULL, &fp->set, err);

	if (first < 0)
		return first;
	for (int i = 0; i < METRICS; i++)
		fill_reals(set_slot(fp->set, first + i), metrics[i].type, values[i].n, values[i].from, values[i].step);
	return 0;
}

static int fptrans_sample(struct samp *sp, struct err *err)
{
	struct fptrans *fp = samp_state(sp);

	samp_begin(sp, fp->set); /* they stand there from the beginning */
	samp_end(sp, fp->set);
	return 0;
}

static void fptrans_close(struct samp *sp)
{
}

const struct samp_type samp_fptrans = {
	.name = "fptrans",
	.brief = "floating point numbers with known values",
	.source = "constants",
	.metrics = metrics,
	.state_size = sizeof(struct fptrans),
	.open = fptrans_open,
	.sample = fptrans_sample,
	.close = fptrans_close,
};
