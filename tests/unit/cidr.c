/* cidr.c - ranges of addresses, read and asked */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/base/cidr.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static struct in6_addr ip_of(const char *text)
{
	struct in6_addr ip = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, text, ip.s6_addr + 12) != 1)
		assert_int_equal(inet_pton(AF_INET6, text, &ip), 1);
	return ip;
}

static void test_ranges(void **state)
{
	static const struct {
		const char *range, *in, *out;
	} rows[] = {
		{ "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
		{ "10.1.2.3/8", "10.0.0.0", "9.255.255.255" }, /* bits behind the prefix do not count */
		{ "192.168.4.0/22", "192.168.7.255", "192.168.8.0" },
		{ "192.168.4.128/25", "192.168.4.129", "192.168.4.127" },
		{ "127.0.0.1", "127.0.0.1", "127.0.0.2" },
		{ "127.0.0.1/32", "127.0.0.1", "127.0.0.0" },
		{ "0.0.0.0/0", "255.255.255.255", "2001:db8::1" }, /* all of v4, nothing of v6 */
		{ "0.0.0.0/1", "127.255.255.255", "128.0.0.0" },
		{ "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" },
		{ "fe80::/10", "febf::1", "fec0::1" },
		{ "::1", "::1", "::2" },
		{ "::ffff:10.0.0.0/104", "10.1.1.1", "11.1.1.1" }, /* v4, written as v6 */
	};
	struct in6_addr ip;
	struct cidr c;
	struct err err;

	for (size_t i = 0; i < ROWS(rows); i++) {
		if (cidr_parse(rows[i].range, &c, &err))
			fail_msg("%s: %s", rows[i].range, err.msg);
		ip = ip_of(rows[i].in);
		if (!cidr_has(&c, &ip))
			fail_msg("%s is not in %s", rows[i].in, rows[i].range);
		ip = ip_of(rows[i].out);
		if (cidr_has(&c, &ip))
			fail_msg("%s is in %s", rows[i].out, rows[i].range);
	}
	assert_int_equal(cidr_parse("::/0", &c, &err), 0);
	ip = ip_of("1.2.3.4");
	assert_true(cidr_has(&c, &ip));
}

static void test_none(void **state)
{
	static const char *const rows[] = {
		"",
		"/",
		"/8",
		"bogus",
		"10.0.0/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/8x",
		"10.0.0.0/ 8",
		" 10.0.0.0/8",
		"10.0.0.0/8/8",
		"::/129",
		"fe80::1%eth0",
		"localhost/8",
		"10.0.0.256",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/8",
		"10.0.0.0/18446744073709551624",
	};
	struct cidr c;
	struct err err;

	for (size_t i = 0; i < ROWS(rows); i++) {
		if (cidr_parse(rows[i], &c, &err) != -EINVAL)
			fail_msg("'%s' is taken", rows[i]);
		assert_non_null(strstr(err.msg, "is invalid"));
		assert_non_null(strstr(err.msg, rows[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
