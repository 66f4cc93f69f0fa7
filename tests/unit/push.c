/* Pushes and notifications, over the transport in memory: samples that come by themselves, whole and in order. */
#include "tests/unit/rig.h"

#include <pthread.h>

#include "core/set/snap.h"
#include "xprt/push.h"
#include "push_rig.h"

/* ... and that is pushed from now on. */
static struct set *begin_pushed(struct rig *r, struct ear *e, unsigned int metrics, unsigned int ring)
{
	struct set *s = begin(r, e, metrics, ring);

	rset_push(e->rs, RSET_PUSH_CHANGE);
	registered(r, s);
	return s;
}

/* -- pushes -------------------------------------------------------------------------------------------------------- */

static void test_each_sample_comes(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 3, 1);

	assert_int_equal(s->pushed, 0);
	assert_int_equal(rset_push(e.rs, RSET_PUSH_CHANGE), 0);
	assert_int_equal(e.rs->pushed, RSET_PUSH_CHANGE);
	registered(&r, s);
	assert_int_equal(s->pushed, 1);
	for (uint64_t v = 2; v < 10; v++) {
		rig_sample(s, v);
		rig_until(&r, e.values_n == (int)v - 1);
		assert_int_equal(e.values[v - 2], v);
	}
	assert_int_equal(mirror_value(e.rs, 0), 9);
	assert_int_equal(e.upd[UPDATE_NEW], 8);
	assert_int_equal(e.upd[UPDATE_SAME] + e.upd[UPDATE_FAIL] + e.upd[UPDATE_TORN], 0);
	assert_int_equal(atomic_load(&r.env.stats.pushes_out), 8);
	assert_int_equal(atomic_load(&r.cenv.stats.pushes_in), 8);
	assert_int_equal(atomic_load(&r.env.stats.pushes_merged), 0);
	end(&r, &e, s);
}

static void test_cancel(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin_pushed(&r, &e, 3, 1);

	rig_sample(s, 2);
	rig_until(&r, e.values_n == 1);
	assert_int_equal(rset_push(e.rs, RSET_PULL), 0);
	assert_int_equal(e.rs->pushed, RSET_PULL);
	rig_until(&r, !s->watches);
	assert_int_equal(s->pushed, 0);
	rig_until(&r, odd(&r) == 1); /* the answer to it, which nobody waits for */
	rig_sample(s, 3);
	rig_settle(&r);
	assert_int_equal(e.values_n, 1);
	assert_int_equal(rset_update(e.rs), 0); /* it can be read as ever */
	rig_until(&r, e.values_n == 2);
	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	rset_free(e.rs);
	e.rs = NULL;
	rig_until(&r, !s->watches);
	end(&r, &e, s);
}

/* What is only to be pushed on request, a sampler never pushes; a mirror is pushed whenever it is updated. */
static void test_on_request(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 3, 1);

	rset_push(e.rs, RSET_PUSH_REQUEST);
	registered(&r, s);
	assert_int_equal(s->pushed, 0);
	rig_sample(s, 2);
	rig_settle(&r);
	assert_int_equal(e.values_n, 0);
	s->local = false; /* as good as a mirror */
	rig_sample(s, 3);
	rig_until(&r, e.values_n == 1);
	s->local = true;
	rset_push(e.rs, RSET_PUSH_CHANGE); /* asked for more: the same registration */
	rig_until(&r, s->pushed == 1);
	rig_sample(s, 4);
	rig_until(&r, e.values_n == 2);
	assert_int_equal(e.values[1], 4);
	end(&r, &e, s);
}

static void test_metadata_come_along(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 3, 1);
	const struct set_meta *m = (const struct set_meta *)e.rs->set->image;
	unsigned long in;

	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	rig_sample(s, 2);
	rig_until(&r, e.values_n == 1);
	in = atomic_load(&r.cenv.stats.bytes_in);
	rig_sample(s, 3);
	rig_until(&r, e.values_n == 2);
	assert_true(atomic_load(&r.cenv.stats.bytes_in) - in < s->meta_sz + s->data_sz); /* the sample alone */
	set_meta_u64(s, 3, 77);
	rig_sample(s, 4);
	rig_until(&r, e.values_n == 3);
	assert_int_equal(mirror_value(e.rs, 3), 77);
	assert_int_equal(le64toh(m->meta_gn), 2);
	assert_int_equal(e.upd[UPDATE_NEW], 3);
	end(&r, &e, s);
}

static void fill(struct set *s, uint64_t v)
{
	set_begin(s);
	set_u64(s, 0, v);
	memset(set_slot(s, 1), (int)v, BIG * sizeof(uint64_t));
	set_u64(s, 2, v);
	set_end(s);
}

static void test_big_sets_come_in_fragments(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, BIG, 1);

	assert_true(s->data_sz > 2 * PUSH_DATA_MAX);
	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	for (uint64_t v = 2; v < 6; v++) {
		fill(s, v);
		rig_until(&r, e.values_n == (int)v - 1);
		assert_int_equal(mirror_value(e.rs, 0), v);
		assert_int_equal(mirror_value(e.rs, 2), v);
		assert_int_equal(mirror_value(e.rs, 1), v * 0x0101010101010101);
	}
	/* an update asked for in the middle of one changes nothing */
	fill(s, 6);
	rset_update(e.rs);
	rig_until(&r, !e.rs->busy && e.values_n >= 5);
	rig_settle(&r);
	assert_int_equal(e.values_n, 5);
	assert_int_equal(odd(&r), 0);
	/* nor does its end; the fragments are finished before it is confirmed */
	fill(s, 7);
	rig_settle(&r);
	rset_push(e.rs, RSET_PULL);
	rig_until(&r, !s->watches);
	end(&r, &e, s);
}

/* A ring loses nothing as long as it has not gone round. */
static void test_rings(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 3, 4);

	for (uint64_t v = 2; v < 4; v++)
		rig_sample(s, v);
	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	for (uint64_t v = 4; v < 7; v++) /* none is sent before the loop turns */
		rig_sample(s, v);
	rig_until(&r, e.values_n == 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(e.values[i], 4 + i);
	for (uint64_t v = 7; v < 17; v++)
		rig_sample(s, v);
	rig_until(&r, e.values_n == 7);
	for (int i = 0; i < 4; i++)
		assert_int_equal(e.values[3 + i], 13 + i);
	assert_int_equal(atomic_load(&r.env.stats.pushes_merged), 6);
	rset_update(e.rs); /* it knows where it stands: nothing is left to be read */
	rig_until(&r, !e.rs->busy);
	assert_int_equal(e.values_n, 7);
	set_meta_u64(s, 3, 5);
	rig_sample(s, 17);
	rig_until(&r, e.values_n == 8);
	assert_int_equal(mirror_value(e.rs, 3), 5);
	assert_int_equal(odd(&r), 0);
	end(&r, &e, s);
}

static void test_newest_replaces_older(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin_pushed(&r, &e, 3, 1);

	for (uint64_t v = 2; v < 102; v++)
		rig_sample(s, v);
	rig_until(&r, e.values_n == 1);
	assert_int_equal(e.values[0], 101);
	assert_int_equal(atomic_load(&r.env.stats.pushes_merged), 99);
	end(&r, &e, s);
}

/* Another thread samples as fast as it can; what comes is whole, in order, and the last of it comes for sure. */
struct sampler {
	struct set *s;
	uint64_t last;
};

static void *sampler_main(void *arg)
{
	struct sampler *sa = arg;

	for (uint64_t v = 2; v <= sa->last; v++) {
		set_begin(sa->s);
		for (int i = 0; i < 100; i++)
			set_u64(sa->s, i, v);
		set_end(sa->s);
	}
	return NULL;
}

static void whole_cb(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
{
	const struct image im = { (const struct set_meta *)rs->set->image, data };
	struct ear *e = rs->arg;
	uint64_t v;

	assert_int_equal(res, UPDATE_NEW);
	v = value_u64(image_value(&im, 0), 0);
	assert_true(v > e->values[0]);
	for (uint32_t i = 1; i < 100; i++)
		assert_int_equal(value_u64(image_value(&im, i), 0), v);
	e->values[0] = v;
}

static void test_while_another_thread_samples(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 100, 1);
	struct sampler sa = { s, 20000 };
	unsigned long out;
	pthread_t t;

	e.rs->updated = whole_cb;
	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	pthread_create(&t, NULL, sampler_main, &sa);
	rig_until(&r, e.values[0] == sa.last);
	pthread_join(t, NULL);
	rig_settle(&r);
	/* one that was sent before its end was told counts once more than it should; none is left out */
	out = atomic_load(&r.env.stats.pushes_out);
	assert_in_range(out + atomic_load(&r.env.stats.pushes_merged), sa.last - 1, sa.last - 1 + out);
	end(&r, &e, s);
}

static void test_set_goes(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin_pushed(&r, &e, 3, 1);

	setdb_del(r.env.sets, s);
	rig_until(&r, !s->watches);
	rig_sample(s, 2);
	rig_settle(&r);
	assert_int_equal(e.values_n, 0);
	rset_push(e.rs, RSET_PUSH_REQUEST); /* the server does not know it any more */
	rig_until(&r, r.s->odd == 1);
	end(&r, &e, s);
}

static void test_not_for_everybody(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 3, 1);

	set_perm_set(s, 1234, 1234, 0400);
	rig_settle(&r);
	r.s->uid = r.s->gid = 4321;
	rset_push(e.rs, RSET_PUSH_CHANGE);
	rig_until(&r, r.s->odd == 1);
	assert_null(s->watches);
	end(&r, &e, s);
}

static void test_freed_and_closed_in_the_callback(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin_pushed(&r, &e, 3, 4);

	e.free_at_new = true;
	rig_sample(s, 2);
	rig_sample(s, 3);
	rig_until(&r, !e.rs && !s->watches);
	assert_int_equal(e.values_n, 1);
	e.free_at_new = false;
	look_up(&e, "n/a");
	e.close_at_new = true;
	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	rig_sample(s, 4);
	rig_until(&r, !r.c && !r.s);
	assert_null(e.rs->x);
	assert_int_equal(e.rs->pushed, RSET_PULL);
	assert_int_equal(rset_push(e.rs, RSET_PUSH_CHANGE), -ENOTCONN);
	rig_until(&r, !s->watches);
	end(&r, &e, s);
}

static void test_of_a_rail(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *s;

	rig_open(&r, "mem");
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_connect(&r, 3);
	look_up(&e, "n/a");
	rset_free(e.rs);
	look_up(&e, "n/a"); /* on the second connection */
	assert_int_equal(e.rs->ep, 1);
	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	rig_sample(s, 5);
	rig_until(&r, e.values_n == 1);
	assert_non_null(r.s->lanes[1]->subs);
	assert_null(r.s->lanes[0]->subs);
	end(&r, &e, s);
}

/* What cannot be kept is passed over, on either side; when there is room again, so are pushes. */
static void test_limits(void **state)
{
	struct rig r;
	struct ear e, two = { .r = &r };
	struct set *s = begin(&r, &e, BIG, 1), *other;

	r.env.limits.pushes = 1;
	r.cenv.limits.memory = r.env.limits.memory = 1u << 20;
	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	fill(s, 2);
	rig_until(&r, atomic_load(&r.env.stats.pushes_merged) == 1); /* the server has no room for the parcel */
	r.env.limits.memory = 0;
	fill(s, 3);
	rig_until(&r, odd(&r) == 1); /* nor the client for the fragments */
	rig_settle(&r);
	assert_int_equal(e.values_n, 0);
	r.cenv.limits.memory = 0;
	fill(s, 4);
	rig_until(&r, e.values_n == 1);
	other = rig_set(&r, "one", "n/b", 3, 1, 0, 0777);
	two.rs = NULL;
	look_up(&two, "n/b");
	rset_push(two.rs, RSET_PUSH_CHANGE);
	rig_until(&r, atomic_load(&r.env.stats.refusals.n[REFUSE_PUSHES]) == 1);
	assert_null(other->watches);
	rset_push(e.rs, RSET_PULL);
	rset_push(two.rs, RSET_PUSH_CHANGE);
	registered(&r, other);
	rset_free(two.rs);
	set_put(other);
	end(&r, &e, s);
	assert_int_equal(atomic_load(&r.env.stats.memory) + atomic_load(&r.cenv.stats.memory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_sample_comes),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_on_request),
		cmocka_unit_test(test_metadata_come_along),
		cmocka_unit_test(test_big_sets_come_in_fragments),
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_newest_replaces_older),
		cmocka_unit_test(test_while_another_thread_samples),
		cmocka_unit_test(test_set_goes),
		cmocka_unit_test(test_not_for_everybody),
		cmocka_unit_test(test_freed_and_closed_in_the_callback),
		cmocka_unit_test(test_of_a_rail),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
