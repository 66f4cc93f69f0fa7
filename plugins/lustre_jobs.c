/* lustre_jobs.c - see lustre_jobs.h */
#include "plugins/lustre_jobs.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

#define JOB        "- job_id:"
#define SNAPSHOT   "  snapshot_time:"
#define RECORD_MAX 8192 /* bytes of a job: the kernel hands them out one by one */

struct lustre_job_key { /* of slot 1 and further: slot 0 is snapshot_time */
	char word[48];  /* "  read_bytes:" */
	uint32_t len;
	bool sum;
};

struct lustre_job {
	struct set *set;
	uint64_t *slots;
	uint64_t second, fraction; /* of snapshot_time */
	bool seen;
};

void lustre_jobs_init(struct lustre_jobs *js, const struct lustre_job_type *type, const char *path, const char *target)
{
	const struct metric_def *defs = type->metrics + LUSTRE_JOB_NAMES + 1;

	*js = (struct lustre_jobs){ .type = type, .target = target };
	proc_open(&js->file, "", path, NULL); /* when it is not there now, the first sample looks again */
	js->file.record_max = RECORD_MAX;
	while (defs[js->n_keys].name)
		js->n_keys++;
	js->keys = xcalloc(js->n_keys, sizeof(*js->keys));
	for (size_t i = 0; i < js->n_keys; i++) {
		struct lustre_job_key *k = &js->keys[i];
		size_t len = strlen(defs[i].name);

		k->sum = len > 4 && !strcmp(defs[i].name + len - 4, "_sum");
		len -= k->sum ? 4 : 0;
		k->len = (uint32_t)snprintf(k->word, sizeof(k->word), "  %.*s:", (int)len, defs[i].name);
		assert(k->len + sizeof(uint64_t) <= sizeof(k->word));
	}
}

static void job_end(struct lustre_job *job, struct samp *sp)
{
	samp_set_drop(sp, job->set);
	free(job);
}

/* PRODUCER/TARGET/JOB; what no name of a set may hold becomes an underscore. */
static char *set_name(const struct lustre_jobs *js, struct samp *sp, const char *id, size_t len)
{
	char *name = xasprintf("%s/%s/%.*s", samp_producer(sp), js->target, (int)len, id);

	for (char *p = name; *p; p++)
		if (*p < ' ' || *p > '~' || strchr("\"'\\", *p))
			*p = '_';
	return name;
}

static int job_set_make(const struct lustre_jobs *js, struct lustre_job *job, struct samp *sp, const char *id,
			size_t len, struct err *err)
{
	char *name = set_name(js, sp, id, len);
	int first = samp_set_make(sp, samp_schema_bare(sp, js->type->schema, err), js->type->metrics,
				  LUSTRE_JOB_NAMES + 1 + js->n_keys, name, &job->set, err);

	free(name);
	if (first < 0)
		return first;
	set_meta_text(job->set, first, js->target, lustre_fs_name(js->target, strlen(js->target)));
	set_meta_text(job->set, first + 1, js->target, strlen(js->target));
	set_meta_text(job->set, first + 2, id, len);
	job->slots = set_slot(job->set, first + LUSTRE_JOB_NAMES);
	return 0;
}

static int job_get(struct lustre_jobs *js, struct samp *sp, const char *id, size_t len, struct lustre_job **ret,
		   struct err *err)
{
	int rc, i = names_find(&js->names, id, len);
	struct lustre_job *job;

	if (i >= 0) {
		*ret = js->jobs[i];
		return 0;
	}
	job = xcalloc(1, sizeof(*job));
	rc = job_set_make(js, job, sp, id, len, err);
	if (rc) {
		free(job);
		return rc;
	}
	i = (int)names_add(&js->names, id, len);
	js->jobs = xrealloc(js->jobs, js->names.cap * sizeof(struct lustre_job *));
	*ret = js->jobs[i] = job;
	return 0;
}

/* The text behind "- job_id:", without blanks around it, and without quotes. */
static const char *id_get(const char *p, size_t *len)
{
	const char *end;

	p = proc_blanks(p);
	end = strchrnul(p, '\n');
	while (end > p && end[-1] == ' ')
		end--;
	if (end - p >= 2 && *p == '"' && end[-1] == '"') {
		p++;
		end--;
	}
	*len = (size_t)(end - p);
	return p;
}

/* The number behind that word, before the end of the line. */
static bool field_get(const char *p, const char *word, uint64_t *ret)
{
	const char *end = strchrnul(p, '\n'), *at = memmem(p, (size_t)(end - p), word, strlen(word));

	if (!at)
		return false;
	at += strlen(word);
	return proc_number(&at, ret);
}

static void counter_learn(const struct lustre_jobs *js, struct lustre_job *job, size_t *next, const char *p)
{
	uint64_t v;

	for (size_t i = 0; i < js->n_keys; i++) {
		const struct lustre_job_key *k = &js->keys[*next];
		size_t slot = 1 + *next;

		*next = *next + 1 < js->n_keys ? *next + 1 : 0;
		if (!proc_starts(p, k->word, k->len))
			continue;
		if (field_get(p, k->sum ? " sum:" : " samples:", &v))
			job->slots[slot] = htole64(v);
		return;
	}
}

/* Has the job done something since? */
static bool job_moved(struct lustre_job *job, const char *p)
{
	uint64_t second, fraction = 0;

	if (strncmp(p, SNAPSHOT, strlen(SNAPSHOT)))
		return true;
	p += strlen(SNAPSHOT);
	second = proc_u64(&p);
	if (*p == '.') {
		p++;
		fraction = proc_digits(&p);
	}
	if (second == job->second && fraction == job->fraction)
		return false;
	job->second = second;
	job->fraction = fraction;
	return true;
}

/* The lines of a job from p on, behind the one with its name. */
static void job_sample(const struct lustre_jobs *js, struct lustre_job *job, struct samp *sp, const char *p)
{
	size_t next = 0;

	if (!job_moved(job, p))
		return;
	samp_begin(sp, job->set);
	memset(job->slots, 0, (1 + js->n_keys) * sizeof(*job->slots));
	job->slots[0] = htole64(job->second);
	for (; *p == ' '; p = proc_next_line(p))
		counter_learn(js, job, &next, p);
	samp_end(sp, job->set);
}

/* Jobs that were not seen are gone. */
static void jobs_sweep(struct lustre_jobs *js, struct samp *sp)
{
	struct names kept = { 0 };

	for (uint32_t i = 0; i < js->names.n; i++) {
		size_t len;
		const char *name = names_text(&js->names, i, &len);

		if (js->jobs[i]->seen)
			js->jobs[names_add(&kept, name, len)] = js->jobs[i];
		else
			job_end(js->jobs[i], sp);
	}
	names_fini(&js->names);
	js->names = kept;
}

int lustre_jobs_sample(struct lustre_jobs *js, struct samp *sp, struct err *err)
{
	int first = 0, rc = proc_read(&js->file, err);
	const char *text = rc ? "" : js->file.buf;
	bool gone = false;

	if (rc && rc != -ENOENT && rc != -ENODATA) /* those: this server does not count by job */
		return rc;
	for (uint32_t i = 0; i < js->names.n; i++)
		js->jobs[i]->seen = false;
	names_rewind(&js->names);
	for (const char *p = text; *p; p = proc_next_line(p)) {
		struct lustre_job *job;
		const char *id;
		size_t len;

		if (strncmp(p, JOB, strlen(JOB)))
			continue;
		id = id_get(p + strlen(JOB), &len);
		if (!len)
			continue;
		rc = job_get(js, sp, id, len, &job, first ? NULL : err);
		if (rc) {
			first = first ? first : rc;
			continue;
		}
		job->seen = true;
		job_sample(js, job, sp, proc_next_line(id + len));
	}
	for (uint32_t i = 0; i < js->names.n; i++)
		gone |= !js->jobs[i]->seen;
	if (gone)
		jobs_sweep(js, sp);
	return first;
}

void lustre_jobs_close(struct lustre_jobs *js, struct samp *sp)
{
	for (uint32_t i = 0; i < js->names.n; i++)
		job_end(js->jobs[i], sp);
	names_fini(&js->names);
	free(js->jobs);
	free(js->keys);
	proc_close(&js->file);
	*js = (struct lustre_jobs){ .file.fd = -1 };
}
