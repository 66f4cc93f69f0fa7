/* vmstat.c - counters of the virtual memory, a metric for each line of /proc/vmstat */
#include "plugins/keyval.h"

#define SOURCE "/proc/vmstat"

/* What begins with nr_ is there now, and else it is what has happened; but for these. */
static enum metric_kind vmstat_kind(const char *name)
{
	static const char *const counters[] = { "nr_dirtied", "nr_foll_pin_", "nr_throttled_written",
						"nr_tlb_",    "nr_vmscan_",   "nr_written" };

	if (!strcmp(name, "workingset_nodes"))
		return METRIC_GAUGE;
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		if (!strncmp(name, counters[i], strlen(counters[i])))
			return METRIC_COUNTER;
	return strncmp(name, "nr_", 3) ? METRIC_COUNTER : METRIC_GAUGE;
}

static const struct keyval_type vmstat = { SOURCE, "vmstat", ' ', vmstat_kind, "pages or events, see proc_vmstat(5)" };

static int vmstat_open(struct samp *sp, struct err *err)
{
	return keyval_open(samp_state(sp), sp, &vmstat, err);
}

static int vmstat_sample(struct samp *sp, struct err *err)
{
	return keyval_sample(samp_state(sp), sp, err);
}

static void vmstat_close(struct samp *sp)
{
	keyval_close(samp_state(sp));
}

const struct samp_type samp_vmstat = {
	.name = "vmstat",
	.brief = "counters of the virtual memory",
	.source = SOURCE,
	.state_size = sizeof(struct keyval),
	.open = vmstat_open,
	.sample = vmstat_sample,
	.close = vmstat_close,
};
