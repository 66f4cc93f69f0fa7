/* image.c - recorded set images decoded: names, metrics, values, lists, records, record arrays, a ring of elements */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "core/set/image.h"
#include "image_file.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static struct image_file file;

/* Load it, check it whole, and give its k-th element. */
static struct image open_elem(const char *name, uint32_t k)
{
	struct err err = { 0 };

	file = image_file_load(name);
	if (image_check_meta(file.meta, file.meta_len, &err))
		fail_msg("%s: %s", name, err.msg);
	for (uint32_t i = 0; i < file.data_len / le32toh(file.meta->data_sz); i++)
		if (image_check_data(file.meta, image_file_elem(&file, i).data, true, &err))
			fail_msg("%s: element %u: %s", name, i, err.msg);
	return image_file_elem(&file, k);
}

static int close_image(void **state)
{
	image_file_fini(&file);
	file = (struct image_file){ 0 };
	return 0;
}

static struct value value_of(const struct image *im, const char *name)
{
	int i = image_find(im->meta, name);

	if (i < 0)
		fail_msg("there is no %s", name);
	return image_value(im, (uint32_t)i);
}

static void assert_text(struct value v, const char *want)
{
	const char *text;
	size_t n = value_text(v, &text);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(text, want, n);
}

static void test_procstat2(void **state)
{
	static const char *const names[] = { "cpu", "cpu0", "cpu1" };
	static const uint64_t user[] = { 35633, 17435, 18198 }, idle[] = { 404730, 204077, 200652 };
	struct image im = open_elem("procstat2", 0);
	struct value list, rec;
	struct list_it it;
	struct metric m;
	uint32_t n = 0;

	assert_string_equal(image_instance(im.meta), "wirehost/procstat2");
	assert_string_equal(image_schema(im.meta), "procstat2");
	assert_int_equal(image_digest(im.meta)[0], 0x78);
	assert_int_equal(image_digest(im.meta)[DIGEST_LEN - 1], 0x2e);
	assert_int_equal(image_card(im.meta), 10);
	m = image_metric(im.meta, 0);
	assert_string_equal(m.name, "component_id");
	assert_string_equal(m.unit, "");
	assert_true(m.meta);
	assert_int_equal(value_u64(image_value(&im, 0), 0), 7);
	m = image_metric(im.meta, 6);
	assert_string_equal(m.name, "btime");
	assert_string_equal(m.unit, "seconds");
	assert_false(m.meta);
	assert_int_equal(value_u64(value_of(&im, "btime"), 0), 1795186023);
	assert_int_equal(value_u64(value_of(&im, "ctxt"), 0), 3929184);

	assert_int_equal(image_metric(im.meta, 4).count, 384);
	list = value_of(&im, "cpu_list");
	assert_int_equal(list.type, V_LIST);
	assert_int_equal(list_len(list), 3);
	for (it = list_first(list); it.off; it = list_next(&im, it), n++) {
		rec = list_value(&im, it);
		assert_int_equal(rec.type, V_RECORD_INST);
		assert_int_equal(record_type_of(rec), 3);
		assert_text(record_value(&im, rec, 0), names[n]);
		assert_int_equal(value_u64(record_value(&im, rec, 1), 0), user[n]);
		assert_int_equal(value_u64(record_value(&im, rec, 4), 0), idle[n]);
	}
	assert_int_equal(n, 3);
	assert_int_equal(record_card(im.meta, 3), 11);
	m = record_member(im.meta, 3, 10);
	assert_string_equal(m.name, "guest_nice");
	assert_string_equal(m.unit, "jiffies");
	assert_int_equal(m.type, V_U64);
	assert_int_equal(record_member(im.meta, 3, 0).count, 8);
}

/* A sampler that has every type counts: all elements are 76, 'L', and the last of an array is 0. */
static void test_all_types(void **state)
{
	static const struct {
		const char *name;
		enum value_type type;
	} rows[] = {
		{ "char", V_CHAR },
		{ "u8", V_U8 },
		{ "s8", V_S8 },
		{ "u16", V_U16 },
		{ "s16", V_S16 },
		{ "u32", V_U32 },
		{ "s32", V_S32 },
		{ "u64", V_U64 },
		{ "s64", V_S64 },
		{ "f32", V_F32 },
		{ "d32", V_D64 },
		{ "char_array", V_CHAR_ARRAY },
		{ "u8_array", V_U8_ARRAY },
		{ "s8_array", V_S8_ARRAY },
		{ "u16_array", V_U16_ARRAY },
		{ "s16_array", V_S16_ARRAY },
		{ "u32_array", V_U32_ARRAY },
		{ "s32_array", V_S32_ARRAY },
		{ "u64_array", V_U64_ARRAY },
		{ "s64_array", V_S64_ARRAY },
		{ "float_array", V_F32_ARRAY },
		{ "double_array", V_D64_ARRAY },
	};
	struct image im = open_elem("all_example", 0);

	assert_int_equal(image_card(im.meta), 4 + ROWS(rows));
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct value v = value_of(&im, rows[i].name);
		uint32_t last = v.count - 1;

		assert_int_equal(v.type, rows[i].type);
		assert_int_equal(v.count, value_is_array(v.type) ? 4 : 1);
		assert_int_equal(value_u64(v, 0), 76);
		assert_int_equal(value_s64(v, 0), 76);
		assert_true(value_d64(v, 0) == 76);
		assert_int_equal(value_u64(v, last), last ? 0 : 76);
	}
	assert_text(value_of(&im, "char_array"), "LLL");
	assert_int_equal(image_find(im.meta, "char_arra"), -ENOENT);
	assert_int_equal(image_find(im.meta, ""), -ENOENT);
}

static void test_ring(void **state)
{
	static const uint32_t sec[] = { 1795188887, 1795188890, 1795188890, 1795188889 };
	static const uint64_t gn[] = { 81018, 81293, 81348, 81183 };

	for (uint32_t k = 0; k < 4; k++) {
		struct image im = open_elem("meminfo_ring", k);

		assert_int_equal(le32toh(im.meta->array_card), 4);
		assert_int_equal(le32toh(im.data->ts_sec), sec[k]);
		assert_int_equal(le64toh(im.data->gn), gn[k]);
		assert_int_equal(le32toh(im.data->set_off), 2968 + k * 544);
		assert_int_equal(value_u64(value_of(&im, "MemTotal"), 0), 24684084);
		close_image(state);
	}
}

static void test_demo(void **state)
{
	struct image im = open_elem("demo", 0);
	struct value v = value_of(&im, "arr"), rec;
	struct value_time t;
	uint32_t i;

	for (i = 0; i < 5; i++)
		assert_int_equal(value_u64(v, i), 716 + i);
	assert_text(value_of(&im, "text"), "hello 716");
	assert_string_equal(image_metric(im.meta, 1).unit, "ops");
	assert_int_equal(value_s64(value_of(&im, "signed"), 0), -716);
	assert_true(value_d64(value_of(&im, "ratio"), 0) == 179);
	assert_true(value_d64(value_of(&im, "darr"), 2) == 716.25);
	t = value_time(value_of(&im, "when"));
	assert_int_equal(t.sec, 1700000716);
	assert_int_equal(t.usec, 123456);

	v = value_of(&im, "rarr");
	assert_int_equal(v.type, V_RECORD_ARRAY);
	assert_int_equal(record_array_len(v), 2);
	assert_int_equal(record_array_type(v), 10);
	for (i = 0; i < 2; i++) {
		rec = record_array_get(&im, v, i);
		assert_int_equal(record_type_of(rec), 10);
		assert_text(record_value(&im, rec, 0), i ? "ra1" : "ra0");
		assert_int_equal(value_u64(record_value(&im, rec, 1), 0), 71600 + i);
		assert_int_equal(value_u64(record_value(&im, rec, 2), 2), 9);
	}
	assert_string_equal(record_member(im.meta, 10, 1).unit, "kB");
}

/* A list of scalars, an array of one record and a list of records, by a writer that leaves the count of scalar members
 * at 0, and whose last metric reaches into the heap. */
static void test_json_stream(void **state)
{
	struct image im = open_elem("json_stream", 0);
	struct value list = value_of(&im, "list"), rec;
	struct list_it it;
	int64_t want = 1;

	for (it = list_first(list); it.off; it = list_next(&im, it), want++) {
		assert_int_equal(list_value(&im, it).type, V_S64);
		assert_int_equal(value_s64(list_value(&im, it), 0), want);
	}
	assert_int_equal(want, 4);
	rec = record_array_get(&im, value_of(&im, "d"), 0);
	assert_text(record_value(&im, rec, 0), "x");
	assert_int_equal(record_value(&im, rec, 1).count, 2);
	assert_int_equal(value_s64(record_value(&im, rec, 1), 1), 2);
	assert_int_equal(record_value(&im, rec, 2).count, 1);
	assert_int_equal(value_s64(record_value(&im, rec, 2), 0), 1);
	assert_text(value_of(&im, "s"), "abc");
	rec = list_value(&im, list_next(&im, list_first(value_of(&im, "recs"))));
	assert_int_equal(value_s64(record_value(&im, rec, 0), 0), 2);
	assert_text(record_value(&im, rec, 1), "r2");
	assert_text(value_of(&im, "schema"), "jss");
}

/* Sets of old daemons have no digest behind the schema's name. */
static void test_no_digest(void **state)
{
	struct image im = open_elem("all_example", 0);
	uint8_t *schema_sz = (uint8_t *)file.meta + META_HDR_SZ + 4 * 26 + 1 + sizeof("node-1/all_example");

	assert_int_equal(*schema_sz, sizeof("all_example") + DIGEST_LEN + 1);
	*schema_sz -= 1; /* the spare byte is not needed */
	assert_non_null(image_digest(im.meta));
	*schema_sz = sizeof("all_example");
	assert_null(image_digest(im.meta));
	assert_string_equal(image_schema(im.meta), "all_example");
	assert_int_equal(image_check_meta(im.meta, file.meta_len, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_procstat2, close_image),
		cmocka_unit_test_teardown(test_all_types, close_image),
		cmocka_unit_test_teardown(test_ring, close_image),
		cmocka_unit_test_teardown(test_demo, close_image),
		cmocka_unit_test_teardown(test_json_stream, close_image),
		cmocka_unit_test_teardown(test_no_digest, close_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
