/* buf.c - a file read whole into a buf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "core/base/buf.h"

#define LONG_LEN 200000u /* more than is read at a time */

static FILE *file_of(size_t len)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	for (size_t i = 0; i < len; i++)
		putc('a' + (int)(i % 26), f);
	rewind(f);
	return f;
}

static void test_whole(void **state)
{
	static const size_t lens[] = { 0, 1, 65535, 65536, 65537, LONG_LEN };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct buf b = { 0 };
		FILE *f = file_of(lens[i]);

		buf_addf(&b, "head");
		assert_int_equal(buf_slurp(&b, f, lens[i]), 0);
		assert_int_equal(b.len, 4 + lens[i]);
		assert_memory_equal(b.p, "head", 4);
		if (lens[i])
			assert_int_equal(b.p[b.len - 1], 'a' + (lens[i] - 1) % 26);
		fclose(f);
		buf_fini(&b);
	}
}

static void test_too_long(void **state)
{
	struct buf b = { 0 };
	FILE *f = file_of(LONG_LEN);

	assert_int_equal(buf_slurp(&b, f, LONG_LEN - 1), -EFBIG);
	assert_true(b.len <= LONG_LEN);
	fclose(f);
	buf_fini(&b);
}

/* What never ends is left when the most is there. */
static void test_endless(void **state)
{
	struct buf b = { 0 };
	FILE *f = fopen("/dev/zero", "re");

	assert_non_null(f);
	assert_int_equal(buf_slurp(&b, f, 1000), -EFBIG);
	fclose(f);
	buf_fini(&b);
}

static void test_unreadable(void **state)
{
	struct buf b = { 0 };
	FILE *f = fopen("/", "re");

	assert_non_null(f);
	assert_int_equal(buf_slurp(&b, f, 1000), -EISDIR);
	assert_int_equal(b.len, 0);
	fclose(f);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
