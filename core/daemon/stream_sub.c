/* stream_sub.c - subscriptions to streams, and the messages that wait for them.  See stream.h. */
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/stream_impl.h"

#define TURN_MAX 256 /* messages handed to one subscriber before others on its loop have their turn */

struct stream_blob { /* a message that waits */
	atomic_uint refs;
	struct stream_msg m; /* points behind */
};

struct stream_post {
	struct stream_post *next;
	struct stream_blob *blob;
};

static size_t cost(const struct stream_msg *m)
{
	return m->len + STREAM_MSG_COST;
}

void stream_blob_put(struct streams *all, struct stream_blob *b)
{
	if (atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	if (all->env)
		xprt_release(all->env, cost(&b->m));
	free(b);
}

/* NULL: the memory for peers is used up. */
static struct stream_blob *blob_new(struct streams *all, const struct stream_msg *m)
{
	size_t name_len = strlen(m->name) + 1;
	struct stream_blob *b;
	char *at;

	if (all->env && !xprt_hold(all->env, cost(m))) {
		refuse(all->env, REFUSE_MEMORY, NULL);
		return NULL;
	}
	b = xmalloc(sizeof(*b) + name_len + m->len);
	at = (char *)(b + 1);
	atomic_init(&b->refs, 1);
	b->m = *m;
	b->m.name = memcpy(at, m->name, name_len);
	b->m.data = at + name_len;
	if (m->len)
		memcpy(at + name_len, m->data, m->len);
	return b;
}

static void post_free(struct streams *all, struct stream_post *p)
{
	stream_blob_put(all, p->blob);
	free(p);
}

static void queue_drop(struct stream_sub *sub)
{
	struct stream_post *next;

	for (struct stream_post *p = sub->head; p; p = next) {
		next = p->next;
		post_free(sub->all, p);
	}
	sub->head = NULL;
	sub->tail = &sub->head;
	sub->queued = 0;
}

void stream_sub_free(struct stream_sub *sub)
{
	queue_drop(sub);
	free((char *)sub->conf.who);
	free(sub);
}

static void drop_count(struct stream_sub *sub, const struct stream_msg *m, const char *why)
{
	if (!sub->drops++)
		log_warning("stream", "%s: messages for %s are dropped: %s; stream_client_dump counts them",
			    sub->stream->name, sub->conf.who, why);
	sub->drop_bytes += m->len;
}

bool stream_enqueue(struct stream_sub *sub, struct stream_blob **blob, const struct stream_msg *m)
{
	struct stream_post *p;

	if (sub->queued + cost(m) > STREAM_QUEUE_MAX) {
		drop_count(sub, m, "it is too slow");
		return false;
	}
	if (!*blob)
		*blob = blob_new(sub->all, m);
	if (!*blob) {
		drop_count(sub, m, "the memory for peers is used up");
		return false;
	}
	p = xmalloc(sizeof(*p));
	atomic_fetch_add(&(*blob)->refs, 1);
	*p = (struct stream_post){ .blob = *blob };
	*sub->tail = p;
	sub->tail = &p->next;
	sub->queued += cost(m);
	loop_post(sub->conf.loop, &sub->job);
	return true;
}

static struct stream_post *take(struct stream_sub *sub)
{
	struct stream_post *p;

	pthread_mutex_lock(&sub->all->lock);
	p = sub->head;
	if (p) {
		sub->head = p->next;
		if (!sub->head)
			sub->tail = &sub->head;
		sub->queued -= cost(&p->blob->m);
		sub->taken++;
	}
	pthread_mutex_unlock(&sub->all->lock);
	return p;
}

static void bury(struct stream_sub *sub)
{
	pthread_mutex_lock(&sub->all->lock);
	LIST_REMOVE(sub, entry);
	pthread_mutex_unlock(&sub->all->lock);
	stream_sub_free(sub);
}

/* Who unsubscribes posts this once more, so that memory goes when nobody stands on it. */
static void deliver_cb(struct loop_job *job)
{
	struct stream_sub *sub = (struct stream_sub *)((char *)job - offsetof(struct stream_sub, job));

	if (sub->dead) {
		bury(sub);
		return;
	}
	for (unsigned int i = 0; i < TURN_MAX && !sub->dead; i++) {
		struct stream_post *p = take(sub);

		if (!p)
			return;
		sub->conf.fn(sub->conf.arg, &p->blob->m);
		post_free(sub->all, p);
	}
	loop_post(sub->conf.loop, &sub->job);
}

struct stream_sub *stream_subscribe(struct streams *all, const struct stream_sub_conf *conf, struct err *err)
{
	struct stream_sub *sub;
	struct stream *s;

	if (stream_name_check(conf->name, err))
		return NULL;
	pthread_mutex_lock(&all->lock);
	s = stream_get(all, conf->name, err);
	if (!s) {
		pthread_mutex_unlock(&all->lock);
		return NULL;
	}
	sub = xcalloc(1, sizeof(*sub));
	sub->all = all;
	sub->stream = s;
	sub->conf = *conf;
	sub->conf.name = s->name;
	sub->conf.who = xstrdup(conf->who ? conf->who : "this daemon");
	sub->tail = &sub->head;
	sub->job.fn = deliver_cb;
	LIST_INSERT_HEAD(&s->subs, sub, entry);
	pthread_mutex_unlock(&all->lock);
	return sub;
}

void stream_unsubscribe(struct stream_sub *sub)
{
	if (!sub)
		return;
	pthread_mutex_lock(&sub->all->lock);
	LIST_REMOVE(sub, entry);
	LIST_INSERT_HEAD(&sub->all->dead, sub, entry);
	sub->dead = true;
	queue_drop(sub);
	pthread_mutex_unlock(&sub->all->lock);
	loop_post(sub->conf.loop, &sub->job);
}

void stream_dropped(struct stream_sub *sub, const struct stream_msg *m)
{
	pthread_mutex_lock(&sub->all->lock);
	sub->taken--;
	drop_count(sub, m, "it is too slow");
	pthread_mutex_unlock(&sub->all->lock);
}
