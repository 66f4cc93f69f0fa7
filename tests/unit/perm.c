/* perm.c - who may read and write, and "-rwxr-x---" */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <grp.h>
#include <pwd.h>

#include "core/base/groups.h"
#include "core/set/perm.h"

#define NOBODY_UID 3999999999u /* in no user database */
#define NO_GID     3999999998u

static void test_allows(void **state)
{
	static const struct {
		uint32_t uid, gid, want, owner_uid, owner_gid, perm;
		bool yes;
	} rows[] = {
		{ 0, 0, PERM_READ, 1, 1, 0, true }, /* root may */
		{ 7, 7, PERM_READ, 1, 1, 0444, true },
		{ 7, 7, PERM_READ, 1, 1, 0440, false },
		{ 7, 7, PERM_WRITE, 1, 1, 0444, false },
		{ 7, 7, PERM_WRITE, 1, 1, 0002, true },
		{ 1, 7, PERM_READ, 1, 2, 0400, true },
		{ 1, 7, PERM_READ, 1, 2, 0200, false },
		{ 1, 7, PERM_WRITE, 1, 2, 0200, true },
		{ 7, 2, PERM_READ, 1, 2, 0040, true },
		{ 7, 2, PERM_READ, 1, 2, 0400, false },
		{ 7, 2, PERM_WRITE, 1, 2, 0020, true },
		{ 1, 2, PERM_READ, 1, 2, 0111, false }, /* x is not r */
		{ NOBODY_UID, 7, PERM_READ, 1, NO_GID, 0440, false },
		{ UINT32_MAX, UINT32_MAX, PERM_READ, 1, 2, 0440, false }, /* who has not said who it is */
		{ UINT32_MAX, UINT32_MAX, PERM_READ, 1, 2, 0444, true },
	};

	for (int again = 0; again < 2; again++, groups_need(NULL, NULL, NOBODY_UID, NULL)) /* not known, then known */
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			if (perm_allows(rows[i].uid, rows[i].gid, rows[i].want, rows[i].owner_uid, rows[i].owner_gid,
					rows[i].perm) != rows[i].yes)
				fail_msg("row %zu", i);
}

/* A user of this machine is in a group that is not the one it came with. */
static void test_member(void **state)
{
	struct group *g;
	struct passwd *pw;
	bool found = false;

	setgrent();
	while (!found && (g = getgrent()))
		for (char **m = g->gr_mem; *m && !found; m++) {
			pw = getpwnam(*m);
			if (!pw || !pw->pw_uid)
				continue;
			found = true;
			assert_false(
				perm_allows(pw->pw_uid, NO_GID, PERM_READ, 0, g->gr_gid, 0440)); /* not known yet */
			assert_true(groups_need(NULL, NULL, pw->pw_uid, NULL));
			assert_true(perm_allows(pw->pw_uid, NO_GID, PERM_READ, 0, g->gr_gid, 0440));
			assert_false(perm_allows(pw->pw_uid, NO_GID, PERM_READ, 0, NO_GID - 1, 0440));
		}
	endgrent();
	pw = found ? NULL : getpwuid(1); /* at least the group of its own entry */
	if (pw && groups_need(NULL, NULL, 1, NULL))
		assert_true(perm_allows(pw->pw_uid, NO_GID, PERM_READ, 0, pw->pw_gid, 0440));
}

static void test_text(void **state)
{
	char out[11];

	perm_text(0777, out);
	assert_string_equal(out, "-rwxrwxrwx");
	perm_text(0440, out);
	assert_string_equal(out, "-r--r-----");
	perm_text(0, out);
	assert_string_equal(out, "----------");
	perm_text(0107621, out);
	assert_string_equal(out, "-rw--w---x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_member),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
