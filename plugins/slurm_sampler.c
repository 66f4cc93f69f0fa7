/* slurm_sampler.c - the jobs of a node, in slots: arrays with an element for each job, and arrays of tasks for each slot
 *
 * The set changes with the events that Slurm's notifier publishes, and with nothing else.  A job that has ended keeps its
 * slot until that is needed: the slots of ended jobs are used again in the order in which they ended.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/slurm_event.h"

#define JOBS_DFLT  8
#define JOBS_MAX   4096
#define TASKS_DFLT 64 /* where the number of processors is not to be had */
#define TASKS_MAX  65536

static const struct samp_attr attrs[] = {
	{ "stream", SLURM_STREAM_DFLT, "name of the stream and of the message channel with Slurm's events" },
	{ "job_count", "8", "jobs that are kept at a time" },
	{ "task_count", "the processors", "tasks that are kept of each" },
	{ NULL, NULL, NULL },
};

/* Elements of an array: one for each slot. */
enum { PER_SLOT = 0 };

static const struct metric_def metrics[] = {
	{ "component_id", V_U64_ARRAY, "", METRIC_INFO, "number of the node", PER_SLOT },
	{ "job_id", V_U64_ARRAY, "", METRIC_GAUGE, "number of the job in each slot", PER_SLOT },
	{ "app_id", V_U64_ARRAY, "", METRIC_GAUGE, "number of its step", PER_SLOT },
	{ "job_slot_list_tail", V_S32, "", METRIC_GAUGE, "element of job_slot_list with the newest job", 1 },
	{ "job_slot_list", V_S32_ARRAY, "", METRIC_GAUGE, "slots in the order of the jobs' begin; -1: none", PER_SLOT },
	{ "job_state", V_U8_ARRAY, "", METRIC_GAUGE, "0 free, 1 starting, 2 running, 3 stopping, 4 complete",
	  PER_SLOT },
	{ "job_size", V_U32_ARRAY, "", METRIC_GAUGE, "tasks on all its nodes", PER_SLOT },
	{ "job_uid", V_U32_ARRAY, "", METRIC_GAUGE, "its user", PER_SLOT },
	{ "job_gid", V_U32_ARRAY, "", METRIC_GAUGE, "its group", PER_SLOT },
	{ "job_start", V_U32_ARRAY, "", METRIC_GAUGE, "when it began, in seconds", PER_SLOT },
	{ "job_end", V_U32_ARRAY, "", METRIC_GAUGE, "when it ended, in seconds; 0: not yet", PER_SLOT },
	{ "node_count", V_U32_ARRAY, "", METRIC_GAUGE, "its nodes", PER_SLOT },
	{ "task_count", V_U32_ARRAY, "", METRIC_GAUGE, "its tasks on this node", PER_SLOT },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { COMPONENT_ID, JOB_ID, APP_ID, LIST_TAIL, LIST, STATE, SIZE, UID, GID, START, END, NODES, TASKS, METRICS };

/* Behind these, of each kind one for each slot: NAME_0, NAME_1, ... */
static const struct metric_def slot_metrics[] = {
	{ "task_pid", V_U32_ARRAY, "", METRIC_GAUGE, "process numbers of the tasks of the job in this slot", 0 },
	{ "task_rank", V_U32_ARRAY, "", METRIC_GAUGE, "their numbers in the whole job", 0 },
	{ "task_exit_status", V_U32_ARRAY, "", METRIC_GAUGE, "how they ended", 0 },
	{ "user", V_CHAR_ARRAY, "", METRIC_GAUGE, "name of its user", 32 },
	{ "job_name", V_CHAR_ARRAY, "", METRIC_GAUGE, "its name", 256 },
	{ "job_tag", V_CHAR_ARRAY, "", METRIC_GAUGE, "job_tag of subscriber_data", 256 },
};
enum { TASK_PID, TASK_RANK, TASK_EXIT, USER, NAME, TAG, SLOT_METRICS };

struct slurm_sampler {
	struct set *set;
	uint32_t slots, tasks;
	uint32_t list_next;  /* element of job_slot_list for the next job */
	uint32_t *free_list; /* slots that may be used, a ring: from the one that is free for longest */
	uint32_t free_head, free_n;
};

static int conf_read(struct samp *sp, struct slurm_sampler *ss, struct err *err)
{
	cpu_set_t cpus;
	uint64_t slots, tasks;
	uint64_t dflt = sched_getaffinity(0, sizeof(cpus), &cpus) ? TASKS_DFLT : (uint64_t)CPU_COUNT(&cpus);
	int rc = attr_range(sp, "job_count", JOBS_DFLT, 1, JOBS_MAX, &slots, err);

	if (!rc)
		rc = attr_range(sp, "task_count", dflt, 1, TASKS_MAX, &tasks, err);
	if (rc)
		return rc;
	ss->slots = (uint32_t)slots;
	ss->tasks = (uint32_t)tasks;
	return 0;
}

static int slurm_check(struct samp *sp, struct err *err)
{
	struct slurm_sampler ss;

	return conf_read(sp, &ss, err);
}

/* -- the set ------------------------------------------------------------------------------------------------------- */

static int slot_metrics_add(const struct slurm_sampler *ss, struct schema *s, struct err *err)
{
	int rc = 0;

	for (int k = 0; rc >= 0 && k < SLOT_METRICS; k++) {
		const struct metric_def *def = &slot_metrics[k];

		for (uint32_t i = 0; rc >= 0 && i < ss->slots; i++) {
			char name[64];

			snprintf(name, sizeof(name), "%s_%u", def->name, i);
			rc = schema_add_array(s, name, def->type, def->count ? def->count : ss->tasks, def->unit, err);
			if (rc >= 0)
				schema_about_set(s, rc, def->kind, def->help);
		}
	}
	return rc;
}

static int metrics_add(const struct slurm_sampler *ss, struct schema *s, struct err *err)
{
	int rc = 0;

	for (int i = 0; rc >= 0 && i < METRICS; i++) {
		rc = metrics[i].count == PER_SLOT
			     ? schema_add_array(s, metrics[i].name, metrics[i].type, ss->slots, metrics[i].unit, err)
			     : schema_add(s, metrics[i].name, metrics[i].type, metrics[i].unit, err);
		if (rc >= 0)
			schema_about_set(s, rc, metrics[i].kind, metrics[i].help);
	}
	return rc < 0 ? rc : slot_metrics_add(ss, s, err);
}

/* Element of an array (0 of a scalar), as wide as its type. */
static void put(struct slurm_sampler *ss, int metric, uint32_t i, uint64_t v)
{
	size_t size = value_elem_size(metrics[metric].type);
	uint8_t *to = (uint8_t *)set_slot(ss->set, metric) + i * size;

	v = htole64(v);
	memcpy(to, &v, size);
}

static int slot_metric(const struct slurm_sampler *ss, int kind, uint32_t slot)
{
	return METRICS + kind * (int)ss->slots + (int)slot;
}

static void task_put(struct slurm_sampler *ss, int kind, uint32_t slot, uint32_t task, uint64_t v)
{
	uint32_t le = htole32((uint32_t)v);

	memcpy((uint8_t *)set_slot(ss->set, slot_metric(ss, kind, slot)) + task * sizeof(le), &le, sizeof(le));
}

static void text_put(struct slurm_sampler *ss, int kind, uint32_t slot, const char *text)
{
	size_t len = text ? strlen(text) : 0, max = slot_metrics[kind].count - 1;

	set_text(ss->set, slot_metric(ss, kind, slot), text ? text : "", len < max ? len : max);
}

static uint64_t get(const struct slurm_sampler *ss, int metric, uint32_t i)
{
	size_t size = value_elem_size(metrics[metric].type);
	uint64_t v = 0;

	memcpy(&v, (const uint8_t *)set_slot(ss->set, metric) + i * size, size);
	return le64toh(v);
}

/* -- events -------------------------------------------------------------------------------------------------------- */

static bool is_tracked(const struct slurm_sampler *ss, uint32_t slot)
{
	uint64_t state = get(ss, STATE, slot);

	return state != SLURM_FREE && state != SLURM_COMPLETE;
}

static int slot_find(const struct slurm_sampler *ss, uint64_t job_id)
{
	for (uint32_t i = 0; i < ss->slots; i++)
		if (is_tracked(ss, i) && get(ss, JOB_ID, i) == job_id)
			return (int)i;
	return -1;
}

static void counts_put(struct slurm_sampler *ss, uint32_t slot, const struct slurm_event *ev)
{
	static const struct {
		const char *name;
		int metric;
	} counts[] = {
		{ "nnodes", NODES }, { "local_tasks", TASKS }, { "total_tasks", SIZE }, { "uid", UID }, { "gid", GID }
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (slurm_event_has(ev, counts[i].name))
			put(ss, counts[i].metric, slot, slurm_event_u64(ev, counts[i].name, 0));
}

static int job_begin(struct slurm_sampler *ss, const struct slurm_event *ev, struct err *err)
{
	uint32_t slot;

	if (slot_find(ss, ev->job_id) >= 0)
		return 0;
	if (!ss->free_n)
		return err_set(err, -ENOSPC, "job %llu: %u jobs are running already; raise job_count=",
			       (unsigned long long)ev->job_id, ss->slots);
	if (!slurm_event_has(ev, "total_tasks"))
		return err_set(err, -EINVAL, "'data.total_tasks' is missing; job %llu is ignored",
			       (unsigned long long)ev->job_id);
	slot = ss->free_list[ss->free_head];
	ss->free_head = (ss->free_head + 1) % ss->slots;
	ss->free_n--;
	put(ss, LIST_TAIL, 0, ss->list_next);
	put(ss, LIST, ss->list_next, slot);
	ss->list_next = (ss->list_next + 1) % ss->slots;
	put(ss, JOB_ID, slot, ev->job_id);
	put(ss, APP_ID, slot, 0);
	put(ss, STATE, slot, SLURM_STARTING);
	put(ss, START, slot, ev->timestamp_s);
	put(ss, END, slot, 0);
	for (int i = SIZE; i <= GID; i++)
		put(ss, i, slot, 0);
	for (int k = TASK_PID; k <= TASK_EXIT; k++)
		memset(set_slot(ss->set, slot_metric(ss, k, slot)), 0, ss->tasks * sizeof(uint32_t));
	for (int k = USER; k <= TAG; k++)
		text_put(ss, k, slot, NULL); /* not those of the job before */
	counts_put(ss, slot, ev);
	return 0;
}

static void step_begin(struct slurm_sampler *ss, uint32_t slot, const struct slurm_event *ev)
{
	put(ss, APP_ID, slot, slurm_event_u64(ev, "step_id", 0));
	text_put(ss, USER, slot, slurm_event_text(ev, "job_user"));
	text_put(ss, NAME, slot, slurm_event_text(ev, "job_name"));
	text_put(ss, TAG, slot, slurm_event_job_tag(ev));
	counts_put(ss, slot, ev);
}

/* Its place in the arrays of tasks. */
static int task_of(const struct slurm_sampler *ss, const struct slurm_event *ev, uint32_t *ret, struct err *err)
{
	uint64_t task = slurm_event_u64(ev, "task_id", UINT64_MAX);

	if (task >= ss->tasks)
		return err_set(err, -ERANGE,
			       "job %llu: task_id is missing, or more than the %u that fit; raise task_count=",
			       (unsigned long long)ev->job_id, ss->tasks);
	*ret = (uint32_t)task;
	return 0;
}

static int task_change(struct slurm_sampler *ss, uint32_t slot, const struct slurm_event *ev, struct err *err)
{
	uint32_t task = 0;
	int rc = task_of(ss, ev, &task, err);

	if (rc)
		return rc;
	if (ev->kind == SLURM_TASK_INIT) {
		task_put(ss, TASK_PID, slot, task, slurm_event_u64(ev, "task_pid", 0));
		task_put(ss, TASK_RANK, slot, task, slurm_event_u64(ev, "task_global_id", 0));
		if (get(ss, STATE, slot) < SLURM_RUNNING)
			put(ss, STATE, slot, SLURM_RUNNING);
	} else {
		task_put(ss, TASK_EXIT, slot, task, slurm_event_u64(ev, "task_exit_status", 0));
		if (get(ss, STATE, slot) < SLURM_STOPPING)
			put(ss, STATE, slot, SLURM_STOPPING);
	}
	return 0;
}

static void job_end(struct slurm_sampler *ss, uint32_t slot, const struct slurm_event *ev)
{
	put(ss, END, slot, ev->timestamp_s);
	put(ss, STATE, slot, SLURM_COMPLETE);
	ss->free_list[(ss->free_head + ss->free_n++) % ss->slots] = slot;
}

static int event_apply(struct slurm_sampler *ss, const struct slurm_event *ev, struct err *err)
{
	int slot = slot_find(ss, ev->job_id);

	if (ev->kind == SLURM_INIT)
		return job_begin(ss, ev, err);
	if (slot < 0)
		return slurm_event_stray(ev, err);
	if (ev->kind == SLURM_STEP_INIT)
		step_begin(ss, (uint32_t)slot, ev);
	else if (ev->kind == SLURM_EXIT)
		job_end(ss, (uint32_t)slot, ev);
	else
		return task_change(ss, (uint32_t)slot, ev, err);
	return 0;
}

static int slurm_take(struct samp *sp, const struct samp_msg *m, struct err *err)
{
	struct slurm_sampler *ss = samp_state(sp);
	struct slurm_event ev;
	int rc = slurm_event_read(&ev, m, true, err);

	if (!rc && ev.kind != SLURM_OTHER) {
		samp_begin(sp, ss->set);
		rc = event_apply(ss, &ev, err);
		if (rc)
			samp_cancel(sp, ss->set);
		else
			samp_end(sp, ss->set);
	}
	slurm_event_fini(&ev);
	return rc;
}

static int slurm_open(struct samp *sp, struct err *err)
{
	struct slurm_sampler *ss = samp_state(sp);
	int rc = conf_read(sp, ss, err);
	struct schema *s;

	if (rc)
		return rc;
	s = samp_schema_bare(sp, "mt-slurm", err);
	if (!s)
		return -EINVAL;
	rc = metrics_add(ss, s, err);
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	ss->set = samp_set_new(sp, s, "", err);
	if (!ss->set)
		return -ENOMEM;
	ss->free_list = xcalloc(ss->slots, sizeof(*ss->free_list));
	ss->free_n = ss->slots;
	for (uint32_t i = 0; i < ss->slots; i++) {
		ss->free_list[i] = i;
		put(ss, COMPONENT_ID, i, samp_component_id(sp));
		put(ss, LIST, i, UINT32_MAX);
	}
	set_show(ss->set);
	return slurm_event_subscribe(sp, slurm_take, err);
}

static void slurm_close(struct samp *sp)
{
	struct slurm_sampler *ss = samp_state(sp);

	free(ss->free_list);
}

const struct samp_type samp_slurm_sampler = {
	.name = "slurm_sampler",
	.brief = "Slurm's jobs on this node, in slots",
	.source = "Slurm's events",
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct slurm_sampler),
	.check = slurm_check,
	.open = slurm_open,
	.close = slurm_close,
};
