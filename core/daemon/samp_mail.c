/* samp_mail.c - streams and messages for samplers; see plugins/samp.h.
 *
 * A subscription stands on the main loop, where messages arrive; there each is put into the instance's queue, and the
 * schedule is asked to run the instance, which hands them to the plugin.  The plugin subscribes and ends that on its
 * own thread, which must not wait for the main loop: both are posted there.  So a subscription has two owners, the
 * instance's list and the main loop, and whoever lets go last frees it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp_impl.h"
#include "core/daemon/stream.h"
#include "xprt/bus.h"

#define MAIL_BYTES_MAX (4u << 20) /* that wait for one instance */
#define MAIL_MSGS_MAX  16384
#define SAY_EVERY_US   (60 * SEC_US) /* errors of a plugin with messages: they come from strangers */

struct samp_sub {
	LIST_ENTRY(samp_sub) entry;
	atomic_uint refs;
	atomic_bool dead; /* the plugin is not called any more, and `sp` not looked at */
	bool stale;       /* under samp.lock: the plugin is opened anew, and may want it again */
	unsigned int via;
	bool regex;
	int (*fn)(struct samp *sp, const struct samp_msg *m, struct err *err);
	struct samp *sp;
	/* the main loop's */
	bool open, ended;
	struct stream_sub *stream;
	struct bus_sub *bus;
	char name[];
};

struct samp_letter {
	struct samp_letter *next;
	struct samp_sub *sub; /* with a reference */
	struct samp_msg m;    /* points behind */
};

static void sub_put(struct samp_sub *sub)
{
	if (atomic_fetch_sub(&sub->refs, 1) == 1)
		free(sub);
}

/* -- the queue ----------------------------------------------------------------------------------------------------- */

static void letter_free(struct samp_letter *l)
{
	sub_put(l->sub);
	free(l);
}

static size_t letter_cost(const struct samp_letter *l)
{
	return sizeof(*l) + l->m.raw_len;
}

static struct samp_letter *letter_new(struct samp_sub *sub, const struct samp_msg *m)
{
	size_t name_sz = strlen(m->name) + 1;
	struct samp_letter *l = xmalloc(sizeof(*l) + name_sz + m->raw_len + 1);
	char *at = (char *)(l + 1), *data = at + name_sz;

	*l = (struct samp_letter){ .sub = sub, .m = *m };
	atomic_fetch_add(&sub->refs, 1);
	l->m.name = memcpy(at, m->name, name_sz);
	if (m->raw_len)
		memcpy(data, m->data, m->raw_len);
	data[m->raw_len] = 0;
	l->m.data = data;
	while (l->m.len && !data[l->m.len - 1])
		l->m.len--;
	return l;
}

/* Into the queue of its instance, or nowhere. */
static void sub_take(struct samp_sub *sub, const struct samp_msg *m)
{
	struct samp_mail *mail = &sub->sp->mail;
	struct samp_letter *l = letter_new(sub, m);

	pthread_mutex_lock(&mail->lock);
	if (mail->n >= MAIL_MSGS_MAX || mail->bytes + letter_cost(l) > MAIL_BYTES_MAX) {
		mail->lost++;
	} else {
		mail->bytes += letter_cost(l);
		*mail->tail = l;
		mail->tail = &l->next;
		mail->n++;
		l = NULL;
	}
	pthread_mutex_unlock(&mail->lock);
	if (l)
		letter_free(l);
}

static struct samp_letter *letter_next(struct samp_mail *mail)
{
	struct samp_letter *l;

	pthread_mutex_lock(&mail->lock);
	l = mail->head;
	if (l) {
		mail->head = l->next;
		if (!mail->head)
			mail->tail = &mail->head;
		mail->bytes -= letter_cost(l);
		mail->n--;
	}
	pthread_mutex_unlock(&mail->lock);
	return l;
}

static void letters_lost(struct samp_mail *mail, uint64_t n)
{
	pthread_mutex_lock(&mail->lock);
	mail->lost += n;
	pthread_mutex_unlock(&mail->lock);
}

static void letter_read(struct samp *sp, const struct samp_letter *l)
{
	struct samp_mail *mail = &sp->mail;
	struct err err = { "" };
	int64_t now_us;

	if (l->sub->dead) {
		letters_lost(mail, 1);
		return;
	}
	atomic_fetch_add_explicit(&mail->taken, 1, memory_order_relaxed);
	if (!l->sub->fn(sp, &l->m, &err))
		return;
	atomic_fetch_add_explicit(&mail->errors, 1, memory_order_relaxed);
	now_us = mono_us();
	if (mail->said_us && now_us - mail->said_us < SAY_EVERY_US)
		return;
	mail->said_us = now_us;
	log_warning("sampler", "%s: a message of %s: %s (%llu of %llu so far)", sp->name, l->m.name, err.msg,
		    (unsigned long long)mail->errors, (unsigned long long)mail->taken);
}

void samp_mail_deliver(struct samp *sp)
{
	if (!sp->opened || !atomic_load_explicit(&sp->mail.n, memory_order_relaxed))
		return;
	sp->turn++;
	/* those that are there now: what comes meanwhile is another turn's, or samples would wait for ever */
	for (unsigned int n = sp->mail.n; n; n--) {
		struct samp_letter *l = letter_next(&sp->mail);

		if (!l)
			return;
		letter_read(sp, l);
		letter_free(l);
	}
}

/* -- on the main loop ---------------------------------------------------------------------------------------------- */

static void sub_arrived(struct samp_sub *sub, const struct samp_msg *m)
{
	if (sub->dead)
		return;
	sub_take(sub, m);
	if (samp_sched_of(sub->sp))
		samp_sched_kick(samp_sched_of(sub->sp), &sub->sp->task);
}

static void on_stream(void *arg, const struct stream_msg *m)
{
	sub_arrived(arg, &(struct samp_msg){
				 .via = SAMP_STREAM,
				 .name = m->name,
				 .json = m->type == STREAM_JSON,
				 .data = m->data,
				 .len = m->len,
				 .raw_len = m->len,
				 .uid = m->uid,
				 .gid = m->gid,
			 });
}

static void on_msg(void *arg, const struct bus_msg *m)
{
	sub_arrived(arg, &(struct samp_msg){
				 .via = SAMP_MSG,
				 .name = m->channel,
				 .json = m->type == BUS_JSON,
				 .data = m->data,
				 .len = m->len,
				 .raw_len = m->len,
				 .uid = m->uid,
				 .gid = m->gid,
			 });
}

/* Can nothing come?  All of the configuration was carried out when this is asked. */
static bool is_off(const struct samp_env *env, unsigned int via)
{
	return !(via & SAMP_STREAM && env->streams && streams_enabled(env->streams)) &&
	       !(via & SAMP_MSG && env->bus && bus_enabled(env->bus));
}

static void sub_open(void *arg)
{
	struct samp_sub *sub = arg;
	const struct samp_env *env;
	struct err err = { "" };

	if (sub->ended)
		sub_put(sub);
	if (sub->ended || sub->dead)
		return;
	env = sub->sp->env;
	sub->open = true;
	if (is_off(env, sub->via))
		log_warning("sampler", "%s: wants to hear of %s, but %s off in this daemon; `%s` turns them on",
			    sub->sp->name, sub->name, sub->via & SAMP_MSG ? "messages are" : "streams are",
			    sub->via & SAMP_MSG ? "msg_enable" : "stream_enable");
	if (sub->via & SAMP_STREAM && env->streams && !sub->regex) {
		const struct stream_sub_conf conf = {
			.name = sub->name,
			.who = sub->sp->name,
			.loop = env->loop,
			.fn = on_stream,
			.arg = sub,
		};

		sub->stream = stream_subscribe(env->streams, &conf, &err);
		if (!sub->stream)
			log_error("sampler", "%s: %s", sub->sp->name, err.msg);
	}
	if (sub->via & SAMP_MSG && env->bus) {
		sub->bus = bus_subscribe(env->bus, sub->name, sub->regex, env->loop, on_msg, sub, &err);
		if (!sub->bus)
			log_error("sampler", "%s: %s", sub->sp->name, err.msg);
	}
}

static void sub_close(void *arg)
{
	struct samp_sub *sub = arg;

	stream_unsubscribe(sub->stream);
	bus_unsubscribe(sub->bus);
	sub_put(sub);
}

void samp_mail_end(struct samp *sp)
{
	struct loop *loop = sp->env->loop;
	struct samp_sub *sub;

	if (!loop)
		return;
	loop_enter(loop);
	pthread_mutex_lock(&sp->lock);
	LIST_FOREACH(sub, &sp->mail.subs, entry) {
		sub->dead = sub->ended = true;
		if (sub->open)
			sub_close(sub); /* the list has a reference, too */
	}
	pthread_mutex_unlock(&sp->lock);
	loop_leave(loop);
}

/* -- on the plugin's thread ---------------------------------------------------------------------------------------- */

/* Is it one that was kept? */
static bool sub_revive(struct samp *sp, unsigned int via, const char *name, bool regex,
		       int (*fn)(struct samp *sp, const struct samp_msg *m, struct err *err))
{
	struct samp_sub *sub;

	pthread_mutex_lock(&sp->lock);
	LIST_FOREACH(sub, &sp->mail.subs, entry) {
		if (sub->stale && sub->via == via && sub->regex == regex && sub->fn == fn && !strcmp(sub->name, name))
			break;
	}
	if (sub)
		sub->stale = false;
	pthread_mutex_unlock(&sp->lock);
	return sub;
}

int samp_subscribe(struct samp *sp, unsigned int via, const char *name, bool regex,
		   int (*fn)(struct samp *sp, const struct samp_msg *m, struct err *err), struct err *err)
{
	struct samp_sub *sub;
	struct rx rx;
	int rc;

	if (!*name)
		return err_set(err, -EINVAL, "the name of a stream or channel is empty");
	if (regex) {
		rc = rx_init(&rx, name, err);
		if (rc)
			return rc;
		rx_fini(&rx);
	}
	if (sub_revive(sp, via, name, regex, fn))
		return 0;
	sub = xcalloc(1, sizeof(*sub) + strlen(name) + 1);
	sub->refs = 1;
	sub->sp = sp;
	sub->via = via;
	sub->regex = regex;
	sub->fn = fn;
	strcpy(sub->name, name);
	pthread_mutex_lock(&sp->lock);
	LIST_INSERT_HEAD(&sp->mail.subs, sub, entry);
	if (!sp->orphan && sp->env->loop) {
		sub->refs = 2;
		loop_call(sp->env->loop, sub_open, sub);
	}
	pthread_mutex_unlock(&sp->lock);
	return 0;
}

/* Its end; samp.lock is held. */
static void sub_end(struct samp *sp, struct samp_sub *sub)
{
	LIST_REMOVE(sub, entry);
	sub->dead = true;
	if (!sp->orphan && sp->env->loop)
		loop_call(sp->env->loop, sub_close, sub);
	sub_put(sub);
}

/* End those that nobody wants to keep. */
static void subs_end(struct samp *sp, bool all)
{
	struct samp_sub *sub, *next;

	pthread_mutex_lock(&sp->lock);
	for (sub = LIST_FIRST(&sp->mail.subs); sub; sub = next) {
		next = LIST_NEXT(sub, entry);
		if (all || sub->stale)
			sub_end(sp, sub);
	}
	pthread_mutex_unlock(&sp->lock);
}

void samp_mail_keep(struct samp *sp)
{
	struct samp_sub *sub;

	pthread_mutex_lock(&sp->lock);
	LIST_FOREACH(sub, &sp->mail.subs, entry)
		sub->stale = true;
	sp->mail.kept = true;
	pthread_mutex_unlock(&sp->lock);
}

void samp_mail_sweep(struct samp *sp)
{
	sp->mail.kept = false;
	subs_end(sp, false);
}

void samp_mail_shut(struct samp *sp)
{
	struct samp_letter *l;

	if (sp->mail.kept) {
		sp->mail.kept = false; /* once: what fails to open is shut as a whole */
		return;
	}
	subs_end(sp, true);
	while ((l = letter_next(&sp->mail))) {
		letters_lost(&sp->mail, 1);
		letter_free(l);
	}
}

/* -- others -------------------------------------------------------------------------------------------------------- */

static bool sub_wants(const struct samp_sub *sub, const struct samp_msg *m)
{
	struct rx rx;
	bool match;

	if (!(sub->via & m->via))
		return false;
	if (!sub->regex)
		return !strcmp(sub->name, m->name);
	if (rx_init(&rx, sub->name, NULL))
		return false;
	match = rx_match(&rx, m->name);
	rx_fini(&rx);
	return match;
}

void samp_tell(struct samp *sp, const struct samp_msg *m)
{
	struct samp_msg whole = *m;
	struct samp_sub *sub;

	whole.raw_len = m->raw_len ? m->raw_len : m->len;
	whole.len = whole.raw_len;
	pthread_mutex_lock(&sp->lock);
	LIST_FOREACH(sub, &sp->mail.subs, entry) {
		if (sub_wants(sub, &whole))
			sub_take(sub, &whole);
	}
	pthread_mutex_unlock(&sp->lock);
	if (samp_sched_of(sp))
		samp_sched_kick(samp_sched_of(sp), &sp->task);
}

void samp_mail_count(struct samp *sp, struct samp_status *ret)
{
	ret->msgs = sp->mail.taken;
	ret->msg_errors = sp->mail.errors;
	pthread_mutex_lock(&sp->mail.lock);
	ret->msg_lost = sp->mail.lost;
	pthread_mutex_unlock(&sp->mail.lock);
}

void samp_mail_init(struct samp *sp)
{
	pthread_mutex_init(&sp->mail.lock, NULL);
	sp->mail.tail = &sp->mail.head;
	LIST_INIT(&sp->mail.subs);
}

void samp_mail_fini(struct samp *sp)
{
	samp_mail_shut(sp);
	pthread_mutex_destroy(&sp->mail.lock);
}
