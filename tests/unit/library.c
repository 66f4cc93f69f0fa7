/* library.c - libraries that are there, are not, and lack something */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "core/base/library.h"

static struct {
	double (*cos)(double);
	double (*sqrt)(double);
} table;

static struct library of(const char *const *files, const char *const *functions)
{
	return (struct library){
		.files = files,
		.functions = functions,
		.table = &table,
		.package = "mathematics",
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
}

static void test_there(void **state)
{
	const char *const files[] = { "libno-such-thing.so", "libm.so.6", NULL }, *const functions[] = { "cos", "sqrt",
													 NULL };
	struct library lib = of(files, functions);
	struct err err = { "" };

#ifdef LDMS_STATIC
	skip();
#endif
	if (library_get(&lib, &err))
		fail_msg("%s", err.msg);
	assert_int_equal((int)table.sqrt(49), 7);
	assert_int_equal((int)table.cos(0), 1);
	assert_int_equal(library_get(&lib, &err), 0);
}

static int refuse(void)
{
	return 1;
}

static void test_not_there(void **state)
{
	const char *const none[] = { "libno-such-thing.so", NULL }, *const files[] = { "libm.so.6", NULL };
	const char *const functions[] = { "cos", "no_such_function", NULL }, *const few[] = { "cos", NULL };
	struct library lib = of(none, functions);
	struct err err = { "" };

#ifdef LDMS_STATIC
	skip();
#endif
	assert_int_equal(library_get(&lib, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "libno-such-thing.so is not there: "));
	assert_non_null(strstr(err.msg, "; install the package of mathematics"));
	lib = of(files, functions);
	assert_int_equal(library_get(&lib, &err), -ENOSYS);
	assert_non_null(strstr(err.msg, "libm.so.6 is of another kind: "));
	assert_non_null(strstr(err.msg, "no_such_function"));
	lib = of(files, few);
	lib.begin = refuse;
	assert_int_equal(library_get(&lib, &err), -ENOSYS);
	lib.begin = NULL; /* what failed once may do later */
	assert_int_equal(library_get(&lib, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
