/* strgp_failing.c - storage policies: stores that fail, sets and rows that cannot be stored, queues that are full */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "strgp_fake.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_failing_open_and_flush),
		cmocka_unit_test(test_failing_within_a_set),
		cmocka_unit_test(test_failing_within_a_dropped_set),
		cmocka_unit_test(test_refused_sets),
		cmocka_unit_test(test_refused_rows),
		cmocka_unit_test(test_refused_by_the_engine),
		cmocka_unit_test(test_overflow),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
