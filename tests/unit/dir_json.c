/* The directory's text: what is written, what is read, what is tolerated. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/set/set.h"
#include "xprt/dir_json.h"

struct got {
	int n;
	char name[8][160], info[8][80];
	struct dir_set last; /* numbers only */
	int stop_at;
};

static bool got_cb(const struct dir_set *s, void *arg)
{
	struct got *g = arg;

	g->last = *s;
	snprintf(g->name[g->n % 8], sizeof(g->name[0]), "%s|%s|%s|%s|%s", s->name, s->schema, s->digest, s->flags,
		 s->perm);
	g->info[g->n % 8][0] = '\0';
	for (unsigned int i = 0; i < s->info_n; i++)
		snprintf(g->info[g->n % 8] + strlen(g->info[g->n % 8]), 80 - strlen(g->info[g->n % 8]), "%s=%s;",
			 s->info[i].key, s->info[i].value);
	g->n++;
	return g->n != g->stop_at;
}

/* A whole set, with `name` and `extra` keys behind it. */
#define SET_(name, extra)                                                                                              \
	"{\"name\":\"" name "\",\"schema\":\"sc\",\"digest\":\"AB\",\"flags\":\"CL \",\"meta_size\":2512,"             \
	"\"data_size\":584,\"heap_size\":16,\"uid\":1,\"gid\":2,\"perm\":\"-rwxrwxrwx\",\"card\":57,"                  \
	"\"array_card\":4,\"meta_gn\":5,\"data_gn\":12345678901,\"timestamp\":{\"sec\":1700000000,\"usec\":1234},"     \
	"\"duration\":{\"sec\":3,\"usec\":41}" extra "}"
#define LIST(sets) "{ \"directory\" : [" sets "]}"

static const struct {
	const char *text;
	int rc, n;
	unsigned long skipped;
	const char *name, *info; /* of the last one */
} rows[] = {
	{ LIST(""), 0, 0, 0, NULL, NULL },
	{ "{\"directory\":[ ]\n}\r\n", 0, 0, 0, NULL, NULL },
	{ "{}", 0, 0, 0, NULL, NULL },
	{ LIST(" " SET_("n/a", "")), 0, 1, 0, "n/a|sc|AB|CL |-rwxrwxrwx", "" },
	{ LIST("," SET_("n/a", "") "," SET_("n/b", "")), 0, 2, 0, "n/b|sc|AB|CL |-rwxrwxrwx", "" },
	{ LIST(SET_("n/a", ",\"info\":[{\"key\":\"k\",\"value\":\"v\"},{\"value\":\"w\",\"key\":\"l\"}]")), 0, 1, 0,
	  "n/a|sc|AB|CL |-rwxrwxrwx", "k=v;l=w;" },
	{ LIST(SET_("n/a", ",\"info\":[{\"key\":\"only\"},{\"key\":7,\"value\":\"x\"},{}]")), 0, 1, 0,
	  "n/a|sc|AB|CL |-rwxrwxrwx", "" },
	{ LIST(SET_("a\\u0041\\/\\\"\\u00e9\\ud83d\\ude00", "")), 0, 1, 0,
	  "aA/\"\xc3\xa9\xf0\x9f\x98\x80|sc|AB|CL |-rwxrwxrwx", "" },
	{ LIST(SET_("n/a", ",\"new\":[1,{\"x\":null},true,-1.5e3,\"s\"],\"more\":{}")), 0, 1, 0,
	  "n/a|sc|AB|CL |-rwxrwxrwx", "" },
	{ "{\"other\":{\"deep\":[[[]]]},\"directory\":[" SET_("n/a", "") "],\"tail\":false}", 0, 1, 0,
	  "n/a|sc|AB|CL |-rwxrwxrwx", "" },
	{ LIST("{\"name\":\"n/a\",\"schema\":\"sc\"}"), 0, 0, 1, NULL, NULL },
	{ LIST(SET_("", "")), 0, 0, 1, NULL, NULL },
	{ LIST(SET_("forged\\nlog line", "")), 0, 0, 1, NULL, NULL },
	{ LIST("{\"name\":7}," SET_("n/b", "")), 0, 1, 1, "n/b|sc|AB|CL |-rwxrwxrwx", "" },
	{ "", -EPROTO, 0, 0, NULL, NULL },
	{ "[]", -EPROTO, 0, 0, NULL, NULL },
	{ "{ \"directory\" : [", -EPROTO, 0, 0, NULL, NULL },
	{ "{ \"directory\" : 7}", -EPROTO, 0, 0, NULL, NULL },
	{ "{ \"directory\" : [" SET_("n/a", ""), -EPROTO, 1, 0, NULL, NULL },
	{ LIST("{\"name\":\"n\\q\"}"), -EPROTO, 0, 0, NULL, NULL },
	{ LIST("{\"name\":\"\\u12\"}"), -EPROTO, 0, 0, NULL, NULL },
	{ LIST("{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["), -EPROTO, 0, 0, NULL, NULL },
};

static void test_get(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct got g = { 0 };
		struct dir_notes notes = { 0 };
		struct err err = { "" };
		size_t len = strlen(rows[i].text);
		char *exact = malloc(len); /* no NUL behind it: reading on would be seen */

		memcpy(exact, rows[i].text, len);
		if (dir_json_get(exact, len, false, got_cb, &g, &notes, &err) != rows[i].rc)
			fail_msg("row %zu: %s", i, err.msg);
		if (rows[i].rc)
			assert_non_null(strstr(err.msg, "byte"));
		assert_int_equal(g.n, rows[i].n);
		assert_int_equal(notes.skipped, rows[i].skipped);
		if (rows[i].name)
			assert_string_equal(g.name[g.n - 1], rows[i].name);
		if (rows[i].info)
			assert_string_equal(g.info[g.n - 1], rows[i].info);
		free(exact);
	}
}

static void test_numbers(void **state)
{
	struct got g = { 0 };
	struct dir_notes notes = { 0 };
	static const char text[] = LIST(SET_("n/a", "")) "\0\0";

	assert_int_equal(dir_json_get(text, sizeof(text), false, got_cb, &g, &notes, NULL), 0);
	assert_int_equal(g.last.meta_size, 2512);
	assert_int_equal(g.last.heap_size, 16);
	assert_int_equal(g.last.gid, 2);
	assert_int_equal(g.last.array_card, 4);
	assert_true(g.last.data_gn == 12345678901);
	assert_int_equal(g.last.ts_sec, 1700000000);
	assert_int_equal(g.last.ts_usec, 1234);
	assert_int_equal(g.last.dur_sec, 3);
	assert_int_equal(g.last.dur_usec, 41);
}

static void test_hidden(void **state)
{
	static const struct {
		const char *text;
		struct dir_hidden want;
	} hidden[] = {
		{ "{\"directory\":[]}", { 0 } },
		{ "{\"directory\":[],\"hidden\":{\"sets\":3,\"uid\":1000,\"gid\":7,\"why\":[1]}}", { 3, 1000, 7 } },
		{ "{\"hidden\":{\"gid\":4294967295,\"sets\":9},\"directory\":[]}", { 9, 0, 4294967295 } },
		{ "{\"hidden\":5,\"directory\":[]}", { 0 } },
		{ "{\"hidden\":[],\"directory\":[]}", { 0 } },
	};
	const struct dir_hidden most = { UINT64_MAX, UINT32_MAX, UINT32_MAX };
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
		struct dir_notes notes = { 0 };
		struct got g = { 0 };

		assert_int_equal(dir_json_get(hidden[i].text, strlen(hidden[i].text), false, got_cb, &g, &notes, NULL),
				 0);
		assert_true(notes.hidden.sets == hidden[i].want.sets);
		assert_int_equal(notes.hidden.uid, hidden[i].want.uid);
		assert_int_equal(notes.hidden.gid, hidden[i].want.gid);
	}
	dir_json_put_hidden(&b, &hidden[0].want);
	assert_int_equal(b.len, 0);
	dir_json_put_hidden(&b, &hidden[1].want);
	assert_string_equal(buf_str(&b), ", \"hidden\":{\"sets\":3,\"uid\":1000,\"gid\":7}");
	buf_reset(&b);
	dir_json_put_hidden(&b, &most);
	assert_true(b.len <= DIR_HIDDEN_MAX);
	buf_fini(&b);
}

static void test_names_only(void **state)
{
	struct got g = { 0 };
	struct dir_notes notes = { 0 };
	static const char text[] = LIST("{\"name\":\"n/a\"},{\"schema\":\"x\"}");

	assert_int_equal(dir_json_get(text, sizeof(text), true, got_cb, &g, &notes, NULL), 0);
	assert_int_equal(g.n, 1);
	assert_int_equal(notes.skipped, 1);
	assert_string_equal(g.name[0], "n/a||||");
}

static void test_stop(void **state)
{
	struct got g = { .stop_at = 1 };
	struct dir_notes notes = { 0 };
	static const char text[] = LIST(SET_("n/a", "") "," SET_("n/b", "") ", and rubbish");

	assert_int_equal(dir_json_get(text, sizeof(text), false, got_cb, &g, &notes, NULL), 0);
	assert_int_equal(g.n, 1);
}

static void test_put_is_got(void **state)
{
	struct pool *pool = pool_new(0);
	struct schema *sc = schema_new("sc", NULL);
	struct buf b = { 0 };
	struct got g = { 0 };
	struct dir_notes notes = { 0 };
	struct set_stat st;
	struct set *s;

	schema_add(sc, "m", V_U64, NULL, NULL);
	assert_int_equal(set_new(pool, sc, "n1/sc", "n1", 7, 8, 0640, &s, NULL), 0);
	set_begin(s);
	set_end(s);
	set_info_put(s, "k\"1", "a\\b\n");
	set_stat(s, &st);
	buf_addf(&b, "{ \"directory\" : [ ");
	dir_json_put(&b, s, &st);
	buf_addf(&b, "]}");
	assert_non_null(strstr(buf_str(&b), "[ {\"name\":\"n1/sc\",\"schema\":\"sc\",\"digest\":\""));
	assert_non_null(strstr(buf_str(&b), "\"flags\":\"CL \",\"meta_size\":"));
	assert_int_equal(dir_json_get((char *)b.p, b.len, false, got_cb, &g, &notes, NULL), 0);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.last.uid, 7);
	assert_int_equal(g.last.meta_size, st.meta_sz);
	assert_int_equal(g.last.ts_usec, st.ts_usec);
	assert_string_equal(g.info[0], "k\"1=a\\b\n;");
	assert_string_equal(g.name[0] + strlen(g.name[0]) - 10, "-rw-r-----");
	buf_fini(&b);
	set_put(s);
	schema_free(sc);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),        cmocka_unit_test(test_numbers), cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_names_only), cmocka_unit_test(test_stop),    cmocka_unit_test(test_put_is_got),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
