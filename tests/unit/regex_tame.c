/* Expressions of peers: those that are used pass, those that take the machine do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/base/regex_tame.h"

static const struct {
	const char *re;
	bool tame;
} rows[] = {
	{ "", true },
	{ ".*", true },
	{ "^n[0-9]+/(meminfo|vmstat)$", true },
	{ "^([a-z]+-){2}[0-9]{1,4}/.+$", true },
	{ "[]{}+++++++++++++++++++++++++++++++++++++++++]", true }, /* all members */
	{ "[^][:alpha:]+++++++++++++++++++++++++++++++++]", true },
	{ "a\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+", true },
	{ "a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u+v+w+x+y+z+", true }, /* side by side they add */
	{ "a{1000}", true },
	{ "a{", true },
	{ "a{5", true },
	{ "[", true }, /* wrong, but harmless */
	{ ")", true },
	{ "a\\", true },
	{ "a++++++++++++++++++++++++++++++++", false },
	{ "((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+", false },
	{ "(a{255}){255}", false },
	{ "(a{64}b{64}){64,}", false },
	{ "a{99999999999999999999}", false },
	{ "(a*)\\1", false },
	{ "x??????????+++++", false }, /* a second and more to compile */
	{ "((((((((((x?)?)?)?)?)?)?)?)?)?)++++", false },
	{ "(a?b?c?d?e?a?b?c?d?e?a?b?c?d?e?a?b?c?d?e?a?b?c?d?e?a?b?c?d?e?)+++", false },
	{ "x?.*y*z?", true },
	{ "^(rack[0-9]*(node)?)+/.*$", true },
	{ "((((((((((((((((((((((((((((((((((((((((", false },
};

static void test_rows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (regex_is_tame(rows[i].re) != rows[i].tame)
			fail_msg("%s", rows[i].re);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
