/* hostlist.c - expanding host lists, and splitting host and port */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/hostlist.h"

/* `text` gives exactly the names in `want`, which are separated by blanks. */
static void check(const char *text, const char *want)
{
	struct hostlist hl = { 0 };
	struct err err = { 0 };
	struct buf got = { 0 };

	if (hostlist_parse(text, &hl, &err))
		fail_msg("%s: %s", text, err.msg);
	for (size_t i = 0; i < hl.n; i++)
		buf_addf(&got, "%s%s", i ? " " : "", hl.names[i]);
	assert_string_equal(buf_str(&got), want);
	buf_fini(&got);
	hostlist_fini(&hl);
}

static void test_expand(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ " ,, ", "" },
		{ "a", "a" },
		{ "a,b c", "a b c" },
		{ "a, b ,c\td\n", "a b c d" },
		{ "a,a,b,a", "a b" },
		{ "n[1-3]", "n1 n2 n3" },
		{ "n<1-3>", "n1 n2 n3" },
		{ "n{1-3}", "n1 n2 n3" },
		{ "n[1..3] n<1..3> n{1..3}", "n1 n2 n3" },
		{ "n[001-3]x", "n001x n002x n003x" },
		{ "n[8-10]", "n8 n9 n10" },
		{ "n[08-10]", "n08 n09 n10" },
		{ "n[1-03]", "n1 n2 n3" },
		{ "n[1,3,5-7]", "n1 n3 n5 n6 n7" },
		{ "n[ 1 , 3 - 4 ]", NULL },
		{ "n[ 1 , 3-4 ]", "n1 n3 n4" },
		{ "n[9-11],d[01-02]", "n9 n10 n11 d01 d02" },
		{ "[10002-10003]", "10002 10003" },
		{ "x[1-2]y[1-3]", "x1y1 x1y2 x1y3 x2y1 x2y2 x2y3" },
		{ "x{a,b}<1-2>", "xa1 xa2 xb1 xb2" },
		{ "{login,io-1,10.0.0.7}", "login io-1 10.0.0.7" },
		{ "n[1-3,2-4]", "n1 n2 n3 n4" },
		{ "b[2-1]", NULL },
		{ "b10 b9 b1", "b10 b9 b1" },
		{ "n[1-2]:412 m:411", "n1:412 n2:412 m:411" },
		{ "[fe80::1]:411,[::1],fe80::2", "[fe80::1]:411 [::1] fe80::2" },
		{ "n[18446744073709551614-18446744073709551615]", "n18446744073709551614 n18446744073709551615" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].want)
			check(rows[i].text, rows[i].want);
		else
			assert_int_equal(hostlist_parse(rows[i].text, &(struct hostlist){ 0 }, NULL), -EINVAL);
}

static void test_styles_are_equal(void **state)
{
	static const char *const styles[] = { "samp-<01..20>", "samp-{01..20}", "samp-[01-20]" };
	struct hostlist hl[3] = { 0 };

	for (int i = 0; i < 3; i++) {
		assert_int_equal(hostlist_parse(styles[i], &hl[i], NULL), 0);
		assert_int_equal(hl[i].n, 20);
		for (size_t k = 0; k < 20; k++)
			assert_string_equal(hl[i].names[k], hl[0].names[k]);
	}
	assert_string_equal(hl[0].names[0], "samp-01");
	assert_string_equal(hl[0].names[19], "samp-20");
	for (int i = 0; i < 3; i++)
		hostlist_fini(&hl[i]);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *what, *where;
	} rows[] = {
		{ "n[[1]]", "nested brackets", "character 3" },
		{ "n[1{2}]", "nested brackets", "character 4" },
		{ "n[1-3", "unbalanced brackets", "character 2" },
		{ "n1-3]", "unbalanced brackets", "character 5" },
		{ "a,n[1-3>", "unbalanced brackets", "character 8" },
		{ "n[]", "bad range", "character 3" },
		{ "n{}", "bad range", "character 3" },
		{ "n{a,}", "bad range", "character 5" },
		{ "n[1,,2]", "bad range", "character 5" },
		{ "n[a-b]", "bad range", "character 3" },
		{ "n[-1]", "bad range", "character 3" },
		{ "n{1-}", "bad range", "character 3" },
		{ "n{a..c}", "bad range", "character 3" },
		{ "n[1.2]", "bad range", "character 3" },
		{ "n[1-2-3]", "bad range", "character 3" },
		{ "n[1 2]", "bad range", "character 3" },
		{ "n[a:b]", "bad range", "character 3" },
		{ "n[18446744073709551616]", "bad range", "character 3" },
		{ "n[3-1]", "start > stop", "character 3" },
		{ "n[1-100001]", "range too large", "character 3" },
		{ "n[0-18446744073709551615]", "range too large", "character 3" },
		{ "n[1-400]x[1-400]", "results too large", "character 1" },
		{ "n[1-60000],m[1-60000]", "results too large", "character 12" },
	};
	struct hostlist hl = { .n = 7 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = { 0 };

		if (hostlist_parse(rows[i].text, &hl, &err) != -EINVAL)
			fail_msg("%s: taken", rows[i].text);
		if (!strstr(err.msg, rows[i].what) || !strstr(err.msg, rows[i].where) || !strstr(err.msg, "; "))
			fail_msg("%s: %s", rows[i].text, err.msg);
	}
	assert_int_equal(hl.n, 7); /* untouched */
}

static void test_limits(void **state)
{
	struct hostlist hl = { 0 };
	struct err err = { 0 };
	char name[400];

	assert_int_equal(hostlist_parse("n[1-100000]", &hl, &err), 0);
	assert_int_equal(hl.n, HOSTLIST_MAX);
	assert_string_equal(hl.names[HOSTLIST_MAX - 1], "n100000");
	hostlist_fini(&hl);

	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	assert_int_equal(hostlist_parse(name, &hl, &err), 0);
	assert_int_equal(strlen(hl.names[0]), 255);
	hostlist_fini(&hl);
	name[255] = 'a';
	name[256] = '\0';
	assert_int_equal(hostlist_parse(name, &hl, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "name too long"));
	/* a number with more zeros than a name has room for */
	memset(name, '0', 300);
	name[0] = '[';
	strcpy(name + 300, "1]");
	assert_int_equal(hostlist_parse(name, &hl, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "name too long"));
}

static void test_deep(void **state)
{
	struct buf text = { 0 };

	for (int i = 0; i < 100000; i++)
		buf_add(&text, "[1]", 3);
	assert_int_equal(hostlist_parse(buf_str(&text), &(struct hostlist){ 0 }, NULL), -EINVAL);
	buf_fini(&text);
}

static void test_hostport(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned short port; /* 1: none given */
	} good[] = {
		{ "n1", "n1", 1 },
		{ "n1:412", "n1", 412 },
		{ "10.0.0.7:65535", "10.0.0.7", 65535 },
		{ "[fe80::1]:411", "fe80::1", 411 },
		{ "[::1]", "::1", 1 },
		{ "fe80::1", "fe80::1", 1 },
		{ "[fe80::1%eth0]:2", "fe80::1%eth0", 2 },
		{ "fe80::1%eth0", "fe80::1%eth0", 1 },
	};
	static const char *const bad[] = {
		"",         ":411",   "n1:",        "n1:0",    "n1:65536",
		"n1:-1",    "n1:4x",  "n1:411:412", "[::1",    "[::1]411",
		"[n1]:411", "[]:411", "[::1]:",     "[::1]:0", "n1:99999999999999999999",
		"::1]:411",
	};
	struct err err;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		unsigned short port = 1;
		char *host = NULL;

		assert_int_equal(hostport_parse(good[i].text, &host, &port, &err), 0);
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
		free(host);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned short port = 1;
		char *host = NULL;

		if (hostport_parse(bad[i], &host, &port, &err) != -EINVAL)
			fail_msg("%s: taken", bad[i]);
		assert_null(host);
		assert_int_equal(port, 1);
		assert_non_null(strstr(err.msg, "; "));
	}
}

static void test_fold(void **state)
{
	static const struct {
		const char *list; /* as it is written in the end, or */
		size_t max;
		const char *folded; /* NULL: the same */
	} rows[] = {
		{ "", 0, NULL },
		{ "login", 0, NULL },
		{ "n17", 0, NULL },
		{ "n[17-18]", 0, NULL },
		{ "n[8-11,13]", 0, NULL },
		{ "n[08-11]", 0, NULL },
		{ "n9 n08 n10", 0, "n[08,9-10]" },
		{ "n[1-3]:412", 0, NULL },
		{ "10.0.0.[1-254]:411 login", 0, NULL },
		{ "a[1-2]b c3", 0, NULL },
		{ "r[1-2]n[1-3]", 0, "r1n[1-3] r2n[1-3]" },
		{ "b a", 0, "a b" },
		{ "x12345678901234567890123", 0, NULL },
		{ "a b[1-900] c d", 9, "a b[1-900] and 2 more" },
		{ "n[1-900]", 3, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hostlist hl;
		struct buf b = { 0 };

		assert_int_equal(hostlist_parse(rows[i].list, &hl, NULL), 0);
		hostlist_fold((const char *const *)hl.names, hl.n, rows[i].max, &b);
		assert_string_equal(buf_str(&b), rows[i].folded ? rows[i].folded : rows[i].list);
		hostlist_fini(&hl);
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand), cmocka_unit_test(test_styles_are_equal),
		cmocka_unit_test(test_bad),    cmocka_unit_test(test_limits),
		cmocka_unit_test(test_deep),   cmocka_unit_test(test_hostport),
		cmocka_unit_test(test_fold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
