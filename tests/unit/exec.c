/* exec.c - programs whose output is a set, and values picked out of files */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/log.h"
#include "plugins/exec_lines.h"
#include "samp_rig.h"

/* -- lines --------------------------------------------------------------------------------------------------------- */

static void test_lines(void **state)
{
	static const struct {
		const char *line;
		int rc;
		const char *json; /* what there is then */
	} rows[] = {
		{ "a 5", 0, "{\"a\": 5}" },
		{ "  a = -7 \r", 0, "{\"a\": -7}" },
		{ "b=1.5", 0, "{\"a\": -7, \"b\": 1.5}" },
		{ "# a 1", 0, NULL },
		{ "c true", 0, "{\"a\": -7, \"b\": 1.5, \"c\": true}" },
		{ "", 1, NULL },
		{ "{\"a\":\"x\",\"b\":[1,2]}", 1, "{\"a\": \"x\", \"b\": [1, 2], \"c\": true}" },
		{ "b some text", 0, "{\"a\": \"x\", \"b\": \"some text\", \"c\": true}" },
		{ "c \"in quotes\"", 0, "{\"a\": \"x\", \"b\": \"some text\", \"c\": \"in quotes\"}" },
		{ "alone", -EINVAL, NULL },
		{ "a ", -EINVAL, NULL },
		{ "= 5", -EINVAL, NULL },
		{ "{\"a\":1", -EINVAL, NULL },
		{ "{} x", -EINVAL, NULL },
		{ "a \xff", -EINVAL, NULL },
		{ "d 99999999999999999999", 0,
		  "{\"a\": \"x\", \"b\": \"some text\", \"c\": \"in quotes\", \"d\": 1e20}" },
		{ "d nan", 0, "{\"a\": \"x\", \"b\": \"some text\", \"c\": \"in quotes\", \"d\": \"nan\"}" },
	};
	json_t *object = json_object();
	char *is, was[256] = "{}";
	struct err err;

	(void)state;
	assert_int_equal(exec_line_take(object, "", 0, &err), 0); /* nothing has been said yet */
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(exec_line_take(object, rows[i].line, strlen(rows[i].line), &err), rows[i].rc);
		is = json_dumps(object, JSON_SORT_KEYS);
		assert_string_equal(is, rows[i].json ? rows[i].json : was);
		snprintf(was, sizeof(was), "%s", is);
		free(is);
	}
	json_decref(object);
}

/* -- programs ------------------------------------------------------------------------------------------------------ */

static char *script(struct fixture *f, const char *text)
{
	char *path = sysroot_path(f->root, "/prog"), *whole = xasprintf("#!/bin/sh\n%s\n", text);

	sysroot_del(f->root, "/prog");
	sysroot_put(f->root, "/prog", whole);
	chmod(path, 0700);
	free(whole);
	return path;
}

/* `conf`: what stands behind its path. */
static void program(struct fixture *f, const char *text, const char *conf)
{
	char *path = script(f, text), *whole = xasprintf("path=%s %s", path, conf);

	config(f, "exec", whole);
	free(whole);
	free(path);
}

static void fails(struct fixture *f, const char *text, const char *conf, const char *words)
{
	struct err err = { "" };

	program(f, text, conf);
	assert_true(samp_once(f->sp, &err) < 0);
	if (!strstr(err.msg, words))
		fail_msg("said '%s', not '%s'", err.msg, words);
	assert_int_equal(samp_once(f->sp, &err), -EAGAIN); /* not again at once */
	assert_non_null(strstr(err.msg, words));
	stop(f);
}

static void test_exec(void **state)
{
	struct fixture *f = *state;

	program(f, "echo \"n $1\"; echo b 2.5; echo t some $2; echo '{\"l\":[1,2,3]}'", "args=5,text");
	sample(f, "node-1/exec");
	assert_string_equal(image_schema(f->sn->im.meta), "exec");
	check_u64(f, "component_id", 7);
	assert_int_equal(value_s64(value(f, "n"), 0), 5);
	check_d64(f, "b", 2.5);
	assert_int_equal(list_len(value(f, "l")), 3);
	free(script(f, "echo n 6.5; echo x 1"));
	sample(f, "node-1/exec");
	check_d64(f, "n", 6.5);
	assert_int_equal(value_s64(value(f, "x"), 0), 1);
	assert_int_equal(setdb_count(f->env.sets), 1);
}

static void test_exec_fails(void **state)
{
	struct fixture *f = *state;
	struct err err = { "" };

	log_level_set(LOG_QUIET_);
	fails(f, "echo n 5; exit 3", "", "/prog: ended with status 3");
	fails(f, "kill -SEGV $$", "", "was ended by signal 11");
	fails(f, "true", "", "printed nothing");
	fails(f, "echo only", "", "printed 'only' is no `name value`");
	fails(f, "sleep 1000", "deadline=50ms", "did not end within 50ms");
	fails(f, "yes", "", "printed more than 1048576 bytes");
	fails(f, "head -c 70000 /dev/zero | tr '\\0' a", "", "a line of more than 65536 bytes");
	config(f, "exec", "path=/nowhere");
	assert_int_equal(samp_once(f->sp, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nowhere: cannot be run: No such file"));
	stop(f);
	program(f, "echo n 1", "keep=true");
	for (int i = 0; i < 20000 && !samp_once(f->sp, &err); i++)
		usleep(1000);
	assert_non_null(strstr(err.msg, "has ended, and was to go on"));
	look(f, "node-1/exec");
	assert_int_equal(value_s64(value(f, "n"), 0), 1);
	log_level_set(LOG_INFO_);
}

/* Sample until that metric has that value. */
static void sample_until(struct fixture *f, const char *name, int64_t want)
{
	struct err err = { "" };

	for (int i = 0; i < 20000; i++) {
		assert_int_equal(samp_once(f->sp, &err), 0);
		if (setdb_count(f->env.sets)) {
			look(f, "node-1/exec");
			if (value_s64(value(f, name), 0) == want)
				return;
		}
		usleep(1000);
	}
	fail_msg("%s has not become %lld", name, (long long)want);
}

/* One that keeps running: samples as they come. */
static void test_exec_keep(void **state)
{
	struct fixture *f = *state;
	char *fifo = sysroot_path(f->root, "/prog.fifo");
	FILE *to;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	program(f, "echo a 1; echo; echo '{\"a\":2}'; echo a 3; read x <$0.fifo; echo; exec sleep 1000", "keep=true");
	sample_until(f, "a", 2); /* the third is not whole yet */
	to = fopen(fifo, "w");
	fputs("x\n", to);
	fclose(to);
	sample_until(f, "a", 3);
	free(fifo);
}

static void test_conf(void **state)
{
	static const char *const bad[][2] = {
		{ "", "path= is missing" },
		{ "path=prog", "must begin with /" },
		{ "path=/prog deadline=x", "deadline=x" },
		{ "path=/prog keep=maybe", "keep=" },
	};
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(try_config(f, "exec", bad[i][0], &err), -EINVAL);
		if (!strstr(err.msg, bad[i][1]))
			fail_msg("%s", err.msg);
	}
}

/* -- files --------------------------------------------------------------------------------------------------------- */

static int file_config(struct fixture *f, const char *text, struct err *err)
{
	char *path = sysroot_path(f->root, "/files.conf"), *conf = xasprintf("conf=%s", path);
	int rc;

	sysroot_put(f->root, "/files.conf", text);
	rc = try_config(f, "file", conf, err);
	free(conf);
	free(path);
	return rc;
}

static void test_file(void **state)
{
	struct fixture *f = *state;
	struct err err = { "" };
	const char *text;

	sysroot_put(f->root, "/sensors", "outlet: 30.5 C\ninlet: 21.25 C\nfans 4 of 5\nstate=running well\n");
	assert_int_equal(
		file_config(f,
			    "# sensors\ninlet D64 /sensors inlet:[ ]*([0-9.]+)\nfans u16 /sensors fans ([0-9]+)\n"
			    "all S32 /sensors of ([0-9]+)\nstate TEXT /sensors state=(.*)well\nload F32 "
			    "/proc/loadavg ^[0-9.]+\nnone U64 /sensors nothing ([0-9]+)\n",
			    &err),
		0);
	sample(f, "node-1/file");
	check_d64(f, "inlet", 21.25);
	assert_int_equal(value_u64(value(f, "fans"), 0), 4);
	assert_int_equal(value(f, "fans").type, V_U16);
	assert_int_equal(value_s64(value(f, "all"), 0), 5);
	assert_int_equal(value_text(value(f, "state"), &text), strlen("running "));
	assert_memory_equal(text, "running ", 8);
	assert_true((float)value_d64(value(f, "load"), 0) == 0.35f);
	check_u64(f, "none", 0);
	sysroot_del(f->root, "/sensors"); /* the others go on */
	sysroot_put(f->root, "/proc/loadavg", "2.5 1 1 1/1 1\n");
	assert_int_equal(samp_once(f->sp, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/sensors"));
	look(f, "node-1/file");
	check_d64(f, "inlet", 0);
	assert_true(value_d64(value(f, "load"), 0) == 2.5);
}

static void test_file_conf(void **state)
{
	static const char *const bad[][2] = {
		{ "", "has no line" },
		{ "a U64 /x\n", ":1: a line is `name type path expression`" },
		{ "# x\na U65 /x y\n", ":2: type U65" },
		{ "a CHAR /x y\n", "type CHAR" },
		{ "a U64 x y\n", "must begin with /" },
		{ "a U64 /x [\n", ":1: " },
		{ "a U64 /x y\na U64 /x y\n", "there already" },
	};
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_true(file_config(f, bad[i][0], &err) < 0);
		if (!strstr(err.msg, bad[i][1]))
			fail_msg("%s", err.msg);
	}
	assert_int_equal(try_config(f, "file", "", &err), -EINVAL);
	assert_int_equal(try_config(f, "file", "conf=/nowhere", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "conf=/nowhere: cannot be opened"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test_setup_teardown(test_exec, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_conf, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
