/* link.c - see link.h */
#include "core/maestro/link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/client.h"
#include "xprt/addr.h"

#define TICK_S      0.05
#define DIALS_TICK  200 /* of a tick: 4,000 a second, which a daemon's host on one core takes */
#define DIAL_MIN_US (250 * MSEC_US)
#define DIAL_MAX_US (2 * SEC_US)
#define DIAL_GIVE_US                                                                                                   \
	(3 * SEC_US) /* no TCP connection by then: the kernel would knock more and more rarely at a host that is down */
#define AUTH_GIVE_US (10 * SEC_US)
#define RESOLVERS    8
#define ANSWER_MAX   (1u << 30)      /* bytes: the configuration of an aggregator of 100,000 producers */
#define WORK_END_US  (100 * MSEC_US) /* a worker that is idle needs less to end */

enum link_state { LINK_IDLE, LINK_DIALING, LINK_UP };

struct link {
	struct links *of;
	struct link *next, **at;
	const struct link_events *ev;
	void *arg;
	struct asks asks; /* .x is the connection */
	size_t waiting;
	char *xprt, *host, *auth;
	struct kv auth_args;
	unsigned short port;
	enum link_state state;
	int64_t due_us, pause_us; /* LINK_IDLE: when to dial; the next pause */
	void (*measured)(void *arg, double bytes);
	void *measured_arg;
	struct sockaddr_storage peer; /* where it was connected to last; AF_UNSPEC: nowhere yet */
	double bytes;                 /* a second, of the sets seen so far */
	int64_t since_us;             /* LINK_DIALING: when it was dialed; LINK_UP: since then an answer is owed */
};

struct links {
	struct xprt_env env;
	struct loop *loop;
	ev_timer tick;
	int64_t answer_us;
	struct link *first;
	struct link
		*waits; /* the first that was due, and not dialed as others were: it is the first at the next tick */
};

/* -- one link ------------------------------------------------------------------------------------------------------ */

static void lost(struct link *l, enum xprt_fail fail, const char *why)
{
	bool was_up = l->state == LINK_UP;

	xprt_close(l->asks.x);
	l->asks.x = NULL;
	l->state = LINK_IDLE;
	l->due_us = clock_us(CLOCK_MONOTONIC) + (was_up ? 0 : l->pause_us);
	if (was_up)
		l->pause_us = DIAL_MIN_US;
	else if (l->pause_us < DIAL_MAX_US)
		l->pause_us *= 2;
	asks_end(&l->asks, -ENOTCONN);
	l->ev->down(l->arg, fail, why);
}

static void on_up(struct xprt *x, void *arg)
{
	struct link *l = arg;

	memcpy(&l->peer, xprt_peer_addr(x), sizeof(l->peer));
	l->state = LINK_UP;
	l->pause_us = DIAL_MIN_US;
	l->ev->up(l->arg);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	(void)x;
	lost(arg, fail, why);
}

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	struct link *l = arg;
	struct record rec;

	(void)x;
	l->since_us = clock_us(CLOCK_MONOTONIC);
	if (!record_parse(bytes, len, &rec, NULL) && rec.type == RECORD_RESPONSE)
		asks_got(&l->asks, &rec);
}

static void dial(struct link *l, int64_t now_us)
{
	static const struct xprt_events events = { .up = on_up, .down = on_down, .msg = on_msg };
	const struct xprt_conf xc = {
		.type = l->xprt,
		.host = l->host,
		.port = l->port,
		.auth = l->auth,
		.auth_args = l->auth_args.n ? &l->auth_args : NULL,
	};
	struct err err = { "" };

	l->state = LINK_DIALING;
	l->since_us = now_us;
	l->asks.answer_max = ANSWER_MAX;
	if (xprt_connect(&l->of->env, l->of->loop, &xc, &events, l, &l->asks.x, &err))
		lost(l, XPRT_LOCAL, err.msg);
}

static bool dial_is_late(const struct link *l, int64_t now_us)
{
	int64_t us = now_us - l->since_us;

	return us > AUTH_GIVE_US || (us > DIAL_GIVE_US && !xprt_authenticating(l->asks.x, &(struct err){ "" }));
}

static void link_turn(struct link *l, int64_t now_us, unsigned int *dials)
{
	char *why = NULL;

	if (l->state == LINK_IDLE && now_us >= l->due_us) {
		if (*dials) {
			(*dials)--;
			dial(l, now_us);
		} else if (!l->of->waits) {
			l->of->waits = l;
		}
	} else if (l->state == LINK_DIALING && dial_is_late(l, now_us)) {
		why = xasprintf("%s:%u: no connection within %lld s", l->host, l->port,
				(long long)((now_us - l->since_us) / SEC_US));
	} else if (l->state == LINK_UP && l->waiting && now_us - l->since_us > l->of->answer_us) {
		why = xasprintf("%s:%u: connected, and no answer within %lld s", l->host, l->port,
				(long long)(l->of->answer_us / SEC_US));
	} else if (l->state == LINK_UP) {
		l->ev->turn(l->arg, now_us);
	}
	if (why)
		lost(l, XPRT_TIMEOUT, why);
	free(why);
}

struct link *link_new(struct links *ls, const struct link_conf *conf, const struct link_events *ev, void *arg)
{
	struct link *l = xcalloc(1, sizeof(*l));

	l->of = ls;
	l->ev = ev;
	l->arg = arg;
	l->xprt = xstrdup(conf->xprt);
	l->host = xstrdup(conf->host);
	l->auth = xstrdup(conf->auth);
	l->port = conf->port;
	if (conf->auth_args)
		kv_copy(&l->auth_args, conf->auth_args);
	l->pause_us = DIAL_MIN_US;
	l->next = ls->first;
	l->at = &ls->first;
	if (l->next)
		l->next->at = &l->next;
	ls->first = l;
	return l;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	if (l->of->waits == l)
		l->of->waits = l->next;
	*l->at = l->next;
	if (l->next)
		l->next->at = l->at;
	xprt_close(l->asks.x);
	asks_end(&l->asks, -ECANCELED);
	kv_fini(&l->auth_args);
	free(l->xprt);
	free(l->host);
	free(l->auth);
	free(l);
}

bool link_is_up(const struct link *l)
{
	return l && l->state == LINK_UP;
}

unsigned short link_port(const struct link *l)
{
	return l->port;
}

void link_conf_get(const struct link *l, struct link_conf *ret)
{
	*ret = (struct link_conf){ l->xprt, l->host, l->port, l->auth, l->auth_args.n ? &l->auth_args : NULL };
}

bool link_was_up(const struct link *l)
{
	return l->peer.ss_family != AF_UNSPEC;
}

bool link_same_host(const struct link *a, const struct link *b)
{
	struct in6_addr ip[2];

	return link_was_up(a) && link_was_up(b) && addr_ip(&a->peer, &ip[0]) && addr_ip(&b->peer, &ip[1]) &&
	       IN6_ARE_ADDR_EQUAL(&ip[0], &ip[1]);
}

static bool same_args(const struct kv *a, const struct kv *b)
{
	bool same = a->n == (b ? b->n : 0);

	for (size_t i = 0; i < a->n && same; i++) {
		const char *x = a->v[i].value, *y = b->v[i].value;

		same = !strcmp(a->v[i].key, b->v[i].key) && !x == !y && (!x || !strcmp(x, y));
	}
	return same;
}

bool link_is_to(const struct link *l, const struct link_conf *conf)
{
	return l->port == conf->port && !strcmp(l->host, conf->host) && !strcmp(l->xprt, conf->xprt) &&
	       !strcmp(l->auth, conf->auth) && same_args(&l->auth_args, conf->auth_args);
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

struct asked {
	struct link *l;
	ask_fn fn;
	void *arg;
};

static void on_answer(void *arg, int rc, const char *text)
{
	struct asked *a = arg;
	ask_fn fn = a->fn;
	void *fn_arg = a->arg;

	a->l->waiting--;
	free(a);
	fn(fn_arg, rc, text);
}

static int ask(struct link *l, const char *line, ask_fn fn, void *arg, struct err *err)
{
	struct ctl_arg args[ATTR_IDS];
	struct asked *a;
	struct buf body = { 0 };
	struct fields f;
	size_t n = 0;
	int rc;

	fields_parse(&f, line);
	fields_spell(&f);
	for (const struct attr_use *u = f.verb->attrs; u && u->name; u++) {
		bool twice = false;

		for (size_t i = 0; i < n; i++)
			twice |= args[i].id == u->id;
		if (f.v[u->id] && !twice)
			args[n++] = (struct ctl_arg){ .id = u->id, .value = u->type == AT_FLAG ? NULL : f.v[u->id] };
	}
	client_put(&body, f.verb, args, n);
	a = xmalloc(sizeof(*a));
	*a = (struct asked){ l, fn, arg };
	if (!l->waiting++)
		l->since_us = clock_us(CLOCK_MONOTONIC);
	rc = ask_send(&l->asks, f.verb->id, &body, on_answer, a, err);
	if (rc) {
		l->waiting--;
		free(a);
	}
	buf_fini(&body);
	fields_fini(&f);
	return rc;
}

void link_ask(struct link *l, const char *line, ask_fn fn, void *arg)
{
	struct err err = { "" };
	int rc = -ENOTCONN;

	if (link_is_up(l))
		rc = ask(l, line, fn, arg, &err);
	if (rc)
		fn(arg, rc, err.msg);
}

/* -- its sets ------------------------------------------------------------------------------------------------------ */

/* "1000000:0", as samplers say it of their sets. */
static double interval_s(const struct dir_set *set)
{
	double s = 1;

	for (unsigned int i = 0; i < set->info_n; i++)
		if (!strcmp(set->info[i].key, "updt_hint_us"))
			s = strtod(set->info[i].value, NULL) / SEC_US;
	return s > 0 ? s : 1;
}

static void on_dir(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	struct link *l = arg;

	(void)x;
	(void)rc;
	if (ev == DIR_SET)
		l->bytes += (double)set->data_size / interval_s(set);
	else if (ev == DIR_DONE && l->bytes > 0)
		l->measured(l->measured_arg, l->bytes);
}

void link_measure(struct link *l, void (*fn)(void *arg, double bytes), void *arg)
{
	l->measured = fn;
	l->measured_arg = arg;
	l->bytes = 0;
	if (link_is_up(l))
		xprt_dir(l->asks.x, false, on_dir, l, NULL);
}

/* -- all of them --------------------------------------------------------------------------------------------------- */

static void on_tick(struct ev_loop *ev, ev_timer *t, int events)
{
	struct links *ls = t->data;
	int64_t now_us = clock_us(CLOCK_MONOTONIC);
	unsigned int dials = DIALS_TICK;
	struct link *begin = ls->waits ? ls->waits : ls->first;

	(void)ev;
	(void)events;
	ls->waits = NULL;
	for (struct link *l = begin, *next; l; l = next) {
		next = l->next;
		link_turn(l, now_us, &dials);
	}
	for (struct link *l = ls->first, *next; l && l != begin; l = next) {
		next = l->next;
		link_turn(l, now_us, &dials);
	}
}

/* A descriptor for each daemon. */
static void descriptors_raise(void)
{
	struct rlimit rl;

	if (!getrlimit(RLIMIT_NOFILE, &rl) && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
}

struct links *links_new(struct loop *loop, int64_t answer_us, struct err *err)
{
	struct links *ls = xcalloc(1, sizeof(*ls));

	(void)err;
	descriptors_raise();
	ls->loop = loop;
	ls->answer_us = answer_us;
	ls->env.limits = xprt_limits_dflt;
	ls->env.limits.handshake_us = ls->env.limits.answer_us = 2 * AUTH_GIVE_US; /* our deadlines come first */
	ls->env.work = work_new("maestro", RESOLVERS);
	ev_timer_init(&ls->tick, on_tick, TICK_S, TICK_S);
	ls->tick.data = ls;
	ev_timer_start(loop_ev(loop), &ls->tick);
	return ls;
}

void links_free(struct links *ls)
{
	if (!ls)
		return;
	ev_timer_stop(loop_ev(ls->loop), &ls->tick);
	/* A name service or a munged that hangs keeps its thread, and what that would post to. */
	if (work_free(ls->env.work, WORK_END_US))
		free(ls);
}
