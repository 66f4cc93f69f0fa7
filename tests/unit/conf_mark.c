/* Keys, and which command came first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/ctl/conf_impl.h"

static void test_first_stays(void **state)
{
	struct cmd one = { 0 }, two = { 0 };
	struct mark *set = NULL;

	(void)state;
	assert_null(mark_find(set, "producer a"));
	assert_null(mark_add(&set, "producer a", &one));
	assert_null(mark_add(&set, "producer b", &two));
	assert_ptr_equal(mark_add(&set, "producer a", &two)->by, &one);
	assert_ptr_equal(mark_find(set, "producer a")->by, &one);
	marks_free(&set);
	assert_null(set);
}

static void test_del(void **state)
{
	struct cmd one = { 0 }, two = { 0 };
	struct mark *set = NULL;

	(void)state;
	mark_del(&set, "a");
	mark_add(&set, "a", &one);
	mark_add(&set, "", NULL);
	mark_del(&set, "a");
	mark_del(&set, "a");
	assert_null(mark_find(set, "a"));
	assert_null(mark_find(set, "")->by);
	assert_null(mark_add(&set, "a", &two));
	assert_ptr_equal(mark_find(set, "a")->by, &two);
	marks_free(&set);
	marks_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_stays),
		cmocka_unit_test(test_del),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
