/* When is a file that others write read anew? */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/maestro/watch.h"

static enum watch_news saw(struct watch *w, ino_t ino, off_t size)
{
	const struct stat st = { .st_ino = ino, .st_size = size };

	return watch_saw(w, 0, &st);
}

static void test_half_a_file(void **state)
{
	struct watch w = { .read = { .st_ino = 1, .st_size = 100 }, .found = { .st_ino = 1, .st_size = 100 } };

	(void)state;
	assert_int_equal(saw(&w, 1, 100), WATCH_NOTHING);
	assert_int_equal(saw(&w, 1, 0), WATCH_NOTHING); /* it is written in place, */
	assert_int_equal(saw(&w, 1, 40), WATCH_NOTHING);
	assert_int_equal(saw(&w, 1, 120), WATCH_NOTHING);
	assert_int_equal(saw(&w, 1, 120), WATCH_CHANGED); /* and that is over */
	assert_int_equal(saw(&w, 1, 120), WATCH_NOTHING);
	assert_int_equal(saw(&w, 2, 120), WATCH_NOTHING); /* it is replaced */
	assert_int_equal(saw(&w, 2, 120), WATCH_CHANGED);
	assert_int_equal(saw(&w, 2, 50), WATCH_NOTHING);
	assert_int_equal(saw(&w, 2, 120), WATCH_NOTHING); /* back as it was read */
	assert_int_equal(saw(&w, 2, 120), WATCH_NOTHING);
}

static void test_a_file_that_is_gone(void **state)
{
	struct watch w = { .read = { .st_ino = 1, .st_size = 100 }, .found = { .st_ino = 1, .st_size = 100 } };

	(void)state;
	assert_int_equal(watch_saw(&w, ENOENT, NULL), WATCH_NOTHING); /* between unlink() and rename() */
	assert_int_equal(saw(&w, 1, 100), WATCH_NOTHING);
	for (int again = 0; again < 2; again++) {
		int said = 0;

		for (int i = 0; i < 100; i++)
			said += watch_saw(&w, EACCES, NULL) == WATCH_GONE;
		assert_int_equal(said, 1);
		assert_int_equal(saw(&w, 3, 10 + again), WATCH_NOTHING);
		assert_int_equal(saw(&w, 3, 10 + again), WATCH_CHANGED);
	}
}

static void test_what_stat_says(void **state)
{
	char path[] = "/tmp/ldms-watch-XXXXXX";
	int fd = mkstemp(path), said = 0;
	struct err err = { "" };
	struct watch w;

	(void)state;
	watch_init(&w, path);
	assert_int_equal(watch_look(&w, &err), WATCH_NOTHING);
	assert_int_equal(write(fd, "daemons:\n", 9), 9);
	assert_int_equal(watch_look(&w, &err), WATCH_NOTHING);
	assert_int_equal(watch_look(&w, &err), WATCH_CHANGED);
	close(fd);
	unlink(path);
	for (int i = 0; i < 100 && !said; i++)
		said = watch_look(&w, &err) == WATCH_GONE;
	assert_true(said);
	assert_non_null(strstr(err.msg, path));
	assert_non_null(strstr(err.msg, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_a_file),
		cmocka_unit_test(test_a_file_that_is_gone),
		cmocka_unit_test(test_what_stat_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
