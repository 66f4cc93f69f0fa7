/* linux_proc_impl.h - the samplers of announced processes, linux_proc_sampler and app_sampler, as their files know them. */
#ifndef PLUGINS_LINUX_PROC_IMPL_H
#define PLUGINS_LINUX_PROC_IMPL_H

#include "plugins/linux_proc_msg.h"

struct linux_proc {
	bool app; /* app_sampler: less in front, other names */
	struct lp_conf conf;
	struct lp_choice choice;
	struct lp_sender sender;
	char *schema;
	struct buf text;
	int proc_fd;
	uint64_t btime_s;
	struct lp_process *processes;
	uint64_t samples;
};

/* In front of those of linux_proc_table.c, for help. */
extern const struct metric_def lp_front_metrics[];

/* Its set, if it is to have one. */
int lp_process_set(struct samp *sp, struct linux_proc *lp, struct lp_process *p, struct err *err);

/* What both samplers do. */
int lp_check(struct samp *sp, struct err *err);
int lp_open(struct samp *sp, struct err *err);
int lp_sample(struct samp *sp, struct err *err);
void lp_close(struct samp *sp);

#endif
