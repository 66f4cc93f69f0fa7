/* bus_port.c - queues of messages, one for each receiver (or each connection of one): see bus_impl.h */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "xprt/bus_impl.h"

void bus_count(struct bus_count *c, uint64_t bytes, int64_t now)
{
	if (!c->count++)
		c->first_ns = now;
	c->bytes += bytes;
	c->last_ns = now;
}

void bus_port_open(struct bus_port *p, struct bus *b, struct loop *loop, void (*turn)(struct bus_port *p))
{
	*p = (struct bus_port){ .bus = b, .loop = loop, .turn = turn };
	STAILQ_INIT(&p->items);
}

static void turn_cb(struct loop_job *job)
{
	struct bus_port *p = (struct bus_port *)((char *)job - offsetof(struct bus_port, job));

	if (p->bus)
		p->turn(p);
}

void bus_delivery_lost(struct bus *b, struct bus_want *w, uint32_t bytes, enum bus_loss why, int64_t now)
{
	bus_count(&w->tally.drops, bytes, now);
	w->tally.lost[why]++;
	bus_count(&w->sub->tally.drops, bytes, now);
	w->sub->tally.lost[why]++;
	b->lost[why]++;
}

/* Take the first item off; the bus is locked. */
static struct bus_want *item_take(struct bus_port *p, struct bus_body **ret)
{
	struct bus_item *it = STAILQ_FIRST(&p->items);
	struct bus_want *w = it->want;

	STAILQ_REMOVE_HEAD(&p->items, entry);
	p->n--;
	p->bytes -= it->body->size;
	w->chan->waiting--;
	w->sub->waiting--;
	w->sub->waiting_bytes -= it->body->cost;
	*ret = it->body;
	free(it);
	return w;
}

unsigned long bus_port_purge(struct bus_port *p, const struct bus_sub *of, enum bus_loss why)
{
	STAILQ_HEAD(, bus_item) keep = STAILQ_HEAD_INITIALIZER(keep);
	int64_t now = wall_ns();
	unsigned long n = 0;
	struct bus_item *it;

	while ((it = STAILQ_FIRST(&p->items))) {
		struct bus_body *body;
		struct bus_want *w;

		if (of && it->want->sub != of) {
			STAILQ_REMOVE_HEAD(&p->items, entry);
			STAILQ_INSERT_TAIL(&keep, it, entry);
			continue;
		}
		w = item_take(p, &body);
		bus_delivery_lost(p->bus, w, body->cost, why, now);
		bus_body_put(body);
		n++;
	}
	STAILQ_CONCAT(&p->items, &keep);
	return n;
}

void bus_port_close(struct bus_port *p)
{
	struct bus *b = p->bus;

	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	bus_port_purge(p, NULL, BUS_LOST_GONE);
	p->bus = NULL;
	pthread_mutex_unlock(&b->lock);
}

struct bus_body *bus_port_head(struct bus_port *p)
{
	struct bus *b = p->bus;
	struct bus_item *it;

	if (!b)
		return NULL;
	pthread_mutex_lock(&b->lock);
	it = STAILQ_FIRST(&p->items);
	pthread_mutex_unlock(&b->lock);
	return it ? it->body : NULL; /* only this loop takes it away */
}

struct bus_body *bus_port_done(struct bus_port *p)
{
	int64_t now = wall_ns();
	struct bus_body *body;
	struct bus_want *w;

	pthread_mutex_lock(&p->bus->lock);
	w = item_take(p, &body);
	bus_count(&w->tally.tx, body->cost, now);
	bus_count(&w->sub->tally.tx, body->cost, now);
	pthread_mutex_unlock(&p->bus->lock);
	return body;
}

struct bus_body *bus_port_lose(struct bus_port *p, enum bus_loss why)
{
	struct bus_body *body;
	struct bus_want *w;

	pthread_mutex_lock(&p->bus->lock);
	w = item_take(p, &body);
	bus_delivery_lost(p->bus, w, body->cost, why, wall_ns());
	pthread_mutex_unlock(&p->bus->lock);
	return body;
}

unsigned long bus_port_stall(struct bus_port *p, bool stalled)
{
	unsigned long n;

	if (!p->bus)
		return 0;
	pthread_mutex_lock(&p->bus->lock);
	p->stalled = stalled;
	if (stalled)
		p->passed += bus_port_purge(p, NULL, BUS_LOST_STALLED);
	n = p->passed;
	if (!stalled)
		p->passed = 0;
	pthread_mutex_unlock(&p->bus->lock);
	return n;
}

/* Is there a reason not to let one more wait? */
static bool is_full(struct bus_port *p, const struct bus_body *body, enum bus_loss *ret_why)
{
	const struct bus_limits *lim = &p->bus->lim;

	*ret_why = p->stalled ? BUS_LOST_STALLED : BUS_LOST_FULL;
	return p->stalled || p->n >= lim->queue_msgs || (p->n && p->bytes + body->size > lim->queue_bytes);
}

void bus_port_put(struct bus_port *p, struct bus_want *w, struct bus_body *body, int64_t now)
{
	struct bus_item *it;
	enum bus_loss why;

	if (is_full(p, body, &why)) {
		p->passed += p->stalled;
		bus_delivery_lost(p->bus, w, body->cost, why, now);
		return;
	}
	it = xmalloc(sizeof(*it));
	atomic_fetch_add(&body->refs, 1);
	it->body = body;
	it->want = w;
	if (STAILQ_EMPTY(&p->items)) {
		p->job.fn = turn_cb;
		loop_post(p->loop, &p->job);
	}
	STAILQ_INSERT_TAIL(&p->items, it, entry);
	p->n++;
	p->bytes += body->size;
	w->chan->waiting++;
	w->sub->waiting++;
	w->sub->waiting_bytes += body->cost;
}
