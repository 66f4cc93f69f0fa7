/* The last sample of sets that went. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/daemon/prdlast.h"
#include "core/set/pool.h"
#include "core/set/schema.h"

static struct set *set_of(struct pool *pool, const char *name, bool sampled)
{
	struct schema *schema = schema_new("s", NULL);
	struct set *s = NULL;

	assert_true(schema_add(schema, "m", V_U64, "", NULL) >= 0);
	assert_int_equal(set_new(pool, schema, name, "p", 0, 0, 0777, &s, NULL), 0);
	schema_free(schema);
	if (sampled) {
		set_begin(s);
		set_end(s);
	}
	return s;
}

static void test_last(void **state)
{
	struct pool *pool = pool_new(8 << 20);
	struct set *a = set_of(pool, "a", true), *b = set_of(pool, "b", true), *never = set_of(pool, "n", false);
	struct prdlast *l = prdlast_new();
	struct set_stat sa, sb;

	(void)state;
	set_stat(a, &sa);
	set_stat(b, &sb);
	assert_false(prdlast_is(l, "a", sa.ts_sec, sa.ts_usec)); /* it never went */
	prdlast_keep(l, a);
	prdlast_keep(l, a);
	prdlast_keep(l, b);
	prdlast_keep(l, never);
	assert_false(prdlast_is(l, "n", 0, 0));
	assert_true(prdlast_is(l, "a", sa.ts_sec, sa.ts_usec));
	assert_false(prdlast_is(l, "a", sa.ts_sec, sa.ts_usec)); /* once */
	assert_false(prdlast_is(l, "b", sb.ts_sec, sb.ts_usec + 1));
	assert_false(prdlast_is(l, "b", sb.ts_sec, sb.ts_usec)); /* another sample came */
	prdlast_keep(l, a);
	prdlast_free(l);
	set_put(a);
	set_put(b);
	set_put(never);
	pool_free(pool);
}

/* Sets whose names are new ones each time. */
static void test_no_end(void **state)
{
	struct pool *pool = pool_new(64 << 20);
	struct prdlast *l = prdlast_new();
	struct set_stat st;
	char name[32];

	(void)state;
	for (unsigned int i = 0; i < 70000; i++) {
		struct set *s;

		snprintf(name, sizeof(name), "s%u", i);
		s = set_of(pool, name, true);
		set_stat(s, &st);
		prdlast_keep(l, s);
		set_put(s);
	}
	assert_true(prdlast_is(l, name, st.ts_sec, st.ts_usec));
	assert_false(prdlast_is(l, "s0", st.ts_sec, st.ts_usec));
	prdlast_free(l);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_last), cmocka_unit_test(test_no_end) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
