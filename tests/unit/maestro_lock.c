/* A lock of several maestros in a file, and what is remembered of what daemons were sent. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/maestro/lock_impl.h"
#include "core/maestro/maestro_impl.h"

#define LONG_US  (3600 * SEC_US)
#define SHORT_US 1 /* has run out when it is looked at again */

static char path[] = "/tmp/ldms-lock-XXXXXX";

static void *lock_open_(int64_t lease_us)
{
	const struct lock_conf conf = { .file = path, .lease_us = lease_us };
	void *l = NULL;

	assert_int_equal(lock_file.open(&conf, &l, NULL), 0);
	return l;
}

static int hold(void *l)
{
	struct err err = { "" };
	int rc = lock_file.hold(l, clock_us(CLOCK_MONOTONIC) + LONG_US, &err);

	assert_int_equal(!rc, !!*err.msg); /* who has it */
	return rc;
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void test_one_of_two(void **state)
{
	void *a = lock_open_(LONG_US), *b = lock_open_(LONG_US);

	(void)state;
	assert_int_equal(hold(a), 1);
	assert_int_equal(hold(b), 0);
	assert_int_equal(hold(a), 1); /* renewed */
	assert_int_equal(hold(b), 0);
	lock_file.release(b); /* not his to give up */
	assert_int_equal(hold(b), 0);
	lock_file.release(a);
	assert_int_equal(hold(b), 1);
	assert_int_equal(hold(a), 0);
	lock_file.release(b);
	lock_file.close(a);
	lock_file.close(b);
}

/* He who holds it says how long; whoever looks uses his own clock. */
static void test_a_lease_runs_out(void **state)
{
	void *a = lock_open_(SHORT_US), *b = lock_open_(LONG_US);
	int n = 0;

	(void)state;
	assert_int_equal(hold(a), 1);
	while (!hold(b)) /* two looks, some time apart */
		assert_true(n++ < 1000000);
	assert_int_equal(hold(a), 0);
	lock_file.release(a); /* it is another one's by now */
	assert_int_equal(hold(b), 1);
	lock_file.close(a);
	lock_file.release(b);
	lock_file.close(b);
}

/* He stands still with the kernel's lock, so that nobody can read and write: that holds others up for a lease. */
static void test_who_stands_still_in_the_middle(void **state)
{
	void *a = lock_open_(SHORT_US), *b = lock_open_(LONG_US), *c = lock_open_(LONG_US);
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR), n = 0, rc;

	(void)state;
	assert_int_equal(hold(a), 1);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &fl), 0);
	do {
		struct err err = { "" };

		assert_true(n++ < 1000000);
		rc = lock_file.hold(b, 0, &err);
		assert_true(rc >= 0 || rc == -ETIMEDOUT);
	} while (rc != 1);
	assert_int_equal(lock_file.hold(c, 0, NULL), 0); /* it is no other one's */
	assert_int_equal(lock_file.hold(a, 0, NULL), 0);
	close(fd);
	assert_int_equal(lock_file.hold(a, 0, NULL), 0);
	assert_int_equal(lock_file.hold(b, 0, NULL), 1);
	lock_file.release(b);
	lock_file.close(a);
	lock_file.close(b);
	lock_file.close(c);
}

static void test_a_file_of_something_else(void **state)
{
	static const char *const texts[] = { "", "\n", "x", "a b c", "host 1 0000 1 -5\n", "\377\377 0" };
	void *a = lock_open_(LONG_US);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put(texts[i]);
		assert_int_equal(hold(a), 1);
	}
	put("host 1 00000000 1 3600000000\n");
	assert_int_equal(hold(a), 0);
	lock_file.close(a);
}

static void test_a_folder_that_is_not_there(void **state)
{
	const struct lock_conf conf = { .file = "/nonexistent/lock", .lease_us = LONG_US };
	struct err err = { "" };
	void *l;

	(void)state;
	assert_true(lock_file.open(&conf, &l, &err) < 0);
	assert_non_null(strstr(err.msg, "--lock /nonexistent/lock"));
}

static void test_remembered(void **state)
{
	struct remembered *r =
		remembered_parse("rubbish\n# maestro daemon a b\n"
				 "# maestro daemon n1 count 12\nlisten port=411\nno verb\n"
				 "prdcr_add name=p type=active host=h\nprdcr_start name=p\n"
				 "# maestro daemon n2 count 3\n# maestro daemon n1 count 5\nlisten port=1\n"
				 "# maestro daemon n3 count 1");
	unsigned int count = 0;
	struct buf text = { 0 };
	struct book *b;

	(void)state;
	assert_null(remembered_take(r, "a b", &count));
	assert_null(remembered_take(r, "n3", &count));
	b = remembered_take(r, "n1", &count);
	assert_int_equal(count, 12);
	book_put(&text, b);
	assert_string_equal(buf_str(&text), "listen xprt=sock port=411\n"
					    "prdcr_add name=p type=active host=h port=411 xprt=sock reconnect=20s\n"
					    "prdcr_start name=p\n");
	book_free(b);
	b = remembered_take(r, "n2", &count);
	assert_int_equal(count, 3);
	book_free(b);
	buf_fini(&text);
	remembered_free(r);
}

static void test_remembered_places(void **state)
{
	struct remembered *r =
		remembered_parse("# maestro daemon a count 1\n# maestro at h1 411 sock ovis conf=/etc/x y\n"
				 "# maestro left 77\nlisten port=411\n"
				 "# maestro daemon b count 2\n# maestro at h1 0 sock none\nlisten port=1\n"
				 "# maestro daemon c count 3\n# maestro at h1 1 sock\n# maestro left x\n"
				 "# maestro daemon d count 4\nlisten port=2\n# maestro at h 1 sock none\n");
	struct leaving *v = NULL;
	size_t n = remembered_all(r, &v);

	(void)state;
	assert_int_equal(n, 4);
	assert_string_equal(v[0].at.host, "h1");
	assert_int_equal(v[0].at.port, 411);
	assert_string_equal(v[0].at.auth, "ovis");
	assert_string_equal(kv_get(v[0].at.auth_args, "conf"), "/etc/x");
	assert_true(kv_has(v[0].at.auth_args, "y"));
	assert_int_equal(v[0].left_s, 77);
	assert_non_null(book_find(v[0].sent, BOOK_LISTEN, "sock:411"));
	for (size_t i = 1; i < n; i++) { /* nobody knows where they are */
		assert_null(v[i].at.host);
		assert_int_equal(v[i].count, i + 1);
	}
	leavings_free(v, n);
	remembered_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_of_two),
		cmocka_unit_test(test_a_lease_runs_out),
		cmocka_unit_test(test_who_stands_still_in_the_middle),
		cmocka_unit_test(test_a_file_of_something_else),
		cmocka_unit_test(test_a_folder_that_is_not_there),
		cmocka_unit_test(test_remembered),
		cmocka_unit_test(test_remembered_places),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
