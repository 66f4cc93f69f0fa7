/* app_sampler.c - the older form of linux_proc_sampler: the tasks of Slurm's jobs, under other names and with less in front */
#include "plugins/linux_proc_impl.h"

static const struct samp_attr attrs[] = {
	{ "metrics", "all", "names of the metrics to keep, separated by commas" },
	{ "cfg_file", NULL, "a JSON file with metrics and message_tag, in place of those given here" },
	{ "message_tag", "slurm", "message channel with the events of tasks" },
	{ "stream", "slurm", "the same, by its older name" },
	{ NULL, NULL, NULL },
};

static int app_open(struct samp *sp, struct err *err)
{
	struct linux_proc *lp = samp_state(sp);

	lp->app = true;
	return lp_open(sp, err);
}

const struct samp_type samp_app_sampler = {
	.name = "app_sampler",
	.brief = "tasks of Slurm's jobs, a set for each",
	.source = "Slurm's events",
	.attrs = attrs,
	.state_size = sizeof(struct linux_proc),
	.check = lp_check,
	.open = app_open,
	.sample = lp_sample,
	.close = lp_close,
};
