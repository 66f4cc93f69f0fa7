/* names.c - looking names up in the order of a file, numbers behind known words, and lists of names */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "plugins/namelist.h"
#include "plugins/names.h"
#include "plugins/scalars.h"

static int find(struct names *nm, const char *name)
{
	char text[64] = { 0 };

	strcpy(text, name);
	return names_find(nm, text, strlen(name));
}

static void check_order(struct names *nm, const char *const *order)
{
	static const char *const all[] = { "lo", "eth0", "eth1", "a_long_name_of_a_disk" };

	for (int twice = 0; twice < 2; twice++) {
		names_rewind(nm);
		for (size_t i = 0; order[i]; i++) {
			int want = -1;

			for (int k = 0; k < 4; k++)
				want = strcmp(order[i], all[k]) ? want : k;
			if (twice && want >= 0 && i) /* by now it is expected */
				assert_int_equal(nm->next, want);
			assert_int_equal(find(nm, order[i]), want);
		}
	}
}

static void test_orders(void **state)
{
	struct names nm = { 0 };
	size_t len;

	names_rewind(&nm);
	assert_int_equal(find(&nm, "lo"), -1);
	assert_int_equal(names_add(&nm, "lo", 2), 0);
	assert_int_equal(names_add(&nm, "eth0", 4), 1);
	assert_int_equal(names_add(&nm, "eth1", 4), 2);
	assert_int_equal(names_add(&nm, "a_long_name_of_a_disk", 21), 3);
	assert_memory_equal(names_text(&nm, 3, &len), "a_long_name_of_a_disk", 21);
	assert_int_equal(len, 21);

	check_order(&nm, (const char *const[]){ "lo", "eth0", "eth1", "a_long_name_of_a_disk", NULL });
	check_order(&nm, (const char *const[]){ "a_long_name_of_a_disk", "eth1", "eth0", "lo", NULL });
	check_order(&nm, (const char *const[]){ "eth1", "lo", NULL });
	check_order(&nm, (const char *const[]){ "eth0", NULL });
	names_rewind(&nm);
	for (int i = 0; i < 3; i++) { /* what is not known changes nothing */
		assert_int_equal(find(&nm, "eth"), -1);
		assert_int_equal(find(&nm, "eth00"), -1);
		assert_int_equal(find(&nm, "eth0"), 1);
		assert_int_equal(find(&nm, "a_long_name_of_a_disl"), -1);
	}
	names_clear(&nm);
	assert_int_equal(find(&nm, "eth0"), -1);
	assert_int_equal(names_add(&nm, "eth0", 4), 0);
	assert_int_equal(find(&nm, "eth0"), 0);
	names_fini(&nm);
}

static void test_scalars(void **state)
{
	uint64_t v[3] = { 0 };
	struct scalar words[3];
	char text[256] = "x 9\na 1\nab: 2 3\nc 18446744073709551615\n";

	scalar_set(&words[0], "a ", &v[0]);
	scalar_set(&words[1], "ab:", &v[1]);
	scalar_set(&words[2], "c ", &v[2]);
	scalars_scan(words, 3, text);
	assert_int_equal(le64toh(v[0]), 1);
	assert_int_equal(le64toh(v[1]), 2);
	assert_int_equal(le64toh(v[2]), UINT64_MAX);
	memset(text, 0, sizeof(text));
	strcpy(text, "c 5\nab 7\nabc 8\na");
	scalars_scan(words, 3, text);
	assert_int_equal(le64toh(v[0]), 1);
	assert_int_equal(le64toh(v[1]), 2);
	assert_int_equal(le64toh(v[2]), 5);
	memset(text, 0, sizeof(text));
	scalars_scan(words, 3, text);
	scalars_scan(words, 0, "a 1\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	assert_int_equal(le64toh(v[0]), 1);
}

static void test_namelist(void **state)
{
	const char *list = ",lo,,eth0,", *name;

	assert_int_equal(namelist_next(&list, &name), 2);
	assert_memory_equal(name, "lo", 2);
	assert_int_equal(namelist_next(&list, &name), 4);
	assert_memory_equal(name, "eth0", 4);
	assert_int_equal(namelist_next(&list, &name), 0);
	assert_int_equal(namelist_next(&list, &name), 0);
	assert_true(namelist_has("lo,eth0", "eth0", 4));
	assert_true(namelist_has("lo,eth0", "lo", 2));
	assert_false(namelist_has("lo,eth0", "eth", 3));
	assert_false(namelist_has("lo,eth0", "eth01", 5));
	assert_false(namelist_has("", "lo", 2));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_namelist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
