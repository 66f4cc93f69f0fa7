/* What peers do with each other, over the transport in memory: directory and lookup, and who may see what. */
#include "tests/unit/rig.h"

#include "core/set/snap.h"
#include "xprt/xprt_impl.h"
#include "xprt_rig.h"

static void test_dir_lists_in_order(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a, *b;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	b = rig_set(&r, "two", "n/b", 3, 1, 0, 0777);
	setdb_info_put(r.env.sets, b, "hint", "1\"2\\");
	rig_connect(&r, 1);
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &e, NULL), 0);
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &e, NULL), -EBUSY);
	rig_until(&r, e.dir[DIR_DONE]);
	assert_int_equal(e.names_n, 2);
	assert_string_equal(e.names[0], "n/b");
	assert_string_equal(e.names[1], "n/a");
	assert_string_equal(e.info, "hint=1\"2\\");
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &e, NULL), 0); /* again, after the end */
	rig_until(&r, e.dir[DIR_DONE] == 2);
	set_put(a);
	set_put(b);
	rig_close(&r);
}

static void test_dir_of_nothing(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };

	rig_open(&r, "mem");
	rig_connect(&r, 1);
	xprt_dir(r.c, false, dir_cb, &e, NULL);
	rig_until(&r, e.dir[DIR_DONE]);
	assert_int_equal(e.names_n, 0);
	rig_close(&r);
}

static void test_dir_in_several_messages(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	char name[64];

	rig_open(&r, "mem");
	for (int i = 0; i < 5000; i++) { /* some 420 bytes each: two replies and a rest */
		snprintf(name, sizeof(name), "node-%05d/some-schema-name", i);
		set_put(rig_set(&r, "some-schema-name", name, 1, 1, 0, 0777));
	}
	rig_connect(&r, 1);
	xprt_dir(r.c, false, dir_cb, &e, NULL);
	rig_until(&r, e.dir[DIR_DONE]);
	assert_int_equal(e.dir[DIR_SET], 5000);
	assert_string_equal(e.last, "node-00000/some-schema-name");
	rig_close(&r);
}

static void test_follow(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a, *b;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_connect(&r, 1);
	xprt_dir(r.c, true, dir_cb, &e, NULL);
	rig_until(&r, e.dir[DIR_DONE]);
	b = rig_set(&r, "one", "n/b", 3, 1, 0, 0777);
	rig_until(&r, e.dir[DIR_ADD] == 1);
	assert_string_equal(e.last, "n/b");
	setdb_info_put(r.env.sets, a, "k", "v");
	rig_until(&r, e.dir[DIR_UPD] == 1);
	assert_string_equal(e.last, "n/a");
	assert_string_equal(e.info, "k=v");
	setdb_del(r.env.sets, b);
	rig_until(&r, e.dir[DIR_DEL] == 1);
	assert_string_equal(e.last, "n/b");
	set_put(a);
	set_put(b);
	rig_close(&r);
}

/* Changes that the list already shows are not told again. */
static void test_follow_is_exact(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;

	rig_open(&r, "mem");
	rig_connect(&r, 1);
	a = rig_set(&r, "one", "n/a", 3, 1, 0,
		    0777); /* its announcement is still on the way when the list is asked for */
	xprt_dir(r.c, true, dir_cb, &e, NULL);
	rig_until(&r, e.dir[DIR_DONE]);
	setdb_info_put(r.env.sets, a, "k", "v");
	rig_until(&r, e.dir[DIR_UPD] == 1);
	assert_int_equal(e.dir[DIR_SET], 1);
	assert_int_equal(e.dir[DIR_ADD], 0);
	set_put(a);
	rig_close(&r);
}

static void test_list_ends_the_following(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a;

	rig_open(&r, "mem");
	rig_connect(&r, 1);
	xprt_dir(r.c, true, dir_cb, &e, NULL);
	rig_until(&r, e.dir[DIR_DONE] == 1);
	xprt_dir(r.c, false, dir_cb, &e, NULL);
	rig_until(&r, e.dir[DIR_DONE] == 2);
	a = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	xprt_dir(r.c, false, dir_cb, &e, NULL);
	rig_until(&r, e.dir[DIR_DONE] == 3);
	assert_int_equal(e.dir[DIR_ADD], 0);
	assert_int_equal(e.dir[DIR_SET], 1);
	set_put(a);
	rig_close(&r);
}

static void test_lookup(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *a, *b, *c;
	const char *digest;

	rig_open(&r, "mem");
	a = rig_set(&r, "one", "n1/a", 3, 1, 0, 0777);
	b = rig_set(&r, "one", "n1/b", 3, 1, 0, 0777);
	c = rig_set(&r, "two", "n2/c", 4, 1, 0, 0777);
	setdb_info_put(r.env.sets, c, "updt_hint_us", "1000000:0");
	rig_connect(&r, 1);

	look_up(&e, "n2/c", 0);
	assert_int_equal(e.rc, 0);
	assert_int_equal(e.found, 1);
	assert_string_equal(e.rs[0]->set->name, "n2/c");
	assert_string_equal(set_info_find(e.rs[0]->set, "updt_hint_us"), "1000000:0");
	digest = (const char *)image_digest((const struct set_meta *)c->image);
	assert_memory_equal(image_digest((const struct set_meta *)e.rs[0]->set->image), digest, DIGEST_LEN);

	look_up(&e, "one", LOOKUP_SCHEMA);
	assert_int_equal(e.found, 3);
	look_up(&e, "^n.*/[ac]$", LOOKUP_REGEX);
	assert_int_equal(e.found, 5);
	look_up(&e, "^(one|two)$", LOOKUP_REGEX | LOOKUP_SCHEMA);
	assert_int_equal(e.found, 8);

	look_up(&e, "nobody", 0);
	assert_int_equal(e.rc, -ENOENT);
	assert_non_null(strstr(e.why, "nobody"));
	look_up(&e, "[", LOOKUP_REGEX);
	assert_int_equal(e.rc, -EINVAL);
	look_up(&e, "(a{255}){255}", LOOKUP_REGEX); /* would take the server's memory */
	assert_int_equal(e.rc, -EINVAL);
	look_up(&e, "(a*)\\1", LOOKUP_REGEX); /* ... or its time */
	assert_int_equal(e.rc, -EINVAL);
	assert_int_equal(e.found, 8);
	ear_free(&e);
	set_put(a);
	set_put(b);
	set_put(c);
	rig_close(&r);
}

/* With `none` everybody is root; a peer that is not sees what the permission lets it see. */
static void test_permission(void **state)
{
	struct rig r;
	struct ear e = { .r = &r };
	struct set *mine, *all;

	rig_open(&r, "mem");
	mine = rig_set(&r, "one", "n/mine", 3, 1, 0, 0400);
	all = rig_set(&r, "one", "n/all", 3, 1, 0, 0444);
	rig_connect(&r, 1);
	look_up(&e, "n/mine", 0);
	assert_int_equal(e.found, 1);
	r.s->uid = r.s->gid = 4242; /* as if it had proved that */
	look_up(&e, "n/mine", 0);
	assert_int_equal(e.rc, -EACCES); /* who knows the name is told */
	assert_non_null(strstr(e.why, "it does not let us read"));
	look_up(&e, "n/min[e]", LOOKUP_REGEX);
	assert_int_equal(e.rc, -ENOENT); /* who searches is not */
	look_up(&e, "one", LOOKUP_SCHEMA);
	assert_int_equal(e.found, 2);
	assert_string_equal(e.rs[1]->set->name, "n/all");
	xprt_dir(r.c, true, dir_cb, &e, NULL);
	rig_until(&r, e.dir[DIR_DONE]);
	assert_int_equal(e.names_n, 1);
	assert_int_equal(xprt_dir_hidden(r.c).sets, 1); /* but it is told that there is more */
	assert_int_equal(xprt_dir_hidden(r.c).uid, 4242);
	setdb_info_put(r.env.sets, mine, "k", "v"); /* news of it are kept back too */
	setdb_info_put(r.env.sets, all, "k", "v");
	rig_until(&r, e.dir[DIR_UPD]);
	assert_string_equal(e.last, "n/all");
	assert_int_equal(e.dir[DIR_UPD], 1);
	ear_free(&e);
	set_put(mine);
	set_put(all);
	rig_close(&r);
}

/* The permission of a set changes: for a peer that may not read it any more it is gone, and back when it may again. */
static void test_permission_changes(void **state)
{
	const struct set_owner nobody = { 0, 0, 0400 }, all = { 0, 0, 0444 }, more = { 0, 0, 0644 };
	struct rig r;
	struct ear e = { .r = &r };
	struct set *s, *other;

	rig_open(&r, "mem");
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0444);
	other = rig_set(&r, "one", "n/other", 3, 1, 0, 0400);
	rig_connect(&r, 1);
	r.s->uid = r.s->gid = 4242;
	look_up(&e, "n/a", 0);
	assert_int_equal(xprt_dir(r.c, true, dir_cb, &e, NULL), 0);
	rig_until(&r, e.dir[DIR_DONE]);
	setdb_perm_set(r.env.sets, s, &all);                                  /* no change, no news */
	setdb_perm_set(r.env.sets, other, &(struct set_owner){ 0, 0, 0600 }); /* nor is this, for this peer */
	setdb_perm_set(r.env.sets, s, &nobody);
	rig_until(&r, e.dir[DIR_DEL]);
	assert_string_equal(e.last, "n/a");
	assert_int_equal(rset_update(e.rs[0]), 0); /* what it looked up before is closed to it */
	rig_until(&r, e.upd[UPDATE_FAIL]);
	setdb_perm_set(r.env.sets, s, &all);
	rig_until(&r, e.dir[DIR_ADD]);
	setdb_perm_set(r.env.sets, s, &more);
	rig_until(&r, e.dir[DIR_UPD]);
	assert_string_equal(e.last, "n/a");
	look_up(&e, "n/a", 0);
	assert_int_equal(e.rc, 0);
	assert_int_equal(set_owner(e.rs[1]->set).perm, 0644);
	setdb_del(r.env.sets, other); /* it never knew of that one */
	setdb_del(r.env.sets, s);
	rig_until(&r, e.dir[DIR_DEL] == 2);
	assert_string_equal(e.last, "n/a");
	assert_int_equal(e.dir[DIR_ADD] + e.dir[DIR_UPD], 2);
	ear_free(&e);
	set_put(s);
	set_put(other);
	rig_close(&r);
}

/* A set that is pushed is pushed no more to whom it is shut. */
static void test_permission_ends_pushes(void **state)
{
	const struct set_owner nobody = { 0, 0, 0400 };
	struct rig r;
	struct ear e = { .r = &r };
	struct set *s;

	rig_open(&r, "mem");
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0444);
	rig_connect(&r, 1);
	r.s->uid = r.s->gid = 4242;
	look_up(&e, "n/a", 0);
	assert_int_equal(rset_push(e.rs[0], RSET_PUSH_CHANGE), 0);
	rig_settle(&r);
	rig_sample(s, 1);
	rig_until(&r, e.upd[UPDATE_NEW] == 1);
	setdb_perm_set(r.env.sets, s, &nobody);
	rig_sample(s, 2);
	rig_settle(&r);
	rig_sample(s, 3);
	rig_settle(&r);
	assert_int_equal(e.upd[UPDATE_NEW], 1);
	assert_int_equal(s->pushed, 0);
	ear_free(&e);
	set_put(s);
	rig_close(&r);
}

/* A mirror has its peer's owner and permission, until it is given others here. */
static void test_permission_of_a_mirror(void **state)
{
	const struct set_owner first = { 7, 8, 0440 }, second = { 9, 10, 0444 }, ours = { 1, 2, 0400 };
	struct rig r;
	struct ear e = { .r = &r };
	struct set_owner got;
	struct set *s;

	rig_open(&r, "mem");
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0444);
	setdb_perm_set(r.env.sets, s, &first);
	rig_connect(&r, 1);
	look_up(&e, "n/a", 0);
	got = set_owner(e.rs[0]->set);
	assert_memory_equal(&got, &first, sizeof(got));
	rig_sample(s, 1);
	update(&e);
	setdb_perm_set(r.env.sets, s, &second);
	for (uint64_t v = 2; v < 5; v++) {
		rig_sample(s, v);
		update(&e);
	}
	got = set_owner(e.rs[0]->set);
	assert_memory_equal(&got, &second, sizeof(got));
	set_perm_set(e.rs[0]->set, ours.uid, ours.gid, ours.perm);
	setdb_perm_set(r.env.sets, s, &first);
	for (uint64_t v = 5; v < 8; v++) {
		rig_sample(s, v);
		update(&e);
	}
	got = set_owner(e.rs[0]->set);
	assert_memory_equal(&got, &ours, sizeof(got));
	assert_int_equal(e.upd[UPDATE_NEW], 7);
	ear_free(&e);
	set_put(s);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dir_lists_in_order),
		cmocka_unit_test(test_dir_of_nothing),
		cmocka_unit_test(test_dir_in_several_messages),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_follow_is_exact),
		cmocka_unit_test(test_list_ends_the_following),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_permission),
		cmocka_unit_test(test_permission_changes),
		cmocka_unit_test(test_permission_of_a_mirror),
		cmocka_unit_test(test_permission_ends_pushes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
