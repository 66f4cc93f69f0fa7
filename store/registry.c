/* registry.c - a schema registry over HTTP, as Confluent's, Karapace and Apicurio have it:
 *
 *	POST /subjects/SUBJECT/versions   {"schema":"..."}   ->   {"id":7}
 *
 * which registers a schema, or says the number of one that is there.  Each is asked for once for a subject, whatever
 * the row schema's digest; the instance's policies share what is known.
 *
 * Who wants to know waits shortly, and comes again; a thread waits for the answer.  So a registry that hangs keeps no
 * worker of policies, nor those that want to know of other schemas.
 */
#include "store/registry_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define WAIT_US   SEC_US          /* for an answer, on a worker of policies; of a registry that fails not at all */
#define AGAIN_US  (SEC_US / 2)    /* until what failed is asked for again */
#define END_US    (100 * MSEC_US) /* for threads whose request was aborted */
#define ASKS_MAX  16              /* threads; each policy waits for one answer at a time */
#define KNOWN_MAX 65536           /* schemas: a cluster has some tens */

/* -- making and ending --------------------------------------------------------------------------------------------- */

static void lookup_free(struct registry *r, struct lookup *l)
{
	HASH_DEL(r->lookups, l);
	buf_fini(&l->body);
	free(l->subject);
	free(l->key);
	free(l);
}

static void forget(struct registry *r)
{
	struct lookup *l, *next;

	HASH_ITER(hh, r->lookups, l, next) {
		if (l->state != LOOKUP_ASKING && !l->waiters)
			lookup_free(r, l);
	}
}

static void end(struct registry *r)
{
	forget(r);
	for (size_t i = 0; i < r->n; i++)
		free(r->urls[i]);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->answered);
	free(r->user);
	free(r->password);
	free(r->ca);
	free(r->cert);
	free(r->key);
	free(r);
}

int registry_new(const struct kv *props, struct registry **ret, struct err *err)
{
	struct registry *r = xcalloc(1, sizeof(*r));
	pthread_condattr_t attr;
	int rc;

	r->refs = 1;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->answered, &attr);
	pthread_condattr_destroy(&attr);
	rc = registry_configure(r, props, err);
	if (rc)
		end(r);
	else
		*ret = r;
	return rc;
}

/* Until something was answered; lock held.  False: it is over. */
static bool wait_until(struct registry *r, int64_t until_us)
{
	struct timespec ts = { .tv_sec = until_us / SEC_US, .tv_nsec = until_us % SEC_US * 1000 };

	return !pthread_cond_timedwait(&r->answered, &r->lock, &ts);
}

void registry_free(struct registry *r)
{
	int64_t until = mono_us() + END_US;
	bool last;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	for (struct lookup *l = r->lookups; l; l = l->hh.next)
		if (l->http)
			http_abort(l->http);
	while (r->asking && wait_until(r, until))
		;
	last = !--r->refs;
	pthread_mutex_unlock(&r->lock);
	if (last)
		end(r);
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

void lookup_show(struct lookup *l, struct http *http)
{
	pthread_mutex_lock(&l->registry->lock);
	l->http = http;
	if (http && l->registry->ended)
		http_abort(http);
	pthread_mutex_unlock(&l->registry->lock);
}

/* The one that answered last time, then the others. */
static int ask(struct lookup *l, size_t *at, uint32_t *ret, struct err *err)
{
	struct registry *r = l->registry;
	size_t first = *at;
	int rc = -EREMOTEIO;

	for (size_t i = 0; i < r->n; i++) {
		*at = (first + i) % r->n;
		rc = registry_ask(l, r->urls[*at], ret, err);
		if (!rc || rc == -EINVAL || rc == -ECANCELED)
			break;
	}
	return rc ? err_prefix(err, rc, "schema registry ") : 0;
}

static void *run(void *arg)
{
	struct lookup *l = arg;
	struct registry *r = l->registry;
	struct err err = { "" };
	uint32_t id = 0;
	bool last;
	size_t at;
	int rc;

	thread_enter("registry", NULL);
	pthread_mutex_lock(&r->lock);
	at = r->at;
	pthread_mutex_unlock(&r->lock);
	rc = ask(l, &at, &id, &err);
	if (!rc)
		log_info("store", "schema registry %s: subject %s has schema id=%u", r->urls[at], l->subject, id);
	pthread_mutex_lock(&r->lock);
	l->state = rc ? LOOKUP_FAILED : LOOKUP_KNOWN;
	l->id = id;
	l->rc = rc;
	l->why = err;
	l->again_at = mono_us() + AGAIN_US;
	r->failing = rc && rc != -EINVAL;
	if (!r->failing)
		r->at = at;
	thread_leave();
	r->asking--;
	last = !--r->refs;
	pthread_cond_broadcast(&r->answered);
	pthread_mutex_unlock(&r->lock);
	if (last)
		end(r);
	return NULL;
}

/* Lock held. */
static int lookup_start(struct lookup *l, struct err *err)
{
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = -pthread_create(&t, &attr, run, l);
	pthread_attr_destroy(&attr);
	if (rc)
		return err_set(err, rc, "schema registry: no thread to ask it: %s; raise the limit of threads",
			       err_name(rc));
	l->state = LOOKUP_ASKING;
	l->registry->asking++;
	l->registry->refs++;
	return 0;
}

/* Lock held. */
static struct lookup *lookup_get(struct registry *r, const char *subject, const char *schema)
{
	struct buf key = { 0 };
	struct lookup *l;

	buf_addf(&key, "%s %s", subject, schema);
	HASH_FIND(hh, r->lookups, key.p, key.len, l);
	if (l) {
		buf_fini(&key);
		return l;
	}
	if (HASH_COUNT(r->lookups) >= KNOWN_MAX)
		forget(r);
	l = xcalloc(1, sizeof(*l));
	l->registry = r;
	l->subject = xstrdup(subject);
	l->key = (char *)key.p;
	registry_request(&l->body, schema);
	HASH_ADD_KEYPTR(hh, r->lookups, l->key, key.len, l);
	return l;
}

/* Ask, where nobody does, and wait for the answer; lock held. */
static int lookup_wait(struct lookup *l, struct err *err)
{
	struct registry *r = l->registry;
	int64_t until = mono_us() + WAIT_US;
	bool time_left = true;
	int rc = 0;

	l->waiters++;
	while (!rc && l->state <= LOOKUP_ASKING && time_left) {
		if (l->state == LOOKUP_NEW && r->asking < ASKS_MAX)
			rc = lookup_start(l, err);
		if (!rc)
			time_left = !r->failing && wait_until(r, until);
	}
	l->waiters--;
	if (!rc && l->state <= LOOKUP_ASKING) {
		r->failing = true;
		rc = err_set(err, -EAGAIN, "schema registry %s: subject %s: has not answered yet%s%s", r->urls[r->at],
			     l->subject, l->rc ? "; before: " : "", l->why.msg);
	}
	return rc;
}

int registry_id(struct registry *r, const char *subject, const char *schema, uint32_t *ret, struct err *err)
{
	struct lookup *l;
	bool soon;
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	l = lookup_get(r, subject, schema);
	soon = l->state == LOOKUP_NEW && l->rc && l->rc != -EINVAL && mono_us() < l->again_at;
	if (l->state <= LOOKUP_ASKING && !soon)
		rc = lookup_wait(l, err);
	if (!rc && (l->state == LOOKUP_FAILED || soon)) {
		rc = l->rc;
		if (err)
			*err = l->why;
		if (!l->waiters)
			l->state = LOOKUP_NEW; /* who comes again asks again */
	} else if (!rc) {
		*ret = l->id;
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}
