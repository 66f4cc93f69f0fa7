/* vmstat.c - counters of the virtual memory, a metric for each line of /proc/vmstat */
#include "plugins/keyval.h"

#define SOURCE "/proc/vmstat"

static int vmstat_open(struct samp *sp, struct err *err)
{
	return keyval_open(samp_state(sp), sp, SOURCE, "vmstat", ' ', err);
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
