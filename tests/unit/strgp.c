/* strgp.c - storage policies: what they take, the queue's accounts, failing and slow stores, stopping */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/daemon/offers.h"
#include "csv_sample.h"

#define WAIT_MAX_US (20 * SEC_US) /* for what takes milliseconds, or the first retry of a second */

/* -- a store that the test steers ---------------------------------------------------------------------------------- */

struct fake {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int rc, flush_rc, open_rc; /* what its functions answer */
	int64_t rows_left;         /* row() fails with -ENOSPC when it is 0; negative: never */
	uint64_t refused;          /* what refused() answers next */
	bool hold;                 /* row() does not come back */
	unsigned int held;
	struct buf got; /* "value,entry " of each row */
	unsigned int rows, flushes, opens, closes, inside, inside_max;
};

struct store_sink {
	struct fake *fake;
};

static struct fake *fake_of(struct store *st)
{
	return *(struct fake **)store_state(st);
}

static int fake_config(struct store *st, struct err *err)
{
	return 0;
}

static int fake_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	struct fake *f = fake_of(st);
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = f->open_rc;
	if (!rc) {
		*ret = xcalloc(1, sizeof(**ret));
		(*ret)->fake = f;
		f->opens++;
	}
	pthread_mutex_unlock(&f->lock);
	return rc ? err_set(err, rc, "fake: cannot be opened") : 0;
}

static int fake_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	struct fake *f = sk->fake;
	int rc;

	pthread_mutex_lock(&f->lock);
	if (++f->inside > f->inside_max)
		f->inside_max = f->inside;
	f->held++;
	pthread_cond_broadcast(&f->changed);
	while (f->hold)
		pthread_cond_wait(&f->changed, &f->lock);
	f->held--;
	f->inside--;
	rc = f->rc;
	if (!rc && !f->rows_left)
		rc = -ENOSPC;
	if (!rc) {
		f->rows_left -= f->rows_left > 0;
		f->rows++;
		for (uint32_t i = 0; i < row->schema->n_cols; i++)
			buf_addf(&f->got, "%s%llu", i ? "," : "", (unsigned long long)value_u64(row->v[i], 0));
		buf_addf(&f->got, " ");
	}
	pthread_mutex_unlock(&f->lock);
	return rc ? err_set(err, rc, "fake: full; empty it") : 0;
}

static int fake_flush(struct store_sink *sk, struct err *err)
{
	struct fake *f = sk->fake;
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = f->flush_rc;
	f->flushes += !rc;
	pthread_mutex_unlock(&f->lock);
	return rc ? err_set(err, rc, "fake: cannot be flushed") : 0;
}

static uint64_t fake_refused(struct store_sink *sk, struct err *why)
{
	uint64_t n;

	pthread_mutex_lock(&sk->fake->lock);
	n = sk->fake->refused;
	sk->fake->refused = 0;
	pthread_mutex_unlock(&sk->fake->lock);
	err_set(why, -EINVAL, "fake: odd values");
	return n;
}

static void fake_close(struct store_sink *sk)
{
	pthread_mutex_lock(&sk->fake->lock);
	sk->fake->closes++;
	pthread_mutex_unlock(&sk->fake->lock);
	free(sk);
}

static void fake_fini(struct store *st)
{
}

static const struct store_attr no_attrs[] = { { 0 } };
static const struct store_type store_fake = {
	.name = "fake",
	.attrs = no_attrs,
	.state_size = sizeof(struct fake *),
	.config = fake_config,
	.open = fake_open,
	.row = fake_row,
	.flush = fake_flush,
	.refused = fake_refused,
	.close = fake_close,
	.fini = fake_fini,
};

#define FAKE_SET(f, field, value)                                                                                      \
	do {                                                                                                           \
		pthread_mutex_lock(&(f)->lock);                                                                        \
		(f)->field = (value);                                                                                  \
		pthread_cond_broadcast(&(f)->changed);                                                                 \
		pthread_mutex_unlock(&(f)->lock);                                                                      \
	} while (0)

/* -- a policy on it ------------------------------------------------------------------------------------------------ */

static struct pool *pool;
static struct strgp_pool *threads;

struct rig {
	struct fake fake;
	struct store *store;
	struct strgp *sg;
	struct set *set;
	struct err err;
};

static int setup(void **state)
{
	pool = pool_new(0);
	threads = strgp_pool_new(3);
	return 0;
}

static int teardown(void **state)
{
	strgp_pool_free(threads, 2000000);
	pool_free(pool);
	return 0;
}

static struct set *set_of(const char *schema, const char *instance)
{
	struct schema *sc = schema_new(schema, NULL);
	struct err err = { "" };
	struct set *s;

	schema_add(sc, "a", V_U64, NULL, NULL);
	if (set_new(pool, sc, instance, "n1", 0, 0, 0777, &s, &err))
		fail_msg("%s", err.msg);
	schema_free(sc);
	return s;
}

static void rig_init(struct rig *r, uint64_t queue_bytes, int64_t flush_us)
{
	struct strgp_conf conf = { .name = "sg", .schema = "s", .flush_us = flush_us, .queue_bytes = queue_bytes };

	*r = (struct rig){ .fake.rows_left = -1 };
	pthread_mutex_init(&r->fake.lock, NULL);
	pthread_cond_init(&r->fake.changed, NULL);
	assert_int_equal(store_new(&store_fake, "fake", &r->store, &r->err), 0);
	assert_int_equal(store_config(r->store, &(struct kv){ 0 }, &r->err), 0);
	*(struct fake **)store_state(r->store) = &r->fake;
	conf.store = r->store;
	assert_int_equal(strgp_new(&conf, threads, &r->sg, &r->err), 0);
	r->set = set_of("s", "n1/s");
}

static void rig_start(struct rig *r)
{
	if (strgp_start(r->sg, &r->err))
		fail_msg("%s", r->err.msg);
}

static void rig_fini(struct rig *r)
{
	if (strgp_running(r->sg))
		assert_int_equal(strgp_stop(r->sg, 5 * SEC_US, &r->err), 0);
	assert_int_equal(r->fake.opens, r->fake.closes);
	strgp_put(r->sg);
	store_put(r->store);
	set_put(r->set);
	buf_fini(&r->fake.got);
	pthread_mutex_destroy(&r->fake.lock);
	pthread_cond_destroy(&r->fake.changed);
}

/* One that counts, and is nobody's but the caller's. */
static struct snap *sample(struct set *s, uint64_t a)
{
	set_begin(s);
	set_u64(s, 0, a);
	set_end(s);
	return snap_new(s);
}

static void offer(struct strgp *sg, struct set *s, uint64_t a)
{
	struct snap *sn = sample(s, a);

	strgp_offer(sg, sn);
	snap_put(sn);
}

static struct strgp_status look(struct strgp *sg)
{
	struct strgp_status st;

	strgp_status(sg, &st);
	if (st.produced != st.stored + st.queued + st.spooled + st.dropped)
		fail_msg("produced=%llu stored=%llu queued=%llu dropped=%llu", (unsigned long long)st.produced,
			 (unsigned long long)st.stored, (unsigned long long)st.queued, (unsigned long long)st.dropped);
	return st;
}

/* Wait until the expression over `st` (looked at anew) holds. */
#define WAIT_STATUS(sg, cond)                                                                                          \
	do {                                                                                                           \
		int64_t until_ = mono_us() + WAIT_MAX_US;                                                              \
		struct strgp_status st;                                                                                \
		while (st = look(sg), !(cond)) {                                                                       \
			if (mono_us() > until_)                                                                        \
				fail_msg("waited in vain for " #cond ": %s", st.why);                                  \
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);                                     \
		}                                                                                                      \
	} while (0)

static void wait_held(struct fake *f)
{
	pthread_mutex_lock(&f->lock);
	while (!f->held)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static void assert_got(struct fake *f, const char *want)
{
	pthread_mutex_lock(&f->lock);
	assert_string_equal(buf_str(&f->got), want);
	pthread_mutex_unlock(&f->lock);
}

/* -- what it takes ------------------------------------------------------------------------------------------------- */

static void test_wants(void **state)
{
	struct strgp_conf conf = { .name = "rx", .schema_regex = "^(mem|load)" };
	struct strgp *sg;
	struct rig r;

	rig_init(&r, 0, 0);
	assert_false(strgp_wants(r.sg, "n1", "s", "n1/s"));
	rig_start(&r);
	assert_true(strgp_wants(r.sg, "n1", "s", "n1/s"));
	assert_false(strgp_wants(r.sg, "n1", "s2", "n1/s"));
	assert_int_equal(strgp_prdcr_add(r.sg, "n1", &r.err), -EBUSY);
	assert_int_equal(strgp_metric_add(r.sg, "a", &r.err), -EBUSY);
	assert_int_equal(strgp_start(r.sg, &r.err), -EBUSY);
	assert_int_equal(strgp_stop(r.sg, SEC_US, &r.err), 0);
	assert_int_equal(strgp_stop(r.sg, SEC_US, &r.err), -EBUSY);
	assert_int_equal(strgp_prdcr_add(r.sg, "^n[12]$", &r.err), 0);
	assert_int_equal(strgp_prdcr_add(r.sg, "^m", &r.err), 0);
	assert_int_equal(strgp_prdcr_add(r.sg, "(", &r.err), -EINVAL);
	assert_non_null(strstr(r.err.msg, "storage policy sg: regular expression '(': "));
	rig_start(&r);
	assert_true(strgp_wants(r.sg, "n2", "s", "n1/s"));
	assert_true(strgp_wants(r.sg, "m77", "s", "n1/s"));
	assert_false(strgp_wants(r.sg, "n3", "s", "n1/s"));
	assert_int_equal(strgp_stop(r.sg, SEC_US, &r.err), 0);
	assert_int_equal(strgp_prdcr_del(r.sg, "^n[12]$", &r.err), 0);
	assert_int_equal(strgp_prdcr_del(r.sg, "^n[12]$", &r.err), -ENOENT);
	assert_string_equal(strgp_prdcr(r.sg, 0), "^m");
	assert_null(strgp_prdcr(r.sg, 1));
	assert_int_equal(strgp_metric_add(r.sg, "b", &r.err), 0);
	assert_int_equal(strgp_metric_add(r.sg, "a", &r.err), 0);
	assert_int_equal(strgp_metric_add(r.sg, "a", &r.err), -EEXIST);
	assert_int_equal(strgp_metric_del(r.sg, "b", &r.err), 0);
	assert_int_equal(strgp_metric_del(r.sg, "b", &r.err), -ENOENT);
	assert_string_equal(strgp_metric(r.sg, 0), "a");
	assert_string_equal(strgp_conf(r.sg)->container, "sg");

	conf.store = r.store;
	assert_int_equal(strgp_new(&conf, threads, &sg, &r.err), 0);
	assert_int_equal(strgp_start(sg, &r.err), 0);
	assert_true(strgp_wants(sg, "n1", "meminfo", "n1/s"));
	assert_false(strgp_wants(sg, "n1", "vmstat", "n1/s"));
	assert_int_equal(strgp_stop(sg, SEC_US, &r.err), 0);
	strgp_put(sg);
	conf.schema_regex = "[";
	assert_int_equal(strgp_new(&conf, threads, &sg, &r.err), -EINVAL);
	rig_fini(&r);
}

/* A policy of a store that cannot do without config says so when it is started. */
static void test_unconfigured(void **state)
{
	struct strgp_conf conf = { .name = "sg", .schema = "s" };
	struct err err = { "" };
	struct strgp *sg;
	struct store *st;

	assert_int_equal(store_new(store_type_find("csv"), "mycsv", &st, &err), 0);
	conf.store = st;
	assert_int_equal(strgp_new(&conf, threads, &sg, &err), 0);
	store_put(st);
	assert_int_equal(strgp_start(sg, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "storage policy sg: store mycsv: path is required"));
	strgp_put(sg);
}

/* -- from offer to flush ------------------------------------------------------------------------------------------- */

static void test_stores(void **state)
{
	struct rig r;

	rig_init(&r, 0, 10 * MSEC_US);
	offer(r.sg, r.set, 1); /* not running: not taken */
	assert_int_equal(look(r.sg).produced, 0);
	rig_start(&r);
	for (uint64_t i = 0; i < 5; i++)
		offer(r.sg, r.set, i);
	WAIT_STATUS(r.sg, st.stored == 5);
	assert_got(&r.fake, "0 1 2 3 4 ");
	assert_int_equal(look(r.sg).rows, 5);
	assert_int_equal(look(r.sg).queued_bytes, 0);
	assert_int_equal(r.fake.flushes, 1); /* one for all, though no further row came */
	assert_int_equal(strgp_stop(r.sg, SEC_US, &r.err), 0);
	rig_start(&r);
	offer(r.sg, r.set, 5);
	assert_int_equal(strgp_stop(r.sg, SEC_US, &r.err), 0);
	assert_int_equal(look(r.sg).stored, 6);
	assert_got(&r.fake, "0 1 2 3 4 5 ");
	rig_fini(&r);
}

static void test_metrics(void **state)
{
	struct rig r;

	rig_init(&r, 0, 10 * MSEC_US);
	assert_int_equal(strgp_metric_add(r.sg, "nope", &r.err), 0);
	rig_start(&r);
	offer(r.sg, r.set, 1);
	offer(r.sg, r.set, 2);
	WAIT_STATUS(r.sg, st.dropped == 2);
	assert_non_null(strstr(look(r.sg).why, "set n1/s (schema s) has no metric nope"));
	assert_int_equal(look(r.sg).errors, 1); /* said once */
	rig_fini(&r);
}

/* -- stores that fail ---------------------------------------------------------------------------------------------- */

/* Nothing is lost, written twice, or out of order. */
static void test_failing(void **state)
{
	struct rig r;

	rig_init(&r, 0, 10 * MSEC_US);
	r.fake.rows_left = 3;
	rig_start(&r);
	for (uint64_t i = 0; i < 10; i++)
		offer(r.sg, r.set, i);
	WAIT_STATUS(r.sg, st.errors);
	assert_string_equal(look(r.sg).why, "fake: full; empty it");
	for (uint64_t i = 10; i < 200; i++)
		offer(r.sg, r.set, i);
	assert_int_equal(look(r.sg).dropped, 0);
	FAKE_SET(&r.fake, rows_left, -1);
	WAIT_STATUS(r.sg, st.stored == 200);
	assert_string_equal(look(r.sg).why, "");
	assert_int_equal(strncmp(buf_str(&r.fake.got), "0 1 2 3 4 5 6 7 8 9 10 11 ", 26), 0);
	assert_int_equal(r.fake.rows, 200);
	rig_fini(&r);
}

static void test_failing_open_and_flush(void **state)
{
	struct rig r;

	rig_init(&r, 0, 10 * MSEC_US);
	r.fake.open_rc = -EACCES;
	rig_start(&r);
	offer(r.sg, r.set, 1);
	WAIT_STATUS(r.sg, !strcmp(st.why, "fake: cannot be opened"));
	FAKE_SET(&r.fake, flush_rc, -EIO);
	FAKE_SET(&r.fake, open_rc, 0);
	WAIT_STATUS(r.sg, !strcmp(st.why, "fake: cannot be flushed"));
	assert_int_equal(look(r.sg).queued, 1); /* not stored before it is flushed */
	FAKE_SET(&r.fake, flush_rc, 0);
	WAIT_STATUS(r.sg, st.stored == 1);
	assert_got(&r.fake, "1 ");
	rig_fini(&r);
}

static struct set *list_set(unsigned int n_entries)
{
	struct schema *sc = schema_new("s", NULL);
	struct err err = { "" };
	struct set *s;

	schema_add(sc, "a", V_U64, NULL, NULL);
	schema_add_list(sc, "l", NULL, (uint32_t)schema_list_heap(V_U64, 1, 8), NULL);
	if (set_new(pool, sc, "n1/l", "n1", 0, 0, 0777, &s, &err))
		fail_msg("%s", err.msg);
	schema_free(sc);
	set_begin(s);
	for (uint64_t i = 0; i < n_entries; i++)
		memcpy(list_append(s, 1, V_U64, 1), &(uint64_t){ htole64(10 + i) }, 8);
	set_end(s);
	return s;
}

/* A store that fails between two rows of one set is not given the first one again. */
static void test_failing_within_a_set(void **state)
{
	struct set *list = list_set(3);
	struct rig r;

	rig_init(&r, 0, 10 * MSEC_US);
	r.fake.rows_left = 2;
	rig_start(&r);
	offer(r.sg, list, 7);
	offer(r.sg, list, 8);
	WAIT_STATUS(r.sg, st.errors);
	assert_got(&r.fake, "7,0,10 7,1,11 ");
	FAKE_SET(&r.fake, rows_left, -1);
	WAIT_STATUS(r.sg, st.stored == 2);
	assert_got(&r.fake, "7,0,10 7,1,11 7,2,12 8,0,10 8,1,11 8,2,12 ");
	set_put(list);
	rig_fini(&r);
}

/* ... also when that set was dropped meanwhile: the next one has all its rows. */
static void test_failing_within_a_dropped_set(void **state)
{
	struct set *list = list_set(3);
	struct snap *sn = snap_new(list);
	struct rig r;

	rig_init(&r, 3 * snap_bytes(sn), 10 * MSEC_US);
	snap_put(sn);
	r.fake.rows_left = 2;
	rig_start(&r);
	offer(r.sg, list, 7);
	WAIT_STATUS(r.sg, st.errors);
	for (uint64_t i = 1; i <= 3; i++)
		offer(r.sg, list, i);
	assert_int_equal(look(r.sg).dropped, 1);
	FAKE_SET(&r.fake, rows_left, -1);
	WAIT_STATUS(r.sg, st.stored == 3);
	assert_got(&r.fake, "7,0,10 7,1,11 1,0,10 1,1,11 1,2,12 2,0,10 2,1,11 2,2,12 3,0,10 3,1,11 3,2,12 ");
	set_put(list);
	rig_fini(&r);
}

/* -- sets that cannot be stored ------------------------------------------------------------------------------------ */

static void test_refused_sets(void **state)
{
	struct schema *sc = schema_new("s", NULL);
	struct set *two, *empty = list_set(0);
	struct rig r;

	schema_add(sc, "a", V_U64, NULL, NULL);
	schema_add_list(sc, "l1", NULL, (uint32_t)schema_list_heap(V_U64, 1, 8), NULL);
	schema_add_list(sc, "l2", NULL, (uint32_t)schema_list_heap(V_U64, 1, 8), NULL);
	assert_int_equal(set_new(pool, sc, "n1/two", "n1", 0, 0, 0777, &two, NULL), 0);
	schema_free(sc);
	rig_init(&r, 0, 10 * MSEC_US);
	rig_start(&r);
	for (uint64_t i = 0; i < 3; i++) {
		offer(r.sg, r.set, i);
		offer(r.sg, two, i);
		offer(r.sg, empty, i); /* has no row to store */
	}
	WAIT_STATUS(r.sg, st.stored == 6 && st.dropped == 3);
	assert_got(&r.fake, "0 1 2 ");
	assert_int_equal(look(r.sg).errors, 1);
	assert_non_null(strstr(look(r.sg).why, "more than one list (l1, l2)"));
	set_put(two);
	set_put(empty);
	rig_fini(&r);
}

/* A store that says of a row that it will never take it does not stop the others. */
static void test_refused_rows(void **state)
{
	struct set *list = list_set(2);
	struct rig r;

	rig_init(&r, 0, 10 * MSEC_US);
	r.fake.rc = -EINVAL;
	rig_start(&r);
	offer(r.sg, r.set, 1);
	WAIT_STATUS(r.sg, st.dropped == 1);
	FAKE_SET(&r.fake, rc, 0);
	offer(r.sg, list, 1);
	offer(r.sg, r.set, 2); /* that shape was refused */
	WAIT_STATUS(r.sg, st.stored == 1 && st.dropped == 2);
	assert_got(&r.fake, "1,0,10 1,1,11 ");
	set_put(list);
	rig_fini(&r);
}

/* -- overflow ------------------------------------------------------------------------------------------------------ */

static void test_overflow(void **state)
{
	struct snap *sn, *many[50];
	struct rig r;

	rig_init(&r, 1, 10 * MSEC_US); /* nothing fits */
	rig_start(&r);
	offer(r.sg, r.set, 1);
	assert_int_equal(look(r.sg).dropped, 1);
	rig_fini(&r);

	rig_init(&r, 0, 10 * MSEC_US);
	sn = snap_new(r.set);
	strgp_put(r.sg);
	assert_int_equal(strgp_new(&(struct strgp_conf){ .name = "sg",
							 .schema = "s",
							 .store = r.store,
							 .flush_us = 10 * MSEC_US,
							 .queue_bytes = 10 * snap_bytes(sn) },
				   threads, &r.sg, &r.err),
			 0);
	snap_put(sn);
	r.fake.hold = true;
	rig_start(&r);
	offer(r.sg, r.set, 0);
	wait_held(&r.fake); /* one is with the store */
	for (uint64_t i = 1; i <= 50; i++)
		offer(r.sg, r.set, i);
	for (uint64_t i = 51; i <= 100; i++)
		many[i - 51] = sample(r.set, i);
	strgp_offer_all(r.sg, many, 50);
	assert_int_equal(look(r.sg).produced, 101);
	assert_int_equal(look(r.sg).queued, 10);
	assert_int_equal(look(r.sg).dropped, 91);
	assert_non_null(strstr(look(r.sg).why, "its queue is full"));
	assert_true(look(r.sg).since_us > 0);
	FAKE_SET(&r.fake, hold, false);
	WAIT_STATUS(r.sg, st.stored == 10);
	assert_got(&r.fake, "0 92 93 94 95 96 97 98 99 100 ");
	rig_fini(&r);
}

/* -- stopping ------------------------------------------------------------------------------------------------------ */

static void test_stop_stores_the_rest(void **state)
{
	struct rig r;

	rig_init(&r, 0, 60 * SEC_US); /* no flush of itself */
	rig_start(&r);
	for (uint64_t i = 0; i < 300; i++)
		offer(r.sg, r.set, i);
	assert_int_equal(strgp_stop(r.sg, 10 * SEC_US, &r.err), 0);
	assert_int_equal(look(r.sg).stored, 300);
	assert_int_equal(r.fake.closes, 1);
	rig_fini(&r);
}

/* No time at all: what is queued is dropped, and counted. */
static void test_stop_at_once(void **state)
{
	struct rig r;

	rig_init(&r, 0, 0);
	rig_start(&r);
	for (uint64_t i = 0; i < 300; i++)
		offer(r.sg, r.set, i);
	assert_int_equal(strgp_stop(r.sg, 0, &r.err), 0);
	assert_int_equal(look(r.sg).queued, 0);
	assert_int_equal(look(r.sg).stored + look(r.sg).dropped, 300);
	assert_int_equal(look(r.sg).stored, r.fake.rows);
	rig_fini(&r);
}

static void test_stop_failing(void **state)
{
	struct rig r;

	rig_init(&r, 0, 10 * MSEC_US);
	r.fake.rows_left = 2;
	rig_start(&r);
	for (uint64_t i = 0; i < 10; i++)
		offer(r.sg, r.set, i);
	WAIT_STATUS(r.sg, st.errors);
	assert_int_equal(strgp_stop(r.sg, 60 * SEC_US, &r.err), 0); /* tried once more, not for a minute */
	assert_int_equal(look(r.sg).stored, 2);
	assert_int_equal(look(r.sg).dropped, 8);
	assert_string_equal(look(r.sg).why, "fake: full; empty it");
	rig_fini(&r);
}

/* A store that does not come back does not hold the daemon. */
static void test_stop_hanging(void **state)
{
	struct rig r;

	rig_init(&r, 0, 10 * MSEC_US);
	r.fake.hold = true;
	rig_start(&r);
	for (uint64_t i = 0; i < 10; i++)
		offer(r.sg, r.set, i);
	wait_held(&r.fake);
	assert_int_equal(strgp_stop(r.sg, 10 * MSEC_US, &r.err), -ETIMEDOUT);
	assert_non_null(strstr(r.err.msg, "storage policy sg: store fake did not come back in time"));
	assert_false(strgp_running(r.sg));
	assert_int_equal(strgp_start(r.sg, &r.err), -EBUSY);
	assert_int_equal(look(r.sg).queued, 10);
	FAKE_SET(&r.fake, hold, false);
	WAIT_STATUS(r.sg, st.queued == 0);
	assert_int_equal(look(r.sg).stored, r.fake.rows);
	assert_true(look(r.sg).dropped >= 9);
	for (int64_t until = mono_us() + WAIT_MAX_US;
	     strgp_start(r.sg, &r.err);) /* a moment later it may begin again */
		assert_true(mono_us() < until);
	rig_fini(&r);
}

/* -- several ------------------------------------------------------------------------------------------------------- */

static void test_one_waits_the_others_store(void **state)
{
	struct rig a, b;

	rig_init(&a, 0, 10 * MSEC_US);
	rig_init(&b, 0, 10 * MSEC_US);
	a.fake.hold = true;
	rig_start(&a);
	rig_start(&b);
	offer(a.sg, a.set, 1);
	wait_held(&a.fake);
	offer(b.sg, b.set, 2);
	WAIT_STATUS(b.sg, st.stored == 1);
	assert_int_equal(look(a.sg).queued, 1);
	FAKE_SET(&a.fake, hold, false);
	WAIT_STATUS(a.sg, st.stored == 1);
	rig_fini(&a);
	rig_fini(&b);
}

/* A thread sleeps until a flush an hour away, when another one puts its policy back for a flush that is near. */
static void test_an_earlier_flush_than_who_sleeps_knows(void **state)
{
	struct rig a, b;

	rig_init(&a, 0, 3600 * SEC_US);
	rig_init(&b, 0, 10 * MSEC_US);
	b.fake.hold = true;
	rig_start(&a);
	rig_start(&b);
	offer(b.sg, b.set, 1);
	wait_held(&b.fake);
	offer(a.sg, a.set, 2);
	WAIT_STATUS(a.sg, st.rows == 1);
	nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000000 }, NULL); /* it sleeps by now; else this shows nothing */
	FAKE_SET(&b.fake, hold, false);
	WAIT_STATUS(b.sg, st.stored == 1);
	assert_int_equal(look(a.sg).stored, 0);
	rig_fini(&a);
	rig_fini(&b);
}

/* Two policies with one container write one file: each row twice, the header once. */
static void test_two_policies_one_file(void **state)
{
	struct strgp_conf conf = { .name = "sg", .schema = "s", .container = "c", .flush_us = MSEC_US };
	char *dir = scratch_new(), *path = xasprintf("%s/c/s", dir), *text, *p;
	struct strgp *sg[2];
	struct store *st;
	struct kv kv = { 0 };
	struct err err = { "" };
	struct set *s = set_of("s", "n1/s");
	unsigned int lines = 0;

	kv_add(&kv, "path", dir);
	assert_int_equal(store_new(store_type_find("csv"), "csv", &st, &err), 0);
	assert_int_equal(store_config(st, &kv, &err), 0);
	conf.store = st;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(strgp_new(&conf, threads, &sg[i], &err), 0);
		assert_int_equal(strgp_start(sg[i], &err), 0);
	}
	for (uint64_t i = 0; i < 500; i++)
		for (int k = 0; k < 2; k++)
			offer(sg[k], s, i);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(strgp_stop(sg[i], 10 * SEC_US, &err), 0);
		assert_int_equal(look(sg[i]).stored, 500);
		strgp_put(sg[i]);
	}
	text = file_text(path);
	for (p = text; *p; p = strchr(p, '\n') + 1)
		lines++;
	assert_int_equal(lines, 1001);
	assert_int_equal(*text, '#');
	assert_null(strchr(text + 1, '#'));
	free(text);
	free(path);
	scratch_free(dir);
	set_put(s);
	store_put(st);
	kv_fini(&kv);
}

struct producer {
	struct strgp **sg;
	struct set *set;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (uint64_t i = 0; i < 2000; i++)
		for (int k = 0; k < 2; k++)
			offer(p->sg[k], p->set, i);
	return NULL;
}

/* Many producers on two policies, one of which drops: the accounts are right at any moment. */
static void test_many_threads(void **state)
{
	struct producer p[4];
	struct strgp *sg[2];
	pthread_t t[4];
	struct rig a, b;

	rig_init(&a, 0, MSEC_US);
	rig_init(&b, 20000, MSEC_US);
	rig_start(&a);
	rig_start(&b);
	sg[0] = a.sg;
	sg[1] = b.sg;
	for (int i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d/s", i);
		p[i] = (struct producer){ sg, set_of("s", name) };
		pthread_create(&t[i], NULL, produce, &p[i]);
	}
	WAIT_STATUS(b.sg, (look(a.sg), st.produced == 8000));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		set_put(p[i].set);
	}
	assert_int_equal(strgp_stop(a.sg, 10 * SEC_US, &a.err), 0);
	assert_int_equal(strgp_stop(b.sg, 10 * SEC_US, &b.err), 0);
	assert_int_equal(look(a.sg).produced, 8000);
	assert_int_equal(look(a.sg).stored, 8000);
	assert_int_equal(look(b.sg).stored, b.fake.rows);
	assert_int_equal(a.fake.inside_max, 1); /* never on two threads */
	rig_fini(&a);
	rig_fini(&b);
}

/* Rows that the engine refuses after it has taken them are counted, and the policy goes on. */
static void test_refused_by_the_engine(void **state)
{
	struct rig r;

	rig_init(&r, 0, MSEC_US);
	rig_start(&r);
	offer(r.sg, r.set, 1);
	WAIT_STATUS(r.sg, st.stored == 1 && st.rows == 1);
	FAKE_SET(&r.fake, refused, 1);
	offer(r.sg, r.set, 2);
	offer(r.sg, r.set, 3);
	WAIT_STATUS(r.sg, st.stored == 3 && st.rows == 2 && st.refused == 1);
	assert_true(look(r.sg).why[0] == 0);
	assert_string_equal(look(r.sg).refused_why, "fake: odd values");
	assert_true(look(r.sg).refused_since_us > 0);
	rig_fini(&r);
}

/* What a loop gathers: in order, for each policy, and all of it before the loop waits. */
static void test_offers(void **state)
{
	struct loop *l = loop_new("test", NULL);
	struct offers *os = offers_new(l);
	struct buf want[2] = { 0 };
	uint64_t produced;
	struct rig r[2];

	for (int i = 0; i < 2; i++) {
		rig_init(&r[i], 0, MSEC_US);
		rig_start(&r[i]);
	}
	loop_lock(l);
	for (uint64_t a = 0; a < 300; a++) {
		int i = a % 3 != 0;

		offers_add(os, r[i].sg, sample(r[i].set, a));
		buf_addf(&want[i], "%llu ", (unsigned long long)a);
	}
	produced = look(r[0].sg).produced + look(r[1].sg).produced;
	assert_true(produced > 0 && produced < 300); /* not one by one, and not without a bound */
	ev_run(loop_ev(l), EVRUN_NOWAIT);
	assert_int_equal(look(r[0].sg).produced, 100);
	assert_int_equal(look(r[1].sg).produced, 200);
	/* a policy that has stopped takes none, and what is left is handed over in the end */
	for (int i = 0; i < 2; i++) {
		WAIT_STATUS(r[i].sg, st.stored == (i ? 200u : 100u));
		assert_int_equal(r[i].fake.got.len, want[i].len);
		assert_memory_equal(r[i].fake.got.p, want[i].p, want[i].len);
		buf_fini(&want[i]);
		offers_add(os, r[i].sg, sample(r[i].set, 300));
	}
	assert_int_equal(strgp_stop(r[0].sg, SEC_US, &r[0].err), 0);
	offers_free(os);
	loop_unlock(l);
	loop_free(l);
	WAIT_STATUS(r[1].sg, st.stored == 201);
	assert_int_equal(look(r[0].sg).produced, 100);
	rig_fini(&r[0]);
	rig_fini(&r[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wants),
		cmocka_unit_test(test_unconfigured),
		cmocka_unit_test(test_stores),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_failing_open_and_flush),
		cmocka_unit_test(test_failing_within_a_set),
		cmocka_unit_test(test_failing_within_a_dropped_set),
		cmocka_unit_test(test_refused_sets),
		cmocka_unit_test(test_refused_rows),
		cmocka_unit_test(test_refused_by_the_engine),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_stop_stores_the_rest),
		cmocka_unit_test(test_stop_at_once),
		cmocka_unit_test(test_stop_failing),
		cmocka_unit_test(test_stop_hanging),
		cmocka_unit_test(test_one_waits_the_others_store),
		cmocka_unit_test(test_an_earlier_flush_than_who_sleeps_knows),
		cmocka_unit_test(test_two_policies_one_file),
		cmocka_unit_test(test_many_threads),
		cmocka_unit_test(test_offers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
