/* value.c - the types' table, and numbers read from bytes of any type at any address */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "core/set/value.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static void test_types(void **state)
{
	static const struct {
		enum value_type type;
		int number; /* the wire's */
		const char *name;
		enum value_type elem;
		size_t elem_size, size_of_3;
	} rows[] = {
		{ V_NONE, 0, "none", V_NONE, 0, 0 },
		{ V_CHAR, 1, "char", V_CHAR, 1, 8 },
		{ V_U8, 2, "u8", V_U8, 1, 8 },
		{ V_S8, 3, "s8", V_S8, 1, 8 },
		{ V_U16, 4, "u16", V_U16, 2, 8 },
		{ V_S16, 5, "s16", V_S16, 2, 8 },
		{ V_U32, 6, "u32", V_U32, 4, 8 },
		{ V_S32, 7, "s32", V_S32, 4, 8 },
		{ V_U64, 8, "u64", V_U64, 8, 8 },
		{ V_S64, 9, "s64", V_S64, 8, 8 },
		{ V_F32, 10, "f32", V_F32, 4, 8 },
		{ V_D64, 11, "d64", V_D64, 8, 8 },
		{ V_CHAR_ARRAY, 12, "char[]", V_CHAR, 1, 8 },
		{ V_U8_ARRAY, 13, "u8[]", V_U8, 1, 8 },
		{ V_S8_ARRAY, 14, "s8[]", V_S8, 1, 8 },
		{ V_U16_ARRAY, 15, "u16[]", V_U16, 2, 8 },
		{ V_S16_ARRAY, 16, "s16[]", V_S16, 2, 8 },
		{ V_U32_ARRAY, 17, "u32[]", V_U32, 4, 16 },
		{ V_S32_ARRAY, 18, "s32[]", V_S32, 4, 16 },
		{ V_U64_ARRAY, 19, "u64[]", V_U64, 8, 24 },
		{ V_S64_ARRAY, 20, "s64[]", V_S64, 8, 24 },
		{ V_F32_ARRAY, 21, "f32[]", V_F32, 4, 16 },
		{ V_D64_ARRAY, 22, "d64[]", V_D64, 8, 24 },
		{ V_LIST, 23, "list<>", V_LIST, 0, 0 },
		{ V_LIST_ENTRY, 24, "list_entry", V_LIST_ENTRY, 0, 0 },
		{ V_RECORD_TYPE, 25, "record_type", V_RECORD_TYPE, 0, 0 },
		{ V_RECORD_INST, 26, "record_inst", V_RECORD_INST, 0, 0 },
		{ V_RECORD_ARRAY, 27, "record[]", V_RECORD_ARRAY, 0, 0 },
		{ V_TIMESTAMP, 28, "timestamp", V_TIMESTAMP, 8, 8 },
	};

	assert_int_equal(ROWS(rows), V_TYPE_MAX + 1);
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(rows[i].type, rows[i].number);
		assert_string_equal(value_type_name(rows[i].type), rows[i].name);
		assert_int_equal(value_type_find(rows[i].name), rows[i].type);
		assert_int_equal(value_elem_type(rows[i].type), rows[i].elem);
		assert_int_equal(value_elem_size(rows[i].type), rows[i].elem_size);
		assert_int_equal(value_size(rows[i].type, 3), rows[i].size_of_3);
		assert_int_equal(value_is_array(rows[i].type), rows[i].elem != rows[i].type);
	}
	assert_string_equal(value_type_name(V_TYPE_MAX + 1), "none");
	assert_string_equal(value_type_name((enum value_type)255), "none");
	assert_int_equal(value_elem_size(V_TYPE_MAX + 1), 0);
	assert_int_equal(value_type_find("u128"), V_NONE);
	assert_int_equal(value_type_find(""), V_NONE);
}

static void test_numbers(void **state)
{
	static const struct {
		enum value_type type;
		uint8_t bytes[8];
		uint64_t u64;
		int64_t s64;
		double d64;
	} rows[] = {
		{ V_CHAR, { 'A' }, 65, 65, 65 },
		{ V_CHAR, { 0xff }, UINT64_MAX, -1, -1 },
		{ V_U8, { 0xff }, 255, 255, 255 },
		{ V_S8, { 0xff }, UINT64_MAX, -1, -1 },
		{ V_U16, { 1, 0x80 }, 0x8001, 0x8001, 0x8001 },
		{ V_S16, { 0, 0x80 }, (uint64_t)-32768, -32768, -32768 },
		{ V_U32, { 0, 0, 0, 0x80 }, 1u << 31, 1ll << 31, 2147483648.0 },
		{ V_S32, { 0xfe, 0xff, 0xff, 0xff }, (uint64_t)-2, -2, -2 },
		{ V_U64, { 0, 0, 0, 0, 0, 0, 0, 0x80 }, 1ull << 63, INT64_MIN, 0x1p63 },
		{ V_S64, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, UINT64_MAX, -1, -1 },
		{ V_F32, { 0, 0, 0xc0, 0x3f }, 1, 1, 1.5 },
		{ V_F32, { 0, 0, 0xc0, 0xbf }, UINT64_MAX, -1, -1.5 },
		{ V_D64, { 0, 0, 0, 0, 0, 0, 4, 0x40 }, 2, 2, 2.5 },
		{ V_D64, { 0, 0, 0, 0, 0, 0, 0xf0, 0x7f }, UINT64_MAX, INT64_MAX, INFINITY },
		{ V_D64, { 0, 0, 0, 0, 0, 0, 0xf0, 0xff }, 1ull << 63, INT64_MIN, -INFINITY },
		{ V_D64, { 0, 0, 0, 0, 0, 0, 0xe0, 0x43 }, 1ull << 63, INT64_MAX, 0x1p63 },
		{ V_TIMESTAMP, { 2, 0, 0, 0, 0x20, 0xa1, 7, 0 }, 2, 2, 2.5 },
		{ V_LIST, { 1 }, 0, 0, 0 },
		{ V_NONE, { 1 }, 0, 0, 0 },
	};
	uint8_t odd[9];

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct value v = { rows[i].type, 1, odd + 1 };

		memcpy(odd + 1, rows[i].bytes, sizeof(rows[i].bytes));
		assert_true(value_u64(v, 0) == rows[i].u64);
		assert_true(value_s64(v, 0) == rows[i].s64);
		assert_true(value_d64(v, 0) == rows[i].d64);
		assert_int_equal(value_u64(v, 1), 0); /* there is one */
		assert_int_equal(value_s64(v, 1), 0);
		assert_true(value_d64(v, 1) == 0);
	}
}

static void test_nan_is_zero(void **state)
{
	uint8_t bytes[8] = { 1, 0, 0, 0, 0, 0, 0xf8, 0x7f };
	struct value v = { V_D64, 1, bytes };

	assert_true(isnan(value_d64(v, 0)));
	assert_int_equal(value_u64(v, 0), 0);
	assert_int_equal(value_s64(v, 0), 0);
}

static void test_array_elements(void **state)
{
	uint8_t bytes[1 + 3 * 2] = { 0, 1, 0, 0xff, 0xff, 0x34, 0x12 };
	struct value v = { V_S16_ARRAY, 3, bytes + 1 };

	assert_int_equal(value_s64(v, 0), 1);
	assert_int_equal(value_s64(v, 1), -1);
	assert_int_equal(value_s64(v, 2), 0x1234);
	assert_int_equal(value_s64(v, 3), 0);
	assert_int_equal(value_s64(v, UINT32_MAX), 0);
}

static void test_time(void **state)
{
	uint8_t bytes[8] = { 1, 2, 0, 0, 3, 0, 0, 0 };
	struct value_time t = value_time((struct value){ V_TIMESTAMP, 1, bytes });

	assert_int_equal(t.sec, 0x201);
	assert_int_equal(t.usec, 3);
	t = value_time((struct value){ V_U64, 1, bytes });
	assert_int_equal(t.sec | t.usec, 0);
}

static void test_text(void **state)
{
	const char *text;
	char *full = malloc(4); /* no NUL: the sanitizer tells who reads on */

	assert_int_equal(value_text((struct value){ V_CHAR_ARRAY, 8, (const uint8_t *)"abc\0efg" }, &text), 3);
	assert_memory_equal(text, "abc", 3);
	memcpy(full, "wxyz", 4);
	assert_int_equal(value_text((struct value){ V_CHAR_ARRAY, 4, (const uint8_t *)full }, &text), 4);
	assert_memory_equal(text, "wxyz", 4);
	assert_int_equal(value_text((struct value){ V_CHAR_ARRAY, 0, (const uint8_t *)full }, &text), 0);
	assert_int_equal(value_text((struct value){ V_CHAR, 1, (const uint8_t *)full }, &text), 1);
	assert_int_equal(value_text((struct value){ V_U8_ARRAY, 4, (const uint8_t *)full }, &text), 0);
	assert_string_equal(text, "");
	assert_int_equal(value_text((struct value){ .type = V_NONE }, &text), 0);
	assert_string_equal(text, "");
	free(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),       cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nan_is_zero), cmocka_unit_test(test_array_elements),
		cmocka_unit_test(test_time),        cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
