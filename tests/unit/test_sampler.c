/* test_sampler.c - sets made by configuration: the grammar, its errors, and what values come of it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/buf.h"
#include "core/set/value_text.h"
#include "samp_rig.h"

/* What a set holds, a line for each metric: "M u64 component_id 7 u". */
static const char *contents(struct fixture *f, struct buf *to)
{
	buf_reset(to);
	for (uint32_t i = 0; i < image_card(f->sn->im.meta); i++) {
		struct metric m = image_metric(f->sn->im.meta, i);

		buf_addf(to, "%c %s %s ", m.meta ? 'M' : 'D', value_type_name(m.type), m.name);
		value_text_put(to, &f->sn->im, image_value(&f->sn->im, i));
		buf_addf(to, " %s\n", m.unit);
	}
	return buf_str(to);
}

static void refused(struct fixture *f, const char *conf, int rc, const char *words)
{
	struct err err = { "" };

	assert_int_equal(try_config(f, "test_sampler", conf, &err), rc);
	if (!strstr(err.msg, words))
		fail_msg("%s: said '%s', not '%s'", conf, err.msg, words);
}

/* The set that ldmsd made of the same line, as ldms_ls printed it. */
static void test_grammar(void **state)
{
	struct fixture *f = *state;
	struct buf b = { 0 };

	config(f, "test_sampler",
	       "action=add_schema schema=s metrics=component_id:meta:u64:7:1:u,a:data:u64:5:1:bytes,"
	       "b:data:f32_array:1.5:3:sec,s:data:char_array:hello:16:u,"
	       "r:data:record:{x:u64:1:1:u;y:char_array:q:8:u}:u,l:data:list:[u64:3:1]:4:u,lr:data:list:[record:r:]:2:"
	       "u");
	config(f, "test_sampler", "action=add_set instance=node-1/ts1 schema=s");
	for (int i = 0; i < 4; i++)
		sample(f, "node-1/ts1");
	assert_string_equal(contents(f, &b), "M u64 component_id 7 u\n"
					     "D u64 a 9 bytes\n"
					     "D f32[] b 5.000000,5.000000,5.000000 sec\n"
					     "D char[] s \"jjjjjjjjjjjjjjj\" u\n"
					     "M record_type r LDMS_V_RECORD_TYPE \n"
					     "D list<> l [7,7,7]\n u\n"
					     "D list<> lr \n"
					     "  x (u)     y (u)\n"
					     "      5 \"fffffff\" u\n");
	buf_fini(&b);
}

static void test_default(void **state)
{
	struct fixture *f = *state;

	config(f, "test_sampler", "action=default instance=node-1/ts_default schema=ts_default num_metrics=3");
	sample(f, "node-1/ts_default");
	check_digest(f, "ts_default", "AC863D1029D1E7BA5E67FE5254BA030B8C011D36A3953784347EF91C40CB888C");
	check_u64(f, "metric_2", 1);
	assert_int_equal(le32toh(f->sn->im.meta->meta_sz), 368);
	assert_int_equal(le32toh(f->sn->im.meta->data_sz), 120);
	config(f, "test_sampler", "base=my_set num_sets=3");
	sample(f, "my_set_2");
	check_u64(f, "metric_0", 1);
	assert_string_equal(image_schema(f->sn->im.meta), "test_sampler");
	look(f, "node-1/ts_default");
	check_u64(f, "metric_0", 2);
	refused(f, "base=my_set num_sets=2 schema=other", -EEXIST, "my_set_0");
	assert_int_equal(setdb_count(f->env.sets), 4);
	config(f, "test_sampler", "action=add_schema schema=x num_metrics=1");
	config(f, "test_sampler", "action=add_set schema=x instance=other_1");
	refused(f, "base=other num_sets=3", -EEXIST, "other_1");
	assert_int_equal(setdb_count(f->env.sets), 5);
}

static void test_sets(void **state)
{
	struct fixture *f = *state;

	config(f, "test_sampler",
	       "action=add_schema schema=num num_metrics=2 type=S16_ARRAY init_value=-5 set_array_card=3");
	config(f, "test_sampler", "action=add_set schema=num instance=a component_id=9 job_id=77 perm=0777 producer=p");
	config(f, "test_sampler", "action=add_set schema=num instance=b jobid=78");
	sample(f, "a");
	check_u64(f, "component_id", 9);
	check_u64(f, "job_id", 77);
	assert_int_equal(value_s64(value(f, "metric_1"), 0), -4);
	assert_int_equal(le32toh(f->sn->im.meta->array_card), 3);
	assert_int_equal(le32toh(f->sn->im.meta->perm), 0777);
	assert_string_equal(f->sn->im.meta->producer, "p");
	look(f, "b");
	check_u64(f, "component_id", 7);
	check_u64(f, "job_id", 78);
	refused(f, "action=add_set schema=num instance=a", -EEXIST, "set a");
	sample(f, "b");
	assert_int_equal(value_s64(value(f, "metric_1"), 0), -3);
}

static void test_lists(void **state)
{
	static const uint32_t lens[] = { 1, 2, 3, 2, 1, 2 };
	struct fixture *f = *state;

	config(f, "test_sampler", "action=add_lists instance=l value_types=u64,char_array,f32 min_len=1 max_len=3");
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		sample(f, "l");
		assert_int_equal(list_len(value(f, "list_u64")), lens[i]);
		assert_int_equal(list_len(value(f, "list_char_array")), lens[i]);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *conf, *words;
	} bad[] = {
		{ "action=defalt", "did you mean default?" },
		{ "action=add_set", "wants schema=" },
		{ "action=add_set schema=z", "no action=add_schema has made it" },
		{ "action=add_schema num_metrics=1", "wants schema=" },
		{ "action=add_schema schema=s", "metrics= or num_metrics=" },
		{ "action=add_schema schema=s num_metrics=1 metrics=a:data:u8:1:1:u", "two ways" },
		{ "action=add_schema schema=s num_metrics=1 type=u65", "type=u65" },
		{ "action=add_schema schema=s num_metrics=1 init_value=x", "init_value=x" },
		{ "action=add_schema schema=s num_metrics=100000000", "num_metrics=100000000" },
		{ "action=add_schema schema=s metrics=a:data:u8:1:1:u delim=::", "delim=::" },
		{ "action=add_schema schema=s metrics=a", "'a': must be name:meta|data:TYPE" },
		{ "action=add_schema schema=s metrics=,", "must be name" },
		{ "action=add_schema schema=s metrics=a:dta:u8:1:1:u", "'dta' must be meta or data" },
		{ "action=add_schema schema=s metrics=a:data:u65:1:1:u", "'u65' is no type" },
		{ "action=add_schema schema=s metrics=a:data:u8:1:1:by\x1dtes", "a control character in the unit" },
		{ "action=add_schema schema=s metrics=a:data:u8:x:1:u", "'x' is no number" },
		{ "action=add_schema schema=s metrics=a:data:u8_array:1:0:u", "'0' is no length" },
		{ "action=add_schema schema=s metrics=a:data:u8_array:1:99999999999:u", "is no length" },
		{ "action=add_schema schema=s metrics=a:data:u8:1:1:u:v", "must be name" },
		{ "action=add_schema schema=s metrics=r:data:record:{x:u64:1:1:u", "brackets do not match" },
		{ "action=add_schema schema=s metrics=r:data:record:x}:u", "brackets do not match" },
		{ "action=add_schema schema=s metrics=r:data:record:[x]:u", "stand in braces" },
		{ "action=add_schema schema=s metrics=r:data:record:{x:u64}:u", "member 'x:u64'" },
		{ "action=add_schema schema=s metrics=r:data:record:{x:list:1:1:u}:u", "'list' is no type" },
		{ "action=add_schema schema=s metrics=r:data:record:{}:u", "member ''" },
		{ "action=add_schema schema=s metrics=l:data:list:[record:r:]:2:u", "no record 'r' stands before" },
		{ "action=add_schema schema=s metrics=l:data:list:[u64:1:1]:0:u", "'0' is no length of a list" },
		{ "action=add_schema schema=s metrics=l:data:list:u64:2:u", "in brackets" },
		{ "action=add_schema schema=s metrics=l:data:list:[u64]:2:u", "must be TYPE:INIT:COUNT" },
		{ "action=add_schema schema=s metrics=l:meta:list:[u64:1:1]:2:u", "a list is data" },
		{ "action=add_schema schema=s metrics=l:data:record_array:r:2:u", "no record 'r'" },
		{ "action=add_schema schema=s metrics=[[[[[[[[[[", "brackets do not match" },
		{ "action=add_lists value_types=u64,x", "'x' is no type" },
		{ "action=add_lists min_len=5", "min_len=5" },
		{ "num_sets=x", "num_sets=" },
		{ "action=add_stream path=/x", "stream= is missing" },
		{ "action=add_stream stream=x", "path= is missing" },
		{ "action=add_stream stream=x path=/x host=far", "host=far" },
		{ "action=add_stream stream=x path=/x type=avro", "type=avro" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(f, bad[i].conf, -EINVAL, bad[i].words);
	refused(f, "action=add_schema schema=s metrics=a:data:u8:1:1:u,a:data:u8:1:1:u", -EEXIST, "there already");
	refused(f, "action=add_schema schema=s metrics=l:data:list:[u64_array:1:1000000]:1000000:u", -E2BIG,
		"entries take");
	/* and all of them left it as it was */
	config(f, "test_sampler", "action=add_schema schema=s metrics=a|data|u8|1|1|u delim=|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grammar, setup, teardown),
		cmocka_unit_test_setup_teardown(test_default, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
