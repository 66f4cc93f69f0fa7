/* schema.c - building schemas: what is refused, and digests and sizes that ldmsd 4.5.3 gives the same schemas */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "core/set/set.h"
#include "known_schemas.h"

static void known(struct schema *s, const char *digest, uint32_t meta_sz, uint32_t data_sz, uint32_t heap_sz)
{
	struct pool *pool = pool_new(0);
	uint8_t sha[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1], name[SET_NAME_MAX + 1];
	struct err err = { "" };
	struct set_stat st;
	struct set *set;

	schema_digest(s, sha);
	digest_hex(sha, hex);
	assert_string_equal(hex, digest);
	snprintf(name, sizeof(name), "node-1/%s", schema_name(s));
	if (set_new(pool, s, name, "node-1", 0, 0, 0440, &set, &err))
		fail_msg("%s", err.msg);
	set_stat(set, &st);
	assert_int_equal(st.meta_sz, meta_sz);
	assert_int_equal(st.data_sz, data_sz);
	assert_int_equal(st.heap_sz, heap_sz);
	assert_memory_equal(image_digest((const struct set_meta *)set->image), sha, DIGEST_LEN);
	assert_string_equal(image_schema((const struct set_meta *)set->image), schema_name(s));
	set_put(set);
	schema_free(s);
	pool_free(pool);
}

static void test_known(void **state)
{
	known(known_loadavg(), "8BE378143DF8894C6C911EE1934E5BF166BAD9C012013D1E9F1361F0ACC249E1", 632, 160, 0);
	known(known_procstat2(3), "78935B2B0B932E5FDFD20CF29B561B842978B4A5E75663A3AEB02FD5E3F7712E", 1816, 680, 512);
	known(known_procnetdev2(256), "E8B9CC8D83FB4E5B779071E801CA351B69DCB9E9CE2601A0B127A2977F11C62A", 2264, 49280,
	      49152);
}

static void test_empty(void **state)
{
	struct schema *s = schema_new("ldmsd_grp_schema", NULL);
	uint8_t sha[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1];

	schema_digest(s, sha);
	digest_hex(sha, hex);
	assert_string_equal(hex, "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855");
	digest_hex(NULL, hex);
	assert_string_equal(hex, "");
	schema_free(s);
}

static void test_heap(void **state)
{
	/* a whole number of ldmsd's chunks of 64 bytes */
	assert_int_equal(schema_list_heap(V_U64, 1, 432), 27648);
	assert_int_equal(schema_list_heap(V_U64, 1, 0), 0);
	assert_int_equal(schema_list_heap(V_CHAR_ARRAY, 40, 2), 128);
	assert_int_equal(schema_list_heap(V_CHAR_ARRAY, 49, 2), 256);
	/* entries that fill their chunks leave no room for the heap's signature */
	assert_int_equal(schema_list_heap(V_CHAR_ARRAY, 48, 8), 8 * 64 + 8);
}

static void test_names(void **state)
{
	char name[300];
	struct err err = { "" };
	struct schema *s;

	assert_null(schema_new("", &err));
	assert_string_equal(err.msg, "schema: the name is empty; give one");
	assert_null(schema_new("say \"ho\"", &err));
	assert_non_null(strstr(err.msg, "0x22"));
	assert_null(schema_new("caf\xc3\xa9", &err));
	memset(name, 'x', sizeof(name));
	name[SCHEMA_NAME_MAX + 1] = '\0';
	assert_null(schema_new(name, &err));
	name[SCHEMA_NAME_MAX] = '\0';
	s = schema_new(name, &err);
	assert_non_null(s);
	schema_free(s);

	s = schema_new("names", NULL);
	memset(name, 'x', sizeof(name));
	name[METRIC_NAME_MAX + 1] = '\0';
	assert_int_equal(schema_add(s, name, V_U64, NULL, &err), -EINVAL);
	name[METRIC_NAME_MAX] = '\0';
	assert_int_equal(schema_add(s, name, V_U64, "B", &err), -EINVAL);
	assert_int_equal(schema_add(s, name, V_U64, "", &err), 0);
	assert_int_equal(schema_add(s, "", V_U64, NULL, &err), -EINVAL);
	assert_int_equal(schema_add(s, "a\nb", V_U64, NULL, &err), -EINVAL);
	assert_int_equal(schema_add(s, "ab", V_U64, "a\nb", &err), -EINVAL);
	assert_int_equal(schema_add(s, name, V_D64, NULL, &err), -EEXIST);
	assert_int_equal(schema_add(s, "Active(anon)", V_U64, "kB", &err), 1);
	assert_int_equal(schema_find(s, "Active(anon)"), 1);
	assert_int_equal(schema_find(s, "Active"), -ENOENT);
	assert_int_equal(schema_card(s), 2);
	schema_free(s);
}

static void test_refused(void **state)
{
	static const struct metric_def twice[] = {
		{ "a", V_U64, NULL, METRIC_GAUGE, "", 0 },
		{ "b", V_U64_ARRAY, NULL, METRIC_GAUGE, "", 4 },
		{ "a", V_U64, NULL, METRIC_GAUGE, "", 0 },
	};
	static const struct metric_def nested[] = { { "l", V_LIST, NULL, METRIC_GAUGE, "", 0 } };
	struct schema *s = schema_new("refused", NULL);
	struct err err = { "" };
	int plain;

	assert_int_equal(schema_add(s, "m", V_NONE, NULL, &err), -EINVAL);
	assert_int_equal(schema_add(s, "m", V_LIST, NULL, &err), -EINVAL);
	assert_int_equal(schema_add(s, "m", (enum value_type)99, NULL, &err), -EINVAL);
	assert_int_equal(schema_add(s, "m", V_U64_ARRAY, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "schema refused: metric m: "));
	assert_int_equal(schema_add_array(s, "m", V_U64, 4, NULL, &err), -EINVAL);
	assert_int_equal(schema_add_array(s, "m", V_U64_ARRAY, 0, NULL, &err), -EINVAL);
	assert_int_equal(schema_add_array(s, "m", V_U64_ARRAY, SCHEMA_ARRAY_MAX + 1, NULL, &err), -E2BIG);
	assert_int_equal(schema_add_array(s, "m", V_U64_ARRAY, SCHEMA_ARRAY_MAX, NULL, &err), 0);
	assert_int_equal(schema_add_array(s, "n", V_U64_ARRAY, SCHEMA_ARRAY_MAX, NULL, &err), -E2BIG);
	assert_int_equal(schema_add_list(s, "o", NULL, UINT32_MAX, &err), -E2BIG);
	schema_free(s);

	s = schema_new("refused", NULL);
	plain = schema_add(s, "plain", V_U64, NULL, NULL);
	assert_int_equal(schema_add_record_array(s, "arr", plain, 3, NULL, &err), -EINVAL);
	assert_int_equal(schema_add_record_array(s, "arr", 77, 3, NULL, &err), -EINVAL);
	assert_int_equal(schema_add_record(s, "rec", twice, 0, &err), -EINVAL);
	assert_int_equal(schema_add_record(s, "rec", twice, 3, &err), -EEXIST);
	assert_int_equal(schema_add_record(s, "rec", nested, 1, &err), -EINVAL);
	assert_int_equal(schema_add_defs(s, twice, 3, &err), -EEXIST);
	assert_int_equal(schema_card(s), 1); /* a table goes in whole or not at all */
	assert_int_equal(schema_find(s, "a"), -ENOENT);
	assert_int_equal(schema_add_defs(s, twice, 2, &err), 1);
	assert_int_equal(schema_find(s, "b"), 2);
	schema_free(s);
	schema_free(NULL);
}

static void test_card(void **state)
{
	struct schema *s = schema_new("many", NULL);
	struct err err = { "" };
	char name[32];

	for (int i = 0; i < SCHEMA_CARD_MAX; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		assert_int_equal(schema_add(s, name, V_U64, NULL, &err), i);
	}
	assert_int_equal(schema_add(s, "one_more", V_U64, NULL, &err), -E2BIG);
	schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known), cmocka_unit_test(test_empty),   cmocka_unit_test(test_heap),
		cmocka_unit_test(test_names), cmocka_unit_test(test_refused), cmocka_unit_test(test_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
