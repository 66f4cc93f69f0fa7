/* daemon.c - making and ending a daemon.  See daemon.h. */
#include "core/daemon/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/failover.h"
#include "core/daemon/listener.h"
#include "core/daemon/offers.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/prdcr_listen.h"
#include "core/daemon/prdcr_outage.h"
#include "core/daemon/prdcr_sub.h"
#include "core/daemon/prdlast.h"
#include "core/daemon/qgroups.h"
#include "core/daemon/stream.h"
#include "core/daemon/updtr.h"
#include "xprt/stats.h"

#define RESOLVERS_MAX  8 /* names looked up at once; a dead name server must not hold up the live ones for long */
#define AUTH_THREADS   4 /* questions to munged at once; apart from the resolvers, so that neither delays the other */
#define USER_ASKERS    2 /* threads for the user database: one question that hangs is not the end of the others */
#define STORE_THREADS  4 /* policies stored at once */
#define SAMP_GRACE_US  (500 * MSEC_US) /* a sampler that holds the schedule longer is left behind */
#define LAST_US        (100 * MSEC_US) /* at the very end, for what is on its way back anyhow */
#define TURN_MIN_US    (5 * MSEC_US)   /* the loops are held for as long as they had to be waited for, within bounds: */
#define TURN_MAX_US    (50 * MSEC_US)  /* so long no peer is served */
#define STEPS_LOOK     16              /* steps between looks at the clock */
#define SET_PERM_DFLT  0440
#define HOST_NAME_SIZE 256

void *node_find(struct node *table, const char *name)
{
	struct node *n;

	HASH_FIND_STR(table, name, n);
	return n;
}

void node_add(struct node **table, struct node *n)
{
	HASH_ADD_KEYPTR(hh, *table, n->name, strlen(n->name), n);
}

void node_del(struct node **table, struct node *n)
{
	HASH_DEL(*table, n);
}

static int by_name(const struct node *a, const struct node *b)
{
	return strcmp(a->name, b->name);
}

void node_sort(struct node **table)
{
	HASH_SORT(*table, by_name);
}

/* 10,000 producers are 10,000 descriptors: take what the system allows us. */
static void raise_fd_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur == rl.rlim_max)
		return;
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

static int loops_new(struct daemon *d, unsigned int n, struct err *err)
{
	char name[16];

	if (!n) {
		d->io[0] = d->main;
		d->n_io = 1;
		return 0;
	}
	for (unsigned int i = 0; i < n && i < DAEMON_IO_LOOPS_MAX; i++) {
		snprintf(name, sizeof(name), "ldms-io%u", i);
		d->io[i] = loop_new(name, err);
		if (!d->io[i])
			return -ENOMEM;
		d->offers[i] = offers_new(d->io[i]);
		d->n_io++;
	}
	return 0;
}

int daemon_begin(struct daemon *d, struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; i < d->n_io && !rc; i++)
		if (d->io[i] != d->main)
			rc = loop_start(d->io[i], err);
	if (rc)
		return rc;
	d->samp.sched = samp_sched_new(SAMP_GRACE_US, err);
	return d->samp.sched ? 0 : -ENOMEM;
}

int daemon_new(const struct daemon_conf *conf, struct daemon **ret, struct err *err)
{
	struct daemon *d = xcalloc(1, sizeof(*d));
	char host[HOST_NAME_SIZE] = "localhost";
	int rc;

	raise_fd_limit();
	gethostname(host, sizeof(host) - 1);
	d->name = xstrdup(conf->name ? conf->name : host);
	d->confine = conf->confine;
	d->uid = confine_user(d->confine) ? confine_user(d->confine)->uid : geteuid();
	d->gid = confine_user(d->confine) ? confine_user(d->confine)->gid : getegid();
	d->perm = 0770;
	d->name_fixed = conf->name_fixed;
	d->mem_fixed = conf->mem_fixed;
	d->began_us = mono_us();
	pthread_mutex_init(&d->strgp_lock, NULL);
	atomic_init(&d->strgp_gen, 1);
	d->pool = pool_new(conf->mem);
	d->sets = setdb_new();
	d->lasts = prdlast_new();
	d->streams = streams_new(&d->xprt);
	d->work = work_new("resolver", RESOLVERS_MAX);
	d->xprt.bus = bus_new(NULL);
	d->auth_work = work_new("auth", AUTH_THREADS);
	d->users = work_new("users", USER_ASKERS);
	d->strgp_pool = strgp_pool_new(STORE_THREADS);
	d->main = loop_new("main", err);
	rc = d->main ? loops_new(d, conf->io_loops, err) : -ENOMEM;
	if (rc)
		goto out;
	d->outages = prdcr_outage_new(d);
	d->qgroups = qgroups_new(d);
	d->failover = failover_new(d);
	d->xprt.qgroup = qgroups_account(d->qgroups);
	d->xprt.sets = d->sets;
	d->xprt.pool = d->pool;
	d->xprt.work = d->work;
	d->xprt.auth_work = d->auth_work;
	d->xprt.users = d->users;
	d->xprt.limits = xprt_limits_dflt;
	xprt_stats_reset(&d->xprt);
	if (conf->timeout_us > 0)
		d->xprt.limits.answer_us = (uint64_t)conf->timeout_us;
	d->samp.loop = d->main;
	d->samp.pool = d->pool;
	d->samp.sets = d->sets;
	d->samp.streams = d->streams;
	d->samp.bus = d->xprt.bus;
	d->samp.daemon = d;
	d->samp.producer = d->name;
	d->samp.component_id = conf->component_id;
	d->samp.uid = d->uid;
	d->samp.gid = d->gid;
	d->samp.perm = SET_PERM_DFLT;
	d->samp.sysroot = conf->sysroot ? conf->sysroot : "";
	d->scribe.loop = d->main;
	d->scribe.streams = d->streams;
	d->scribe.bus = d->xprt.bus;
	d->scribe.pool = d->strgp_pool;
	d->draft = d->samp.draft = d->scribe.draft = conf->draft;
	if (!conf->hold && !conf->draft)
		rc = daemon_begin(d, err);
	if (rc)
		goto out;
	*ret = d;
	return 0;
out:
	daemon_free(d, 0);
	return rc;
}

struct loop *daemon_next_io(struct daemon *d)
{
	return d->io[d->next_io++ % d->n_io];
}

struct offers *daemon_offers(const struct daemon *d, const struct loop *l)
{
	for (unsigned int i = 0; i < d->n_io; i++)
		if (d->io[i] == l)
			return d->offers[i];
	return NULL;
}

/* The only place where more than one is held: by the main loop, which alone enters loops that are not its own, and always
 * from the outermost on; before it turns it is not held yet. */
static void hold(struct daemon *d)
{
	loop_enter(d->main);
	for (unsigned int i = 0; i < d->n_io; i++)
		loop_enter(d->io[i]);
}

static void let_go(struct daemon *d)
{
	for (unsigned int i = d->n_io; i; i--)
		loop_leave(d->io[i - 1]);
	loop_leave(d->main);
}

void daemon_step(struct daemon *d, struct daemon_turn *t)
{
	int64_t asked_us, waited_us;

	if (t->steps && t->steps % STEPS_LOOK == 0 && mono_us() >= t->end_us)
		daemon_steps_end(d, t);
	if (t->steps++)
		return;
	asked_us = mono_us();
	hold(d);
	waited_us = mono_us() - asked_us;
	t->end_us = asked_us + waited_us +
		    (waited_us < TURN_MIN_US   ? TURN_MIN_US
		     : waited_us > TURN_MAX_US ? TURN_MAX_US
					       : waited_us);
}

void daemon_steps_end(struct daemon *d, struct daemon_turn *t)
{
	if (t->steps)
		let_go(d);
	t->steps = 0;
}

static int64_t left_us(int64_t end_us)
{
	int64_t us = end_us - mono_us();

	return us > 0 ? us : 0;
}

static void prdcrs_stop(struct daemon *d, struct node *table)
{
	struct daemon_turn turn = { 0 };

	NODE_EACH(p, table) {
		daemon_step(d, &turn);
		prdcr_stop((struct prdcr *)p);
	}
	daemon_steps_end(d, &turn);
}

static void prdcrs_free(struct node **table)
{
	while (*table) {
		struct node *p = *table;

		node_del(table, p);
		prdcr_free((struct prdcr *)p);
	}
}

static void objects_stop(struct daemon *d, int64_t end_us)
{
	NODE_EACH(s, d->samps)
		samp_stop(((struct samp_node *)s)->samp, NULL);
	NODE_EACH(u, d->updtrs)
		updtr_stop((struct updtr *)u);
	prdcrs_stop(d, d->adverts);
	prdcrs_stop(d, d->prdcrs);
	qgroups_stop(d->qgroups);
	failover_end(d->failover);
	listener_close_all(d);
	NODE_EACH(g, d->strgps) {
		if (strgp_running(((struct strgp_node *)g)->strgp))
			strgp_stop(((struct strgp_node *)g)->strgp, left_us(end_us), NULL);
	}
	NODE_EACH(s, d->scribes)
		scribe_end(((struct scribe_node *)s)->scribe, end_us);
}

static void objects_free(struct daemon *d)
{
	while (d->scribes) {
		struct scribe_node *s = (struct scribe_node *)d->scribes;

		node_del(&d->scribes, &s->node);
		scribe_drop(s->scribe);
		free((char *)s->node.name);
		free(s);
	}
	while (d->samps) {
		struct samp_node *s = (struct samp_node *)d->samps;

		node_del(&d->samps, &s->node);
		samp_free(s->samp);
		free(s);
	}
	while (d->updtrs) {
		struct node *u = d->updtrs;

		node_del(&d->updtrs, u);
		updtr_free((struct updtr *)u);
	}
	prdcrs_free(&d->adverts);
	prdcrs_free(&d->prdcrs);
	while (d->prdcr_listens) {
		struct node *l = d->prdcr_listens;

		node_del(&d->prdcr_listens, l);
		prdcr_listen_free((struct prdcr_listen *)l);
	}
	prdcr_rules_free(d);
	auth_domains_free(d);
	while (d->strgps) {
		struct strgp_node *g = (struct strgp_node *)d->strgps;

		node_del(&d->strgps, &g->node);
		strgp_put(g->strgp);
		free(g);
	}
	while (d->stores) {
		struct store_node *s = (struct store_node *)d->stores;

		node_del(&d->stores, &s->node);
		store_put(s->store);
		free((char *)s->node.name);
		free(s);
	}
}

void daemon_free(struct daemon *d, int64_t deadline_us)
{
	int64_t end_us = mono_us() + deadline_us;
	bool left_behind = false;

	if (!d)
		return;
	objects_stop(d, end_us);
	objects_free(d);
	/* a sampler that hangs in its source may still write its sets when it comes back */
	if (d->samp.sched && !samp_sched_free(d->samp.sched))
		left_behind = true;
	for (unsigned int i = 0; i < d->n_io; i++)
		if (d->io[i] != d->main)
			loop_join(d->io[i]);
	/* a name server (or a munged) that does not answer holds a worker for longer than anybody wants to wait for our
	 * end: it is left behind, and with it the loops that it would post to */
	left_behind |= !work_free(d->work, left_us(end_us));
	left_behind |= !work_free(d->auth_work, left_us(end_us));
	left_behind |= !work_free(d->users, left_us(end_us));
	if (left_behind)
		return;
	for (unsigned int i = 0; i < d->n_io; i++) {
		offers_free(d->offers[i]);
		if (d->io[i] != d->main)
			loop_free(d->io[i]);
	}
	loop_free(d->main);
	prdcr_outage_free(d->outages);
	strgp_pool_free(d->strgp_pool, left_us(end_us) + LAST_US);
	qgroups_free(d->qgroups);
	failover_free(d->failover);
	bus_free(d->xprt.bus);
	streams_free(d->streams);
	prdlast_free(d->lasts);
	setdb_free(d->sets);
	pool_free(d->pool);
	pthread_mutex_destroy(&d->strgp_lock);
	free(d->name);
	free(d->pid_file);
	free(d);
}
