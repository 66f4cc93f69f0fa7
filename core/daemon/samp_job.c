/* samp_job.c - the job that samples are of: job_id and app_id out of the set that job_set= names.
 *
 * That set is another sampler's of this daemon.  Its form says where they are:
 *
 *   job_list (records)        the last record (slurm_sampler2)
 *   job_slot_list, and _tail  element job_slot_list[job_slot_list_tail] of arrays (slurm_sampler); -1 is 0
 *   else                      scalars (jobinfo, jobid)
 *
 * job_id=, app_id=, job_start= and job_end= name the metrics or members.  They hold from start to end, in seconds of the
 * wall clock; end 0 means that the job runs.
 */
#include <string.h>

#include "core/base/log.h"
#include "core/daemon/samp_impl.h"
#include "core/set/snap.h"

#define JOB_SET_DFLT "job_info"

enum { JOB_ID, APP_ID, JOB_START, JOB_END, JOB_WORDS };
static const char *const words[JOB_WORDS] = { "job_id", "app_id", "job_start", "job_end" };

static const char *word(const struct samp *sp, int i)
{
	const char *name = samp_attr(sp, words[i]);

	return name ? name : words[i];
}

static struct value metric(const struct image *im, const char *name)
{
	int i = image_find(im->meta, name);

	return i < 0 ? (struct value){ .type = V_NONE } : image_value(im, (uint32_t)i);
}

/* The record that ends the list, if it holds records. */
static bool from_list(const struct samp *sp, const struct image *im, struct value list, uint64_t v[JOB_WORDS])
{
	struct value last = { .type = V_NONE };
	bool any = false;
	uint32_t type;

	for (struct list_it it = list_first(list); it.off; it = list_next(im, it))
		last = list_value(im, it);
	if (last.type == V_NONE)
		return true; /* no job yet */
	if (last.type != V_RECORD_INST)
		return false;
	type = record_type_of(last);
	for (uint32_t m = 0; m < record_card(im->meta, type); m++)
		for (int i = 0; i < JOB_WORDS; i++)
			if (!strcmp(record_member(im->meta, type, m).name, word(sp, i))) {
				v[i] = value_u64(record_value(im, last, m), 0);
				any |= i == JOB_ID;
			}
	return any;
}

static bool from_metrics(const struct samp *sp, const struct image *im, uint32_t slot, uint64_t v[JOB_WORDS])
{
	bool any = false;

	for (int i = 0; i < JOB_WORDS; i++) {
		struct value m = metric(im, word(sp, i));

		if (!value_elem_size(m.type))
			continue;
		v[i] = value_u64(m, slot);
		any |= i == JOB_ID;
	}
	return any;
}

/* Does that set tell of jobs at all? */
static bool job_read(const struct samp *sp, const struct image *im, uint64_t v[JOB_WORDS])
{
	struct value list = metric(im, "job_list"), slots = metric(im, "job_slot_list"),
		     tail = metric(im, "job_slot_list_tail");
	int64_t at = 0;

	if (list.type == V_LIST)
		return from_list(sp, im, list, v);
	if (value_is_array(slots.type) && tail.type != V_NONE) {
		at = value_s64(tail, 0);
		at = at < 0 || at >= slots.count ? 0 : value_s64(slots, (uint32_t)at);
	}
	return from_metrics(sp, im, at > 0 ? (uint32_t)at : 0, v);
}

/* What the set says may have changed: read it again. */
static void job_update(struct samp *sp, struct samp_job *job)
{
	struct snap *sn = snap_new(job->set);
	uint64_t v[JOB_WORDS] = { 0 };

	if (!sn)
		return; /* no memory: as it was */
	if (le32toh(sn->im.data->flags) == SET_TRANS_DONE && !job_read(sp, &sn->im, v) && !job->told) {
		job->told = true;
		log_warning("sampler", "%s: job_set=%s: that set has no %s; job_id and app_id stay 0", sp->name,
			    job->set->name, word(sp, JOB_ID));
	}
	snap_put(sn);
	job->job_id = v[JOB_ID];
	job->app_id = v[APP_ID];
	job->start_s = v[JOB_START];
	job->end_s = v[JOB_END];
}

/* Sets come and go: this is asked when one has come since the last time. */
static void job_find(struct samp *sp, struct samp_job *job, unsigned int adds)
{
	const char *given = samp_attr(sp, "job_set"), *name = given ? given : JOB_SET_DFLT;

	job->adds = adds;
	job->looked = true;
	job->set = setdb_find(sp->env->sets, name);
	job->gn = 0; /* no set's */
	if (job->set || job->told)
		return;
	job->told = true;
	if (given) /* who did not ask for job data need not hear that there are none */
		log_info("sampler",
			 "%s: The job data set named, %s, does not exist. Valid job data will not be associated with "
			 "the metric values.",
			 sp->name, name);
}

static void job_look(struct samp *sp, struct samp_job *job)
{
	struct set_stat st;

	if (job->set && job->set->deleted)
		samp_job_fini(sp);
	if (!job->set)
		job_find(sp, job, setdb_adds(sp->env->sets));
	if (!job->set)
		return;
	set_stat(job->set, &st);
	if (st.gn == job->gn && st.meta_gn == job->meta_gn)
		return;
	job->gn = st.gn;
	job->meta_gn = st.meta_gn;
	job_update(sp, job);
}

void samp_job_put(struct samp *sp, struct samp_set *ss)
{
	struct samp_job *job = &sp->job;
	uint64_t now_s;
	bool runs;

	if (job->turn != sp->turn && !atomic_load_explicit(&sp->orphan, memory_order_relaxed)) {
		job->turn = sp->turn;
		if (job->set || !job->looked || job->adds != setdb_adds(sp->env->sets)) /* mostly there is none */
			job_look(sp, job);
	}
	if (!job->set) {
		*ss->job_id = *ss->app_id = 0;
		return;
	}
	now_s = le32toh(ss->set->work->ts_sec); /* the sample has begun now */
	runs = now_s >= job->start_s && (!job->end_s || now_s <= job->end_s);
	*ss->job_id = runs ? htole64(job->job_id) : 0;
	*ss->app_id = runs ? htole64(job->app_id) : 0;
}

void samp_job_fini(struct samp *sp)
{
	set_put(sp->job.set);
	sp->job.set = NULL;
	sp->job.looked = false;
	sp->job.job_id = sp->job.app_id = sp->job.start_s = sp->job.end_s = 0;
}
