/* ids.c - users and groups by name and by number */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/ids.h"

static void test_numbers_are_not_asked_for(void **state)
{
	uint32_t id = 7;

	(void)state;
	assert_int_equal(ids_user("4294967295", &id, NULL), 0);
	assert_int_equal(id, UINT32_MAX);
	assert_int_equal(ids_group("0x10", &id, NULL), 0);
	assert_int_equal(id, 16);
	assert_int_equal(ids_user("4294967296", &id, NULL), -EINVAL);
	assert_int_equal(ids_user("12x", &id, NULL), -EINVAL);
	assert_int_equal(id, 16); /* untouched */
}

/* What was learnt is what is asked for, found or not; users and groups are told apart. */
static void test_names_that_were_learnt(void **state)
{
	char longest[400];
	uint32_t id = 7;
	struct err err;

	(void)state;
	for (int i = 0; i < 20; i++) { /* more than there is room for */
		ids_learn(false, "root");
		ids_learn(true, "root");
		ids_learn(false, "nobody has this name");
	}
	assert_int_equal(ids_user("root", &id, NULL), 0);
	assert_int_equal(id, getpwnam("root")->pw_uid);
	assert_int_equal(ids_group("root", &id, NULL), 0);
	assert_int_equal(id, getgrnam("root")->gr_gid);
	assert_int_equal(ids_user("nobody has this name", &id, &err), -EINVAL);
	assert_string_equal(err.msg, "nobody has this name: there is no such user here; use its number");
	assert_int_equal(ids_group("nobody has this name", &id, &err), -EINVAL);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ids_learn(false, longest);
	assert_int_equal(ids_user(longest, &id, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_not_asked_for),
		cmocka_unit_test(test_names_that_were_learnt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
