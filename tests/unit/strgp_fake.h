/* strgp_fake.h - for tests of storage policies: a store that the test steers, and a policy on it. */
#ifndef TESTS_UNIT_STRGP_FAKE_H
#define TESTS_UNIT_STRGP_FAKE_H

#include <pthread.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/daemon/strgp.h"
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

static inline struct fake *fake_of(struct store *st)
{
	return *(struct fake **)store_state(st);
}

static inline int fake_config(struct store *st, struct err *err)
{
	return 0;
}

static inline int fake_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
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

static inline int fake_row(struct store_sink *sk, const struct row *row, struct err *err)
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

static inline int fake_flush(struct store_sink *sk, struct err *err)
{
	struct fake *f = sk->fake;
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = f->flush_rc;
	f->flushes += !rc;
	pthread_mutex_unlock(&f->lock);
	return rc ? err_set(err, rc, "fake: cannot be flushed") : 0;
}

static inline uint64_t fake_refused(struct store_sink *sk, struct err *why)
{
	uint64_t n;

	pthread_mutex_lock(&sk->fake->lock);
	n = sk->fake->refused;
	sk->fake->refused = 0;
	pthread_mutex_unlock(&sk->fake->lock);
	err_set(why, -EINVAL, "fake: odd values");
	return n;
}

static inline void fake_close(struct store_sink *sk)
{
	pthread_mutex_lock(&sk->fake->lock);
	sk->fake->closes++;
	pthread_mutex_unlock(&sk->fake->lock);
	free(sk);
}

static inline void fake_fini(struct store *st)
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

static inline int setup(void **state)
{
	pool = pool_new(0);
	threads = strgp_pool_new(3);
	return 0;
}

static inline int teardown(void **state)
{
	strgp_pool_free(threads, 2000000);
	pool_free(pool);
	return 0;
}

static inline struct set *set_of(const char *schema, const char *instance)
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

static inline void rig_init(struct rig *r, uint64_t queue_bytes, int64_t flush_us)
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

static inline void rig_start(struct rig *r)
{
	if (strgp_start(r->sg, &r->err))
		fail_msg("%s", r->err.msg);
}

static inline void rig_fini(struct rig *r)
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
static inline struct snap *sample(struct set *s, uint64_t a)
{
	set_begin(s);
	set_u64(s, 0, a);
	set_end(s);
	return snap_new(s);
}

static inline void offer(struct strgp *sg, struct set *s, uint64_t a)
{
	struct snap *sn = sample(s, a);

	strgp_offer(sg, sn);
	snap_put(sn);
}

static inline struct strgp_status look(struct strgp *sg)
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

static inline void wait_held(struct fake *f)
{
	pthread_mutex_lock(&f->lock);
	while (!f->held)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static inline void assert_got(struct fake *f, const char *want)
{
	pthread_mutex_lock(&f->lock);
	assert_string_equal(buf_str(&f->got), want);
	pthread_mutex_unlock(&f->lock);
}

#endif
