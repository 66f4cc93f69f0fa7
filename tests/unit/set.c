/* set.c - writing sets and reading them back: every type, lists, records, rings, transactions, generations, mirrors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/set/snap.h"
#include "known_schemas.h"

#define TEXT(s) (s), strlen(s)

static struct pool *pool;

static int setup(void **state)
{
	pool = pool_new(0);
	return 0;
}

static int teardown(void **state)
{
	pool_free(pool); /* asserts that every set was freed */
	return 0;
}

/* Takes the schema. */
static struct set *make(struct schema *schema, const char *name)
{
	struct err err = { "" };
	struct set *s;

	if (set_new(pool, schema, name, "node-1", 1000, 100, 0640, &s, &err))
		fail_msg("%s", err.msg);
	schema_free(schema);
	return s;
}

/* The newest sample, which our own checks for peers find good. */
static struct snap *look(const struct set *s)
{
	struct snap *sn = snap_new(s);
	struct err err = { "" };

	if (image_check_meta(sn->im.meta, s->meta_sz, &err))
		fail_msg("%s: %s", s->name, err.msg);
	if (image_check_data(sn->im.meta, sn->im.data, true, &err))
		fail_msg("%s: %s", s->name, err.msg);
	return sn;
}

static uint64_t value_of(const struct snap *sn, uint32_t i)
{
	return value_u64(image_value(&sn->im, i), 0);
}

static void assert_text(struct value v, const char *want)
{
	const char *text;
	size_t len = value_text(v, &text);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(text, want, len);
}

/* -- making -------------------------------------------------------------------------------------------------------- */

static void test_new(void **state)
{
	struct set *s = make(known_loadavg(), "node-1/loadavg"), *refused;
	struct schema *schema = known_loadavg();
	struct snap *sn = look(s);
	struct err err = { "" };
	struct set_stat st;
	char name[300];

	assert_string_equal(s->name, "node-1/loadavg");
	assert_string_equal(image_instance(sn->im.meta), "node-1/loadavg");
	assert_string_equal(sn->im.meta->producer, "node-1");
	assert_string_equal(image_metric(sn->im.meta, 3).name, "load1min");
	assert_int_equal(image_find(sn->im.meta, "newest_pid"), 8);
	assert_true(image_metric(sn->im.meta, 0).meta);
	assert_false(image_metric(sn->im.meta, 1).meta);
	set_stat(s, &st);
	assert_int_equal(st.card, 9);
	assert_int_equal(st.uid, 1000);
	assert_int_equal(st.gid, 100);
	assert_int_equal(st.perm, 0640);
	assert_int_equal(st.array_card, 1);
	assert_int_equal(st.gn, 1);
	assert_int_equal(st.meta_gn, 1);
	assert_int_equal(st.ts_sec, 0);
	assert_false(st.consistent);
	assert_int_equal(set_size(s), st.meta_sz + st.data_sz);
	assert_int_equal(le32toh(sn->im.data->flags), SET_TRANS_NEVER);
	assert_int_equal(le32toh(sn->im.data->set_off), st.meta_sz);
	assert_int_equal(le64toh(sn->im.data->meta_gn), 1);
	snap_put(sn);
	set_put(s);

	memset(name, 'n', sizeof(name));
	name[SET_NAME_MAX + 1] = '\0';
	assert_int_equal(set_new(pool, schema, name, "p", 0, 0, 0, &refused, &err), -EINVAL);
	assert_int_equal(set_new(pool, schema, "", "p", 0, 0, 0, &refused, &err), -EINVAL);
	assert_int_equal(set_new(pool, schema, "it's", "p", 0, 0, 0, &refused, &err), -EINVAL);
	name[SET_NAME_MAX] = '\0';
	assert_int_equal(set_new(pool, schema, name, name, 0, 0, 0, &s, &err), 0);
	sn = look(s);
	assert_int_equal(strlen(sn->im.meta->producer), SET_PRODUCER_MAX);
	snap_put(sn);
	set_put(s);
	schema_array_card_set(schema, UINT32_MAX);
	assert_int_equal(set_new(pool, schema, "ring", "p", 0, 0, 0, &refused, &err), -E2BIG);
	schema_free(schema);
	set_put(NULL);
}

static void test_full(void **state)
{
	struct pool *small = pool_new(64 << 10);
	struct schema *schema = schema_new("large", NULL);
	struct err err = { "" };
	struct set *s;

	schema_add_array(schema, "a", V_U64_ARRAY, 10000, NULL, NULL);
	assert_int_equal(set_new(small, schema, "node-1/large", "p", 0, 0, 0, &s, &err), -ENOMEM);
	assert_non_null(strstr(err.msg, "set node-1/large: "));
	assert_non_null(strstr(err.msg, "--mem"));
	schema_free(schema);
	pool_free(small);
}

/* -- values -------------------------------------------------------------------------------------------------------- */

static void test_scalars(void **state)
{
	static const int8_t s8 = -8;
	static const int16_t s16 = -16;
	static const int32_t s32 = -32;
	static const uint32_t when[2] = { 1700000000, 250000 };
	struct schema *schema = schema_new("scalars", NULL);
	struct snap *sn;
	struct set *s;

	for (enum value_type t = V_CHAR; t <= V_D64; t++)
		assert_int_equal(schema_add(schema, value_type_name(t), t, NULL, NULL), t - V_CHAR);
	assert_int_equal(schema_add(schema, "when", V_TIMESTAMP, NULL, NULL), 11);
	s = make(schema, "scalars");
	set_begin(s);
	set_bytes(s, V_CHAR - 1, "L", 1);
	set_bytes(s, V_U8 - 1, &(uint8_t){ 200 }, 1);
	set_bytes(s, V_S8 - 1, &s8, 1);
	set_bytes(s, V_U16 - 1, &(uint16_t){ 65535 }, 2);
	set_bytes(s, V_S16 - 1, &s16, 2);
	set_bytes(s, V_U32 - 1, &(uint32_t){ 4000000000u }, 4);
	set_bytes(s, V_S32 - 1, &s32, 4);
	set_u64(s, V_U64 - 1, UINT64_MAX);
	set_s64(s, V_S64 - 1, -64);
	set_f32(s, V_F32 - 1, 0.5f);
	set_d64(s, V_D64 - 1, -1.25);
	set_bytes(s, 11, when, sizeof(when));
	set_end(s);
	sn = look(s);
	assert_int_equal(value_of(sn, V_CHAR - 1), 'L');
	assert_int_equal(value_of(sn, V_U8 - 1), 200);
	assert_int_equal(value_s64(image_value(&sn->im, V_S8 - 1), 0), -8);
	assert_int_equal(value_of(sn, V_U16 - 1), 65535);
	assert_int_equal(value_s64(image_value(&sn->im, V_S16 - 1), 0), -16);
	assert_int_equal(value_of(sn, V_U32 - 1), 4000000000u);
	assert_int_equal(value_s64(image_value(&sn->im, V_S32 - 1), 0), -32);
	assert_true(value_of(sn, V_U64 - 1) == UINT64_MAX);
	assert_int_equal(value_s64(image_value(&sn->im, V_S64 - 1), 0), -64);
	assert_true(value_d64(image_value(&sn->im, V_F32 - 1), 0) == 0.5);
	assert_true(value_d64(image_value(&sn->im, V_D64 - 1), 0) == -1.25);
	assert_memory_equal(image_value(&sn->im, 11).p, "\x00\xf1\x53\x65\x90\xd0\x03\x00", 8);
	snap_put(sn);
	set_put(s);
}

static void test_arrays(void **state)
{
	static const uint8_t bytes[64] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
	};
	struct schema *schema = schema_new("arrays", NULL);
	struct snap *sn;
	struct set *s;
	uint64_t le;

	for (enum value_type t = V_CHAR_ARRAY; t <= V_D64_ARRAY; t++) /* 3 elements: none fills its 8 bytes */
		assert_true(schema_add_array(schema, value_type_name(t), t, 3, "unit", NULL) >= 0);
	s = make(schema, "arrays");
	set_begin(s);
	for (enum value_type t = V_CHAR_ARRAY; t <= V_D64_ARRAY; t++)
		set_bytes(s, t - V_CHAR_ARRAY, bytes, sizeof(bytes)); /* cut */
	set_end(s);
	sn = look(s);
	for (enum value_type t = V_CHAR_ARRAY; t <= V_D64_ARRAY; t++) {
		struct value v = image_value(&sn->im, t - V_CHAR_ARRAY);
		size_t len = 3 * value_elem_size(t);

		assert_int_equal(v.type, t);
		assert_int_equal(v.count, 3);
		assert_memory_equal(v.p, bytes, len);
		assert_string_equal(image_metric(sn->im.meta, t - V_CHAR_ARRAY).unit, "unit");
		for (size_t i = len; i < value_size(t, 3); i++)
			assert_int_equal(v.p[i], 0);
	}
	snap_put(sn);

	set_begin(s);
	set_bytes(s, V_U64_ARRAY - V_CHAR_ARRAY, &(uint64_t){ 7 }, 8); /* the rest becomes zero */
	set_text(s, 0, TEXT("ab"));
	le = htole64(5);
	memcpy((uint8_t *)set_slot(s, V_S64_ARRAY - V_CHAR_ARRAY) + 16, &le, 8);
	set_end(s);
	sn = look(s);
	assert_int_equal(value_u64(image_value(&sn->im, V_U64_ARRAY - V_CHAR_ARRAY), 0), 7);
	assert_int_equal(value_u64(image_value(&sn->im, V_U64_ARRAY - V_CHAR_ARRAY), 2), 0);
	assert_int_equal(value_s64(image_value(&sn->im, V_S64_ARRAY - V_CHAR_ARRAY), 2), 5);
	assert_text(image_value(&sn->im, 0), "ab");
	snap_put(sn);

	set_begin(s);
	set_text(s, 0, TEXT("abcdef"));
	set_end(s);
	sn = look(s);
	assert_text(image_value(&sn->im, 0), "abc");
	snap_put(sn);
	set_put(s);
}

static void test_meta(void **state)
{
	struct schema *schema = known_base("meta");
	struct set_stat st;
	struct snap *sn;
	struct set *s;

	schema_add_meta_array(schema, "host", V_CHAR_ARRAY, 6, NULL, NULL);
	schema_add_meta(schema, "cores", V_U64, NULL, NULL);
	s = make(schema, "meta");
	set_meta_u64(s, 0, 42);
	set_meta_text(s, 3, TEXT("n17"));
	set_meta_text(s, 3, TEXT("node-17"));
	set_meta_u64(s, 4, 8);
	set_perm_set(s, 1, 2, 0100444);
	sn = look(s);
	assert_int_equal(value_of(sn, 0), 42);
	assert_int_equal(value_of(sn, 4), 8);
	assert_text(image_value(&sn->im, 3), "node-1");
	assert_int_equal(le64toh(sn->im.meta->meta_gn), 6);
	assert_int_equal(le64toh(sn->im.data->meta_gn), 6);
	snap_put(sn);
	set_stat(s, &st);
	assert_int_equal(st.uid, 1);
	assert_int_equal(st.gid, 2);
	assert_int_equal(st.perm, 0444);
	set_begin(s);
	set_meta_u64(s, 0, 43); /* in the middle of a sample */
	set_end(s);
	sn = look(s);
	assert_int_equal(value_of(sn, 0), 43);
	assert_int_equal(le64toh(sn->im.data->meta_gn), 7);
	snap_put(sn);
	set_put(s);
}

/* -- transactions -------------------------------------------------------------------------------------------------- */

static void test_transaction(void **state)
{
	struct set *s = make(known_loadavg(), "loadavg");
	int64_t before = wall_us(), middle;
	struct set_stat st;
	struct snap *sn;

	set_begin(s);
	set_u64(s, 6, 11);
	set_u64(s, 7, 12);
	set_stat(s, &st); /* nothing to be seen before the end */
	assert_false(st.consistent);
	assert_int_equal(st.gn, 1);
	for (middle = wall_us(); wall_us() == middle;)
		;
	set_end(s);
	set_stat(s, &st);
	assert_true(st.consistent);
	assert_int_equal(st.gn, 2);
	assert_int_equal(set_gn(s), 2);
	assert_true(st.ts_sec * INT64_C(1000000) + st.ts_usec > middle);
	assert_true(st.ts_sec * INT64_C(1000000) + st.ts_usec <= wall_us());
	assert_true(st.dur_sec * INT64_C(1000000) + st.dur_usec > 0);
	assert_true(st.dur_sec * INT64_C(1000000) + st.dur_usec <= wall_us() - before);

	set_begin(s);
	set_u64(s, 6, 99);
	set_cancel(s);
	set_stat(s, &st);
	assert_true(st.consistent);
	assert_int_equal(st.gn, 2);

	set_begin(s); /* what the cancelled sample wrote is not in the next */
	set_u64(s, 7, 13);
	set_end(s);
	sn = look(s);
	assert_int_equal(value_of(sn, 6), 11);
	assert_int_equal(value_of(sn, 7), 13);
	assert_int_equal(le64toh(sn->im.data->gn), 3);
	snap_put(sn);
	set_put(s);
}

static void test_ring(void **state)
{
	struct schema *schema = known_loadavg();
	struct set_data head;
	struct snap *sn;
	struct set *s;

	schema_array_card_set(schema, 4);
	s = make(schema, "ring");
	assert_int_equal(set_size(s), s->meta_sz + 4 * s->data_sz);
	for (uint32_t round = 0; round < 10; round++) {
		set_begin(s);
		set_u64(s, 6, round);
		set_end(s);
		sn = look(s);
		assert_int_equal(value_of(sn, 6), round);
		assert_int_equal(le32toh(sn->im.data->set_off), s->meta_sz + round % 4 * s->data_sz);
		snap_put(sn);
		for (uint32_t k = 0; k < 4; k++) {
			size_t off = s->meta_sz + k * s->data_sz;
			uint64_t v;

			set_copy(s, off, sizeof(head), &head);
			set_copy(s, off + DATA_HDR_SZ + 5 * 8, sizeof(v), &v); /* metric 0 is in the metadata */
			assert_int_equal(le32toh(head.curr_idx), round % 4);
			assert_int_equal(le32toh(head.set_off), off);
			if (k > round) {
				assert_int_equal(le32toh(head.flags), SET_TRANS_NEVER);
				assert_int_equal(le64toh(head.gn), 1);
			} else {
				assert_int_equal(le32toh(head.flags), SET_TRANS_DONE);
				assert_int_equal(le64toh(head.gn), 2 + le64toh(v)); /* a sample adds 1 */
				assert_int_equal(le64toh(v) % 4, k);
			}
		}
	}
	set_put(s);
}

/* -- lists and records --------------------------------------------------------------------------------------------- */

#define PROCSTAT2_REC  3
#define PROCSTAT2_LIST 4

static bool fill_cpus(struct set *s, uint32_t n, uint64_t base)
{
	char name[16];

	list_clear(s, PROCSTAT2_LIST);
	for (uint32_t i = 0; i < n; i++) {
		struct record *r = list_append_record(s, PROCSTAT2_LIST, PROCSTAT2_REC);

		if (!r)
			return false;
		snprintf(name, sizeof(name), "cpu%u", i);
		record_text(s, r, 0, name, strlen(name));
		for (int m = 1; m <= 10; m++)
			record_u64(s, r, m, base + i * 100 + (uint64_t)m);
	}
	return true;
}

static void check_cpus(const struct snap *sn, uint32_t n, uint64_t base)
{
	struct value list = image_value(&sn->im, PROCSTAT2_LIST);
	struct list_it it = list_first(list);
	char name[16];

	assert_int_equal(list_len(list), n);
	for (uint32_t i = 0; i < n; i++, it = list_next(&sn->im, it)) {
		struct value r = list_value(&sn->im, it);

		assert_int_equal(r.type, V_RECORD_INST);
		assert_int_equal(record_type_of(r), PROCSTAT2_REC);
		assert_int_equal(((uintptr_t)r.p - (uintptr_t)sn->im.data) % 8, 0);
		snprintf(name, sizeof(name), "cpu%u", i);
		assert_text(record_value(&sn->im, r, 0), name);
		for (uint32_t m = 1; m <= 10; m++)
			assert_int_equal(value_u64(record_value(&sn->im, r, m), 0), base + i * 100 + m);
	}
	assert_int_equal(it.off, 0);
}

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

/* -- mirrors ------------------------------------------------------------------------------------------------------- */

static struct set *mirror(const struct set *s)
{
	struct err err = { "" };
	struct set *m;

	if (set_mirror_new(pool, (const struct set_meta *)s->image, &m, &err))
		fail_msg("%s", err.msg);
	return m;
}

static void *copy_of(const struct set *s, size_t off, size_t len)
{
	void *p = malloc(len);

	set_copy(s, off, len, p);
	return p;
}

static void carry_meta(const struct set *from, struct set *to)
{
	void *p = copy_of(from, 0, from->meta_sz);

	set_mirror_meta(to, p);
	free(p);
}

static void carry_data(const struct set *from, struct set *to, uint32_t k, uint32_t n)
{
	void *p = copy_of(from, from->meta_sz + (size_t)k * from->data_sz, (size_t)n * from->data_sz);

	set_mirror_data(to, k, n, p);
	free(p);
}

static void test_mirror(void **state)
{
	struct set *s = make(known_procstat2(4), "procstat2"), *m = mirror(s);
	struct set_stat st;
	struct snap *sn;

	assert_string_equal(m->name, "procstat2");
	assert_false(m->local);
	set_stat(m, &st);
	assert_false(st.consistent);
	assert_int_equal(st.gn, 1);
	snap_put(look(m));

	set_meta_u64(s, 0, 17);
	set_begin(s);
	assert_true(fill_cpus(s, 4, 500));
	set_end(s);
	carry_meta(s, m);
	carry_data(s, m, 0, 1);
	sn = look(m);
	assert_int_equal(value_of(sn, 0), 17);
	check_cpus(sn, 4, 500);
	snap_put(sn);
	set_stat(m, &st);
	assert_true(st.consistent);
	assert_int_equal(st.gn, 2);
	assert_int_equal(st.meta_gn, 2);
	set_put(m);
	set_put(s);
}

static void test_mirror_ring(void **state)
{
	struct schema *schema = known_loadavg();
	struct set *s, *m;
	struct snap *sn;

	schema_array_card_set(schema, 4);
	s = make(schema, "ring");
	m = mirror(s);
	for (uint64_t round = 0; round < 3; round++) {
		set_begin(s);
		set_u64(s, 6, round);
		set_end(s);
		for (int64_t now = wall_us(); wall_us() == now;)
			; /* stamps are told apart by microseconds */
	}
	carry_data(s, m, 0, 2); /* the peer's newest is 2; we have 0 and 1 */
	sn = look(m);
	assert_int_equal(value_of(sn, 6), 1);
	snap_put(sn);
	carry_data(s, m, 2, 1);
	sn = look(m);
	assert_int_equal(value_of(sn, 6), 2);
	snap_put(sn);
	set_begin(s);
	set_u64(s, 6, 3);
	set_end(s);
	carry_data(s, m, 0, 4);
	sn = look(m);
	assert_int_equal(value_of(sn, 6), 3);
	assert_int_equal(le32toh(sn->im.data->set_off), m->meta_sz + 3 * m->data_sz);
	snap_put(sn);
	assert_int_equal(set_gn(m), set_gn(s));
	set_put(m);
	set_put(s);
}

/* -- copies, pairs ------------------------------------------------------------------------------------------------- */

static void test_copy(void **state)
{
	struct set *s = make(known_procstat2(3), "procstat2");
	uint8_t got[64];

	for (size_t off = 0; off < 24; off++)
		for (size_t len = 0; len <= 50; len++) {
			memset(got, 0xee, sizeof(got));
			set_copy(s, off + s->meta_sz - 30, len, got);
			assert_memory_equal(got, s->image + off + s->meta_sz - 30, len);
			assert_int_equal(got[len], 0xee);
		}
	set_put(s);
}

static void test_snap(void **state)
{
	struct set *s = make(known_loadavg(), "loadavg");
	struct snap *a = snap_new(s), *b = snap_of(a->im.meta, s->meta_sz, a->im.data, s->data_sz);

	assert_int_equal(a->meta->len + a->len, set_size(s));
	assert_int_equal(snap_bytes(b), snap_bytes(a));
	assert_memory_equal(a->meta->bytes, b->meta->bytes, a->meta->len);
	assert_memory_equal(a->bytes, b->bytes, a->len);
	assert_ptr_equal(snap_get(a), a);
	snap_put(a);
	set_put(s);
	assert_string_equal(image_instance(a->im.meta), "loadavg"); /* it outlives the set */
	snap_put(a);
	snap_put(b);
	snap_put(NULL);
}

/* Snapshots of a set share its metadata until these change, however they do. */
static void test_snaps_that_share(void **state)
{
	struct set *s = make(known_loadavg(), "loadavg");
	struct snap_meta *kept = NULL;
	struct snap *a = snap_next(s, NULL, &kept), *b = snap_next(s, NULL, &kept), *c, *d, *e;
	struct set_data *data = malloc(s->data_sz);

	assert_ptr_equal(a->meta, kept);
	assert_ptr_equal(b->meta, a->meta);
	assert_true(!a->shares && b->shares && snap_bytes(a) == snap_bytes(b) + sizeof(*kept) + s->meta_sz);
	set_perm_set(s, 1, 2, 0440);
	c = snap_next(s, NULL, &kept);
	assert_ptr_not_equal(c->meta, a->meta);
	assert_int_not_equal(le32toh(a->im.meta->perm), 0440);
	assert_int_equal(le32toh(c->im.meta->perm), 0440);
	set_user_data_put(s, 0, 7);
	memcpy(data, c->im.data, s->data_sz);
	data->ts_sec = htole32(5);
	d = snap_next(s, data, &kept);
	e = snap_next(s, data, &kept);
	assert_int_equal(image_metric(d->im.meta, 0).user_data, 7);
	assert_int_equal(le32toh(d->im.data->ts_sec), 5);
	assert_ptr_equal(e->meta, d->meta);
	assert_ptr_not_equal(d->meta, c->meta);
	snap_meta_put(kept);
	set_put(s);
	assert_string_equal(image_instance(e->im.meta), "loadavg");
	snap_put(a);
	snap_put(b);
	snap_put(c);
	snap_put(d);
	snap_put(e);
	free(data);
}

static void test_info(void **state)
{
	struct set *s = make(known_loadavg(), "loadavg");

	assert_null(set_info_find(s, "updt_hint_us"));
	set_info_put(s, "updt_hint_us", "1000000:0");
	set_info_put(s, "site", "here");
	set_info_put(s, "rack", "7");
	assert_string_equal(set_info_find(s, "updt_hint_us"), "1000000:0");
	set_info_put(s, "updt_hint_us", "5000000:");
	assert_int_equal(s->info_n, 3);
	assert_string_equal(set_info_find(s, "updt_hint_us"), "5000000:");
	set_info_del(s, "site");
	set_info_del(s, "site");
	assert_null(set_info_find(s, "site"));
	assert_string_equal(s->info[1].key, "rack");
	set_info_clear(s);
	assert_int_equal(s->info_n, 0);
	set_info_put(s, "last", "one"); /* goes with the set */
	set_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_meta),
		cmocka_unit_test(test_transaction),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_list_of_records),
		cmocka_unit_test(test_list_room),
		cmocka_unit_test(test_two_lists),
		cmocka_unit_test(test_list_of_kinds),
		cmocka_unit_test(test_record_array),
		cmocka_unit_test(test_mirror),
		cmocka_unit_test(test_mirror_ring),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_snap),
		cmocka_unit_test(test_snaps_that_share),
		cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
