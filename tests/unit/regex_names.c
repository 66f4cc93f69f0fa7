/* regex_names.c - expressions for names match exactly these names, and are short for rows of numbers */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/hostlist.h"
#include "core/base/regex.h"
#include "core/base/regex_names.h"
#include "core/base/regex_tame.h"
#include "core/base/xalloc.h"

static void expect(const char *list, const char *want)
{
	struct hostlist hl;
	char **re;
	size_t n;

	assert_int_equal(hostlist_parse(list, &hl, NULL), 0);
	regex_names((const char *const *)hl.names, hl.n, 1000, &re, &n);
	assert_int_equal(n, 1);
	assert_string_equal(re[0], want);
	free(re[0]);
	free(re);
	hostlist_fini(&hl);
}

static void test_few_words(void **state)
{
	(void)state;
	expect("n1", "^n1$");
	expect("samp-[1-4]-ep", "^samp-[1-4]-ep$");
	expect("samp-[1-12]-ep", "^samp-(1[0-2]?|[2-9])-ep$");
	expect("n[001-100]", "^n(0(0[1-9]|[1-9][0-9])|100)$");
	expect("a.b,a.c", "^a\\.[bc]$");
	expect("a,ab", "^ab?$");
	expect("x,y", "^[xy]$");
	expect("n1,n1", "^n1$");
}

/* A name that is none of the others. */
static char *other(const char *name, unsigned int how)
{
	char *s = xasprintf("%s%s", how % 3 == 0 ? "x" : "", name);
	size_t len = strlen(s);

	if (how % 3 == 1)
		s[how % len] = s[how % len] == 'z' ? 'y' : 'z';
	else if (how % 3 == 2)
		s[len - 1] = '\0';
	return s;
}

static bool any(struct rx *rx, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (rx_match(&rx[i], name))
			return true;
	return false;
}

static void exact(const char *const *names, size_t n, size_t max)
{
	struct rx *rx;
	char **re;
	size_t n_re;

	regex_names(names, n, max, &re, &n_re);
	rx = xcalloc(n_re, sizeof(*rx));
	for (size_t i = 0; i < n_re; i++) {
		assert_true(regex_is_tame(re[i]));
		assert_int_equal(rx_init(&rx[i], re[i], NULL), 0);
	}
	for (size_t i = 0; i < n; i++) {
		char *not_it = other(names[i], (unsigned int)i);
		bool is = false;

		assert_true(any(rx, n_re, names[i]));
		for (size_t k = 0; k < n && !is; k++)
			is = !strcmp(names[k], not_it);
		assert_int_equal(any(rx, n_re, not_it), is);
		free(not_it);
	}
	for (size_t i = 0; i < n_re; i++) {
		rx_fini(&rx[i]);
		free(re[i]);
	}
	free(re);
	free(rx);
}

static void test_exactly(void **state)
{
	static const char alphabet[] = "ab1.-[";
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		char names[24][12];
		const char *v[24];
		size_t n = 1 + (size_t)round % 24;

		for (size_t i = 0; i < n; i++) {
			size_t len;

			seed = seed * 1664525 + 1013904223;
			len = 1 + (seed >> 16) % 10;
			for (size_t k = 0; k < len; k++) {
				seed = seed * 1664525 + 1013904223;
				names[i][k] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
			}
			names[i][len] = '\0';
			v[i] = names[i];
		}
		exact(v, n, round % 2 ? 1000 : 30);
	}
}

static void test_rows(void **state)
{
	static const char *const lists[] = { "nid[000001-000937]-ep", "a[1-3]b[8-12],c[5-7],nid7",
					     "x[1-200].site.org:411" };

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct hostlist hl;

		assert_int_equal(hostlist_parse(lists[i], &hl, NULL), 0);
		exact((const char *const *)hl.names, hl.n, 1500);
		hostlist_fini(&hl);
	}
}

/* 30,000 of them are a few lines, and 2,000 without any order some lines more. */
static void test_many(void **state)
{
	struct hostlist hl;
	uint32_t seed = 3;
	char **re, *names[2000];
	size_t n;

	(void)state;
	assert_int_equal(hostlist_parse("nid[00001-30000]-ep", &hl, NULL), 0);
	regex_names((const char *const *)hl.names, hl.n, 1500, &re, &n);
	assert_int_equal(n, 1);
	assert_true(strlen(re[0]) < 200);
	free(re[0]);
	free(re);
	hostlist_fini(&hl);
	for (size_t i = 0; i < 2000; i++) {
		seed = seed * 1664525 + 1013904223;
		names[i] = xasprintf("%08x%08x%08x", seed, seed * 7, seed ^ 0x5a5a5a5a);
	}
	regex_names((const char *const *)names, 2000, 1500, &re, &n);
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(re[i]) < 1500);
		assert_true(regex_is_tame(re[i]));
		free(re[i]);
	}
	free(re);
	for (size_t i = 0; i < 2000; i++)
		free(names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_words),
		cmocka_unit_test(test_exactly),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
