/* set.c - writing sets and reading them back: every type, rings, transactions, generations, mirrors */
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
#include "set_rig.h"

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
		cmocka_unit_test(test_new),    cmocka_unit_test(test_full),   cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_arrays), cmocka_unit_test(test_meta),   cmocka_unit_test(test_transaction),
		cmocka_unit_test(test_ring),   cmocka_unit_test(test_mirror), cmocka_unit_test(test_mirror_ring),
		cmocka_unit_test(test_copy),   cmocka_unit_test(test_snap),   cmocka_unit_test(test_snaps_that_share),
		cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
