/* set_lists.c - writing sets and reading them back: lists and records */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/set/snap.h"
#include "known_schemas.h"
#include "set_rig.h"

static void test_list_of_records(void **state)
{
	struct set *s = make(known_procstat2(3), "procstat2");
	uint32_t heap_gn;
	struct snap *sn;

	sn = look(s);
	assert_int_equal(list_len(image_value(&sn->im, PROCSTAT2_LIST)), 0);
	snap_put(sn);
	for (uint64_t round = 0; round < 100; round++) { /* longer and shorter; never without room */
		set_begin(s);
		assert_true(fill_cpus(s, round % 4, round * 1000));
		set_u64(s, 5, round);
		set_end(s);
		sn = look(s);
		check_cpus(sn, round % 4, round * 1000);
		assert_int_equal(value_of(sn, 5), round);
		heap_gn = le32toh(sn->im.data->heap_gn);
		snap_put(sn);
	}
	set_begin(s); /* the list left alone stays; the heap is as it was */
	set_end(s);
	sn = look(s);
	check_cpus(sn, 3, 99000);
	assert_int_equal(le32toh(sn->im.data->heap_gn), heap_gn);
	snap_put(sn);

	set_begin(s);
	assert_false(fill_cpus(s, 9, 7));
	set_cancel(s);
	sn = look(s);
	check_cpus(sn, 3, 99000);
	snap_put(sn);
	set_begin(s); /* as if the cancelled sample had not been */
	set_end(s);
	sn = look(s);
	check_cpus(sn, 3, 99000);
	snap_put(sn);
	set_put(s);
}

/* What schema_list_heap() says is enough, for every size of an entry, in the first list and in the last. */
static void test_list_room(void **state)
{
	for (uint32_t bytes = 1; bytes <= 200; bytes++)
		for (uint32_t n = 1; n <= 17; n++) {
			struct schema *schema = schema_new("room", NULL);
			uint32_t heap = (uint32_t)schema_list_heap(V_CHAR_ARRAY, bytes, n);
			struct set *s;

			schema_add_list(schema, "a", NULL, heap, NULL);
			schema_add_list(schema, "b", NULL, heap, NULL);
			s = make(schema, "room");
			set_begin(s);
			for (uint32_t i = 0; i < n; i++) {
				assert_non_null(list_append(s, 0, V_CHAR_ARRAY, bytes));
				assert_non_null(list_append(s, 1, V_CHAR_ARRAY, bytes));
			}
			set_end(s);
			snap_put(look(s));
			set_put(s);
		}
}

static uint64_t list_sum(const struct snap *sn, uint32_t i)
{
	uint64_t sum = 0;

	for (struct list_it it = list_first(image_value(&sn->im, i)); it.off; it = list_next(&sn->im, it))
		sum += value_u64(list_value(&sn->im, it), 0);
	return sum;
}

static void append_u64(struct set *s, int i, uint64_t v)
{
	uint64_t le = htole64(v);

	memcpy(list_append(s, i, V_U64, 1), &le, sizeof(le));
}

/* One list grows and shrinks; the other is left alone or appended to. */
static void test_two_lists(void **state)
{
	struct schema *schema = schema_new("two", NULL);
	struct snap *sn;
	struct set *s;

	schema_add_list(schema, "steady", NULL, (uint32_t)schema_list_heap(V_U64, 1, 50), NULL);
	schema_add(schema, "n", V_U64, NULL, NULL);
	schema_add_list(schema, "rebuilt", NULL, (uint32_t)schema_list_heap(V_U64, 1, 10), NULL);
	s = make(schema, "two");
	for (uint32_t round = 1; round <= 50; round++) {
		set_begin(s);
		append_u64(s, 0, round);
		list_clear(s, 2);
		for (uint32_t i = 0; i < round % 11; i++)
			append_u64(s, 2, 1000);
		set_end(s);
		sn = look(s);
		assert_int_equal(list_len(image_value(&sn->im, 0)), round);
		assert_int_equal(list_sum(sn, 0), round * (round + 1) / 2);
		assert_int_equal(list_sum(sn, 2), round % 11 * 1000);
		snap_put(sn);
	}
	set_put(s);
}

static void test_list_of_kinds(void **state)
{
	static const struct metric_def members[] = { { "v", V_U64, NULL, METRIC_GAUGE, "", 0 } };
	struct schema *schema = schema_new("kinds", NULL);
	struct list_it it;
	struct snap *sn;
	struct value v;
	struct set *s;

	schema_add_list(schema, "l", NULL, 4096, NULL);
	schema_add_record(schema, "r", members, 1, NULL);
	s = make(schema, "kinds");
	set_begin(s);
	memcpy(list_append(s, 0, V_CHAR_ARRAY, 5), "hello", 5);
	append_u64(s, 0, 5);
	record_u64(s, list_append_record(s, 0, 1), 0, 77);
	memset(list_append(s, 0, V_U8_ARRAY, 300), 1, 300);
	set_end(s);
	sn = look(s);
	v = image_value(&sn->im, 0);
	assert_int_equal(list_len(v), 4);
	it = list_first(v);
	assert_text(list_value(&sn->im, it), "hello");
	it = list_next(&sn->im, it);
	assert_int_equal(value_u64(list_value(&sn->im, it), 0), 5);
	it = list_next(&sn->im, it);
	assert_int_equal(value_u64(record_value(&sn->im, list_value(&sn->im, it), 0), 0), 77);
	it = list_next(&sn->im, it);
	assert_int_equal(list_value(&sn->im, it).count, 300);
	assert_int_equal(value_u64(list_value(&sn->im, it), 299), 1);
	snap_put(sn);
	set_put(s);
}

static void test_record_array(void **state)
{
	static const struct metric_def members[] = {
		{ "name", V_CHAR_ARRAY, NULL, METRIC_GAUGE, "", 5 },
		{ "n", V_U64, "events", METRIC_COUNTER, "", 0 },
		{ "x", V_D64, NULL, METRIC_GAUGE, "", 0 },
	};
	struct schema *schema = schema_new("rec_array", NULL);
	int type, arr, behind, card = 3;
	struct snap *sn;
	struct value v;
	struct set *s;

	schema_add(schema, "front", V_U64, NULL, NULL);
	type = schema_add_record(schema, "rec", members, 3, NULL);
	arr = schema_add_record_array(schema, "arr", type, 3, "unit", NULL);
	behind = schema_add(schema, "behind", V_U64, NULL, NULL);
	schema_array_card_set(schema, 2);
	s = make(schema, "rec_array");
	for (uint32_t round = 0; round < 3; round++) {
		set_begin(s);
		for (int k = 0; k < card; k++) {
			struct record *r = record_array_slot(s, arr, (uint32_t)k);

			record_text(s, r, 0, TEXT("sda"));
			record_u64(s, r, 1, round * 10 + (uint64_t)k);
			record_d64(s, r, 2, k + 0.5);
			assert_ptr_equal((uint8_t *)record_slot(s, r, 1) + 8, record_slot(s, r, 2));
		}
		set_u64(s, behind, 4242);
		set_end(s);
		sn = look(s);
		v = image_value(&sn->im, (uint32_t)arr);
		assert_int_equal(record_array_len(v), card);
		assert_int_equal(record_array_type(v), type);
		for (int k = 0; k < card; k++) {
			struct value r = record_array_get(&sn->im, v, (uint32_t)k);

			assert_text(record_value(&sn->im, r, 0), "sda");
			assert_int_equal(value_u64(record_value(&sn->im, r, 1), 0), round * 10 + (uint64_t)k);
			assert_true(value_d64(record_value(&sn->im, r, 2), 0) == k + 0.5);
			/* where the record says it is: a peer finds its type from there */
			assert_memory_equal(r.p + 8,
					    &(uint32_t){ htole32((uint32_t)(r.p - (const uint8_t *)sn->im.data)) }, 4);
		}
		assert_int_equal(value_of(sn, (uint32_t)behind), 4242);
		assert_string_equal(record_member(sn->im.meta, (uint32_t)type, 1).unit, "events");
		snap_put(sn);
	}
	set_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_of_records), cmocka_unit_test(test_list_room),
		cmocka_unit_test(test_two_lists),       cmocka_unit_test(test_list_of_kinds),
		cmocka_unit_test(test_record_array),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
