/* jobinfo.c - the job that runs on this node, as the prolog and the epilog of a batch system write it into a file; what
 * other samplers take as job_set= */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/jobinfo.h"
#include "core/base/xalloc.h"
#include "plugins/proc.h"
#include "plugins/samp.h"

static const struct samp_attr attrs[] = {
	{ "file", "$LDMS_JOBINFO_DATA_FILE, or /var/run/ldms_jobinfo.data", "the file" },
	{ NULL, NULL, NULL },
};

static const struct metric_def metrics[] = {
	{ "component_id", V_U64, "", METRIC_GAUGE, "number of the node", 1 },
	{ "job_id", V_U64, "", METRIC_GAUGE, "number of the job", 1 },
	{ "app_id", V_U64, "", METRIC_GAUGE, "number of its application", 1 },
	{ "job_status", V_U64, "", METRIC_GAUGE, "1: it runs, 2: it has ended", 1 },
	{ "user_id", V_U64, "", METRIC_GAUGE, "its user", 1 },
	{ "job_start", V_U64, "", METRIC_GAUGE, "when it began, in seconds", 1 },
	{ "job_end", V_U64, "", METRIC_GAUGE, "when it ended, in seconds; 0: not yet", 1 },
	{ "job_exit_status", V_U64, "", METRIC_GAUGE, "how it ended", 1 },
	{ "job_user", V_CHAR_ARRAY, "", METRIC_GAUGE, "name of its user", JOBINFO_TEXT_SIZE },
	{ "job_name", V_CHAR_ARRAY, "", METRIC_GAUGE, "its name", JOBINFO_TEXT_SIZE },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { COMPONENT_ID, JOB_ID, APP_ID, STATUS, USER_ID, START, END, EXIT_STATUS, USER, NAME, METRICS };

struct jobinfo_sampler {
	struct set *set;
	char *path;      /* below the root */
	struct stat was; /* of the file that was read last */
};

static int jobinfo_open(struct samp *sp, struct err *err)
{
	struct jobinfo_sampler *js = samp_state(sp);
	const char *file = samp_attr(sp, "file");
	int rc = samp_set_make(sp, samp_schema_bare(sp, "jobinfo", err), metrics, METRICS, NULL, &js->set, err);

	if (rc < 0)
		return rc;
	js->path = xasprintf("%s%s", samp_root(sp), file ? file : jobinfo_path());
	set_show(js->set);
	return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void set_fill(struct samp *sp, struct set *set, const struct jobinfo *ji)
{
	const uint64_t v[USER] = { samp_component_id(sp), ji->job_id,  ji->app_id, ji->status,
				   ji->user_id,           ji->start_s, ji->end_s,  ji->exit_status };

	samp_begin(sp, set);
	for (int i = 0; i < USER; i++)
		set_u64(set, i, v[i]);
	set_text(set, USER, ji->user, strlen(ji->user));
	set_text(set, NAME, ji->name, strlen(ji->name));
	samp_end(sp, set);
}

/* A look at the file costs one call; it is read when it has changed.  Without one there is no job, or the last one has
 * been told of already. */
static int jobinfo_sample(struct samp *sp, struct err *err)
{
	struct jobinfo_sampler *js = samp_state(sp);
	struct proc_file pf = { 0 };
	struct jobinfo ji;
	struct stat st;
	int rc;

	if (stat(js->path, &st)) {
		if (errno == ENOENT)
			return 0;
		return err_set(err, -errno, "%s: %s", js->path, err_name(errno));
	}
	if (is_same(&st, &js->was) || !st.st_size)
		return 0;
	rc = proc_open(&pf, "", js->path, err);
	if (!rc)
		rc = proc_read(&pf, err);
	if (!rc && (rc = jobinfo_parse(&ji, pf.buf, err)))
		err_prefix(err, rc, "%s: ", js->path);
	if (!rc) {
		js->was = st;
		set_fill(sp, js->set, &ji);
	}
	proc_close(&pf);
	return rc;
}

static void jobinfo_close(struct samp *sp)
{
	struct jobinfo_sampler *js = samp_state(sp);

	free(js->path);
}

const struct samp_type samp_jobinfo = {
	.name = "jobinfo",
	.brief = "the node's job, from a file of prolog and epilog",
	.source = JOBINFO_PATH_DFLT,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct jobinfo_sampler),
	.open = jobinfo_open,
	.sample = jobinfo_sample,
	.close = jobinfo_close,
};
