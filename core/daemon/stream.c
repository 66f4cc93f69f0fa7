/* stream.c - see stream.h; subscriptions: stream_sub.c
 *
 * One lock guards everything; it is held for as long as a message is put into queues, never while one is handed out.
 * What waits is one copy of the message, however many subscribers it waits for.
 */
#include "core/daemon/stream.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/stream_impl.h"

#define TOLD_MAX 1000 /* names that the log has said are lost */

struct told {
	UT_hash_handle hh;
	char name[];
};

struct streams *streams_new(struct xprt_env *env)
{
	struct streams *all = xcalloc(1, sizeof(*all));

	all->env = env;
	pthread_mutex_init(&all->lock, NULL);
	return all;
}

static void told_clear(struct streams *all)
{
	struct told *t, *tmp;

	HASH_ITER(hh, all->told, t, tmp) {
		HASH_DEL(all->told, t);
		free(t);
	}
	all->told_n = 0;
}

static void stream_free(struct stream *s)
{
	struct stream_source *src, *tmp;

	HASH_ITER(hh, s->sources, src, tmp) {
		HASH_DEL(s->sources, src);
		free(src);
	}
	while (!LIST_EMPTY(&s->subs)) {
		struct stream_sub *sub = LIST_FIRST(&s->subs);

		LIST_REMOVE(sub, entry);
		stream_sub_free(sub);
	}
	free(s);
}

void streams_free(struct streams *all)
{
	struct stream *s, *tmp;

	if (!all)
		return;
	HASH_ITER(hh, all->view.streams, s, tmp) {
		HASH_DEL(all->view.streams, s);
		stream_free(s);
	}
	while (!LIST_EMPTY(&all->dead)) {
		struct stream_sub *sub = LIST_FIRST(&all->dead);

		LIST_REMOVE(sub, entry);
		stream_sub_free(sub);
	}
	told_clear(all);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

void streams_enable(struct streams *all, bool on)
{
	atomic_store(&all->enabled, on);
	pthread_mutex_lock(&all->lock);
	told_clear(all);
	pthread_mutex_unlock(&all->lock);
}

bool streams_enabled(const struct streams *all)
{
	return atomic_load(&all->enabled);
}

/* -- names --------------------------------------------------------------------------------------------------------- */

int stream_name_check(const char *name, struct err *err)
{
	size_t len = name ? strlen(name) : 0;

	if (!len)
		return err_set(err, -EINVAL, "The stream name is missing.");
	if (len >= STREAM_NAME_MAX)
		return err_set(err, -EINVAL, "stream %.32s...: the name has %zu bytes; at most %d fit", name, len,
			       STREAM_NAME_MAX - 1);
	for (const char *p = name; *p; p++)
		if (iscntrl((unsigned char)*p))
			return err_set(err, -EINVAL, "the name of a stream has a control character (byte %u)",
				       (unsigned char)*p);
	return 0;
}

/* The longest unused of those that nobody subscribed to is forgotten for a new one: anybody may publish under names
 * without end, and must not so keep others from it. */
static bool stream_make_room(struct streams *all)
{
	struct stream *oldest = NULL;

	for (struct stream *s = all->view.streams; s; s = s->hh.next)
		if (LIST_EMPTY(&s->subs) && (!oldest || s->used < oldest->used))
			oldest = s;
	if (!oldest)
		return false;
	HASH_DEL(all->view.streams, oldest);
	stream_free(oldest);
	return true;
}

struct stream *stream_get(struct streams *all, const char *name, struct err *err)
{
	struct stream *s;

	HASH_FIND_STR(all->view.streams, name, s);
	if (s) {
		s->used = ++all->uses;
		return s;
	}
	if (HASH_COUNT(all->view.streams) >= STREAMS_MAX && !stream_make_room(all)) {
		err_set(err, -ENOSPC, "stream %s: there are %d streams already, all of them subscribed to", name,
			STREAMS_MAX);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s) + strlen(name) + 1);
	strcpy(s->name, name);
	s->used = ++all->uses;
	HASH_ADD_STR(all->view.streams, name, s);
	return s;
}

static struct stream_source *source_get(struct stream *s, const char *prdcr)
{
	struct stream_source *src;

	HASH_FIND_STR(s->sources, prdcr, src);
	if (!src) {
		src = xcalloc(1, sizeof(*src) + strlen(prdcr) + 1);
		strcpy(src->prdcr, prdcr);
		HASH_ADD_STR(s->sources, prdcr, src);
	}
	return src;
}

static void count(struct stream_count *c, size_t bytes, int64_t now_s)
{
	if (!c->n)
		c->first_s = now_s;
	c->last_s = now_s;
	c->n++;
	c->bytes += bytes;
}

/* Who publishes into the void should not have to guess; but only once. */
static void tell_lost(struct streams *all, const char *name, const char *who)
{
	struct told *t;

	pthread_mutex_lock(&all->lock);
	HASH_FIND_STR(all->told, name, t);
	if (!t && all->told_n < TOLD_MAX) {
		t = xcalloc(1, sizeof(*t) + strlen(name) + 1);
		strcpy(t->name, name);
		HASH_ADD_STR(all->told, name, t);
		all->told_n++;
		log_warning("stream",
			    "%s: messages (from %s) are LOST: streams are off here; `stream_enable` turns them on",
			    name, who ? who : "this daemon");
	}
	pthread_mutex_unlock(&all->lock);
}

/* -- publishing ---------------------------------------------------------------------------------------------------- */

int stream_publish(struct streams *all, const struct stream_msg *m, const struct stream_from *from, struct err *err)
{
	static const struct stream_from here;
	int64_t now_s = wall_us() / SEC_US;
	struct stream_blob *blob = NULL;
	struct stream_sub *sub;
	struct stream *s;
	unsigned int took = 0;
	int rc = stream_name_check(m->name, err);

	if (!from)
		from = &here;
	if (rc)
		return rc;
	if (!streams_enabled(all)) {
		tell_lost(all, m->name, from->who);
		return err_set(err, -ENOSYS, "The stream service is DISABLED on this system.");
	}
	pthread_mutex_lock(&all->lock);
	s = stream_get(all, m->name, err);
	if (!s) {
		pthread_mutex_unlock(&all->lock);
		return -ENOSPC;
	}
	count(&s->recv, m->len, now_s);
	count(&all->view.recv, m->len, now_s);
	if (from->prdcr)
		count(&source_get(s, from->prdcr)->recv, m->len, now_s);
	LIST_FOREACH(sub, &s->subs, entry) {
		if (!from->owner || sub->conf.owner != from->owner)
			took += stream_enqueue(sub, &blob, m);
	}
	if (took) {
		count(&s->pub, m->len, now_s);
		count(&all->view.pub, m->len, now_s);
	}
	pthread_mutex_unlock(&all->lock);
	if (blob)
		stream_blob_put(all, blob);
	return 0;
}

/* -- status -------------------------------------------------------------------------------------------------------- */

static int by_name(const struct stream *a, const struct stream *b)
{
	return strcmp(a->name, b->name);
}

const struct streams_view *streams_lock(struct streams *all)
{
	pthread_mutex_lock(&all->lock);
	HASH_SORT(all->view.streams, by_name);
	return &all->view;
}

void streams_unlock(struct streams *all)
{
	pthread_mutex_unlock(&all->lock);
}

void streams_reset(struct streams *all)
{
	static const struct stream_count zero;

	all->view.pub = all->view.recv = zero;
	for (struct stream *s = all->view.streams; s; s = s->hh.next) {
		s->pub = s->recv = zero;
		for (struct stream_source *src = s->sources; src; src = src->hh.next)
			src->recv = zero;
	}
}
