/* samp_impl.h - an instance as its files know it: samp.c (its life), samp_turn.c (its plugin at work), samp_conf.c (its attributes), samp_set.c (its
 * sets), samp_job.c (the job that its samples are of), samp_mail.c (messages for it). */
#ifndef CORE_DAEMON_SAMP_IMPL_H
#define CORE_DAEMON_SAMP_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "core/daemon/samp.h"
#include "core/daemon/samp_sched.h"

/* A set of an instance; set.keeper. */
struct samp_set {
	struct set *set;
	uint64_t *job_id, *app_id; /* where they go; NULL: not in this schema */
	bool own_job;              /* the plugin said which */
	TAILQ_ENTRY(samp_set) entry;
};

/* What was read last of job_set=. */
struct samp_job {
	struct set *set;   /* with a reference; NULL: not found yet */
	unsigned int adds; /* setdb_adds() when it was not found */
	bool looked;       /* `adds` counts */
	bool told;         /* that there is none, or that it says nothing of jobs */
	uint64_t gn, meta_gn, turn;
	uint64_t job_id, app_id, start_s, end_s; /* that it says; end 0: it runs */
};

struct samp_sub; /* a subscription: samp_mail.c */
struct samp_letter;

/* What waits for the plugin.  The lock is a leaf: the schedule's may be taken after it was let go. */
struct samp_mail {
	pthread_mutex_t lock;
	struct samp_letter *head, **tail;
	size_t bytes;
	atomic_uint n; /* letters */
	bool kept;     /* samp_mail_keep() */
	uint64_t lost; /* they did not fit */
	atomic_uint_fast64_t taken, errors;
	int64_t said_us;                         /* monotonic: when an error was said last; 0: never */
	LIST_HEAD(samp_sub_list, samp_sub) subs; /* under samp.lock */
};

struct samp {
	const struct samp_env *env; /* not looked at by an orphan */
	const struct samp_type *type;
	char *name;
	struct samp_task task;
	struct samp_sched *own_sched; /* the main loop's: of an exclusive thread, in place of the shared one */

	/* the configuration: does not change while the plugin can run */
	struct kv attrs;
	struct kv *lines; /* each `config` that it was given; attrs is one of them */
	size_t n_lines;
	char *producer, *instance, *root;
	uint64_t component_id;
	uint32_t uid, gid, perm, array_card;
	bool required, exclusive;
	enum samp_state_ state; /* the main loop's */

	/* the thread's that runs the plugin */
	void *plugin; /* samp_state() */
	bool opened;
	int set_rc;            /* of the last samp_set_new() that failed */
	int64_t patience_us;   /* how long it waited last before it opened again */
	atomic_llong retry_us; /* monotonic: do not open before */
	int last_rc;           /* of the last attempt */
	struct err last_err;
	uint64_t turn; /* counts up with each: what is looked at once in a turn */
	struct samp_job job;
	atomic_bool sampling; /* a turn shall sample, not only open */
	atomic_bool more;     /* a turn shall tell the plugin of the newest line */

	pthread_mutex_t lock;                 /* of all below but the atomics */
	atomic_bool orphan;                   /* written with it; read by the plugin's thread also without */
	TAILQ_HEAD(samp_sets, samp_set) sets; /* in order of making */
	unsigned int n_sets;
	int64_t interval_us, offset_us;
	char hint[48]; /* info pair updt_hint_us; "" until started */
	char why[ERR_MAX];
	atomic_bool degraded;
	atomic_uint_fast64_t samples, errors;

	struct samp_mail mail;
};

static inline struct samp_sched *samp_sched_of(const struct samp *sp)
{
	return sp->own_sched ? sp->own_sched : sp->env->sched;
}

/* Take over the attributes of `config`: -EINVAL with words for one that is unknown or makes no sense. */
int samp_conf_read(struct samp *sp, const struct kv *attrs, struct err *err);
void samp_conf_fini(struct samp *sp);
/* The same with one more line; and without the newest again, as it was before. */
int samp_lines_add(struct samp *sp, const struct kv *attrs, struct err *err);
void samp_lines_cut(struct samp *sp);
void samp_lines_fini(struct samp *sp);

static inline struct samp *samp_of(struct samp_task *t)
{
	return (struct samp *)((char *)t - offsetof(struct samp, task));
}

/* The task's functions. */
void samp_run(struct samp_task *t);
void samp_overdue(struct samp_task *t, int64_t held_us);
/* Run it in the calling thread, without a schedule. */
void samp_turn_now(struct samp *sp);
/* One attempt: open if that is not done, and sample if that is wanted. */
int samp_turn(struct samp *sp, bool sample, struct err *err);
/* Close the plugin and let go of its sets. */
void samp_shut(struct samp *sp);
/* Note that an attempt failed, and say so when that is news. */
void samp_degrade(struct samp *sp, const struct err *err);

/* Of all sets: take them out of the database (samp.lock is held), and let go of them. */
void samp_sets_unpublish(struct samp *sp);
void samp_sets_free(struct samp *sp);

/* Write job_id and app_id into a set whose sample has begun; on the plugin's thread. */
void samp_job_put(struct samp *sp, struct samp_set *ss);
void samp_job_fini(struct samp *sp);

void samp_mail_init(struct samp *sp);
void samp_mail_fini(struct samp *sp);
/* Call the plugin with what waits; on its thread. */
void samp_mail_deliver(struct samp *sp);
/* All subscriptions end: asked for by the plugin's thread, or by the main loop (or before or after it turns). */
void samp_mail_shut(struct samp *sp);
void samp_mail_end(struct samp *sp);
/* Subscriptions outlast the next samp_mail_shut(), with what waits for them, and are there again for the plugin when it
 * subscribes to the same; and those are ended for which it did not. */
void samp_mail_keep(struct samp *sp);
void samp_mail_sweep(struct samp *sp);
void samp_mail_count(struct samp *sp, struct samp_status *ret);

#endif
