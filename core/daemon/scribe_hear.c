/* scribe_hear.c - what a store of messages hears.  A subscription stands on the main loop, where messages arrive; there each
 * is put into the queue. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "core/daemon/scribe_impl.h"
#include "core/daemon/stream.h"
#include "xprt/bus.h"

void scribe_sub_put(struct scribe_sub *sub)
{
	if (atomic_fetch_sub(&sub->refs, 1) == 1)
		free(sub);
}

static void on_stream(void *arg, const struct stream_msg *m)
{
	scribe_take(arg, &(struct scribe_msg){
				 .via = SCRIBE_STREAM,
				 .name = m->name,
				 .json = m->type == STREAM_JSON,
				 .data = m->data,
				 .len = m->len,
				 .recv_us = wall_us(),
			 });
}

static void on_msg(void *arg, const struct bus_msg *m)
{
	scribe_take(arg, &(struct scribe_msg){
				 .via = SCRIBE_MSG,
				 .name = m->channel,
				 .json = m->type == BUS_JSON,
				 .data = m->data,
				 .len = m->len,
				 .recv_us = wall_us(),
			 });
}

/* Can nothing come?  All of the configuration was carried out when this is asked. */
static bool is_off(const struct scribe_env *env, enum scribe_via via)
{
	return via == SCRIBE_STREAM ? !env->streams || !streams_enabled(env->streams)
				    : !env->bus || !bus_enabled(env->bus);
}

static void sub_open(struct scribe_sub *sub)
{
	const struct scribe_env *env = sub->sc->env;
	const struct stream_sub_conf conf = {
		.name = sub->name, .who = sub->sc->name, .loop = env->loop, .fn = on_stream, .arg = sub
	};
	struct err err = { "" };

	if (sub->stream || sub->bus)
		return;
	if (is_off(env, sub->via))
		log_warning("store", "store %s: wants to hear of %s, but %s off in this daemon; `%s` turns them on",
			    sub->sc->name, sub->name, sub->via == SCRIBE_MSG ? "messages are" : "streams are",
			    sub->via == SCRIBE_MSG ? "msg_enable" : "stream_enable");
	if (sub->via == SCRIBE_STREAM && env->streams)
		sub->stream = stream_subscribe(env->streams, &conf, &err);
	else if (sub->via == SCRIBE_MSG && env->bus)
		sub->bus = bus_subscribe(env->bus, sub->name, sub->regex, env->loop, on_msg, sub, &err);
	if (err.msg[0])
		log_error("store", "store %s: %s", sub->sc->name, err.msg);
}

static void sub_close(struct scribe_sub *sub)
{
	stream_unsubscribe(sub->stream);
	bus_unsubscribe(sub->bus);
	sub->stream = NULL;
	sub->bus = NULL;
}

static struct scribe_sub **sub_find(struct scribe *sc, enum scribe_via via, const char *name)
{
	struct scribe_sub **link = &sc->subs;

	while (*link && ((*link)->via != via || strcmp((*link)->name, name)))
		link = &(*link)->next;
	return link;
}

static bool is_running(struct scribe *sc)
{
	bool running;

	pthread_mutex_lock(&sc->lock);
	running = sc->state == SCRIBE_RUNNING;
	pthread_mutex_unlock(&sc->lock);
	return running;
}

int scribe_subscribe(struct scribe *sc, enum scribe_via via, const char *name, bool regex, struct err *err)
{
	struct scribe_sub **link = sub_find(sc, via, name), *sub;
	struct rx rx;
	int rc = 0;

	if (*link)
		return err_set(err, -EEXIST, "store %s: %s is written already; name it once", sc->name, name);
	if (!*name || (via == SCRIBE_STREAM ? strlen(name) >= STREAM_NAME_MAX : strlen(name) >= BUS_NAME_MAX))
		return err_set(err, -EINVAL, "store %s: '%.32s': the name of a stream or channel has 1 to %d bytes",
			       sc->name, name, (via == SCRIBE_STREAM ? STREAM_NAME_MAX : BUS_NAME_MAX) - 1);
	if (regex)
		rc = rx_init(&rx, name, err);
	if (rc)
		return err_prefix(err, rc, "store %s: ", sc->name);
	if (regex)
		rx_fini(&rx);
	sub = xcalloc(1, sizeof(*sub) + strlen(name) + 1);
	sub->sc = sc;
	sub->via = via;
	sub->regex = regex;
	atomic_init(&sub->refs, 1);
	strcpy(sub->name, name);
	*link = sub;
	if (is_running(sc) && !sc->wanted && !sc->env->draft)
		sub_open(sub);
	return 0;
}

int scribe_unsubscribe(struct scribe *sc, enum scribe_via via, const char *name, struct err *err)
{
	struct scribe_sub **link = sub_find(sc, via, name), *sub = *link;

	if (!sub)
		return err_set(err, -ENOENT, "store %s: %s is not written; see its config lines", sc->name, name);
	*link = sub->next;
	sub_close(sub);
	scribe_sub_put(sub);
	return 0;
}

void scribe_subs_open(struct scribe *sc)
{
	for (struct scribe_sub *sub = sc->subs; sub; sub = sub->next)
		sub_open(sub);
}

void scribe_subs_close(struct scribe *sc)
{
	for (struct scribe_sub *sub = sc->subs; sub; sub = sub->next)
		sub_close(sub);
}

void scribe_subs_drop(struct scribe *sc)
{
	while (sc->subs) {
		struct scribe_sub *sub = sc->subs;

		sc->subs = sub->next;
		sub_close(sub);
		scribe_sub_put(sub);
	}
}
