/* query_axis.c - round numbers and times for axes, and which series there are to draw */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/query.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define MIN_US  (60 * SEC_US)
#define HOUR_US (60 * MIN_US)
#define DAY_US  (24 * HOUR_US)

static const int64_t round_times[] = {
	SEC_US,       2 * SEC_US,  5 * SEC_US,  10 * SEC_US, 15 * SEC_US, 30 * SEC_US, MIN_US,      2 * MIN_US,
	5 * MIN_US,   10 * MIN_US, 15 * MIN_US, 30 * MIN_US, HOUR_US,     2 * HOUR_US, 3 * HOUR_US, 6 * HOUR_US,
	12 * HOUR_US, DAY_US,      2 * DAY_US,  7 * DAY_US,  14 * DAY_US, 28 * DAY_US, 91 * DAY_US, 364 * DAY_US,
};

struct query_axis query_axis_values(double low, double high, unsigned int n)
{
	static const double rounds[] = { 1, 2, 2.5, 5, 10 };
	double rough, ten;
	struct query_axis a;

	/* one value, or what doubles cannot tell from it: some room around it */
	if (!(high - low > 1e-300 && high - low > (fabs(high) + fabs(low)) * 1e-12)) {
		double room = fabs(low) > 1e-290 ? fabs(low) / 10 : 1;

		low -= room;
		high += room;
	}
	rough = (high - low) / (n ? n : 1);
	ten = pow(10, floor(log10(rough)));
	a.step = ten * 10;
	for (size_t i = 0; i < sizeof(rounds) / sizeof(*rounds); i++)
		if (rounds[i] * ten >= rough * 0.999999) {
			a.step = rounds[i] * ten;
			break;
		}
	a.low = floor(low / a.step + 1e-9) * a.step;
	a.high = ceil(high / a.step - 1e-9) * a.step;
	return a;
}

int64_t query_axis_every(int64_t range_us, unsigned int n)
{
	int64_t rough = range_us / (n ? n : 1);

	for (size_t i = 0; i < sizeof(round_times) / sizeof(*round_times); i++)
		if (round_times[i] >= rough)
			return round_times[i];
	return (rough / DAY_US + 1) * DAY_US;
}

int64_t query_axis_times(int64_t begin_us, int64_t end_us, unsigned int n, int64_t *ret_first)
{
	int64_t step = query_axis_every(end_us - begin_us, n), shift;
	time_t sec = (time_t)(begin_us / SEC_US);
	struct tm tm;

	localtime_r(&sec, &tm);
	shift = tm.tm_gmtoff * SEC_US; /* midnight is here, not in Greenwich */
	*ret_first = (begin_us + shift + step - 1) / step * step - shift;
	return step;
}

const char *query_axis_value(double v, double step, char to[QUERY_LABEL_MAX])
{
	static const struct {
		double at;
		const char *name;
	} units[] = {
		{ 1e18, "E" }, { 1e15, "P" }, { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" }, { 0, "" }
	};
	double scale = 1;
	const char *name = "";

	if (fabs(v) < step / 1e6)
		v = 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (fabs(v) >= units[i].at && units[i].at) {
			scale = units[i].at;
			name = units[i].name;
			break;
		}
	/* as many digits as tell this tick from the next */
	double steps = step > 0 ? fabs(v) / step : 0;
	int digits = steps < 1e12 ? (int)ceil(log10(steps + 1)) + 2 : 12;

	snprintf(to, QUERY_LABEL_MAX, "%.*g%s", digits < 3 ? 3 : digits > 12 ? 12 : digits, v / scale, name);
	return to;
}

const char *query_axis_time(int64_t us, int64_t step_us, char to[QUERY_LABEL_MAX])
{
	time_t sec = (time_t)(us / SEC_US);
	const char *form = step_us < MIN_US ? "%H:%M:%S" : step_us < DAY_US ? "%H:%M" : "%b %d";
	struct tm tm;

	localtime_r(&sec, &tm);
	if (step_us >= HOUR_US && !tm.tm_hour && !tm.tm_min)
		form = "%b %d";
	strftime(to, QUERY_LABEL_MAX, form, &tm);
	return to;
}

/* The values of one series: the least and the greatest, and how far its points stand apart. */
static bool line_look(struct query_chart *c, size_t group, size_t metric, size_t *ret_gap)
{
	const struct query_agg_conf *conf = query_agg_conf(c->agg);
	size_t last = 0, gap = conf->n_slots;
	bool any = false;
	double v;

	for (size_t s = 0; s < conf->n_slots; s++) {
		if (!query_agg_at(c->agg, group, metric, s, &v) || !query_drawable(v))
			continue;
		if (any && s - last < gap)
			gap = s - last;
		c->low = v < c->low ? v : c->low;
		c->high = v > c->high ? v : c->high;
		last = s;
		any = true;
	}
	*ret_gap = 2 * gap; /* one may be missing */
	return any;
}

void query_chart_init(struct query_chart *c, const struct query_agg *a, const char *const *metrics)
{
	const struct query_agg_conf *conf = query_agg_conf(a);
	size_t groups = query_agg_groups(a), gap;

	*c = (struct query_chart){ .agg = a, .low = INFINITY, .high = -INFINITY };
	c->lines = xcalloc(groups * conf->n_metrics + 1, sizeof(*c->lines));
	for (size_t m = 0; m < conf->n_metrics; m++)
		for (size_t g = 0; g < groups; g++) {
			const char *name = query_agg_name(a, g);

			if (!line_look(c, g, m, &gap))
				continue;
			c->lines[c->n++] = (struct query_line){
				.name = conf->n_metrics == 1  ? xstrdup(name)
					: conf->by == BY_NONE ? xstrdup(metrics[m])
							      : xasprintf("%s %s", name, metrics[m]),
				.group = g,
				.metric = m,
				.gap = gap,
			};
		}
}

void query_chart_fini(struct query_chart *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->lines[i].name);
	free(c->lines);
}
