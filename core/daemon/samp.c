/* samp.c - see samp.h.
 *
 * The main loop configures, starts and asks; the plugin runs on the schedule's threads (samp_turn.c, samp_sched.h), one
 * call at a time.  What both sides look at is atomic or under samp.lock.  Order of locks: the schedule's, samp.lock, the set
 * database's.
 *
 * An instance that hangs in its source when it is freed cannot be waited for.  Its sets are unpublished at once and it
 * is left to the schedule, as an orphan that no longer touches the daemon's objects; when it comes back it frees
 * itself.
 */
#include "core/daemon/samp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp_impl.h"

static void samp_destroy(struct samp *sp)
{
	if (sp->opened)
		samp_shut(sp);
	samp_job_fini(sp);
	samp_mail_fini(sp);
	samp_lines_fini(sp);
	pthread_mutex_destroy(&sp->lock);
	free(sp->plugin);
	free(sp->producer);
	free(sp->instance);
	free(sp->root);
	free(sp->name);
	free(sp);
}

static void on_gone(struct samp_task *t)
{
	samp_destroy(samp_of(t));
}

/* -- on the main loop ---------------------------------------------------------------------------------------------- */

struct samp *samp_new(const struct samp_env *env, const struct samp_type *type, const char *name, struct err *err)
{
	struct samp *sp;

	if (type->needs) {
		err_set(err, -ENOSYS, "sampler %s: this ldms was built without %s; install it and run make again",
			type->name, type->needs);
		return NULL;
	}
	sp = xcalloc(1, sizeof(*sp));
	sp->env = env;
	sp->type = type;
	sp->name = xstrdup(name);
	sp->plugin = xcalloc(1, type->state_size + 1);
	sp->root = xstrdup(env->sysroot ? env->sysroot : "");
	sp->task = (struct samp_task){ .run = samp_run, .overdue = samp_overdue, .gone = on_gone };
	pthread_mutex_init(&sp->lock, NULL);
	TAILQ_INIT(&sp->sets);
	samp_mail_init(sp);
	return sp;
}

void samp_free(struct samp *sp)
{
	struct samp_sched *sched;
	bool idle;

	if (!sp)
		return;
	sched = samp_sched_of(sp);
	samp_mail_end(sp);
	pthread_mutex_lock(&sp->lock);
	sp->orphan = true;
	samp_sets_unpublish(sp);
	pthread_mutex_unlock(&sp->lock);
	idle = !sched || samp_sched_leave(sched, &sp->task);
	if (sp->own_sched)
		samp_sched_branch_end(sp->env->sched, sp->own_sched);
	if (idle)
		samp_destroy(sp);
}

/* Is that failure to open a slip in the configuration, which no retry will mend? */
static bool is_slip(int rc)
{
	return rc == -EINVAL || rc == -EEXIST || rc == -ENAMETOOLONG || rc == -E2BIG;
}

static int attrs_take(struct samp *sp, const struct kv *attrs, struct err *err)
{
	if (sp->state != SAMP_LOADED && !sp->type->more)
		return err_set(err, -EBUSY, "sampler %s: is configured already; `term` and `load` it to change that",
			       sp->name);
	return samp_lines_add(sp, attrs, err);
}

int samp_check(struct samp *sp, const struct kv *attrs, struct err *err)
{
	int rc = attrs_take(sp, attrs, err);

	if (!rc)
		sp->state = SAMP_CONFIGURED;
	return rc;
}

static bool samp_busy(const struct samp *sp)
{
	struct samp_sched_look look = { 0 };

	if (samp_sched_of(sp))
		samp_sched_look(samp_sched_of(sp), &sp->task, &look);
	return look.busy;
}

/* A further line.  An instance that samples pauses for it: the plugin has one call at a time, and its configuration does
 * not change meanwhile. */
static int config_more(struct samp *sp, const struct kv *attrs, struct err *err)
{
	bool running = sp->state == SAMP_RUNNING, answered = true;
	int rc;

	if (running)
		samp_sched_del(samp_sched_of(sp), &sp->task);
	if (samp_busy(sp)) {
		rc = err_set(err, -EBUSY, "sampler %s: its source is being read, and takes its time; try again later",
			     sp->name);
		goto out;
	}
	rc = attrs_take(sp, attrs, err);
	if (rc || sp->env->draft)
		goto out;
	sp->more = true;
	if (samp_sched_of(sp))
		answered = samp_sched_once(samp_sched_of(sp), &sp->task);
	else
		samp_turn_now(sp);
	if (!answered)
		goto out; /* it is under way, and will be */
	if (sp->last_rc) {
		samp_lines_cut(sp);
		if (err)
			*err = sp->last_err;
		rc = err_prefix(err, sp->last_rc, "sampler %s: ", sp->name);
	}
out:
	if (running)
		samp_sched_add(samp_sched_of(sp), &sp->task, sp->interval_us, sp->offset_us);
	return rc;
}

int samp_config(struct samp *sp, const struct kv *attrs, struct err *err)
{
	bool answered = true;
	int rc;

	if (sp->state != SAMP_LOADED && sp->type->more)
		return config_more(sp, attrs, err);
	rc = attrs_take(sp, attrs, err);
	if (rc)
		return rc;
	sp->retry_us = 0;
	if (sp->env->draft) {
		sp->state = SAMP_CONFIGURED;
		return 0;
	}
	if (sp->env->sched)
		answered = samp_sched_once(sp->env->sched, &sp->task);
	else
		samp_turn_now(sp);
	if (answered && sp->last_rc && (sp->required || is_slip(sp->last_rc))) {
		samp_lines_cut(sp);
		if (err)
			*err = sp->last_err;
		return err_prefix(err, sp->last_rc, "sampler %s: ", sp->name);
	}
	sp->state = SAMP_CONFIGURED;
	if (answered && sp->last_rc)
		samp_degrade(sp, &sp->last_err);
	if (!answered && sp->required)
		return err_set(err, -ETIMEDOUT, "sampler %s: its source (%s) does not answer", sp->name,
			       sp->type->source);
	return 0;
}

int samp_start_check(const struct samp *sp, int64_t interval_us, int64_t offset_us, struct err *err)
{
	if (sp->state == SAMP_LOADED)
		return err_set(err, -EINVAL, "sampler %s: is not configured; `config name=%s` first", sp->name,
			       sp->name);
	if (sp->state == SAMP_RUNNING)
		return err_set(err, -EBUSY, "Sampler instance '%s' is already running.", sp->name);
	if (interval_us <= 0)
		return err_set(err, -EINVAL, "sampler %s: interval must be more than 0, as in interval=1s", sp->name);
	if (llabs(offset_us) >= interval_us)
		return err_set(err, -EINVAL, "sampler %s: offset must be smaller than interval", sp->name);
	return 0;
}

void samp_exclusive(struct samp *sp)
{
	sp->exclusive = true;
}

/* exclusive_thread=1: a schedule for it alone, from its first start on. */
static int own_thread(struct samp *sp, struct err *err)
{
	char *name;

	if (!sp->exclusive || sp->own_sched)
		return 0;
	/* it is nowhere else meanwhile */
	if (!samp_sched_del(sp->env->sched, &sp->task))
		return err_set(err, -EBUSY, "sampler %s: its source (%s) does not answer; start it when it does",
			       sp->name, sp->type->source);
	name = xasprintf("xthread_%s", sp->name);
	sp->own_sched = samp_sched_branch(sp->env->sched, name, err);
	free(name);
	return sp->own_sched ? 0 : -EAGAIN;
}

int samp_start(struct samp *sp, int64_t interval_us, int64_t offset_us, struct err *err)
{
	int rc = samp_start_check(sp, interval_us, offset_us, err);
	struct samp_set *ss;

	if (!rc)
		rc = own_thread(sp, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&sp->lock);
	sp->interval_us = interval_us;
	sp->offset_us = offset_us;
	snprintf(sp->hint, sizeof(sp->hint), "%lld:%lld", (long long)interval_us, (long long)offset_us);
	TAILQ_FOREACH(ss, &sp->sets, entry)
		setdb_info_put(sp->env->sets, ss->set, "updt_hint_us", sp->hint);
	pthread_mutex_unlock(&sp->lock);
	sp->state = SAMP_RUNNING;
	sp->sampling = true;
	samp_sched_add(samp_sched_of(sp), &sp->task, interval_us, offset_us);
	return 0;
}

int samp_stop(struct samp *sp, struct err *err)
{
	if (sp->state != SAMP_RUNNING)
		return err_set(err, -EINVAL, "The sampler instance '%s' is not running.", sp->name);
	samp_sched_del(samp_sched_of(sp), &sp->task);
	sp->sampling = false;
	sp->state = SAMP_CONFIGURED;
	return 0;
}

int samp_once(struct samp *sp, struct err *err)
{
	int rc;

	if (sp->state != SAMP_CONFIGURED || samp_busy(sp))
		return err_set(err, -EBUSY, "sampler %s: is %s", sp->name,
			       sp->state == SAMP_LOADED ? "not configured" : "at work");
	samp_mail_deliver(sp);
	rc = samp_turn(sp, true, &sp->last_err);
	if (rc && err)
		*err = sp->last_err;
	return rc;
}

const struct samp_type *samp_type(const struct samp *sp)
{
	return sp->type;
}

void samp_status(struct samp *sp, struct samp_status *ret)
{
	struct samp_sched_look look = { 0 };
	int64_t now_us = mono_us(), retry_us = sp->retry_us;

	if (samp_sched_of(sp))
		samp_sched_look(samp_sched_of(sp), &sp->task, &look);
	pthread_mutex_lock(&sp->lock);
	*ret = (struct samp_status){
		.state = sp->state,
		.degraded = sp->degraded,
		.overdue = look.overdue,
		.interval_us = sp->interval_us,
		.offset_us = sp->offset_us,
		.samples = sp->samples,
		.errors = sp->errors,
		.missed = look.missed,
		.late = look.late,
		.sets = sp->n_sets,
	};
	samp_mail_count(sp, ret);
	if (ret->degraded) {
		memcpy(ret->why, sp->why, sizeof(ret->why));
		/* at the first slot from then on */
		ret->retry_us = sp->state == SAMP_RUNNING ? (retry_us > now_us ? retry_us - now_us : 0) : -1;
	}
	pthread_mutex_unlock(&sp->lock);
}

bool samp_is_thread_of(const struct samp *sp, const void *owner)
{
	return sp->own_sched && sp->own_sched == owner;
}

unsigned int samp_sets(struct samp *sp, struct set **sets, unsigned int n)
{
	unsigned int have = 0;
	struct samp_set *ss;

	pthread_mutex_lock(&sp->lock);
	TAILQ_FOREACH(ss, &sp->sets, entry) {
		if (have < n)
			sets[have] = set_get(ss->set);
		have++;
	}
	pthread_mutex_unlock(&sp->lock);
	return have;
}
