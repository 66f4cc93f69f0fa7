/* caps.c - capabilities by name */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <linux/capability.h>

#include "core/base/caps.h"

static void test_names(void **state)
{
	uint64_t caps = 99;

	(void)state;
	assert_int_equal(caps_parse("sys_rawio  dac_read_search", &caps, NULL), 0);
	assert_int_equal(caps, 1ull << CAP_SYS_RAWIO | 1ull << CAP_DAC_READ_SEARCH);
	assert_int_equal(caps_parse("checkpoint_restore", &caps, NULL), 0);
	assert_int_equal(caps, 1ull << 40);
	assert_int_equal(caps_parse("net_bind_service", &caps, NULL), 0);
	assert_int_equal(caps, 1ull << CAP_NET_BIND_SERVICE);
	assert_int_equal(caps_parse("", &caps, NULL), 0);
	assert_int_equal(caps, 0);
	caps = 7;
	assert_int_equal(caps_parse(NULL, &caps, NULL), 0);
	assert_int_equal(caps, 0);
}

static void test_what_is_no_name(void **state)
{
	struct err err = { "" };
	uint64_t caps = 99;

	(void)state;
	assert_int_equal(caps_parse("sys_nice sys_rawi", &caps, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "no capability 'sys_rawi'; did you mean 'sys_rawio'?"));
	assert_int_equal(caps_parse("CAP_CHOWN", &caps, &err), -EINVAL);
	assert_int_equal(caps, 99);
}

static void test_text(void **state)
{
	char text[CAPS_TEXT_MAX];
	uint64_t caps;

	(void)state;
	assert_string_equal(caps_text(0, text), "none");
	assert_string_equal(caps_text(1ull << CAP_SYS_RAWIO | 1, text), "chown sys_rawio");
	/* all of them fit, and are read again as they are */
	caps_text(UINT64_MAX, text);
	assert_in_range(strlen(text), 300, CAPS_TEXT_MAX - 1);
	assert_int_equal(caps_parse(text, &caps, NULL), 0);
	assert_int_equal(caps, (1ull << 41) - 1);
}

static void test_ours_are_consistent(void **state)
{
	(void)state;
	assert_int_equal(caps_effective() & ~caps_permitted(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_is_no_name),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_ours_are_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
