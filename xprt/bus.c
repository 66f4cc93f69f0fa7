/* bus.c - channels, receivers, and the way of a message: see bus.h and bus_impl.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "xprt/bus_impl.h"

const struct bus_limits bus_limits_dflt = {
	.queue_bytes = 32u << 20,
	.queue_msgs = 65536,
	.held_bytes = 256u << 20,
	.channels = 4096,
	.stall_us = 1 * SEC_US,
	.credit_us = 10 * SEC_US, /* it may itself wait for one that stalls */
};

static const char *const loss_names[BUS_LOSSES] = {
	[BUS_LOST_FULL] = "full",     [BUS_LOST_STALLED] = "stalled", [BUS_LOST_RATE] = "rate",
	[BUS_LOST_QUOTA] = "quota",   [BUS_LOST_LONG] = "long",       [BUS_LOST_HOPS] = "hops",
	[BUS_LOST_ACCESS] = "access", [BUS_LOST_GONE] = "gone",       [BUS_LOST_FORGED] = "forged",
	[BUS_LOST_MEMORY] = "memory", [BUS_LOST_OVERRUN] = "overrun",
};

const char *bus_loss_name(enum bus_loss why)
{
	return (unsigned int)why < BUS_LOSSES ? loss_names[why] : "?";
}

struct bus *bus_new(const struct bus_limits *limits)
{
	struct bus *b = xcalloc(1, sizeof(*b));

	b->lim = limits ? *limits : bus_limits_dflt;
	pthread_mutex_init(&b->lock, NULL);
	LIST_INIT(&b->subs);
	TAILQ_INIT(&b->used);
	return b;
}

static void chan_free(struct bus *b, struct bus_chan *c)
{
	for (unsigned int i = 0; i < c->n; i++) {
		LIST_REMOVE(c->wants[i], of_sub);
		free(c->wants[i]);
	}
	HASH_DEL(b->chans, c);
	TAILQ_REMOVE(&b->used, c, used);
	b->n_chans--;
	free(c->wants);
	free(c);
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	while (!TAILQ_EMPTY(&b->used))
		chan_free(b, TAILQ_FIRST(&b->used));
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void bus_enable(struct bus *b, bool on)
{
	atomic_store(&b->on, on);
}

bool bus_enabled(const struct bus *b)
{
	return b && atomic_load_explicit(&b->on, memory_order_relaxed);
}

/* -- channels ------------------------------------------------------------------------------------------------------ */

static void want_add(struct bus_chan *c, struct bus_sub *s)
{
	struct bus_want *w = xcalloc(1, sizeof(*w));

	w->sub = s;
	w->chan = c;
	LIST_INSERT_HEAD(&s->wants, w, of_sub);
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 2;
		c->wants = xrealloc(c->wants, c->cap * sizeof(struct bus_want *));
	}
	c->wants[c->n++] = w;
}

static void want_del(struct bus_want *w)
{
	struct bus_chan *c = w->chan;
	unsigned int i = 0;

	while (c->wants[i] != w)
		i++;
	memmove(&c->wants[i], &c->wants[i + 1], (--c->n - i) * sizeof(struct bus_want *));
	LIST_REMOVE(w, of_sub);
	free(w);
}

static bool sub_matches(const struct bus_sub *s, const char *channel)
{
	return s->regex ? rx_match(&s->rx, channel) : !strcmp(s->match, channel);
}

/* One is forgotten for a new one; those that messages point at are not. */
static void chan_make_room(struct bus *b)
{
	struct bus_chan *c;

	TAILQ_FOREACH(c, &b->used, used) {
		if (c->waiting)
			continue;
		chan_free(b, c);
		return;
	}
}

/* The channel, known from now on. */
static struct bus_chan *chan_of(struct bus *b, const char *name)
{
	size_t len = strlen(name);
	struct bus_chan *c;
	struct bus_sub *s;

	HASH_FIND(hh, b->chans, name, len, c);
	if (c) {
		if (c != TAILQ_LAST(&b->used, bus_chans)) {
			TAILQ_REMOVE(&b->used, c, used);
			TAILQ_INSERT_TAIL(&b->used, c, used);
		}
		return c;
	}
	if (b->n_chans >= b->lim.channels)
		chan_make_room(b);
	c = xcalloc(1, sizeof(*c) + len + 1);
	memcpy(c->name, name, len + 1);
	HASH_ADD_KEYPTR(hh, b->chans, c->name, len, c);
	TAILQ_INSERT_TAIL(&b->used, c, used);
	b->n_chans++;
	LIST_FOREACH(s, &b->subs, entry)
		if (sub_matches(s, name))
			want_add(c, s);
	return c;
}

void bus_lose(struct bus *b, const char *channel, uint64_t bytes, enum bus_loss why)
{
	struct bus_chan *c;

	pthread_mutex_lock(&b->lock);
	b->lost[why]++;
	if (channel) {
		c = chan_of(b, channel);
		bus_count(&c->rx, bytes, wall_ns());
		c->lost[why]++;
	}
	pthread_mutex_unlock(&b->lock);
}

void bus_tell_off(struct bus *b, const char *channel, const char *who)
{
	struct bus_chan *c;
	bool told;

	pthread_mutex_lock(&b->lock);
	c = chan_of(b, channel);
	told = c->told;
	c->told = true;
	pthread_mutex_unlock(&b->lock);
	if (!told)
		log_warning("msg",
			    "channel %s: %s publishes, but the message bus is off here: its messages are lost; put "
			    "`msg_enable` into the configuration",
			    channel, who);
}

/* -- receivers ----------------------------------------------------------------------------------------------------- */

int bus_sub_new(struct bus *b, const struct bus_sub_conf *conf, struct bus_sub **ret, struct err *err)
{
	struct bus_sub *s;
	struct bus_chan *c, *next;
	int rc;

	if (!*conf->match || strlen(conf->match) >= BUS_NAME_MAX)
		return err_set(err, -EINVAL, "'%.32s' is no channel: a name has 1 to %d bytes", conf->match,
			       BUS_NAME_MAX - 1);
	s = xcalloc(1, sizeof(*s));
	if (conf->regex) {
		rc = rx_init(&s->rx, conf->match, err);
		if (rc) {
			free(s);
			return rc;
		}
	}
	s->bus = b;
	s->match = xstrdup(conf->match);
	s->desc = xstrdup(conf->desc);
	s->dest = xstrdup(conf->dest);
	s->regex = conf->regex;
	s->rate = conf->rate;
	s->ports = conf->ports;
	s->n_ports = conf->n_ports;
	LIST_INIT(&s->wants);
	pthread_mutex_lock(&b->lock);
	LIST_INSERT_HEAD(&b->subs, s, entry);
	HASH_ITER(hh, b->chans, c, next) {
		if (sub_matches(s, c->name))
			want_add(c, s);
	}
	pthread_mutex_unlock(&b->lock);
	*ret = s;
	return 0;
}

void bus_sub_free(struct bus_sub *s)
{
	struct bus *b = s->bus;

	pthread_mutex_lock(&b->lock);
	for (unsigned int i = 0; i < s->n_ports; i++)
		if (s->waiting)
			bus_port_purge(s->ports[i], s, BUS_LOST_GONE);
	while (!LIST_EMPTY(&s->wants))
		want_del(LIST_FIRST(&s->wants));
	LIST_REMOVE(s, entry);
	pthread_mutex_unlock(&b->lock);
	if (s->regex)
		rx_fini(&s->rx);
	free(s->match);
	free(s->desc);
	free(s->dest);
	free(s);
}

/* -- the way of a message ------------------------------------------------------------------------------------------ */

/* May so much more go to it in this second? */
static bool rate_allows(struct bus_sub *s, uint32_t bytes, int64_t now)
{
	int64_t sec = now / INT64_C(1000000000);

	if (s->rate < 0)
		return true;
	if (s->rate_s != sec) {
		s->rate_s = sec;
		s->rate_used = 0;
	}
	if (s->rate_used + bytes > (uint64_t)s->rate)
		return false;
	s->rate_used += bytes;
	return true;
}

static void deliver(struct bus *b, struct bus_want *w, struct bus_body *body, int64_t now)
{
	struct bus_sub *s = w->sub;

	if (rate_allows(s, body->m.len, now))
		bus_port_put(s->ports[s->n_ports > 1 ? bus_lane(body, s->n_ports) : 0], w, body, now);
	else
		bus_delivery_lost(b, w, body->cost, BUS_LOST_RATE, now);
}

void bus_route(struct bus *b, struct bus_body *body)
{
	int64_t now = wall_ns();
	struct bus_chan *c;

	pthread_mutex_lock(&b->lock);
	c = chan_of(b, body->m.channel);
	c->told = false;
	bus_count(&c->rx, body->cost, now);
	for (unsigned int i = 0; i < c->n; i++)
		deliver(b, c->wants[i], body, now);
	pthread_mutex_unlock(&b->lock);
}

int bus_publish(struct bus *b, const struct bus_msg *m, struct err *err)
{
	struct bus_body *body;
	int rc;

	if (!bus_enabled(b)) {
		if (b)
			bus_tell_off(b, m->channel, "this process");
		return err_set(err, -ENOTSUP, "channel %s: the message bus is off; `msg_enable` switches it on",
			       m->channel);
	}
	rc = bus_body_new(b, m, &body, err);
	if (rc) {
		if (rc == -ENOBUFS)
			bus_lose(b, m->channel, m->len, BUS_LOST_MEMORY);
		return rc;
	}
	bus_route(b, body);
	bus_body_put(body);
	return 0;
}
