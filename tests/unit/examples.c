/* examples.c - the samplers of made-up values: laid out as ldmsd's, with the values that ldmsd showed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/clock.h"
#include "samp_rig.h"

/* Digests, and sizes of the set with the name node-1/SCHEMA, as an ldmsd had them. */
static void test_layouts(void **state)
{
	static const struct {
		const char *type, *conf, *digest;
		uint32_t meta, data, heap;
	} rows[] = {
		{ "all_example", "", "1738CAC3B77F503C1BA4FDCA109845D0EC1B9F9A2950AFBDFC01BCA40BEFC9A8", 1376, 392, 0 },
		{ "array_example", "", "9359ECFD3D94E514CF1A4086305FDD87E11A10A2069697F4919C2DDE1D0DA114", 824, 552,
		  0 },
		{ "fptrans", "", "8F281867A6E5513C24B917CAACB98DA302EED5DB9777593D9BBCDD4D96F39A27", 544, 152, 0 },
		{ "record_sampler", "with_name=1", "FE2C4D2581955777CE1E287FC9F707FE8657CB2A5A131884FD7BD42990F03F7D",
		  3128, 3592, 2048 },
		{ "synthetic", "", "A8A6DECC2D6CE6AFE167652ED4B530F95AB57045C7DF6E673A4AA1E49EB3C632", 488, 136, 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char name[64];

		snprintf(name, sizeof(name), "node-1/%s", rows[i].type);
		config(f, rows[i].type, rows[i].conf);
		sample(f, name);
		check_digest(f, rows[i].type, rows[i].digest);
		assert_int_equal(le32toh(f->sn->im.meta->meta_sz), rows[i].meta);
		assert_int_equal(le32toh(f->sn->im.meta->data_sz), rows[i].data);
		assert_int_equal(le32toh(f->sn->im.meta->heap_sz), rows[i].heap);
		stop(f);
	}
}

static void test_all_example(void **state)
{
	struct fixture *f = *state;
	const char *text;

	config(f, "all_example", "");
	for (int twice = 0; twice < 2; twice++) {
		sample(f, "node-1/all_example");
		for (uint32_t i = 3; i < image_card(f->sn->im.meta); i++) {
			struct value v = image_value(&f->sn->im, i);

			for (uint32_t k = 0; k < v.count; k++)
				assert_true(value_d64(v, k) == (k < 3 ? 76 : 0));
		}
		assert_int_equal(value_text(value(f, "char_array"), &text), 3);
		assert_memory_equal(text, "LLL", 3);
	}
}

static void test_array_example(void **state)
{
	struct fixture *f = *state;
	struct err err;

	config(f, "array_example", "");
	for (int i = 0; i < 59; i++)
		sample(f, "node-1/array_example");
	assert_int_equal(value_u64(value(f, "u8_array"), 9), 67);
	assert_int_equal(value_s64(value(f, "s16_array"), 9), 49);
	assert_true((float)value_d64(value(f, "float_array"), 1) == 58.1f);
	stop(f);
	config(f, "array_example", "num_metrics=2 num_ele=3 type=S16_ARRAY");
	sample(f, "node-1/array_example");
	sample(f, "node-1/array_example");
	assert_int_equal(image_card(f->sn->im.meta), 5);
	assert_int_equal(value(f, "array_1").count, 3);
	assert_int_equal(value_s64(value(f, "array_1"), 2), -1);
	stop(f);
	assert_int_equal(try_config(f, "array_example", "type=u64", &err), -EINVAL);
	assert_int_equal(try_config(f, "array_example", "type=CHAR_ARRAY", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "type=CHAR_ARRAY: is no array of numbers"));
	assert_int_equal(try_config(f, "array_example", "num_ele=0", &err), -EINVAL);
}

static void test_record_sampler(void **state)
{
	static const char *const names[] = { "LDMS_V_CHAR",      "LDMS_V_S16",       "LDMS_V_U64",
					     "LDMS_V_S64_ARRAY", "LDMS_V_D64_ARRAY", "LDMS_V_CHAR_ARRAY" };
	static const double wanted[] = { 'a', -1058, 200058, -500065, 65.75, 0 };
	struct fixture *f = *state;
	struct list_it it;
	struct value rec, arr;
	const char *text;
	size_t len;

	config(f, "record_sampler", "with_name=true");
	for (int i = 0; i < 56; i++)
		sample(f, "node-1/record_sampler");
	assert_int_equal(value_u64(value(f, "round"), 0), 56);
	assert_int_equal(list_len(value(f, "device_list")), 3);
	it = list_first(value(f, "device_list"));
	it = list_next(&f->sn->im, list_next(&f->sn->im, it));
	rec = list_value(&f->sn->im, it);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint32_t type = record_type_of(rec), m = 0;
		struct value v;

		while (strcmp(record_member(f->sn->im.meta, type, m).name, names[i]))
			m++;
		v = record_value(&f->sn->im, rec, m);
		assert_true(value_d64(v, v.count - 1) == wanted[i]);
	}
	arr = record_array_get(&f->sn->im, value(f, "device_array"), 2);
	len = value_text(record_value(&f->sn->im, arr, 22), &text);
	assert_int_equal(len, 4);
	assert_memory_equal(text, "arr2", 4);
	len = value_text(record_value(&f->sn->im, arr, 11), &text);
	assert_memory_equal(text, "a_61", 4);
}

static void test_synthetic(void **state)
{
	struct fixture *f = *state;
	struct err err;
	uint64_t saw;

	config(f, "synthetic", "component_id=1 height=1000 period=100000 origin=0");
	sample(f, "node-1/synthetic");
	saw = 4001 + (uint64_t)(wall_us() / 100 % 1000000000) / 1000000;
	assert_in_range(value_u64(value(f, "saw"), 0), saw - 1, saw + 1);
	assert_int_equal(value_u64(value(f, "square"), 0), value_u64(value(f, "saw"), 0) < 4501 ? 5001 : 3001);
	stop(f);
	assert_int_equal(try_config(f, "synthetic", "period=0", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "period=0: must be a number from"));
	assert_int_equal(try_config(f, "synthetic", "height=x", &err), -EINVAL);
}

static void test_variable(void **state)
{
	struct fixture *f = *state;
	char name[32];

	config(f, "variable", "");
	for (unsigned int i = 1; i < 4 * 10; i++) {
		snprintf(name, sizeof(name), "node-1/variable%u", i / 4 % 9 + 1);
		sample(f, name);
		assert_int_equal(setdb_count(f->env.sets), 1);
		assert_string_equal(image_schema(f->sn->im.meta), name + strlen("node-1/"));
		assert_int_equal(image_card(f->sn->im.meta), 1 + i / 4 % 9 + 1);
		check_u64(f, "component_id", 7);
		if (i / 4 == 6)
			check_digest(f, "variable7",
				     "C62E44B8EE918239C3EA1234968097AC274D829F2BABAD7B165765C6084C6229");
		if (i == 9)
			check_u64(f, "metnum2", 22); /* what ldmsd had in its second sample of three */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layouts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_example, setup, teardown),
		cmocka_unit_test_setup_teardown(test_array_example, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record_sampler, setup, teardown),
		cmocka_unit_test_setup_teardown(test_synthetic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_variable, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
