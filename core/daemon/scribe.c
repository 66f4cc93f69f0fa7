/* scribe.c - see scribe.h
 *
 * Threads, and what is heard, begin when the main loop turns: a configuration is then carried out as a whole, and rights
 * were given up.
 */
#include "core/daemon/scribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/scribe_impl.h"
#include "core/daemon/store_attrs.h"

#define QUEUE_BYTES_DFLT (16u << 20)
#define STOP_US          (10 * SEC_US) /* what is queued is written within */

const struct store_attr scribe_common_attrs[] = {
	{ "queue_bytes", "16M", "messages that wait; the oldest are dropped beyond", "size" },
	{ 0 },
};

void *scribe_state(struct scribe *sc)
{
	return sc->plugin;
}

const char *scribe_name(const struct scribe *sc)
{
	return sc->name;
}

const char *scribe_attr(const struct scribe *sc, const char *name)
{
	return kv_get(&sc->attrs, name);
}

const struct kv *scribe_attrs(const struct scribe *sc)
{
	return &sc->attrs;
}

const struct scribe_type *scribe_type(const struct scribe *sc)
{
	return sc->type;
}

struct scribe *scribe_new(const struct scribe_env *env, const struct scribe_type *type, const char *name)
{
	struct scribe *sc = xcalloc(1, sizeof(*sc) + type->state_size);

	sc->env = env;
	sc->type = type;
	sc->name = xstrdup(name);
	sc->task.run = scribe_run;
	sc->task.end = scribe_ended;
	sc->queue_bytes = QUEUE_BYTES_DFLT;
	atomic_init(&sc->refs, 1);
	scribe_queue_init(sc);
	return sc;
}

static void sc_get(struct scribe *sc)
{
	atomic_fetch_add(&sc->refs, 1);
}

/* -- config -------------------------------------------------------------------------------------------------------- */

static int config_first(struct scribe *sc, const struct kv *attrs, struct err *err)
{
	const char *queue = kv_get(attrs, "queue_bytes");
	uint64_t bytes = QUEUE_BYTES_DFLT;
	int rc = queue ? unit_size(queue, &bytes, err) : 0;

	if (rc)
		return err_prefix(err, rc, "store %s: queue_bytes: ", sc->name);
	if (!bytes)
		return err_set(err, -EINVAL, "store %s: queue_bytes=%s: messages need some room, as 16M", sc->name,
			       queue);
	kv_copy(&sc->attrs, attrs);
	memset(sc->plugin, 0, sc->type->state_size);
	rc = sc->type->config(sc, err);
	if (rc) {
		scribe_subs_drop(sc);
		kv_fini(&sc->attrs);
		return rc;
	}
	sc->queue_bytes = bytes;
	sc->state = SCRIBE_CONFIGURED;
	return sc->type->waits ? 0 : scribe_start(sc, err);
}

int scribe_config(struct scribe *sc, const struct kv *attrs, struct err *err)
{
	int rc = store_attrs_check(sc->name, sc->type->name, sc->type->attrs, scribe_common_attrs, attrs, err);

	if (rc)
		return rc;
	if (sc->state == SCRIBE_LOADED)
		return config_first(sc, attrs, err);
	if (!sc->type->config_more)
		return err_set(err, -EINVAL,
			       "store %s: it is configured already, and that cannot be changed; load another instance",
			       sc->name);
	return sc->type->config_more(sc, attrs, err);
}

/* -- beginning and end --------------------------------------------------------------------------------------------- */

static void begin(void *arg)
{
	struct scribe *sc = arg;
	struct err err = { "" };
	int rc = 0;

	pthread_mutex_lock(&sc->lock);
	if (!sc->wanted || sc->state != SCRIBE_RUNNING) {
		pthread_mutex_unlock(&sc->lock);
		scribe_put(sc);
		return;
	}
	sc->wanted = false;
	rc = strgp_pool_join(sc->env->pool, &sc->task, &err);
	if (rc) {
		sc->state = SCRIBE_CONFIGURED;
		memcpy(sc->why, err.msg, sizeof(sc->why));
	}
	pthread_mutex_unlock(&sc->lock);
	if (rc) {
		log_error("store", "store %s: %s", sc->name, err.msg);
		scribe_put(sc);
		return;
	}
	/* the task has the reference now */
	strgp_pool_at(sc->env->pool, &sc->task, 0);
	scribe_subs_open(sc);
}

int scribe_start(struct scribe *sc, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&sc->lock);
	if (sc->state == SCRIBE_LOADED)
		rc = err_set(err, -EINVAL, "store %s: it has no config yet, which says what to write where", sc->name);
	else if (sc->state == SCRIBE_RUNNING)
		rc = err_set(err, -EBUSY, "Store instance '%s' is already running.", sc->name);
	else if (sc->state == SCRIBE_STOPPING)
		rc = err_set(err, -EBUSY, "store %s: is still writing what came before it was stopped; try again",
			     sc->name);
	if (!rc)
		sc->state = SCRIBE_RUNNING;
	pthread_mutex_unlock(&sc->lock);
	if (rc || sc->env->draft)
		return rc;
	sc->wanted = true;
	sc_get(sc);
	loop_call(sc->env->loop, begin, sc);
	return 0;
}

/* With the loop held. */
static int stop(struct scribe *sc, int64_t stop_by, struct err *err)
{
	bool began;

	pthread_mutex_lock(&sc->lock);
	if (sc->state != SCRIBE_RUNNING) {
		pthread_mutex_unlock(&sc->lock);
		return err_set(err, -EBUSY, "store %s: is not running", sc->name);
	}
	began = !sc->wanted && !sc->env->draft;
	sc->state = began ? SCRIBE_STOPPING : SCRIBE_CONFIGURED;
	sc->wanted = false;
	pthread_mutex_unlock(&sc->lock);
	scribe_subs_close(sc);
	if (began) {
		sc->stop_by = stop_by;
		strgp_pool_at(sc->env->pool, &sc->task, 0);
	}
	return 0;
}

int scribe_stop(struct scribe *sc, struct err *err)
{
	return stop(sc, mono_us() + STOP_US, err);
}

void scribe_end(struct scribe *sc, int64_t end_us)
{
	struct timespec ts = { .tv_sec = end_us / SEC_US, .tv_nsec = end_us % SEC_US * 1000 };
	int rc = 0;

	loop_enter(sc->env->loop);
	stop(sc, end_us, NULL);
	loop_leave(sc->env->loop);
	pthread_mutex_lock(&sc->lock);
	while (sc->state == SCRIBE_STOPPING && !rc)
		rc = pthread_cond_timedwait(&sc->ended, &sc->lock, &ts);
	pthread_mutex_unlock(&sc->lock);
}

/* The last one: nobody else looks at it. */
static void sc_free(struct scribe *sc)
{
	if (sc->state != SCRIBE_LOADED)
		sc->type->fini(sc);
	scribe_queue_fini(sc);
	kv_fini(&sc->attrs);
	free(sc->name);
	free(sc);
}

void scribe_put(struct scribe *sc)
{
	if (atomic_fetch_sub(&sc->refs, 1) == 1)
		sc_free(sc);
}

void scribe_drop(struct scribe *sc)
{
	loop_enter(sc->env->loop);
	stop(sc, mono_us() + STOP_US, NULL);
	scribe_subs_drop(sc);
	loop_leave(sc->env->loop);
	scribe_put(sc);
}

void scribe_status(struct scribe *sc, struct scribe_status *ret)
{
	static const char *const states[] = { "LOADED", "CONFIGURED", "RUNNING", "STOPPING" };

	pthread_mutex_lock(&sc->lock);
	*ret = (struct scribe_status){
		.state = states[sc->state],
		.running = sc->state == SCRIBE_RUNNING || sc->state == SCRIBE_STOPPING,
		.msgs = sc->msgs,
		.stored = sc->stored,
		.queued = sc->n + sc->in_hand + sc->unflushed,
		.dropped = sc->dropped,
		.refused = sc->refused,
		.queued_bytes = sc->bytes,
		.retry_us = sc->failing && sc->retry_at ? sc->retry_at - mono_us() : 0,
	};
	memcpy(ret->why, sc->why, sizeof(ret->why));
	pthread_mutex_unlock(&sc->lock);
}
