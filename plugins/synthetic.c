/* synthetic.c - waves over the wall clock, higher on nodes with a higher number: to see lines on a plot */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "plugins/samp.h"

static const struct samp_attr attrs[] = {
	{ "origin", "1440449892", "when the waves begin, in seconds" },
	{ "height", "10", "how far they go up and down" },
	{ "period", "20", "seconds of a wave" },
	{ NULL, NULL, NULL },
};

static const struct metric_def metrics[] = {
	{ "sine", V_U64, "", METRIC_GAUGE, "a sine, two waves in a period", 1 },
	{ "square", V_U64, "", METRIC_GAUGE, "up for half of the period, then down", 1 },
	{ "saw", V_U64, "", METRIC_GAUGE, "rises from the middle through the period", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { SINE, SQUARE, SAW, METRICS };

struct synthetic {
	struct set *set;
	int first;
	double origin, height, period, middle;
};

static int conf_real(struct samp *sp, const char *name, double dflt, double min, double *ret, struct err *err)
{
	const char *text = samp_attr(sp, name);
	char *end;

	*ret = dflt;
	if (!text)
		return 0;
	*ret = strtod(text, &end);
	if (end == text || *end || !(*ret >= min && *ret <= 1e9))
		return err_set(err, -EINVAL, "%s=%s: must be a number from %g to 1e9", name, text, min);
	return 0;
}

static int conf_read(struct samp *sp, struct synthetic *sy, struct err *err)
{
	int rc = conf_real(sp, "origin", 1440449892, 0, &sy->origin, err);

	if (!rc)
		rc = conf_real(sp, "height", 10, 0, &sy->height, err);
	if (!rc)
		rc = conf_real(sp, "period", 20, 1e-6, &sy->period, err);
	sy->middle = 2 * sy->height * ((double)samp_component_id(sp) + 1) + 1; /* of its own strip */
	return rc;
}

static int synthetic_check(struct samp *sp, struct err *err)
{
	struct synthetic sy;

	return conf_read(sp, &sy, err);
}

static int synthetic_open(struct samp *sp, struct err *err)
{
	struct synthetic *sy = samp_state(sp);
	int rc = conf_read(sp, sy, err);

	if (rc)
		return rc;
	sy->first = samp_set_make(sp, samp_schema_new(sp, "synthetic", err), metrics, METRICS, NULL, &sy->set, err);
	return sy->first < 0 ? sy->first : 0;
}

static void wave_put(struct synthetic *sy, int metric, double at)
{
	set_u64(sy->set, sy->first + metric, (uint64_t)llround(sy->middle + sy->height * at));
}

static int synthetic_sample(struct samp *sp, struct err *err)
{
	struct synthetic *sy = samp_state(sp);
	double at;

	samp_begin(sp, sy->set);
	at = ((double)wall_us() / SEC_US - sy->origin) / sy->period;
	at -= floor(at);
	wave_put(sy, SINE, sin(4 * M_PI * at));
	wave_put(sy, SQUARE, at < 0.5 ? 1 : -1);
	wave_put(sy, SAW, at);
	samp_end(sp, sy->set);
	return 0;
}

static void synthetic_close(struct samp *sp)
{
}

const struct samp_type samp_synthetic = {
	.name = "synthetic",
	.brief = "waves over the wall clock",
	.source = "the clock",
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct synthetic),
	.check = synthetic_check,
	.open = synthetic_open,
	.sample = synthetic_sample,
	.close = synthetic_close,
};
