/* samp_impl.h - an instance as samp.c (its life) and samp_conf.c (its attributes) know it. */
#ifndef CORE_DAEMON_SAMP_IMPL_H
#define CORE_DAEMON_SAMP_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/daemon/samp.h"
#include "core/daemon/samp_sched.h"

struct samp {
	const struct samp_env *env; /* not looked at by an orphan */
	const struct samp_type *type;
	char *name;
	struct samp_task task;

	/* the configuration: does not change while the plugin can run */
	struct kv attrs;
	char *producer, *instance, *root;
	uint64_t component_id;
	uint32_t uid, gid, perm, array_card;
	bool required;
	enum samp_state_ state; /* the main loop's */

	/* the thread's that runs the plugin */
	void *plugin; /* samp_state() */
	bool opened;
	int set_rc;       /* of the last samp_set_new() that failed */
	int64_t retry_us; /* monotonic: do not open before */
	int last_rc;      /* of the last attempt */
	struct err last_err;
	atomic_bool sampling; /* a turn shall sample, not only open */

	pthread_mutex_t lock; /* of all below but the atomics */
	bool orphan;
	struct set **sets;
	unsigned int n_sets;
	int64_t interval_us, offset_us;
	char hint[48]; /* info pair updt_hint_us; "" until started */
	char why[ERR_MAX];
	atomic_bool degraded;
	atomic_uint_fast64_t samples, errors;
};

/* Take over the attributes of `config`: -EINVAL with words for one that is unknown or makes no sense. */
int samp_conf_read(struct samp *sp, const struct kv *attrs, struct err *err);
void samp_conf_fini(struct samp *sp);

#endif
