/* strgp_unflushed.c - storage policies with a spool over a store that takes rows and cannot flush them: what it has in
 * memory when it is closed is given to the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/daemon/strgp.h"
#include "csv_sample.h"

#define WAIT_MAX_US (20 * SEC_US)
#define ENTRIES     4 /* rows of a set with a list */
#define ROWS_MAX    100000

/* -- a store whose rows are in memory until the flush -------------------------------------------------------------- */

struct store_sink { /* there is one at a time */
	uint64_t *rows;
	size_t n;
};

static struct {
	atomic_bool fails;       /* flushes do */
	atomic_uint room;        /* rows that it still takes while they do */
	uint64_t safe[ROWS_MAX]; /* what was flushed, in order */
	atomic_size_t n_safe;
	atomic_uint flushes, most; /* rows in memory at once */
} engine;

static int mem_config(struct store *st, struct err *err)
{
	return 0;
}

static int mem_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->rows = xcalloc(ROWS_MAX, sizeof(uint64_t));
	return 0;
}

static int mem_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	if (engine.fails && !engine.room)
		return err_set(err, -EAGAIN, "it is full");
	if (engine.fails)
		engine.room--;
	sk->rows[sk->n++] = value_u64(row->v[row->schema->n_cols - 1], 0);
	if (sk->n > engine.most)
		engine.most = (unsigned int)sk->n;
	return 0;
}

static int mem_flush(struct store_sink *sk, struct err *err)
{
	if (engine.fails)
		return err_set(err, -EIO, "it does not answer");
	engine.flushes++;
	for (size_t i = 0; i < sk->n; i++)
		engine.safe[engine.n_safe++] = sk->rows[i];
	sk->n = 0;
	return 0;
}

static void mem_close(struct store_sink *sk)
{
	free(sk->rows);
	free(sk);
}

static void mem_fini(struct store *st)
{
}

static const struct store_type mem = {
	.name = "mem",
	.config = mem_config,
	.open = mem_open,
	.row = mem_row,
	.flush = mem_flush,
	.close = mem_close,
	.fini = mem_fini,
};

/* -- a policy ------------------------------------------------------------------------------------------------------ */

struct rig {
	struct pool *pool;
	struct strgp_pool *threads;
	struct store *store;
	struct strgp *sg;
	struct set *set;
	struct err err;
	bool list;
};

static void rig_init(struct rig *r, const char *dir, struct strgp_conf conf, bool list)
{
	struct schema *sc = schema_new("s", NULL);

	memset(r, 0, sizeof(*r));
	r->list = list;
	r->pool = pool_new(0);
	r->threads = strgp_pool_new(2);
	assert_int_equal(store_new(&mem, "mem", &r->store, &r->err), 0);
	conf.name = "sg";
	conf.schema = "s";
	conf.store = r->store;
	conf.overflow = STRGP_SPOOL;
	conf.spool = dir;
	assert_int_equal(strgp_new(&conf, r->threads, &r->sg, &r->err), 0);
	if (list)
		schema_add_list(sc, "l", "", (uint32_t)schema_list_heap(V_U64, 1, ENTRIES), &r->err);
	else
		schema_add(sc, "a", V_U64, NULL, &r->err);
	set_new(r->pool, sc, "n1/s", "n1", 0, 0, 0777, &r->set, &r->err);
	schema_free(sc);
	assert_int_equal(strgp_start(r->sg, &r->err), 0);
}

static void rig_fini(struct rig *r)
{
	if (strgp_running(r->sg))
		assert_int_equal(strgp_stop(r->sg, 10 * SEC_US, NULL), 0);
	strgp_put(r->sg);
	store_put(r->store);
	set_put(r->set);
	strgp_pool_free(r->threads, 2 * SEC_US);
	pool_free(r->pool);
}

/* Rows a, a + 1, ... of a list; or the row a. */
static void offer(struct rig *r, uint64_t a)
{
	struct snap *sn;

	set_begin(r->set);
	if (r->list) {
		list_clear(r->set, 0);
		for (uint64_t i = 0; i < ENTRIES; i++) {
			uint64_t le = htole64(a * ENTRIES + i);

			memcpy(list_append(r->set, 0, V_U64, 1), &le, sizeof(le));
		}
	} else {
		set_u64(r->set, 0, a);
	}
	set_end(r->set);
	sn = snap_new(r->set);
	strgp_offer(r->sg, sn);
	snap_put(sn);
}

static struct strgp_status look(struct rig *r)
{
	struct strgp_status st;

	strgp_status(r->sg, &st);
	assert_int_equal(st.produced, st.stored + st.queued + st.spooled + st.dropped);
	return st;
}

#define WAIT_STATUS(r, cond)                                                                                           \
	do {                                                                                                           \
		int64_t until_ = mono_us() + WAIT_MAX_US;                                                              \
		struct strgp_status st;                                                                                \
		while (st = look(r), !(cond)) {                                                                        \
			if (mono_us() > until_)                                                                        \
				fail_msg("waited in vain for " #cond ": %s", st.why);                                  \
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);                                     \
		}                                                                                                      \
	} while (0)

static void engine_init(unsigned int room)
{
	engine.fails = true;
	engine.room = room;
	engine.n_safe = engine.flushes = engine.most = 0;
}

/* Is what is safe 0 .. n-1, in order, each once?  Rows that the last process may have flushed may come again. */
static void assert_safe(uint64_t n, uint64_t again)
{
	uint64_t next = 0, twice = 0;

	for (size_t i = 0; i < engine.n_safe; i++) {
		if (engine.safe[i] < next)
			twice++;
		else
			assert_int_equal(engine.safe[i], next++);
	}
	assert_int_equal(next, n);
	assert_true(twice <= again);
}

/* -- tests --------------------------------------------------------------------------------------------------------- */

static const struct strgp_conf quick = { .flush_us = MSEC_US };

/* Rows that it took and never flushed, then rows that it did not take: stopped, all of them are in the spool, in order. */
static void test_stop(void **state)
{
	enum { N = 300 };
	char *dir = scratch_new();
	struct rig r;

	engine_init(100);
	rig_init(&r, dir, quick, false);
	for (uint64_t i = 0; i < N; i++)
		offer(&r, i);
	WAIT_STATUS(&r, st.spooled == N);
	assert_int_equal(strgp_stop(r.sg, SEC_US, &r.err), 0);
	assert_int_equal(look(&r).spooled, N);
	assert_int_equal(look(&r).dropped, 0);
	assert_int_equal(engine.n_safe, 0);
	rig_fini(&r);

	engine.fails = false;
	rig_init(&r, dir, quick, false);
	assert_int_equal(look(&r).produced, N);
	WAIT_STATUS(&r, st.stored == N && !st.spooled_bytes);
	rig_fini(&r);
	assert_safe(N, 0);
	scratch_free(dir);
}

/* When it answers again, what it had taken is not given to it a second time. */
static void test_recovers(void **state)
{
	enum { N = 300 };
	char *dir = scratch_new();
	struct rig r;

	engine_init(100);
	rig_init(&r, dir, quick, false);
	for (uint64_t i = 0; i < N; i++)
		offer(&r, i);
	WAIT_STATUS(&r, st.spooled == N && st.errors);
	engine.fails = false;
	WAIT_STATUS(&r, st.stored == N && !st.spooled_bytes);
	for (uint64_t i = N; i < 2 * N; i++)
		offer(&r, i);
	rig_fini(&r);
	assert_safe(2 * N, 0);
	scratch_free(dir);
}

/* It fails amid the rows of one set: these come once while the process lives, and the next one is given all of them. */
static void test_part(void **state)
{
	enum { N = 50 };
	char *dir = scratch_new();
	struct rig r;

	for (int stops = 0; stops < 2; stops++) {
		engine_init(10); /* two sets and a half */
		rig_init(&r, dir, quick, true);
		for (uint64_t i = 0; i < N; i++)
			offer(&r, i);
		WAIT_STATUS(&r, st.spooled >= N && st.errors);
		if (stops) {
			rig_fini(&r);
			engine.fails = false;
			rig_init(&r, dir, quick, true);
		}
		engine.fails = false;
		WAIT_STATUS(&r, !st.spooled && !st.queued);
		assert_int_equal(look(&r).dropped, 0);
		rig_fini(&r);
		assert_safe(N * ENTRIES, 0);
	}
	scratch_free(dir);
}

/* ... and the spool cannot be written either: nothing is remembered of a record that there never was. */
static void test_part_unspooled(void **state)
{
	char *dir = scratch_new(), *path = xasprintf("%s/sg/0000000000000000.spool", dir);
	struct rig r;

	engine_init(ENTRIES / 2);
	rig_init(&r, dir, quick, true);
	assert_int_equal(mkdir(path, 0700), 0);
	offer(&r, 0);
	WAIT_STATUS(&r, st.errors >= 2);
	engine.fails = false;
	WAIT_STATUS(&r, st.stored == 1);
	assert_int_equal(rmdir(path), 0);
	engine.fails = true;
	offer(&r, 1);
	WAIT_STATUS(&r, st.spooled == 1);
	engine.fails = false;
	WAIT_STATUS(&r, st.stored == 2);
	rig_fini(&r);
	assert_safe(2 * ENTRIES, 0);
	free(path);
	scratch_free(dir);
}

/* What is kept until the flush has its bound: then the flush comes early. */
static void test_bound(void **state)
{
	enum { N = 1000 };
	struct strgp_conf conf = { .flush_us = 3600 * SEC_US, .queue_bytes = 256 << 10 };
	char *dir = scratch_new();
	struct rig r;

	engine_init(0);
	engine.fails = false;
	rig_init(&r, dir, conf, false);
	for (uint64_t i = 0; i < N; i++) {
		offer(&r, i);
		if (i % 100 == 0) /* that much is no reason to spool */
			WAIT_STATUS(&r, !st.queued_bytes);
	}
	WAIT_STATUS(&r, st.stored > N / 2);
	assert_true(engine.flushes > 2);
	assert_true(engine.most < N / 2);
	assert_int_equal(strgp_stop(r.sg, 10 * SEC_US, &r.err), 0);
	assert_int_equal(look(&r).stored, N);
	rig_fini(&r);
	assert_safe(N, 0);
	scratch_free(dir);
}

/* Offers come, and the queue's memory grows, while the worker looks how full it is and how old: for SAN=thread. */
static void test_offers_meanwhile(void **state)
{
	enum { N = 30000 };
	struct strgp_conf conf = { .flush_us = MSEC_US, .queue_bytes = 64u << 20, .queue_age_us = 3600 * SEC_US };
	char *dir = scratch_new();
	struct rig r;

	engine_init(0);
	engine.fails = false;
	for (int times = 1; times <= 3; times++) {
		rig_init(&r, dir, conf, false);
		for (uint64_t i = 0; i < N; i++)
			offer(&r, i);
		WAIT_STATUS(&r, st.stored == (uint64_t)times * N);
		rig_fini(&r);
	}
	scratch_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop),  cmocka_unit_test(test_recovers),
		cmocka_unit_test(test_part),  cmocka_unit_test(test_part_unspooled),
		cmocka_unit_test(test_bound), cmocka_unit_test(test_offers_meanwhile),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
