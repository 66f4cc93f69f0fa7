/* user.c - finding users, and becoming them */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>

#include "core/base/caps.h"
#include "core/base/user.h"
#include "in_child.h"

#define NOT_IN_THE_DATABASE "3987654"

static void test_find(void **state)
{
	struct user u;

	(void)state;
	assert_int_equal(user_find("root", &u, NULL), 0);
	assert_string_equal(u.name, "root");
	assert_int_equal(u.uid, 0);
	assert_int_equal(u.gid, 0);
	user_fini(&u);
	assert_int_equal(user_find("0", &u, NULL), 0);
	assert_string_equal(u.name, "root");
	user_fini(&u);
	assert_int_equal(user_find("root:12", &u, NULL), 0);
	assert_int_equal(u.uid, 0);
	assert_int_equal(u.gid, 12);
	user_fini(&u);
	assert_int_equal(user_find(NOT_IN_THE_DATABASE ":root", &u, NULL), 0);
	assert_string_equal(u.name, NOT_IN_THE_DATABASE);
	assert_int_equal(u.uid, 3987654);
	assert_int_equal(u.gid, 0);
	assert_int_equal(u.n_groups, 1);
	assert_int_equal(u.groups[0], 0);
	user_fini(&u);
}

static void test_not_found(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "no-such-user", "no user 'no-such-user'; make it (useradd" },
		{ "", "no user ''" },
		{ ":root", "no user ''" },
		{ "root:no-such-group", "no group 'no-such-group'" },
		{ "root:", "no group ''" },
		{ NOT_IN_THE_DATABASE, "say its group, too: " NOT_IN_THE_DATABASE ":GROUP" },
		{ "4294967295:0", "no user '4294967295'" }, /* what the kernel takes for "unchanged" */
		{ "0:4294967295", "no group '4294967295'" },
		{ "99999999999999999999:0", "no user '9999" },
		{ "12x:0", "no user '12x'" },
		{ "-1:0", "no user '-1'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct user u = { .uid = 4711 };
		struct err err = { "" };

		assert_int_equal(user_find(rows[i].text, &u, &err), -ENOENT);
		if (!strstr(err.msg, rows[i].words))
			fail_msg("%s: %s", rows[i].text, err.msg);
		assert_int_equal(u.uid, 4711);
	}
}

/* With all rights to lose. */
static int become(const void *arg)
{
	const uint64_t *keep = arg;
	gid_t groups[] = { 3987654, 3987655 };
	struct user u = { .name = "u", .uid = 3987654, .gid = 3987654, .groups = groups, .n_groups = 2 };
	struct user_saved saved;
	uid_t ids[3];

	WANT(!user_try(&u, &saved, NULL));
	WANT(geteuid() == u.uid && getegid() == u.gid && getgroups(0, NULL) == 2);
	user_back(&saved);
	WANT(!geteuid() && !getegid() && caps_effective() == caps_bounding());
	WANT(!user_become(&u, *keep, NULL));
	WANT(!getresuid(&ids[0], &ids[1], &ids[2]));
	WANT(ids[0] == u.uid && ids[1] == u.uid && ids[2] == u.uid);
	WANT(!getresgid(&ids[0], &ids[1], &ids[2]));
	WANT(ids[0] == u.gid && ids[1] == u.gid && ids[2] == u.gid);
	WANT(getgroups(0, NULL) == 2);
	WANT(caps_effective() == *keep && caps_permitted() == *keep && !caps_bounding());
	WANT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	WANT(setuid(0) < 0 && seteuid(0) < 0 && setgroups(0, NULL) < 0);
	/* once more is no harm, and gives nothing back */
	WANT(!user_become(&u, UINT64_MAX, NULL) && caps_effective() == *keep);
	u.uid++;
	WANT(user_become(&u, 0, NULL) == -EPERM && user_try(&u, &saved, NULL) == -EPERM);
	return 0;
}

static void test_become(void **state)
{
	uint64_t none = 0, some = 1ull << CAP_SYS_RAWIO | 1ull << CAP_DAC_READ_SEARCH;

	(void)state;
	if (geteuid() || (caps_permitted() & some) != some || caps_effective() != caps_bounding())
		skip(); /* only root has rights to give up */
	assert_int_equal(in_child(become, &none), 0);
	assert_int_equal(in_child(become, &some), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_become),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
