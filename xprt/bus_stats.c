/* bus_stats.c - what became of messages: see bus.h */
#include <string.h>

#include "xprt/bus_impl.h"

static struct bus_sub_stats stats_of(const struct bus_sub *s)
{
	return (struct bus_sub_stats){
		.match = s->match,
		.desc = s->desc,
		.dest = s->dest,
		.regex = s->regex,
		.all = s->tally,
		.waiting = s->waiting,
		.waiting_bytes = s->waiting_bytes,
	};
}

static int by_name(const struct bus_chan *a, const struct bus_chan *b)
{
	return strcmp(a->name, b->name);
}

void bus_walk_channels(struct bus *b, bool (*wanted)(void *arg, const char *name), const struct bus_stats_walk *w,
		       bool reset)
{
	pthread_mutex_lock(&b->lock);
	HASH_SORT(b->chans, by_name);
	for (struct bus_chan *c = b->chans; c; c = c->hh.next) {
		if (wanted && !wanted(w->arg, c->name))
			continue;
		w->channel(w->arg, c->name, &c->rx, c->lost);
		for (unsigned int i = 0; i < c->n; i++) {
			const struct bus_sub_stats st = stats_of(c->wants[i]->sub);

			w->pair(w->arg, c->name, &st, &c->wants[i]->tally);
			if (reset)
				memset(&c->wants[i]->tally, 0, sizeof(c->wants[i]->tally));
		}
		if (!reset)
			continue;
		memset(&c->rx, 0, sizeof(c->rx));
		memset(c->lost, 0, sizeof(c->lost));
	}
	pthread_mutex_unlock(&b->lock);
}

void bus_walk_clients(struct bus *b, const struct bus_stats_walk *w, bool reset)
{
	struct bus_want *want;
	struct bus_sub *s;

	pthread_mutex_lock(&b->lock);
	LIST_FOREACH(s, &b->subs, entry) {
		const struct bus_sub_stats st = stats_of(s);

		w->client(w->arg, &st);
		LIST_FOREACH(want, &s->wants, of_sub) {
			w->pair(w->arg, want->chan->name, &st, &want->tally);
			if (reset)
				memset(&want->tally, 0, sizeof(want->tally));
		}
		if (reset)
			memset(&s->tally, 0, sizeof(s->tally));
	}
	pthread_mutex_unlock(&b->lock);
}

void bus_totals(struct bus *b, uint64_t lost[BUS_LOSSES], size_t *ret_held)
{
	pthread_mutex_lock(&b->lock);
	memcpy(lost, b->lost, sizeof(b->lost));
	pthread_mutex_unlock(&b->lock);
	*ret_held = atomic_load(&b->held);
}
