/* jobid.c - the job that runs on this node, from a file of lines JOBID=, UID=, USER=, APPID= */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/proc.h"
#include "plugins/samp.h"

#define FILE_DFLT "/var/run/ldms.jobinfo"
#define USER_SIZE 40
#define USER_DFLT "root"

static const struct samp_attr attrs[] = {
	{ "file", FILE_DFLT, "the file" },
	{ NULL, NULL, NULL },
};

static const struct metric_def metrics[] = {
	{ "component_id", V_U64, "", METRIC_INFO, "number of the node", 1 },
	{ "job_id", V_U64, "", METRIC_GAUGE, "number of the job; 0: none", 1 },
	{ "uid", V_U64, "", METRIC_GAUGE, "its user", 1 },
	{ "username", V_CHAR_ARRAY, "", METRIC_GAUGE, "the user's name", USER_SIZE },
	{ "app_id", V_U64, "", METRIC_GAUGE, "number of its application", 1 },
	{ "job_start", V_U32, "", METRIC_INFO, "0: not known", 1 },
	{ "job_end", V_U32, "", METRIC_INFO, "0: not known", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { COMPONENT_ID, JOB_ID, UID, USERNAME, APP_ID, JOB_START, JOB_END, METRICS };

struct jobid {
	struct set *set;
	struct proc_file file;
	char *path;
	bool trouble; /* and it was said */
};

struct job {
	uint64_t job_id, uid, app_id;
	char user[USER_SIZE];
};

static int jobid_open(struct samp *sp, struct err *err)
{
	struct jobid *j = samp_state(sp);
	const char *file = samp_attr(sp, "file");
	int rc = samp_set_make(sp, samp_schema_bare(sp, "jobid", err), metrics, METRICS, NULL, &j->set, err);

	if (rc < 0)
		return rc;
	j->path = xasprintf("%s%s", samp_root(sp), file ? file : FILE_DFLT);
	return 0;
}

static int number(const char *line, const char *key, uint64_t *ret, struct err *err)
{
	char text[32];
	size_t n = strlen(key), len;

	if (strncmp(line, key, n))
		return 0;
	len = proc_word(line + n, 0);
	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1), line + n);
	return unit_u64(text, ret, err) ? err_prefix(err, -EINVAL, "%s: ", key) : 1;
}

static int job_parse(struct job *job, const char *p, struct err *err)
{
	bool any = false;
	int rc = 0;

	for (; rc >= 0 && *p; p = proc_next_line(p)) {
		rc = number(p, "JOBID=", &job->job_id, err);
		any |= rc > 0;
		if (!rc)
			rc = number(p, "UID=", &job->uid, err);
		if (!rc)
			rc = number(p, "APPID=", &job->app_id, err);
		if (!rc && !strncmp(p, "USER=", 5)) {
			size_t len = proc_word(p + 5, 0);

			snprintf(job->user, sizeof(job->user), "%.*s", (int)(len < USER_SIZE ? len : USER_SIZE), p + 5);
		}
	}
	return rc < 0 ? rc : any ? 0 : err_set(err, -EINVAL, "no line JOBID=NUMBER");
}

static int job_read(struct jobid *j, struct job *job, struct err *err)
{
	int rc = j->file.path ? 0 : proc_open(&j->file, "", j->path, err);

	if (!rc)
		rc = proc_read(&j->file, err);
	if (rc) {
		proc_close(&j->file); /* it is often replaced, not rewritten */
		return rc;
	}
	rc = job_parse(job, j->file.buf, err);
	proc_close(&j->file);
	return rc ? err_prefix(err, rc, "%s: ", j->path) : 0;
}

/* Without a file that makes sense no job runs. */
static int jobid_sample(struct samp *sp, struct err *err)
{
	struct jobid *j = samp_state(sp);
	struct job job = { .user = USER_DFLT };
	struct err why = { "" };
	int rc = job_read(j, &job, &why);

	if (rc) {
		job = (struct job){ .user = USER_DFLT };
		if (!j->trouble)
			log_warning("sampler", "%s: %s; job_id is 0 until that changes", samp_name(sp), why.msg);
	}
	j->trouble = rc;
	samp_begin(sp, j->set);
	set_u64(j->set, JOB_ID, job.job_id);
	set_u64(j->set, UID, job.uid);
	set_text(j->set, USERNAME, job.user, strlen(job.user));
	set_u64(j->set, APP_ID, job.app_id);
	samp_end(sp, j->set);
	return 0;
}

static void jobid_close(struct samp *sp)
{
	struct jobid *j = samp_state(sp);

	proc_close(&j->file);
	free(j->path);
}

const struct samp_type samp_jobid = {
	.name = "jobid",
	.brief = "the node's job, from a small file",
	.source = FILE_DFLT,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct jobid),
	.open = jobid_open,
	.sample = jobid_sample,
	.close = jobid_close,
};
