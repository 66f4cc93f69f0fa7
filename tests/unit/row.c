/* row.c - cutting sets to rows: scalars, lists, records, chosen metrics, shapes that differ, images of other daemons */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "core/base/buf.h"
#include "core/set/layout.h"
#include "image_file.h"
#include "store/row.h"

static struct pool *pool;

static int setup(void **state)
{
	pool = pool_new(0);
	return 0;
}

static int teardown(void **state)
{
	pool_free(pool);
	return 0;
}

/* Takes the schema. */
static struct set *make(struct schema *sc, const char *instance)
{
	struct err err = { "" };
	struct set *s;

	if (set_new(pool, sc, instance, "n1", 0, 0, 0777, &s, &err))
		fail_msg("%s", err.msg);
	schema_free(sc);
	return s;
}

static struct snap *look(struct set *s)
{
	set_begin(s);
	set_end(s);
	return snap_new(s);
}

/* -- rows as text -------------------------------------------------------------------------------------------------- */

static int print_row(const struct row *row, void *arg)
{
	struct buf *b = arg;

	for (uint32_t i = row->flat; i < row->flat + row->n_flat; i++) {
		assert_int_equal(row->v[i].type, row->schema->cols[i].type);
		assert_ptr_equal(row->v[i].p, row->v[row->flat].p + 8 * (i - row->flat));
	}
	for (uint32_t i = 0; i < row->schema->n_cols; i++) {
		struct value v = row->v[i];
		const char *text;
		size_t len;

		buf_addf(b, i ? "," : "");
		if (v.type == V_CHAR_ARRAY) {
			len = value_text(v, &text);
			buf_add(b, text, len);
		} else if (v.type != V_NONE) {
			for (uint32_t k = 0; k < v.count; k++)
				buf_addf(b, "%s%lld", k ? ":" : "", (long long)value_s64(v, k));
		}
	}
	buf_addf(b, "\n");
	return 0;
}

static void assert_rows(struct row_cut *c, const struct snap *sn, const char *want)
{
	struct buf got = { 0 };

	assert_int_equal(row_cut_each(c, sn, print_row, &got), 0);
	assert_string_equal(buf_str(&got), want);
	buf_fini(&got);
}

static void assert_cols(const struct row_cut *c, const char *want)
{
	const struct row_schema *rs = row_cut_schema(c);
	struct buf got = { 0 };

	for (uint32_t i = 0; i < rs->n_cols; i++) {
		buf_addf(&got, "%s%s %s", i ? "," : "", value_type_name(rs->cols[i].type), rs->cols[i].name);
		if (value_is_array(rs->cols[i].type))
			buf_addf(&got, " %u", rs->cols[i].count);
	}
	assert_string_equal(buf_str(&got), want);
	buf_fini(&got);
}

static struct row_cut *cut_new(const struct image *im, const char *const *metrics, size_t n)
{
	struct err err = { "" };
	struct row_cut *c = NULL;

	if (row_cut_new(im, metrics, n, &c, &err))
		fail_msg("%s", err.msg);
	return c;
}

static void assert_refused(const struct image *im, const char *const *metrics, size_t n, int rc, const char *words)
{
	struct err err = { "" };
	struct row_cut *c;

	assert_int_equal(row_cut_new(im, metrics, n, &c, &err), rc);
	if (!strstr(err.msg, words))
		fail_msg("%s", err.msg);
}

/* -- scalars and shapes -------------------------------------------------------------------------------------------- */

static struct schema *scalars(const char *name, uint32_t n_arr)
{
	struct schema *sc = schema_new(name, NULL);

	schema_add_meta(sc, "id", V_U64, NULL, NULL);
	schema_add(sc, "a", V_S64, NULL, NULL);
	schema_add_array(sc, "arr", V_U8_ARRAY, n_arr, NULL, NULL);
	schema_add_array(sc, "text", V_CHAR_ARRAY, 8, NULL, NULL);
	return sc;
}

static struct snap *scalars_look(struct set *s, int a)
{
	set_meta_u64(s, 0, 7);
	set_begin(s);
	set_s64(s, 1, a);
	set_bytes(s, 2, (const uint8_t[]){ 1, 2 }, 2);
	set_text(s, 3, "hello", 5);
	set_end(s);
	return snap_new(s);
}

static void test_scalars(void **state)
{
	struct set *s = make(scalars("sc", 3), "n1/sc");
	struct snap *sn = scalars_look(s, -5);
	struct row_cut *c = cut_new(&sn->im, NULL, 0);

	assert_cols(c, "u64 id,s64 a,u8[] arr 3,char[] text 8");
	assert_memory_equal(row_cut_schema(c)->digest, image_digest(sn->im.meta), DIGEST_LEN);
	assert_string_equal(row_cut_schema(c)->name, "sc");
	assert_rows(c, sn, "7,-5,1:2:0,hello\n");
	assert_rows(c, sn, "7,-5,1:2:0,hello\n");
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
}

/* A cut serves all sets of its shape, and no others. */
static void test_shapes(void **state)
{
	static const char *const names[] = { "n1/sc", "n22/sc", "node-with-a-long-name-0001/sc", "x", "n2/sc" };
	struct set *s = make(scalars("sc", 3), "n1/sc");
	struct snap *first = scalars_look(s, -5), *sn;
	struct row_cut *c = cut_new(&first->im, NULL, 0);
	struct schema *sc;

	set_put(s);
	for (int i = 0; i < 20; i++) {
		char want[64];

		s = make(scalars("sc", 3), names[i % 5]);
		sn = scalars_look(s, i);
		assert_true(row_cut_fits(c, sn->im.meta));
		snprintf(want, sizeof(want), "7,%d,1:2:0,hello\n", i);
		assert_rows(c, sn, want);
		snap_put(sn);
		set_put(s);
		for (int other = 0; other < 3; other++) {
			sc = scalars(other == 1 ? "sc2" : "sc", other == 0 ? 4 : 3);
			if (other == 2)
				schema_add(sc, "more", V_U64, NULL, NULL);
			s = make(sc, names[i % 5]);
			sn = scalars_look(s, i);
			assert_false(row_cut_fits(c, sn->im.meta));
			assert_int_equal(row_cut_each(c, sn, print_row, NULL), -ESTALE);
			snap_put(sn);
			set_put(s);
		}
	}
	row_cut_free(c);
	snap_put(first);
}

/* Sets of older daemons have no digest: names and types are compared. */
static void test_without_digest(void **state)
{
	struct set *s = make(scalars("sc", 3), "n1/sc");
	struct snap *sn = scalars_look(s, 1), *with = scalars_look(s, 2);
	uint8_t *pstring = (uint8_t *)image_schema(sn->im.meta) - 1;
	struct metric_desc *d;
	struct row_cut *c;

	*pstring = (uint8_t)(strlen("sc") + 1);
	assert_null(image_digest(sn->im.meta));
	c = cut_new(&sn->im, NULL, 0);
	assert_rows(c, sn, "7,1,1:2:0,hello\n");
	assert_false(row_cut_fits(c, with->im.meta));
	d = (struct metric_desc *)desc_of(sn->im.meta, 1);
	d->name_unit[0] = 'b';
	assert_false(row_cut_fits(c, sn->im.meta));
	d->name_unit[0] = 'a';
	d->type = V_U64;
	assert_false(row_cut_fits(c, sn->im.meta));
	d->type = V_S64;
	assert_true(row_cut_fits(c, sn->im.meta));
	row_cut_free(c);
	snap_put(sn);
	snap_put(with);
	set_put(s);
}

/* A metric whose value lies outside its set has no value; the others are fine, before and after. */
static void test_unavailable(void **state)
{
	struct set *s = make(scalars("sc", 3), "n1/sc");
	struct snap *sn = scalars_look(s, 1), *bad = snap_new(s);
	struct row_cut *c = cut_new(&sn->im, NULL, 0);
	struct metric_desc *d = (struct metric_desc *)desc_of(bad->im.meta, 2);

	assert_rows(c, sn, "7,1,1:2:0,hello\n");
	d->off = bad->im.meta->data_sz;
	assert_rows(c, bad, "7,1,,hello\n");
	assert_rows(c, sn, "7,1,1:2:0,hello\n");
	assert_rows(c, bad, "7,1,,hello\n");
	row_cut_free(c);
	snap_put(bad);
	snap_put(sn);
	set_put(s);
}

static void test_chosen_metrics(void **state)
{
	struct set *s = make(scalars("sc", 3), "n1/sc"), *other = make(scalars("sc", 4), "n1/sc");
	struct snap *sn = scalars_look(s, 1), *sn2 = scalars_look(other, 2);
	struct row_cut *c = cut_new(&sn->im, (const char *const[]){ "text", "a" }, 2);
	struct row_cut *c2 = cut_new(&sn2->im, (const char *const[]){ "text", "a" }, 2);

	assert_cols(c, "char[] text 8,s64 a");
	assert_rows(c, sn, "hello,1\n");
	/* what differs is not among them */
	assert_true(row_cut_fits(c, sn2->im.meta));
	assert_rows(c, sn2, "hello,2\n");
	assert_true(row_schema_same(row_cut_schema(c), row_cut_schema(c2)));
	assert_refused(&sn->im, (const char *const[]){ "a", "nope" }, 2, -EINVAL,
		       "set n1/sc (schema sc) has no metric nope, which the policy names");
	row_cut_free(c);
	row_cut_free(c2);
	snap_put(sn);
	snap_put(sn2);
	set_put(s);
	set_put(other);
}

static void test_user_data(void **state)
{
	struct set *s = make(scalars("sc", 3), "n1/sc");
	struct snap *sn = scalars_look(s, 1);
	struct row_cut *c = cut_new(&sn->im, NULL, 0);
	struct row row = { .schema = row_cut_schema(c), .cut = c, .im = &sn->im };

	((struct metric_desc *)desc_of(sn->im.meta, 1))->user_data = htole64(99);
	assert_int_equal(row_user_data(&row, 0), 0);
	assert_int_equal(row_user_data(&row, 1), 99);
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
}

/* -- lists and records --------------------------------------------------------------------------------------------- */

static const struct metric_def members[] = { { .name = "x", .type = V_U64 },
					     { .name = "name", .type = V_CHAR_ARRAY, .count = 8 } };

static void record_fill(struct set *s, struct record *r, uint64_t x, const char *name)
{
	record_u64(s, r, 0, x);
	record_text(s, r, 1, name, strlen(name));
}

static void test_list_of_records(void **state)
{
	struct schema *sc = schema_new("l", NULL);
	int rec = schema_add_record(sc, "rec", members, 2, NULL), list, last;
	struct snap *sn;
	struct set *s;
	struct row_cut *c;

	list = schema_add_list(sc, "list", NULL, (uint32_t)schema_record_heap(sc, rec, 8), NULL);
	last = schema_add(sc, "last", V_U64, NULL, NULL);
	s = make(sc, "n1/l");
	sn = look(s);
	assert_refused(&sn->im, NULL, 0, -EAGAIN, "set n1/l: list has no entry yet");
	snap_put(sn);
	set_begin(s);
	set_u64(s, last, 9);
	record_fill(s, list_append_record(s, list, rec), 1, "one");
	record_fill(s, list_append_record(s, list, rec), 2, "two");
	set_end(s);
	sn = snap_new(s);
	c = cut_new(&sn->im, NULL, 0);
	assert_cols(c, "u64 list_entry_idx,u64 list_x,char[] list_name 8,u64 last");
	assert_rows(c, sn, "0,1,one,9\n1,2,two,9\n");
	snap_put(sn);
	set_begin(s);
	list_clear(s, list);
	set_end(s);
	sn = snap_new(s);
	assert_rows(c, sn, "");
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
}

static void test_list_of_values(void **state)
{
	struct schema *sc = schema_new("l", NULL);
	struct snap *sn;
	struct set *s;
	struct row_cut *c;

	schema_add(sc, "a", V_U64, NULL, NULL);
	schema_add_list(sc, "list", NULL,
			(uint32_t)(schema_list_heap(V_U64, 1, 4) + schema_list_heap(V_CHAR_ARRAY, 8, 4)), NULL);
	s = make(sc, "n1/l");
	set_begin(s);
	set_u64(s, 0, 5);
	memcpy(list_append(s, 1, V_U64, 1), &(uint64_t){ htole64(10) }, 8);
	memcpy(list_append(s, 1, V_U64, 1), &(uint64_t){ htole64(11) }, 8);
	memcpy(list_append(s, 1, V_CHAR_ARRAY, 3), "odd", 3); /* entries may differ */
	set_end(s);
	sn = snap_new(s);
	c = cut_new(&sn->im, NULL, 0);
	assert_cols(c, "u64 a,u64 list_entry_idx,u64 list");
	assert_rows(c, sn, "5,0,10\n5,1,11\n5,2,odd\n");
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
}

static void test_record_array(void **state)
{
	struct schema *sc = schema_new("r", NULL);
	int rec = schema_add_record(sc, "rec", members, 2, NULL), arr;
	struct snap *sn;
	struct set *s;
	struct row_cut *c;

	schema_add(sc, "a", V_U64, NULL, NULL);
	arr = schema_add_record_array(sc, "arr", rec, 2, NULL, NULL);
	s = make(sc, "n1/r");
	set_begin(s);
	set_u64(s, 1, 5);
	record_fill(s, record_array_slot(s, arr, 0), 1, "one");
	record_fill(s, record_array_slot(s, arr, 1), 2, "two");
	set_end(s);
	sn = snap_new(s);
	c = cut_new(&sn->im, NULL, 0);
	assert_cols(c, "u64 a,u64 arr_entry_idx,u64 arr_x,char[] arr_name 8");
	assert_rows(c, sn, "5,0,1,one\n5,1,2,two\n");
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
}

static void test_two_lists(void **state)
{
	struct schema *sc = schema_new("l", NULL);
	struct snap *sn;
	struct set *s;
	struct row_cut *c;

	schema_add(sc, "a", V_U64, NULL, NULL);
	schema_add_list(sc, "l1", NULL, (uint32_t)schema_list_heap(V_U64, 1, 4), NULL);
	schema_add_list(sc, "l2", NULL, (uint32_t)schema_list_heap(V_U64, 1, 4), NULL);
	s = make(sc, "n1/l");
	set_begin(s);
	memcpy(list_append(s, 2, V_U64, 1), &(uint64_t){ htole64(10) }, 8);
	set_end(s);
	sn = snap_new(s);
	assert_refused(
		&sn->im, NULL, 0, -EINVAL,
		"set n1/l holds more than one list (l1, l2), and a row can be for an entry of one; name the metrics to "
		"store with strgp_metric_add, or give the policy a decomposition");
	c = cut_new(&sn->im, (const char *const[]){ "l2", "a" }, 2);
	assert_rows(c, sn, "0,10,0\n");
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
}

/* The lengths of arrays in records are no part of the digest. */
static void test_member_lengths(void **state)
{
	struct metric_def defs[] = { { .name = "v", .type = V_U64_ARRAY, .count = 2 } };
	struct snap *sn[2];
	struct set *s[2];
	struct row_cut *c;

	for (int i = 0; i < 2; i++) {
		struct schema *sc = schema_new("r", NULL);
		int rec;

		defs[0].count = i ? 3 : 2;
		rec = schema_add_record(sc, "rec", defs, 1, NULL);
		schema_add_list(sc, "list", NULL, (uint32_t)schema_record_heap(sc, rec, 4), NULL);
		s[i] = make(sc, "n1/r");
		set_begin(s[i]);
		list_append_record(s[i], 1, 0);
		set_end(s[i]);
		sn[i] = snap_new(s[i]);
	}
	c = cut_new(&sn[0]->im, NULL, 0);
	for (int i = 0; i < 4; i++) {
		assert_true(row_cut_fits(c, sn[0]->im.meta));
		assert_false(row_cut_fits(c, sn[1]->im.meta));
	}
	row_cut_free(c);
	for (int i = 0; i < 2; i++) {
		snap_put(sn[i]);
		set_put(s[i]);
	}
}

/* -- images of other daemons --------------------------------------------------------------------------------------- */

static int count_row(const struct row *row, void *arg)
{
	++*(unsigned int *)arg;
	return 0;
}

static void check_image(const char *name, const char *const *metrics, size_t n, unsigned int rows)
{
	struct image_file f = image_file_load(name);
	struct snap *sn = snap_of(f.meta, le32toh(f.meta->meta_sz), f.data, le32toh(f.meta->data_sz));
	struct row_cut *c = cut_new(&sn->im, metrics, n);
	unsigned int got = 0;

	assert_int_equal(row_cut_each(c, sn, count_row, &got), 0);
	assert_int_equal(got, rows);
	row_cut_free(c);
	snap_put(sn);
	image_file_fini(&f);
}

static void test_images(void **state)
{
	struct image_file f = image_file_load("json_stream");
	struct image im = image_file_elem(&f, 0);

	check_image("all_example", NULL, 0, 1);
	check_image("meminfo_ring", NULL, 0, 1);
	check_image("procstat2", NULL, 0, 3);
	check_image("demo", NULL, 0, 3);
	assert_refused(&im, NULL, 0, -EINVAL, "holds more than one list");
	image_file_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),         cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_without_digest),  cmocka_unit_test(test_unavailable),
		cmocka_unit_test(test_chosen_metrics),  cmocka_unit_test(test_user_data),
		cmocka_unit_test(test_list_of_records), cmocka_unit_test(test_list_of_values),
		cmocka_unit_test(test_record_array),    cmocka_unit_test(test_two_lists),
		cmocka_unit_test(test_member_lengths),  cmocka_unit_test(test_images),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
