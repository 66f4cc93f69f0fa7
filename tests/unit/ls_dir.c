/* ls_dir.c - which sets of a directory are picked, and in which order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ls_dir.h"
#include "core/base/buf.h"

#define MEMBER(name)                                                                                                   \
	{                                                                                                              \
		.key = (char *)"    grp_member: " name, .value = (char *)"-"                                           \
	}
#define NAMES_MAX 4

static const struct info_pair zgrp[] = { MEMBER("nosuch/set"), MEMBER("n/clock"), MEMBER("n/loadavg") };
static const struct info_pair m[] = { MEMBER("n/vmstat"), MEMBER("zgrp") };
static const struct info_pair hint[] = { { .key = (char *)"updt_hint_us", .value = (char *)"1000000:0" } };

#define GROUP(n, i)                                                                                                    \
	{                                                                                                              \
		.name = n, .schema = "ldmsd_grp_schema", .info = i, .info_n = sizeof(i) / sizeof(*i)                   \
	}
#define SET(n, s)                                                                                                      \
	{                                                                                                              \
		.name = n, .schema = s, .info = hint, .info_n = 1                                                      \
	}

static const struct dir_set sets[] = {
	GROUP("zgrp", zgrp),         SET("n/vmstat", "vmstat"), GROUP("n/m", m),
	SET("n/loadavg", "loadavg"), SET("n/clock", "clock"),
};

static void dir_fill(struct ls_dir *dir)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		struct dir_set d = sets[i];

		d.digest = "";
		d.flags = "CL ";
		d.perm = "-r--r-----";
		ls_dir_add(dir, &d);
		ls_dir_add(dir, &d); /* twice the same name: once is enough */
	}
}

static void test_pick(void **state)
{
	static const struct {
		const char *names[NAMES_MAX];
		bool search, schema;
		const char *want;
	} rows[] = {
		{ { NULL }, false, false, "zgrp n/vmstat n/m n/loadavg n/clock" },
		{ { "n/loadavg" }, false, false, "n/loadavg" },
		{ { "loadavg" }, false, false, "" },
		{ { "n/.*" }, false, false, "n/vmstat n/m n/loadavg n/clock zgrp" },
		{ { "loadavg" }, true, false, "n/loadavg" },
		{ { "loadavg", "vm.*" }, false, true, "n/vmstat n/loadavg" },
		{ { "^v", "k$" }, true, true, "n/vmstat n/clock" },
		{ { "zgrp" }, false, false, "zgrp n/clock n/loadavg" },
		{ { "zgrp", "n/loadavg" }, false, false, "zgrp n/loadavg n/clock" },
		{ { "n/m" }, false, false, "n/m n/vmstat zgrp" },
		{ { "n/m", "zgrp" }, false, false, "zgrp n/m n/vmstat n/clock n/loadavg" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ls_dir dir = { 0 };
		const struct dir_set **picked;
		struct buf got = { 0 };
		struct ls_names names;
		size_t n = 0;

		while (n < NAMES_MAX && rows[i].names[n])
			n++;
		assert_int_equal(ls_names_init(&names, rows[i].names, n, rows[i].search, rows[i].schema, NULL), 0);
		dir_fill(&dir);
		n = ls_dir_pick(&dir, &names, &picked);
		for (size_t k = 0; k < n; k++)
			buf_addf(&got, k ? " %s" : "%s", picked[k]->name);
		assert_string_equal(buf_str(&got), rows[i].want);
		free(picked);
		buf_fini(&got);
		ls_dir_fini(&dir);
		ls_names_fini(&names);
	}
}

static void test_copy(void **state)
{
	struct ls_dir dir = { 0 };
	char name[] = "n/x", key[] = "k", value[] = "v";
	struct info_pair info = { key, value };
	struct dir_set d = { .name = name,
			     .schema = "s",
			     .digest = "D",
			     .flags = "C",
			     .perm = "-",
			     .info = &info,
			     .info_n = 1,
			     .uid = 7 };

	(void)state;
	ls_dir_add(&dir, &d);
	name[0] = key[0] = value[0] = '?';
	assert_int_equal(dir.n, 1);
	assert_string_equal(dir.v[0]->d.name, "n/x");
	assert_string_equal(dir.v[0]->d.digest, "D");
	assert_string_equal(dir.v[0]->d.info[0].key, "k");
	assert_string_equal(dir.v[0]->d.info[0].value, "v");
	assert_int_equal(dir.v[0]->d.uid, 7);
	ls_dir_fini(&dir);
}

static void test_bad_expression(void **state)
{
	static const char *const names[] = { "fine", "[" };
	struct ls_names n;
	struct err err;

	(void)state;
	assert_int_equal(ls_names_init(&n, names, 2, true, false, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'['"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_bad_expression),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
