/* strgp.c - storage policies: what they take, from offer to flush, stopping, several of them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "core/daemon/offers.h"
#include "strgp_fake.h"

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
