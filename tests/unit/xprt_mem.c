/* What peers do with each other, over the transport in memory: updates, messages, closing. */
#include "tests/unit/rig.h"

#include "core/set/snap.h"
#include "xprt/xprt_impl.h"
#include "xprt_rig.h"

/* -- updates ------------------------------------------------------------------------------------------------------- */

static void test_update(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_connect(&r, 1);
	look_up(&e, "n/a", 0);
	update(&e);
	assert_int_equal(e.upd[UPDATE_TORN], 1); /* never sampled */
	rig_sample(a, 11);
	update(&e);
	assert_int_equal(e.upd[UPDATE_NEW], 1);
	assert_int_equal(e.values[0], 11);
	update(&e);
	assert_int_equal(e.upd[UPDATE_SAME], 1);
	rig_sample(a, 12);
	update(&e);
	assert_int_equal(e.upd[UPDATE_NEW], 2);
	assert_int_equal(e.values[1], 12);
	assert_int_equal(rset_update(e.rs[0]), 0);
	assert_int_equal(rset_update(e.rs[0]), -EBUSY);
	rig_until(&r, !e.rs[0]->busy);
	ear_free(&e);
	set_put(a);
	rig_close(&r);
}

static void test_metadata_change(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;
	struct image im;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_connect(&r, 1);
	look_up(&e, "n/a", 0);
	rig_sample(a, 1);
	update(&e);
	set_meta_u64(a, 3, 77);
	rig_sample(a, 2);
	update(&e); /* the sample comes, and shows that the metadata have moved on */
	assert_int_equal(e.upd[UPDATE_NEW], 2);
	rig_sample(a, 3);
	update(&e); /* ... and now they are here */
	assert_int_equal(e.upd[UPDATE_NEW], 3);
	im = (struct image){ (const struct set_meta *)e.rs[0]->set->image, NULL };
	assert_int_equal(value_u64(image_value(&im, 3), 0), 77);
	ear_free(&e);
	set_put(a);
	rig_close(&r);
}

/* A peer that is an aggregator in the middle of copying, or a sampler that is read while it writes: here a mirror whose
 * element is put in by hand. */
static void test_torn(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *local, *served;
	struct set_data *d;
	struct snap *sn;

	rig_open(&r, "mem");
	local = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_sample(local, 5);
	sn = snap_new(local);
	setdb_del(r.env.sets, local);
	assert_int_equal(set_mirror_new(r.env.pool, sn->im.meta, &served, NULL), 0);
	set_mirror_data(served, 0, 1, sn->im.data);
	setdb_add(r.env.sets, served, NULL);
	rig_connect(&r, 1);
	look_up(&e, "n/a", 0);
	update(&e);
	assert_int_equal(e.upd[UPDATE_NEW], 1);

	d = malloc(served->data_sz);
	memcpy(d, sn->im.data, served->data_sz);
	d->flags = htole32(SET_TRANS_OPEN);
	d->gn = htole64(99);
	set_mirror_data(served, 0, 1, d);
	update(&e);
	assert_int_equal(e.upd[UPDATE_TORN], 1);
	assert_int_equal(set_gn(e.rs[0]->set), le64toh(sn->im.data->gn)); /* the mirror keeps the whole one */

	d->flags = htole32(SET_TRANS_DONE);
	d->size = htole64(12); /* a lie */
	set_mirror_data(served, 0, 1, d);
	update(&e);
	assert_int_equal(e.upd[UPDATE_FAIL], 1);
	assert_int_equal(e.upd_rc, -EPROTO);
	free(d);
	snap_put(sn);
	ear_free(&e);
	set_put(local);
	set_put(served);
	rig_close(&r);
}

static void test_ring(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;
	uint64_t v = 0;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 4, 0, 0777);
	rig_connect(&r, 1);
	rig_sample(a, ++v);
	look_up(&e, "n/a", 0);
	update(&e);
	assert_int_equal(e.values_n, 1);
	/* any number of samples between two updates: all that still are in the ring come, in order, each once */
	for (int n = 1; n <= 4; n++) {
		for (int rounds = 0; rounds < 9; rounds++) {
			int before = e.values_n;

			for (int i = 0; i < n; i++)
				rig_sample(a, ++v);
			update(&e);
			assert_true(e.values_n > before);
			while (e.values_n < before + n && e.values[(e.values_n - 1) % 64] != v)
				update(&e);
			assert_int_equal(e.values[(e.values_n - 1) % 64], v);
			if (n < 4)
				assert_int_equal(e.values_n, before + n);
		}
	}
	ear_free(&e);
	set_put(a);
	rig_close(&r);
}

static void test_deleted_set(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_sample(a, 1);
	rig_connect(&r, 1);
	look_up(&e, "n/a", 0); /* it does not follow the directory, and so is not told */
	setdb_del(r.env.sets, a);
	set_put(a);
	rig_settle(&r);
	assert_int_equal(pool_used(r.env.pool), 0); /* no connection keeps it */
	update(&e);
	assert_int_equal(e.upd[UPDATE_FAIL], 1);
	assert_int_equal(e.upd_rc, -EFAULT);
	assert_true(xprt_is_up(r.c));
	ear_free(&e);
	rig_close(&r);
}

/* Of 10,000 producers none asks for what an aggregator has: they are no listeners of each change. */
static void test_told_is_who_asks(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_connect(&r, 1);
	assert_null(r.s->announce);
	look_up(&e, "n/a", 0);
	assert_non_null(r.s->announce);
	assert_null(r.c->announce); /* the other way round nobody asked */
	set_put(a);
	ear_free(&e);
	rig_close(&r);
}

/* -- both ways, rails, messages ------------------------------------------------------------------------------------ */

static void test_roles_do_not_depend_on_who_connected(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;

	rig_open(&r, "mem");
	r.cenv.sets = r.env.sets; /* the client serves */
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_connect(&r, 1);
	xprt_dir(r.s, true, dir_cb, &e, NULL); /* ... and the server asks */
	rig_until(&r, e.dir[DIR_DONE]);
	assert_int_equal(e.names_n, 1);
	setdb_del(r.env.sets, a);
	rig_until(&r, e.dir[DIR_DEL]);
	set_put(a);
	rig_close(&r);
}

static void test_rail(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a, *b;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	b = rig_set(&r, "one", "n/b", 3, 1, 0, 0777);
	rig_sample(a, 1);
	rig_sample(b, 2);
	rig_connect(&r, 3);
	assert_int_equal(r.s_ups, 1); /* one peer, however many connections */
	assert_int_equal(atomic_load(&r.env.stats.live), 3);
	look_up(&e, "n/a", 0);
	look_up(&e, "n/b", 0);
	assert_int_equal(e.rs[0]->ep, 0);
	assert_int_equal(e.rs[1]->ep, 1);
	rset_update(e.rs[0]);
	rset_update(e.rs[1]);
	rig_until(&r, e.finished == 2);
	assert_int_equal(e.upd[UPDATE_NEW], 2);
	ear_free(&e);
	set_put(a);
	set_put(b);
	rig_close(&r);
}

static void test_message(void **state)
{
	static char big[1048517];
	struct rig r;
	struct err err;

	rig_open(&r, "mem");
	rig_connect(&r, 1);
	assert_int_equal(xprt_send(r.c, "hello", 5, &err), 0);
	rig_until(&r, r.s_msgs == 1);
	assert_string_equal(r.msg, "hello");
	assert_int_equal(xprt_send(r.c, big, sizeof(big), &err), -EMSGSIZE);
	assert_int_equal(xprt_send(r.c, big, sizeof(big) - 1, &err), 0);
	rig_until(&r, r.s_msgs == 2);
	rig_close(&r);
}

/* -- closing ------------------------------------------------------------------------------------------------------- */

static void test_close_in_callbacks(void **state)
{
	for (int where = 0; where < 4; where++) {
		struct rig r;
		struct ear e = { .r = &r,
				 .close_at_set = where == 0,
				 .close_at_found = where == 1,
				 .close_at_new = where == 2,
				 .free_at_new = where == 3 };
		struct set *a, *b;

		rig_open(&r, "mem");
		a = rig_set(&r, "one", "n/a", 3, 4, 0, 0777);
		b = rig_set(&r, "one", "n/b", 3, 4, 0, 0777);
		rig_sample(a, 1);
		rig_connect(&r, 1);
		xprt_dir(r.c, false, dir_cb, &e, NULL);
		rig_until(&r, e.dir[DIR_SET]);
		if (where == 0)
			goto over;
		xprt_lookup(r.c, "one", LOOKUP_SCHEMA, lookup_cb, &e, NULL);
		rig_until(&r, where == 1 ? e.found : e.ended);
		if (where == 1)
			goto over;
		for (int i = 0; i < e.found; i++)
			if (!strcmp(e.rs[i]->set->name, "n/a")) {
				struct rset *t = e.rs[0];

				e.rs[0] = e.rs[i];
				e.rs[i] = t;
			}
		for (int i = 2; i < 5; i++)
			rig_sample(a, (uint64_t)i); /* several new ones: closed between two of them */
		assert_int_equal(rset_update(e.rs[0]), 0);
		rig_until(&r, e.upd[UPDATE_NEW]);
		rig_settle(&r);
		assert_int_equal(e.upd[UPDATE_NEW], 1);
	over:
		rig_settle(&r);
		ear_free(&e);
		set_put(a);
		set_put(b);
		rig_close(&r);
	}
}

static void test_rset_outlives_peer(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_connect(&r, 1);
	look_up(&e, "n/a", 0);
	rset_update(e.rs[0]);
	xprt_listener_close(r.l); /* the server goes, with the read outstanding */
	r.l = NULL;
	rig_until(&r, r.c_downs);
	assert_int_equal(r.c_fail, XPRT_LOST);
	assert_null(e.rs[0]->x);
	assert_false(e.rs[0]->busy);
	assert_int_equal(rset_update(e.rs[0]), -ENOTCONN);
	assert_string_equal(e.rs[0]->set->name, "n/a");
	ear_free(&e);
	set_put(a);
	rig_close(&r);
}

static void test_free_while_outstanding(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_connect(&r, 1);
	look_up(&e, "n/a", 0);
	rset_update(e.rs[0]);
	rset_free(e.rs[0]);
	e.rs[0] = NULL;
	look_up(&e, "n/a", 0); /* whose answer comes behind that of the read */
	assert_int_equal(e.finished, 0);
	ear_free(&e);
	set_put(a);
	rig_close(&r);
}

/* -- two loops, each with its thread ------------------------------------------------------------------------------- */

struct two {
	struct rig r; /* the client's side */
	struct loop *io[2];
	struct ear ear[8];
	struct xprt *c[8];
};

static void test_loops_of_their_own(void **state)
{
	struct two t;
	struct err err;
	struct set *a;
	const struct xprt_listen_conf lc = { .type = "mem", .host = "two", .auth = "none" };

	memset(&t, 0, sizeof(t));
	rig_open(&t.r, "mem");
	for (int i = 0; i < 2; i++) {
		t.io[i] = loop_new("io", &err);
		assert_int_equal(loop_start(t.io[i], &err), 0);
	}
	a = rig_set(&t.r, "one", "n/a", 3, 1, 0, 0777);
	assert_int_equal(xprt_listen(&t.r.env, t.io, 2, &lc, &(struct xprt_events){ 0 }, NULL, &t.r.l, &err), 0);
	for (int i = 0; i < 8; i++) {
		const struct xprt_conf conf = {
			.type = "mem", .host = "two", .auth = "none", .n_eps = 1 + (unsigned int)i % 3
		};

		t.ear[i].r = &t.r;
		assert_int_equal(xprt_connect(&t.r.cenv, t.r.loop, &conf, &rig_c_ev, &t.r, &t.c[i], &err), 0);
	}
	rig_until(&t.r, t.r.c_ups == 8);
	for (int i = 0; i < 8; i++)
		xprt_dir(t.c[i], true, dir_cb, &t.ear[i], NULL);
	for (int i = 0; i < 8; i++)
		rig_until(&t.r, t.ear[i].dir[DIR_DONE]);
	setdb_info_put(t.r.env.sets, a, "k", "v");
	for (int i = 0; i < 8; i++)
		rig_until(&t.r, t.ear[i].dir[DIR_UPD]);
	for (int i = 0; i < 8; i++)
		xprt_close(t.c[i]);
	setdb_del(t.r.env.sets, a);
	set_put(a);
	loop_unlock(t.r.loop); /* order of locks: it may be a main loop, theirs are others */
	loop_lock(t.r.loop);
	xprt_listener_close(t.r.l);
	t.r.l = NULL;
	for (int i = 0; i < 2; i++) {
		loop_join(t.io[i]);
		loop_free(t.io[i]);
	}
	rig_close(&t.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_metadata_change),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_deleted_set),
		cmocka_unit_test(test_told_is_who_asks),
		cmocka_unit_test(test_roles_do_not_depend_on_who_connected),
		cmocka_unit_test(test_rail),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_close_in_callbacks),
		cmocka_unit_test(test_rset_outlives_peer),
		cmocka_unit_test(test_free_while_outstanding),
		cmocka_unit_test(test_loops_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
