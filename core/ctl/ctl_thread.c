/* ctl_thread.c - the verbs on the daemon's threads, and on its counters as a whole. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/clock.h"
#include "core/base/json_put.h"
#include "core/base/thread.h"
#include "core/base/xalloc.h"
#include "core/ctl/verbs.h"
#include "core/daemon/stream.h"
#include "xprt/stats.h"

/* -- thread_stats ---------------------------------------------------------------------------------------------------
 */

/* What ldmsd tells apart in the time of an I/O thread.  Ours is measured as a whole, by the kernel: nothing is paid for
 * it at each message; how long operations take is in xprt_stats. */
static const char *const parts[] = { "Zap",
				     "Connecting",
				     "Dir Requests",
				     "Dir Replies",
				     "Lookup Requests",
				     "Lookup Replies",
				     "Update Requests",
				     "Update Completes",
				     "Storing Data",
				     "Message Service Data",
				     "Message Service Client",
				     "Push Requests",
				     "Push Replies",
				     "Set Delete Requests",
				     "Set Delete Replies",
				     "Send Messages",
				     "Receive Messages",
				     "Authentication",
				     "Disconnecting" };

struct io_load {
	unsigned int n_eps;
	size_t queued;
};

struct threads {
	struct daemon *d;
	struct buf io, workers, exclusive;
	struct io_load *loads; /* by I/O loop */
	unsigned int n_io;
	unsigned int n_workers, n_exclusive;
};

static void load_add(const struct xprt_brief *brief, void *arg)
{
	struct io_load *load = arg;

	load->n_eps += brief->n_eps;
	for (unsigned int i = 0; i < brief->n_eps; i++)
		load->queued += brief->queued[i];
}

static void put_thread(struct buf *b, const struct thread_look *t)
{
	const int64_t window = t->window_us, active = t->window_active_us;

	json_put_str(b, t->name);
	buf_addf(b,
		 ",\n   \"tid\": %d,\n   \"thread_id\": \"%p\",\n   \"idle_tot\" : %lld,\n   \"active_tot\" : %lld,\n"
		 "   \"total_us\" : %lld,\n   \"idle_us\": %lld,\n   \"active_us\": %lld,\n   \"refresh_us\": %lld,\n",
		 (int)t->tid, (void *)t->id, (long long)(t->total_us - t->active_us), (long long)t->active_us,
		 (long long)t->total_us, (long long)(window - active), (long long)active, (long long)window);
	if (window > 0)
		buf_addf(b, "   \"utilization\": %f", (double)active / (double)window);
	else
		buf_addf(b, "   \"utilization\": -1");
}

static void put_io(struct buf *b, const struct thread_look *t, const struct io_load *load)
{
	put_thread(b, t);
	buf_addf(b,
		 ",\n   \"sq_sz\": %zu,\n   \"n_eps\": %u,\n   \"ldms_xprt\": {\n     \"Idle\": %lld,\n     \"Other\": "
		 "%lld",
		 load->queued, load->n_eps, (long long)(t->total_us - t->active_us), (long long)t->active_us);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		buf_addf(b, ",\n     \"%s\": 0", parts[i]);
	buf_addf(b, " } }");
}

static void put_worker(struct buf *b, unsigned int *n, const struct thread_look *t)
{
	buf_addf(b, "%s  {\n   \"name\": ", (*n)++ ? ",\n" : "");
	put_thread(b, t);
	buf_addf(b, ",\n   \"ev_cnt\" : 0 }");
}

static void put_one(const struct thread_look *t, void *arg)
{
	struct threads *all = arg;

	for (unsigned int i = 0; i < all->d->n_io; i++) {
		if (t->owner != all->d->io[i])
			continue;
		buf_addf(&all->io, "%s  {\n   \"name\": ", all->n_io++ ? ",\n" : "");
		put_io(&all->io, t, &all->loads[i]);
		return;
	}
	NODE_EACH(s, all->d->samps) {
		if (!samp_is_thread_of(((struct samp_node *)s)->samp, t->owner))
			continue;
		put_worker(&all->exclusive, &all->n_exclusive, t);
		return;
	}
	put_worker(&all->workers, &all->n_workers, t);
}

void ctl_put_threads(struct buf *b, struct daemon *d)
{
	struct threads all = { .d = d };
	int64_t began_us = mono_us();

	all.loads = xcalloc(d->n_io ? d->n_io : 1, sizeof(*all.loads));
	for (unsigned int i = 0; i < d->n_io; i++) {
		loop_enter(d->io[i]);
		xprt_each(d->io[i], &d->xprt, load_add, &all.loads[i]);
		loop_leave(d->io[i]);
	}
	threads_each(put_one, &all);
	buf_addf(b, "{ \"count\": %u,\n \"io_threads\": [\n%s\n ],\n \"worker_threads\": [\n%s\n ],\n", all.n_io,
		 buf_str(&all.io), buf_str(&all.workers));
	buf_addf(b, " \"xthreads\": [\n%s%s ],\n \"compute_time\": %lld\n}", buf_str(&all.exclusive),
		 all.n_exclusive ? "\n" : "", (long long)(mono_us() - began_us));
	buf_fini(&all.io);
	buf_fini(&all.workers);
	buf_fini(&all.exclusive);
	free(all.loads);
}

int ctl_thread_stats(struct ctl *c, struct err *err)
{
	(void)err;
	c->json = c->nul = true;
	ctl_put_threads(&c->reply, c->d);
	if (ctl_num(c, ATTR_RESET, false))
		threads_reset();
	return 0;
}

/* -- stats_reset ----------------------------------------------------------------------------------------------------
 */

static void reset_threads(struct daemon *d)
{
	(void)d;
	threads_reset();
}

static void reset_xprt(struct daemon *d)
{
	xprt_stats_reset(&d->xprt);
}

static void reset_streams(struct daemon *d)
{
	streams_lock(d->streams);
	streams_reset(d->streams);
	streams_unlock(d->streams);
}

static const struct reset {
	const char *word;
	void (*reset)(struct daemon *d);
} resets[] = {
	{ "stream", reset_streams },
	{ "thread", reset_threads },
	{ "xprt", reset_xprt },
};

static bool is_listed(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (const char *w = list; *w; w += strcspn(w, ", "), w += strspn(w, ", "))
		if (strcspn(w, ", ") == len && !strncasecmp(w, word, len))
			return true;
	return false;
}

/* Words that are not known are passed over, as ldmsd does. */
int ctl_stats_reset(struct ctl *c, struct err *err)
{
	const char *list = ctl_text(c, ATTR_STRING, NULL);

	(void)err;
	for (size_t i = 0; i < sizeof(resets) / sizeof(*resets); i++)
		if (!list || is_listed(list, resets[i].word))
			resets[i].reset(c->d);
	return 0;
}
