/* linux_proc_set.c - the set of an announced process: see linux_proc_impl.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/linux_proc_impl.h"

/* In front of those of linux_proc_table.c. */
const struct metric_def lp_front_metrics[] = {
	{ "task_rank", V_U64, "", METRIC_INFO, "number of the task in its job", 1 },
	{ "start_time", V_CHAR_ARRAY, "", METRIC_INFO, "when the process began, in seconds", LP_TIME_SIZE },
	{ "start_tick", V_U64, "", METRIC_INFO, "the same, in ticks since the node did", 1 },
	{ "is_thread", V_U8, "", METRIC_INFO, "1: a thread of another process", 1 },
	{ "parent", V_S64, "", METRIC_INFO, "process that made it", 1 },
	{ "exe", V_CHAR_ARRAY, "", METRIC_INFO, "path of its program", 512 },
	{ "sc_clk_tck", V_S64, "", METRIC_INFO, "ticks of a second", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { RANK, START_TIME, START_TICK, IS_THREAD, PARENT, EXE, SC_CLK_TCK, METRICS };

static struct schema *process_schema(struct samp *sp, struct linux_proc *lp, int *ret_first, struct err *err)
{
	struct schema *s = samp_schema_new(sp, lp->schema, err);
	size_t n = lp->app ? RANK + 1 : lp->conf.sc_clk_tck ? METRICS : SC_CLK_TCK;
	int rc = s ? schema_add_defs(s, lp_front_metrics, n, err) : -EINVAL;

	*ret_first = rc;
	for (size_t i = 0; rc >= 0 && i < lp_metrics_n(); i++) {
		lp->choice.index[i] = -1;
		if (!lp->conf.wanted[i])
			continue;
		rc = lp->choice.index[i] = schema_add_defs(s, &lp_metrics[i].def, 1, err);
		lp->choice.source[lp_metrics[i].source] = true;
	}
	if (rc >= 0)
		return s;
	schema_free(s);
	return NULL;
}

static char *process_name(struct samp *sp, const struct linux_proc *lp, const struct lp_process *p)
{
	const struct lp_conf *c = &lp->conf;
	char who[64];

	if (lp->app)
		return xasprintf("%s/app_sampler/%s/%d", samp_producer(sp), p->job, p->pid);
	if (p->task_rank >= 0)
		snprintf(who, sizeof(who), "rank/%lld", (long long)p->task_rank);
	else
		snprintf(who, sizeof(who), "%d", p->pid);
	return xasprintf("%s%s%s/%s/%s/%s%s%s", c->prefix ? c->prefix : "", c->prefix ? "/" : "", samp_producer(sp),
			 p->job, p->start_time, who, c->exe_suffix ? "/" : "", c->exe_suffix ? p->exe : "");
}

static void meta_number(struct set *set, int i, uint64_t v)
{
	v = htole64(v);
	set_meta_put(set, i, &v, sizeof(v));
}

static void process_fill(struct lp_process *p, const struct linux_proc *lp, int first)
{
	uint8_t thread = p->is_thread;
	size_t len = strlen(p->exe), most = lp_front_metrics[EXE].count - 1;

	meta_number(p->set, first + RANK, (uint64_t)p->task_rank);
	if (lp->app)
		return;
	set_meta_text(p->set, first + START_TIME, p->start_time, strlen(p->start_time));
	meta_number(p->set, first + START_TICK, p->start_tick);
	set_meta_put(p->set, first + IS_THREAD, &thread, sizeof(thread));
	meta_number(p->set, first + PARENT, (uint64_t)p->parent);
	set_meta_text(p->set, first + EXE, p->exe, len < most ? len : most);
	if (lp->conf.sc_clk_tck)
		meta_number(p->set, first + SC_CLK_TCK, (uint64_t)sysconf(_SC_CLK_TCK));
}

int lp_process_set(struct samp *sp, struct linux_proc *lp, struct lp_process *p, struct err *err)
{
	int first;
	struct schema *s = process_schema(sp, lp, &first, err);
	char *name;

	if (!s)
		return -EINVAL;
	name = process_name(sp, lp, p);
	p->set = samp_set_named(sp, s, name, err);
	free(name);
	if (!p->set)
		return -ENOMEM;
	samp_set_job(sp, p->set, p->job_id, p->app_id);
	process_fill(p, lp, first);
	return 0;
}
