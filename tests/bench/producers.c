/* producers.c - very many producers in one process, for tests/bench/scale.py: each listens at an address of its own of
 * loopback, and serves sets of its own.
 *
 *	producers FIRST N PORT SETS METRICS INTERVAL_MS OFFSET_MS
 *
 * Producer number I (FIRST ... FIRST+N-1) is at address 127.1.0.0 + I, and its sets are pI/0, pI/1, ...  "ready" is said
 * when all listen, "read" when each set was read once.  Then for each line "go ROUNDS" of standard input all sets are
 * sampled so often, on multiples of the interval, and a line of JSON says what became of these samples.  Between times
 * nothing is sampled, so that all counts are of those rounds.  Ends with standard input.
 *
 * What is read, and when, is seen where a set's bytes are copied for its reader (the linker gives us that call,
 * --wrap=set_copy): a generation that nobody read before the next one is lost, whoever reads, and however it does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "xprt/xprt.h"

#define FDS_MORE    64            /* descriptors beside a listener and a connection for each producer */
#define LAG_SLOT_US (1 * MSEC_US) /* how finely lags are counted */
#define LAG_SLOTS   4096
#define LATE_PART   2           /* read later than this part of the interval behind its time is late */
#define ADDR_FIRST  0x7f010000u /* 127.1.0.0 */
#define ADDRS       (1u << 20)

struct made_up { /* a set */
	struct set *set;
	bool ever; /* it was read */
	bool seen; /* ... this generation */
	UT_hash_handle hh;
};

struct producer {
	struct xprt_env env;
	struct xprt_listener *l;
};

static struct {
	struct loop *loop;
	struct pool *pool;
	struct producer *prds;
	struct made_up *sets, *by_set;
	unsigned long first, n, per, sets_n, metrics, read_once;
	int64_t interval_us, offset_us;
	ev_periodic tick;
	ev_io in;
	/* of the rounds asked for */
	unsigned long rounds, left; /* left: to be sampled still */
	bool judging;               /* there is a round whose readers are waited for */
	int64_t due_us;             /* when it should be read */
	unsigned long seen, lost, again, late;
	int64_t tick_late_us, lag_max_us;
	unsigned long lags[LAG_SLOTS];
} sim;

/* -- readers ------------------------------------------------------------------------------------------------------- */

void __real_set_copy(const struct set *s, size_t off, size_t len, void *to);
void __wrap_set_copy(const struct set *s, size_t off, size_t len, void *to);

static void lag_count(int64_t lag_us)
{
	int64_t slot = lag_us < 0 ? 0 : lag_us / LAG_SLOT_US;

	sim.lags[slot < LAG_SLOTS ? slot : LAG_SLOTS - 1]++;
	sim.late += lag_us > sim.interval_us / LATE_PART;
	if (lag_us > sim.lag_max_us)
		sim.lag_max_us = lag_us;
}

static void was_read(struct made_up *m)
{
	sim.read_once += !m->ever;
	if (!m->ever && sim.read_once == sim.sets_n)
		puts("read");
	m->ever = true;
	if (!sim.judging)
		return;
	if (m->seen) {
		sim.again++;
		return;
	}
	m->seen = true;
	sim.seen++;
	lag_count(wall_us() - sim.due_us);
}

void __wrap_set_copy(const struct set *s, size_t off, size_t len, void *to)
{
	struct made_up *m;

	__real_set_copy(s, off, len, to);
	if (off + len <= s->meta_sz)
		return; /* a lookup */
	HASH_FIND_PTR(sim.by_set, &s, m);
	if (m)
		was_read(m);
}

/* -- samples ------------------------------------------------------------------------------------------------------- */

static void sample(struct made_up *m, uint64_t v)
{
	set_begin(m->set);
	for (unsigned long i = 0; i < sim.metrics; i++)
		set_u64(m->set, (int)i, v + i);
	set_end(m->set);
	m->seen = false;
}

/* The lag below which that part of the reads lies. */
static double lag_ms(double part)
{
	unsigned long below = 0;
	int i;

	for (i = 0; i < LAG_SLOTS - 1; i++) {
		below += sim.lags[i];
		if ((double)below >= part * (double)sim.seen)
			break;
	}
	return (double)(i + 1) * LAG_SLOT_US / MSEC_US;
}

static void report(void)
{
	printf("{\"sets\": %lu, \"rounds\": %lu, \"samples\": %lu, \"seen\": %lu, \"lost\": %lu, \"again\": %lu, "
	       "\"late\": %lu, \"lag_p50_ms\": %.0f, \"lag_p99_ms\": %.0f, \"lag_max_ms\": %.1f, \"tick_late_ms\": "
	       "%.1f}\n",
	       sim.sets_n, sim.rounds, sim.sets_n * sim.rounds, sim.seen, sim.lost, sim.again, sim.late, lag_ms(0.5),
	       lag_ms(0.99), (double)sim.lag_max_us / MSEC_US, (double)sim.tick_late_us / MSEC_US);
}

static void tick_cb(struct ev_loop *ev, ev_periodic *w, int events)
{
	int64_t now = wall_us(), due = now - now % sim.interval_us;

	if (sim.judging)
		for (unsigned long i = 0; i < sim.sets_n; i++)
			sim.lost += !sim.sets[i].seen;
	if (sim.judging && !sim.left)
		report();
	sim.judging = sim.left;
	if (!sim.left)
		return;
	sim.left--;
	for (unsigned long i = 0; i < sim.sets_n; i++)
		sample(&sim.sets[i], sim.rounds - sim.left);
	sim.due_us = due + sim.offset_us;
	if (wall_us() - due > sim.tick_late_us)
		sim.tick_late_us = wall_us() - due;
}

static void go(unsigned long rounds)
{
	sim.rounds = sim.left = rounds;
	sim.seen = sim.lost = sim.again = sim.late = 0;
	sim.tick_late_us = sim.lag_max_us = 0;
	memset(sim.lags, 0, sizeof(sim.lags));
}

static void in_cb(struct ev_loop *ev, ev_io *w, int events)
{
	char line[64];
	unsigned long rounds;

	if (!fgets(line, sizeof(line), stdin))
		ev_break(ev, EVBREAK_ALL);
	else if (sscanf(line, "go %lu", &rounds) == 1 && !sim.left && !sim.judging)
		go(rounds);
	else
		fprintf(stderr, "producers: not understood, or not now: %s", line);
}

/* -- making them --------------------------------------------------------------------------------------------------- */

static void address(unsigned long i, char to[INET_ADDRSTRLEN])
{
	const struct in_addr in = { htonl(ADDR_FIRST + (uint32_t)i) };

	inet_ntop(AF_INET, &in, to, INET_ADDRSTRLEN);
}

static int sets_make(struct producer *p, unsigned long number, const struct schema *schema, struct err *err)
{
	int rc = 0;

	for (unsigned long k = 0; k < sim.per && !rc; k++) {
		struct made_up *m = &sim.sets[(number - sim.first) * sim.per + k];
		char name[64], prd[32];

		snprintf(prd, sizeof(prd), "p%lu", number);
		snprintf(name, sizeof(name), "%s/%lu", prd, k);
		rc = set_new(sim.pool, schema, name, prd, 0, 0, 0444, &m->set, err);
		if (rc)
			break;
		HASH_ADD_PTR(sim.by_set, set, m);
		sample(m, 0);
		rc = setdb_add(p->env.sets, m->set, err);
	}
	return rc;
}

static void down_cb(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
}

static int producer_make(struct producer *p, unsigned long number, unsigned short port, const struct schema *schema,
			 struct err *err)
{
	static const struct xprt_events ev = { .down = down_cb };
	char host[INET_ADDRSTRLEN];
	const struct xprt_listen_conf conf = { .type = "sock", .host = host, .port = port, .auth = "none" };
	int rc;

	address(number, host);
	p->env.limits = xprt_limits_dflt;
	p->env.pool = sim.pool;
	p->env.sets = setdb_new();
	rc = sets_make(p, number, schema, err);
	return rc ? rc : xprt_listen(&p->env, &sim.loop, 1, &conf, &ev, p, &p->l, err);
}

static struct schema *schema_make(struct err *err)
{
	struct schema *s = schema_new("synth", err);

	for (unsigned long i = 0; s && i < sim.metrics; i++) {
		char name[32];

		snprintf(name, sizeof(name), "m%lu", i);
		if (schema_add(s, name, V_U64, NULL, err) < 0)
			return NULL;
	}
	return s;
}

/* A listener and a connection for each. */
static int fds_raise(struct err *err)
{
	struct rlimit rl;
	rlim_t want = 2 * sim.n + FDS_MORE;

	getrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < want)
		return err_set(
			err, -EMFILE,
			"%lu producers need %lu descriptors, `ulimit -Hn` is %lu: raise it, or spread them over more "
			"processes",
			sim.n, (unsigned long)want, (unsigned long)rl.rlim_max);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	return 0;
}

static int all_make(unsigned short port, struct err *err)
{
	struct schema *schema;
	int rc = fds_raise(err);

	if (rc)
		return rc;
	sim.sets_n = sim.n * sim.per;
	sim.prds = xcalloc(sim.n, sizeof(*sim.prds));
	sim.sets = xcalloc(sim.sets_n, sizeof(*sim.sets));
	sim.pool = pool_new(0);
	schema = schema_make(err);
	if (!schema)
		return -EINVAL;
	for (unsigned long i = 0; i < sim.n && !rc; i++)
		rc = producer_make(&sim.prds[i], sim.first + i, port, schema, err);
	schema_free(schema);
	return rc;
}

static void all_free(void)
{
	for (unsigned long i = 0; i < sim.n; i++)
		xprt_listener_close(sim.prds[i].l);
	ev_run(loop_ev(sim.loop), EVRUN_NOWAIT); /* what was closed is buried */
	loop_unlock(sim.loop);
	loop_free(sim.loop);
	HASH_CLEAR(hh, sim.by_set);
	for (unsigned long i = 0; i < sim.sets_n; i++)
		set_put(sim.sets[i].set);
	for (unsigned long i = 0; i < sim.n; i++)
		setdb_free(sim.prds[i].env.sets);
	pool_free(sim.pool);
	free(sim.sets);
	free(sim.prds);
}

static unsigned long number(const char *text)
{
	uint64_t v;
	struct err err;

	if (!unit_u64(text, &v, &err))
		return v;
	fprintf(stderr, "producers: %s\n", err.msg);
	exit(2);
}

int main(int argc, char **argv)
{
	struct err err = { "" };

	if (argc != 8) {
		fprintf(stderr, "usage: producers FIRST N PORT SETS METRICS INTERVAL_MS OFFSET_MS\n");
		return 2;
	}
	sim.first = number(argv[1]);
	sim.n = number(argv[2]);
	sim.per = number(argv[4]);
	sim.metrics = number(argv[5]);
	sim.interval_us = (int64_t)number(argv[6]) * MSEC_US;
	sim.offset_us = (int64_t)number(argv[7]) * MSEC_US;
	if (!sim.n || !sim.per || !sim.metrics || !sim.interval_us || sim.first + sim.n > ADDRS) {
		fprintf(stderr, "producers: no producers, sets, metrics or interval, or more than %u producers\n",
			ADDRS);
		return 2;
	}
	log_level_set(LOG_ERROR_);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0); /* what is left unread, the loop sees */
	sim.loop = loop_new("producers", &err);
	if (!sim.loop) {
		fprintf(stderr, "producers: %s\n", err.msg);
		return 1;
	}
	loop_lock(sim.loop);
	if (all_make((unsigned short)number(argv[3]), &err)) {
		fprintf(stderr, "producers: %s\n", err.msg);
		return 1;
	}
	ev_periodic_init(&sim.tick, tick_cb, 0, (double)sim.interval_us / SEC_US, NULL);
	ev_periodic_start(loop_ev(sim.loop), &sim.tick);
	ev_io_init(&sim.in, in_cb, STDIN_FILENO, EV_READ);
	ev_io_start(loop_ev(sim.loop), &sim.in);
	puts("ready");
	ev_run(loop_ev(sim.loop), 0);
	ev_io_stop(loop_ev(sim.loop), &sim.in);
	ev_periodic_stop(loop_ev(sim.loop), &sim.tick);
	all_free();
	return 0;
}
