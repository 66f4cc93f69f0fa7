/* meminfo.c - the machine's memory, a metric for each line of /proc/meminfo */
#include "plugins/keyval.h"

#define SOURCE "/proc/meminfo"

static const struct keyval_type meminfo = { SOURCE, "meminfo", ':', NULL,
					    "kB (HugePages_...: pages), see proc_meminfo(5)" };

static int meminfo_open(struct samp *sp, struct err *err)
{
	return keyval_open(samp_state(sp), sp, &meminfo, err);
}

static int meminfo_sample(struct samp *sp, struct err *err)
{
	return keyval_sample(samp_state(sp), sp, err);
}

static void meminfo_close(struct samp *sp)
{
	keyval_close(samp_state(sp));
}

const struct samp_type samp_meminfo = {
	.name = "meminfo",
	.brief = "memory of the machine (kB)",
	.source = SOURCE,
	.state_size = sizeof(struct keyval),
	.open = meminfo_open,
	.sample = meminfo_sample,
	.close = meminfo_close,
};
