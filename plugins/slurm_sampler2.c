/* slurm_sampler2.c - the jobs of a node and their tasks, as two lists of records
 *
 * The set changes with the events that Slurm's notifier publishes, and with nothing else.  Jobs and tasks are kept here,
 * and the lists are written anew with each event; a set that has become too small for them is made anew, larger.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/slurm_event.h"

#define ROOM_DFLT   8
#define JOBS_MAX    65536 /* kept at a time: events come from strangers */
#define TASKS_MAX   1000000
#define DELETE_DFLT 5
#define NEVER       (-1)

static const struct samp_attr attrs[] = {
	{ "stream", SLURM_STREAM_DFLT, "name of the stream and of the message channel with Slurm's events" },
	{ "delete_time", "5",
	  "seconds after its end a job is left out, when another one begins; 0: the next one that begins, -1: never" },
	{ "job_count", "8", "jobs that there is room for in the beginning" },
	{ "task_count", "8", "tasks that there is room for in the beginning" },
	{ NULL, NULL, NULL },
};

/* Members in the order of struct job. */
static const struct metric_def job_members[] = {
	{ "job_id", V_U64, NULL, METRIC_GAUGE, "number of the job", 1 },
	{ "app_id", V_U64, NULL, METRIC_GAUGE, "number of its step", 1 },
	{ "user", V_CHAR_ARRAY, NULL, METRIC_GAUGE, "name of its user", 32 },
	{ "job_name", V_CHAR_ARRAY, NULL, METRIC_GAUGE, "its name", 256 },
	{ "job_tag", V_CHAR_ARRAY, NULL, METRIC_GAUGE, "job_tag of subscriber_data", 256 },
	{ "job_state", V_U8, NULL, METRIC_GAUGE, "0 free, 1 starting, 2 running, 3 stopping, 4 complete", 1 },
	{ "job_size", V_U32, NULL, METRIC_GAUGE, "tasks on all its nodes", 1 },
	{ "job_uid", V_U32, NULL, METRIC_GAUGE, "its user", 1 },
	{ "job_gid", V_U32, NULL, METRIC_GAUGE, "its group", 1 },
	{ "job_start", V_U32, "timestamp", METRIC_GAUGE, "when it began, in seconds", 1 },
	{ "job_end", V_U32, "timestamp", METRIC_GAUGE, "when it ended, in seconds; 0: not yet", 1 },
	{ "node_count", V_U32, NULL, METRIC_GAUGE, "its nodes", 1 },
	{ "task_count", V_U32, NULL, METRIC_GAUGE, "its tasks on this node", 1 },
};
enum { JOB_ID, APP_ID, USER, NAME, TAG, STATE, SIZE, UID, GID, START, END, NODES, TASKS, JOB_MEMBERS };

static const struct metric_def task_members[] = {
	{ "job_id", V_U64, NULL, METRIC_GAUGE, "number of its job", 1 },
	{ "task_pid", V_U32, NULL, METRIC_GAUGE, "number of the process", 1 },
	{ "task_rank", V_U32, NULL, METRIC_GAUGE, "its number in the whole job", 1 },
	{ "task_exit_status", V_U32, NULL, METRIC_GAUGE, "how it ended", 1 },
};
enum { TASK_JOB, TASK_PID, TASK_RANK, TASK_EXIT, TASK_MEMBERS };

struct job {
	uint64_t v[JOB_MEMBERS]; /* the numbers among the members */
	char *text[TAG + 1];     /* USER, NAME, TAG; NULL: "" */
};

struct task {
	uint64_t v[TASK_MEMBERS];
};

struct slurm_sampler2 {
	struct set *set;
	int job_type, task_type, job_list, task_list;
	int64_t delete_s;
	uint64_t job_room, task_room;
	struct job *jobs;
	size_t n_jobs;
	struct task *tasks;
	size_t n_tasks;
};

static int conf_read(struct samp *sp, struct slurm_sampler2 *ss, struct err *err)
{
	const char *text = samp_attr(sp, "delete_time");
	char *end;
	int rc = attr_range(sp, "job_count", ROOM_DFLT, 1, JOBS_MAX, &ss->job_room, err);

	if (!rc)
		rc = attr_range(sp, "task_count", ROOM_DFLT, 1, TASKS_MAX, &ss->task_room, err);
	if (rc)
		return rc;
	ss->delete_s = text ? strtoll(text, &end, 10) : DELETE_DFLT;
	if (text && (end == text || *end || ss->delete_s < NEVER || ss->delete_s > INT32_MAX))
		return err_set(err, -EINVAL, "delete_time=%s: must be seconds, or -1 for never", text);
	return 0;
}

static int slurm2_check(struct samp *sp, struct err *err)
{
	struct slurm_sampler2 ss;

	return conf_read(sp, &ss, err);
}

/* -- the set ------------------------------------------------------------------------------------------------------- */

static int metrics_add(struct slurm_sampler2 *ss, struct schema *s, struct err *err)
{
	int rc = schema_add(s, "component_id", V_U64, "", err);

	if (rc >= 0)
		rc = ss->job_type = schema_add_record(s, "job_data", job_members, JOB_MEMBERS, err);
	if (rc >= 0)
		rc = ss->task_type = schema_add_record(s, "task_data", task_members, TASK_MEMBERS, err);
	if (rc >= 0)
		rc = ss->job_list = schema_add_list(s, "job_list", NULL,
						    (uint32_t)schema_record_heap(s, ss->job_type, ss->job_room), err);
	if (rc >= 0)
		rc = ss->task_list = schema_add_list(
			s, "task_list", "", (uint32_t)schema_record_heap(s, ss->task_type, ss->task_room), err);
	return rc;
}

static int set_make(struct samp *sp, struct slurm_sampler2 *ss, struct err *err)
{
	struct schema *s = samp_schema_bare(sp, "mt-slurm2", err);
	int rc = s ? metrics_add(ss, s, err) : -EINVAL;

	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	samp_set_drop(sp, ss->set);
	ss->set = samp_set_new(sp, s, "", err);
	if (!ss->set)
		return -ENOMEM;
	set_show(ss->set);
	return 0;
}

/* Member i of a record whose members are `defs`. */
static void number_put(struct set *set, struct record *r, int i, enum value_type t, uint64_t v)
{
	v = htole64(v);
	memcpy(record_slot(set, r, i), &v, value_elem_size(t));
}

static void job_put(struct set *set, struct record *r, const struct job *job)
{
	for (int i = 0; i < JOB_MEMBERS; i++) {
		const char *text = i >= USER && i <= TAG && job->text[i] ? job->text[i] : "";
		size_t len = strlen(text), max = job_members[i].count - 1;

		if (i >= USER && i <= TAG)
			record_text(set, r, i, text, len < max ? len : max);
		else
			number_put(set, r, i, job_members[i].type, job->v[i]);
	}
}

/* Both lists; false: they do not fit. */
static bool lists_put(struct slurm_sampler2 *ss)
{
	struct record *r;

	list_clear(ss->set, ss->job_list);
	for (size_t i = 0; i < ss->n_jobs; i++) {
		r = list_append_record(ss->set, ss->job_list, ss->job_type);
		if (!r)
			return false;
		job_put(ss->set, r, &ss->jobs[i]);
	}
	list_clear(ss->set, ss->task_list);
	for (size_t i = 0; i < ss->n_tasks; i++) {
		r = list_append_record(ss->set, ss->task_list, ss->task_type);
		if (!r)
			return false;
		for (int k = 0; k < TASK_MEMBERS; k++)
			number_put(ss->set, r, k, task_members[k].type, ss->tasks[i].v[k]);
	}
	return true;
}

static int set_write(struct samp *sp, struct slurm_sampler2 *ss, struct err *err)
{
	int rc;

	if (ss->set) {
		samp_begin(sp, ss->set);
		if (lists_put(ss)) {
			samp_end(sp, ss->set);
			return 0;
		}
		samp_cancel(sp, ss->set);
	}
	while (ss->job_room < ss->n_jobs)
		ss->job_room *= 2;
	while (ss->task_room < ss->n_tasks)
		ss->task_room *= 2;
	rc = set_make(sp, ss, err);
	if (rc)
		return rc;
	samp_begin(sp, ss->set);
	lists_put(ss);
	samp_end(sp, ss->set);
	return 0;
}

/* -- jobs and tasks ------------------------------------------------------------------------------------------------ */

static void job_fini(struct job *job)
{
	for (int i = USER; i <= TAG; i++)
		free(job->text[i]);
}

/* That runs: an ended one may have had the same number. */
static struct job *job_find(struct slurm_sampler2 *ss, uint64_t job_id)
{
	for (size_t i = ss->n_jobs; i > 0; i--)
		if (ss->jobs[i - 1].v[JOB_ID] == job_id && ss->jobs[i - 1].v[STATE] != SLURM_COMPLETE)
			return &ss->jobs[i - 1];
	return NULL;
}

static void tasks_drop(struct slurm_sampler2 *ss, uint64_t job_id)
{
	size_t n = 0;

	for (size_t i = 0; i < ss->n_tasks; i++)
		if (ss->tasks[i].v[TASK_JOB] != job_id)
			ss->tasks[n++] = ss->tasks[i];
	ss->n_tasks = n;
}

static bool is_over(const struct slurm_sampler2 *ss, const struct job *job, int64_t now_s)
{
	if (job->v[STATE] != SLURM_COMPLETE || ss->delete_s == NEVER)
		return false;
	return !ss->delete_s || now_s - (int64_t)job->v[END] > ss->delete_s;
}

/* Those that ended long enough ago. */
static void jobs_clean(struct slurm_sampler2 *ss)
{
	int64_t now_s = wall_us() / SEC_US;
	size_t n = 0;

	for (size_t i = 0; i < ss->n_jobs; i++) {
		if (!is_over(ss, &ss->jobs[i], now_s)) {
			ss->jobs[n++] = ss->jobs[i];
			continue;
		}
		tasks_drop(ss, ss->jobs[i].v[JOB_ID]);
		job_fini(&ss->jobs[i]);
	}
	ss->n_jobs = n;
}

static void counts_put(struct job *job, const struct slurm_event *ev)
{
	static const struct {
		const char *name;
		int member;
	} counts[] = {
		{ "nnodes", NODES }, { "local_tasks", TASKS }, { "total_tasks", SIZE }, { "uid", UID }, { "gid", GID }
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		job->v[counts[i].member] = slurm_event_u64(ev, counts[i].name, job->v[counts[i].member]);
}

static int job_begin(struct slurm_sampler2 *ss, const struct slurm_event *ev, struct err *err)
{
	struct job *job;

	if (job_find(ss, ev->job_id))
		return 0;
	if (!slurm_event_has(ev, "total_tasks"))
		return err_set(err, -EINVAL, "'data.total_tasks' is missing; job %llu is ignored",
			       (unsigned long long)ev->job_id);
	jobs_clean(ss);
	if (ss->n_jobs >= JOBS_MAX)
		return err_set(err, -ENOSPC, "job %llu: there are %d jobs already; lower delete_time=",
			       (unsigned long long)ev->job_id, JOBS_MAX);
	tasks_drop(ss, ev->job_id); /* of one that had this number before */
	ss->jobs = xrealloc(ss->jobs, (ss->n_jobs + 1) * sizeof(*ss->jobs));
	job = &ss->jobs[ss->n_jobs++];
	*job = (struct job){ 0 };
	job->v[JOB_ID] = ev->job_id;
	job->v[STATE] = SLURM_STARTING;
	job->v[START] = ev->timestamp_s;
	counts_put(job, ev);
	return 0;
}

static void text_take(struct job *job, int i, const char *text)
{
	free(job->text[i]);
	job->text[i] = xstrdup(text);
}

static void step_begin(struct job *job, const struct slurm_event *ev)
{
	job->v[APP_ID] = slurm_event_u64(ev, "step_id", 0);
	text_take(job, USER, slurm_event_text(ev, "job_user"));
	text_take(job, NAME, slurm_event_text(ev, "job_name"));
	text_take(job, TAG, slurm_event_job_tag(ev));
	counts_put(job, ev);
}

static int task_begin(struct slurm_sampler2 *ss, struct job *job, const struct slurm_event *ev, struct err *err)
{
	if (ss->n_tasks >= TASKS_MAX)
		return err_set(err, -ENOSPC, "job %llu: there are %d tasks already", (unsigned long long)ev->job_id,
			       TASKS_MAX);
	ss->tasks = xrealloc(ss->tasks, (ss->n_tasks + 1) * sizeof(*ss->tasks));
	ss->tasks[ss->n_tasks++] = (struct task){ { ev->job_id, slurm_event_u64(ev, "task_pid", 0),
						    slurm_event_u64(ev, "task_global_id", 0), 0 } };
	if (job->v[STATE] < SLURM_RUNNING)
		job->v[STATE] = SLURM_RUNNING;
	return 0;
}

static int task_end(struct slurm_sampler2 *ss, struct job *job, const struct slurm_event *ev, struct err *err)
{
	uint64_t pid = slurm_event_u64(ev, "task_pid", 0);
	struct task *task = NULL;

	for (size_t i = 0; i < ss->n_tasks; i++)
		if (ss->tasks[i].v[TASK_JOB] == ev->job_id && ss->tasks[i].v[TASK_PID] == pid)
			task = &ss->tasks[i];
	if (job->v[STATE] < SLURM_STOPPING)
		job->v[STATE] = SLURM_STOPPING;
	if (!task)
		return err_set(err, -ENOENT, "job %llu: task_exit of process %llu, which is no task of it",
			       (unsigned long long)ev->job_id, (unsigned long long)pid);
	task->v[TASK_EXIT] = slurm_event_u64(ev, "task_exit_status", 0);
	return 0;
}

static int event_apply(struct slurm_sampler2 *ss, const struct slurm_event *ev, struct err *err)
{
	struct job *job = job_find(ss, ev->job_id);

	if (ev->kind == SLURM_INIT)
		return job_begin(ss, ev, err);
	if (!job)
		return slurm_event_stray(ev, err);
	switch (ev->kind) {
	case SLURM_STEP_INIT:
		step_begin(job, ev);
		return 0;
	case SLURM_TASK_INIT:
		return task_begin(ss, job, ev, err);
	case SLURM_TASK_EXIT:
		return task_end(ss, job, ev, err);
	default:
		job->v[STATE] = SLURM_COMPLETE;
		job->v[END] = ev->timestamp_s;
		return 0;
	}
}

static int slurm2_take(struct samp *sp, const struct samp_msg *m, struct err *err)
{
	struct slurm_sampler2 *ss = samp_state(sp);
	struct slurm_event ev;
	int rc = slurm_event_read(&ev, m, true, err);

	if (!rc && ev.kind != SLURM_OTHER) {
		rc = event_apply(ss, &ev, err);
		if (!rc)
			rc = set_write(sp, ss, err);
	}
	slurm_event_fini(&ev);
	return rc;
}

static int slurm2_open(struct samp *sp, struct err *err)
{
	struct slurm_sampler2 *ss = samp_state(sp);
	int rc = conf_read(sp, ss, err);

	if (!rc)
		rc = set_make(sp, ss, err);
	return rc ? rc : slurm_event_subscribe(sp, slurm2_take, err);
}

static void slurm2_close(struct samp *sp)
{
	struct slurm_sampler2 *ss = samp_state(sp);

	for (size_t i = 0; i < ss->n_jobs; i++)
		job_fini(&ss->jobs[i]);
	free(ss->jobs);
	free(ss->tasks);
}

const struct samp_type samp_slurm_sampler2 = {
	.name = "slurm_sampler2",
	.brief = "Slurm's jobs and tasks on this node, as lists",
	.source = "Slurm's events",
	.attrs = attrs,
	.state_size = sizeof(struct slurm_sampler2),
	.check = slurm2_check,
	.open = slurm2_open,
	.close = slurm2_close,
};
