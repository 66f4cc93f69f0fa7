/* setdb.c - the database of sets: names, order, references, listeners, info pairs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "core/base/buf.h"
#include "core/set/setdb.h"
#include "known_schemas.h"

struct news {
	struct setdb_listener l; /* first: the callback finds us by it */
	struct buf heard;        /* "add:a update:a del:a " */
};

static void hear(struct setdb_listener *l, enum setdb_event ev, struct set *s)
{
	static const char *const words[] = { [SETDB_ADD] = "add", [SETDB_UPDATE] = "update", [SETDB_DEL] = "del" };
	struct news *n = (struct news *)l;

	buf_addf(&n->heard, "%s:%s ", words[ev], s->name);
}

static void heard(struct news *n, const char *want)
{
	assert_string_equal(buf_str(&n->heard), want);
	buf_reset(&n->heard);
}

static struct set *make(struct pool *pool, const char *name)
{
	struct schema *schema = known_loadavg();
	struct set *s;

	assert_int_equal(set_new(pool, schema, name, "p", 0, 0, 0444, &s, NULL), 0);
	schema_free(schema);
	return s;
}

/* Names in the order of the walk; `arg` is a buf. */
static int note(struct set *s, void *arg)
{
	buf_addf(arg, "%s ", s->name);
	return strcmp(s->name, "stop") ? 0 : 7;
}

static void test_names(void **state)
{
	static const char *const names[] = { "n1/meminfo", "n2/meminfo", "n1/vmstat", "n10/meminfo", "N1/meminfo" };
	struct pool *pool = pool_new(0);
	struct setdb *db = setdb_new();
	struct set *s, *twin;
	struct buf got = { 0 };
	struct err err = { "" };

	assert_int_equal(setdb_each(db, note, &got), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		s = make(pool, names[i]);
		assert_int_equal(setdb_add(db, s, &err), 0);
		set_put(s); /* the database has its own */
	}
	assert_int_equal(setdb_count(db), 5);
	assert_int_equal(setdb_each(db, note, &got), 0);
	assert_string_equal(buf_str(&got), "n2/meminfo n10/meminfo n1/vmstat n1/meminfo N1/meminfo ");
	buf_reset(&got);

	twin = make(pool, "n1/vmstat");
	assert_int_equal(setdb_add(db, twin, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "set n1/vmstat: "));
	setdb_del(db, twin); /* is not in: nothing happens */
	assert_int_equal(setdb_count(db), 5);
	set_put(twin);

	s = setdb_find(db, "n1/vmstat");
	assert_non_null(s);
	assert_null(setdb_find(db, "n1/vmsta"));
	assert_false(s->deleted);
	setdb_del(db, s);
	assert_true(s->deleted);
	setdb_del(db, s);
	assert_string_equal(s->name, "n1/vmstat"); /* ours is still good */
	set_put(s);
	assert_null(setdb_find(db, "n1/vmstat"));

	s = make(pool, "stop"); /* a later one is sorted in; the walk ends where told */
	assert_int_equal(setdb_add(db, s, &err), 0);
	set_put(s);
	s = make(pool, "t");
	assert_int_equal(setdb_add(db, s, &err), 0);
	set_put(s);
	assert_int_equal(setdb_each(db, note, &got), 7);
	assert_string_equal(buf_str(&got), "t stop ");
	buf_fini(&got);
	setdb_free(db);
	setdb_free(NULL);
	pool_free(pool); /* asserts that all sets are gone */
}

static void test_listeners(void **state)
{
	static const struct info_pair pairs[] = { { "a", "1" }, { "b", "2" } };
	struct news one = { .l.fn = hear }, two = { .l.fn = hear };
	struct pool *pool = pool_new(0);
	struct setdb *db = setdb_new();
	struct set *s = make(pool, "s");

	setdb_listen(db, &one.l);
	setdb_listen(db, &two.l);
	setdb_info_put(db, s, "early", "1"); /* not published: nobody is told */
	heard(&one, "");
	setdb_add(db, s, NULL);
	heard(&one, "add:s ");
	heard(&two, "add:s ");
	setdb_unlisten(db, &two.l);
	setdb_unlisten(db, &two.l);
	setdb_info_put(db, s, "hint", "5");
	heard(&one, "update:s ");
	assert_string_equal(set_info_find(s, "hint"), "5");
	setdb_info_put(db, s, "hint", "5"); /* changes nothing */
	setdb_info_put(db, s, "none", NULL);
	heard(&one, "");
	setdb_info_put(db, s, "hint", NULL);
	heard(&one, "update:s ");
	assert_null(set_info_find(s, "hint"));
	setdb_info_replace(db, s, pairs, 2);
	heard(&one, "update:s ");
	assert_null(set_info_find(s, "early"));
	assert_string_equal(set_info_find(s, "b"), "2");
	setdb_info_replace(db, s, pairs, 2);
	heard(&one, "");
	setdb_info_replace(db, s, NULL, 0);
	heard(&one, "update:s ");
	setdb_del(db, s);
	setdb_del(db, s);
	heard(&one, "del:s ");
	heard(&two, "");
	setdb_unlisten(db, &one.l);
	buf_fini(&one.heard);
	buf_fini(&two.heard);
	set_put(s);
	setdb_free(db);
	pool_free(pool);
}

static void test_many(void **state)
{
	struct pool *pool = pool_new(0);
	struct setdb *db = setdb_new();
	char name[32];
	struct set *s;

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%d/loadavg", i);
		s = make(pool, name);
		assert_int_equal(setdb_add(db, s, NULL), 0);
		set_put(s);
	}
	assert_int_equal(setdb_count(db), 5000);
	for (int i = 0; i < 5000; i += 2) {
		snprintf(name, sizeof(name), "n%d/loadavg", i);
		s = setdb_find(db, name);
		setdb_del(db, s);
		set_put(s);
	}
	assert_int_equal(setdb_count(db), 2500);
	setdb_free(db);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
