/* json_stream.c - JSON objects as sets: laid out as ldmsd lays them out, also when they change */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/set/value_text.h"
#include "samp_rig.h"

#define CONF "stream=js instance_fmt=%P/%S/%U"

/* A message; it is delivered with the next sample. */
static void tell(struct fixture *f, const char *text)
{
	const struct samp_msg m = { .via = SAMP_STREAM,
				    .name = "js",
				    .json = true,
				    .data = text,
				    .len = strlen(text) + 1,
				    .uid = 5,
				    .gid = 6 };
	struct err err;

	samp_tell(f->sp, &m);
	if (samp_once(f->sp, &err))
		fail_msg("%s", err.msg);
}

/* One metric of the set looked at: "list<> l [1,2,3]\n". */
static const char *shown(struct fixture *f, const char *name)
{
	static struct buf b;
	uint32_t i = (uint32_t)metric(f, name);

	buf_reset(&b);
	buf_addf(&b, "%s ", value_type_name(image_metric(f->sn->im.meta, i).type));
	value_text_put(&b, &f->sn->im, image_value(&f->sn->im, i));
	return buf_str(&b);
}

static uint64_t errors(struct fixture *f)
{
	struct samp_status st;

	samp_status(f->sp, &st);
	return st.msg_errors;
}

/* The object that ldmsd was given, and what came of it. */
static void test_object(void **state)
{
	struct fixture *f = *state;

	config(f, "json_stream_sampler", CONF);
	tell(f, "{\"schema\":\"jss\",\"i\":5,\"f\":1.5,\"s\":\"abc\",\"list\":[1,2,3],\"d\":{\"a\":1,\"b\":\"x\","
		"\"arr\":[1,2]},\"recs\":[{\"n\":\"r1\",\"v\":1},{\"n\":\"r2\",\"v\":2}]}");
	look(f, "node-1/jss/5");
	assert_string_equal(image_schema(f->sn->im.meta), "jss");
	assert_string_equal(shown(f, "S_uid"), "s32 5");
	assert_string_equal(shown(f, "S_gid"), "s32 6");
	assert_string_equal(shown(f, "S_perm"), "s32 0");
	assert_string_equal(shown(f, "i"), "s64 5");
	assert_string_equal(shown(f, "f"), "d64 1.500000");
	assert_string_equal(shown(f, "s"), "char[] \"abc\"");
	assert_string_equal(shown(f, "list"), "list<> [1,2,3]\n");
	assert_string_equal(shown(f, "d"), "record[] \n  a   b arr\n  1 \"x\" 1,2");
	assert_string_equal(shown(f, "recs"), "list<> \n     n v\n  \"r1\" 1\n  \"r2\" 2");
	assert_string_equal(shown(f, "schema"), "char[] \"jss\"");
	assert_true(image_metric(f->sn->im.meta, (uint32_t)metric(f, "d_record")).meta);
	assert_int_equal(le32toh(f->sn->im.meta->perm), 0660);
	assert_int_equal(le32toh(f->sn->im.data->flags), SET_TRANS_DONE);
	assert_int_equal(errors(f), 0);
}

/* Sizes that ldmsd had for sets of the same name length. */
static void test_sizes(void **state)
{
	static const struct {
		const char *object;
		uint32_t meta, data, heap; /* heap: what ldmsd gives a set without lists, too */
	} rows[] = {
		{ "{\"schema\":\"ch\",\"l\":[1,2]}", 408, 904, 512 },
		{ "{\"schema\":\"ch\",\"s\":\"aaa\"}", 408, 1144, 512 },
		{ "{\"schema\":\"ch\",\"a\":1,\"b\":2}", 440, 904, 512 },
		{ "{\"schema\":\"dd\",\"d\":{\"x\":1,\"in\":{\"y\":2}}}", 608, 1184, 512 },
		{ "{\"schema\":\"lb\",\"lb\":[true,false],\"lf\":[1.5,2.5],\"ls\":[\"x\",\"yy\"]}", 480, 1448, 1024 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char name[] = "n1/xx/0";

		memcpy(name + 3, strchr(rows[i].object, ':') + 2, 2);
		config(f, "json_stream_sampler", "producer=n1 stream=js instance_fmt=%P/%S/0");
		tell(f, rows[i].object);
		look(f, name);
		assert_int_equal(le32toh(f->sn->im.meta->meta_sz), rows[i].meta);
		assert_int_equal(le32toh(f->sn->im.meta->data_sz) - le32toh(f->sn->im.meta->heap_sz),
				 rows[i].data - rows[i].heap);
		stop(f);
	}
}

static void test_change(void **state)
{
	struct fixture *f = *state;
	struct set *first, *now;

	config(f, "json_stream_sampler", CONF);
	tell(f, "{\"schema\":\"ch\",\"a\":1,\"b\":2,\"l\":[1,2],\"r\":[{\"x\":1}]}");
	first = setdb_find(f->env.sets, "node-1/ch/5");
	/* what is not said stays as it was; lists have room for more */
	tell(f, "{\"schema\":\"ch\",\"a\":5,\"l\":[1,2,3,4],\"r\":[{\"x\":3},{\"x\":4}]}");
	now = setdb_find(f->env.sets, "node-1/ch/5");
	assert_ptr_equal(first, now);
	set_put(now);
	look(f, "node-1/ch/5");
	assert_string_equal(shown(f, "a"), "s64 5");
	assert_string_equal(shown(f, "b"), "s64 2");
	assert_string_equal(shown(f, "l"), "list<> [1,2,3,4]\n");
	tell(f, "{\"schema\":\"ch\",\"l\":[],\"a\":null}");
	look(f, "node-1/ch/5");
	assert_string_equal(shown(f, "l"), "list<> []\n");
	assert_string_equal(shown(f, "a"), "s64 5");
	/* more, longer, of another type: the set is made anew, and knows all of them */
	tell(f,
	     "{\"schema\":\"ch\",\"a\":7.5,\"b\":\"text\",\"l\":[1,2,3,4,5.5],\"r\":[{\"x\":1,\"y\":[1]}],\"c\":true}");
	assert_true(first->deleted);
	set_put(first);
	look(f, "node-1/ch/5");
	assert_string_equal(shown(f, "a"), "d64 7.500000");
	assert_string_equal(shown(f, "b"), "char[] \"text\"");
	assert_string_equal(shown(f, "c"), "s8 1");
	assert_string_equal(shown(f, "l"), "list<> [1.000000,2.000000,3.000000,4.000000,5.500000]\n");
	assert_string_equal(shown(f, "r"), "list<> \n  x y\n  1 1");
	tell(f, "{\"schema\":\"ch\",\"a\":8,\"l\":[1],\"r\":[{\"x\":9}]}");
	look(f, "node-1/ch/5");
	assert_string_equal(shown(f, "a"), "d64 8.000000");
	assert_string_equal(shown(f, "r"), "list<> \n  x y\n  9 0");
	assert_int_equal(errors(f), 0);
	assert_int_equal(setdb_count(f->env.sets), 1);
}

static void test_max_len(void **state)
{
	struct fixture *f = *state;
	struct set *first, *now;

	config(f, "json_stream_sampler", CONF " heap_sz=64k");
	tell(f, "{\"schema\":\"m\",\"l\":[1],\"l_max_len\":100,\"r\":[{\"a\":1}],\"r_max_len\":3}");
	first = setdb_find(f->env.sets, "node-1/m/5");
	assert_int_equal(le32toh(((struct set_meta *)first->image)->heap_sz), 65536);
	tell(f, "{\"schema\":\"m\",\"l\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],\"r\":[{\"a\":1},{\"a\":2},{\"a\":3}"
		"]}");
	now = setdb_find(f->env.sets, "node-1/m/5");
	assert_ptr_equal(first, now);
	look(f, "node-1/m/5");
	assert_int_equal(list_len(value(f, "l")), 20);
	assert_string_equal(shown(f, "l_max_len"), "s64 100");
	set_put(first);
	set_put(now);
}

static void test_odd(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[1,2]",
		"5",
		"{\"a\":1}",
		"{\"schema\":5}",
		"{\"schema\":\"\"}",
		"{\"schema\":\"a\\nb\"}",
		"{\"schema\":\"q\",\"l\":[1,\"x\"]}",
		"{\"schema\":\"q\",\"l\":[[1],[2]]}",
		"{\"schema\":\"q\",\"l\":[{\"a\":1},2]}",
		"{\"schema\":\"q\",\"S_uid\":1}",
		"{\"schema\":\"q\",\"d\":{\"a\":1},\"d_record\":1}",
		"{\"schema\":\"q\",\"\":1}",
		"{\"schema\":\"q\",\"a\":123456789012345678901234567890}",
	};
	struct fixture *f = *state;
	char *text, *longer = xcalloc(1, 1001);

	log_level_set(LOG_QUIET_);
	config(f, "json_stream_sampler", CONF);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		tell(f, bad[i]);
		if (errors(f) != i + 1)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(setdb_count(f->env.sets), 0);
	}
	memset(longer, 'a', 1000);
	text = xasprintf("{\"schema\":\"t\",\"s\":\"%s\",\"r\":[{\"s\":\"%s\"}],\"l\":[\"%s\"],\"o\":{},\"e\":[]}",
			 longer, longer, longer);
	tell(f, text);
	look(f, "node-1/t/5");
	longer[255] = 0;
	free(text);
	text = xasprintf("char[] \"%s\"", longer);
	assert_string_equal(shown(f, "s"), text);
	assert_int_equal(image_find(f->sn->im.meta, "o"), -ENOENT);
	assert_int_equal(errors(f), sizeof(bad) / sizeof(*bad));
	free(text);
	free(longer);
	/* and a set that is there goes on after a bad one */
	tell(f, "{\"schema\":\"t\",\"s\":\"x\",\"l\":[[1]]}");
	tell(f, "{\"schema\":\"t\",\"s\":\"y\"}");
	look(f, "node-1/t/5");
	assert_string_equal(shown(f, "s"), "char[] \"y\"");
	log_level_set(LOG_INFO_);
}

static void test_conf(void **state)
{
	static const char *const bad[][2] = {
		{ "stream=js", "instance_fmt= is missing" },
		{ "instance_fmt=x", "stream= is missing" },
		{ "stream=js instance_fmt=%X", "use %P, %S" },
		{ "stream=js instance_fmt=a%", "use %P, %S" },
		{ "stream=js instance_fmt=a heap_sz=x", "heap_sz=x" },
		{ "stream=js instance_fmt=a heap_sz=1T", "at most" },
	};
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(try_config(f, "json_stream_sampler", bad[i][0], &err), -EINVAL);
		if (!strstr(err.msg, bad[i][1]))
			fail_msg("%s", err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_object, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_max_len, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conf, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
