/* decomp_allocs.c - decompositions ask for no memory, once they have met the sets */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/log.h"
#include "decomp_rig.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(LDMS_STATIC) || !defined(__GLIBC__)
#define COUNTS 0 /* others stand in malloc()'s place */
static unsigned long allocs;
#else
#define COUNTS 1
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static unsigned long allocs;

void *malloc(size_t size)
{
	allocs++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	allocs++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	allocs++;
	return __libc_realloc(p, size);
}
#endif

#define SETS 4

static int take(const struct row *row, void *arg)
{
	(*(unsigned int *)arg)++;
	return 0;
}

static void test_steady_state(void **state)
{
	static const struct metric_def members[] = { { "name", V_CHAR_ARRAY, NULL, METRIC_INFO, NULL, 16 },
						     { "x", V_U64, NULL, METRIC_COUNTER, NULL, 1 } };
	struct decomp *d = decomp_of(
		"{\"type\":\"flex\",\"decomposition\":{\"all\":{\"type\":\"as_is\"},\"ops\":{\"type\":\"static\","
		"\"rows\":["
		"{\"schema\":\"r\",\"cols\":[{\"src\":\"timestamp\",\"dst\":\"ts\"},{\"src\":\"instance\"},"
		"{\"src\":\"list[name]\",\"dst\":\"name\"},{\"src\":\"list[x]\",\"op\":\"diff\",\"dst\":\"diff\"},"
		"{\"src\":\"list[x]\",\"op\":\"mean\",\"dst\":\"mean\",\"type\":\"d64\"},{\"src\":\"a\",\"type\":"
		"\"u8\"}],"
		"\"group\":{\"limit\":5,\"index\":[\"instance\",\"name\"],\"order\":[\"ts\"],\"timeout\":\"1h\"}}]}},"
		"\"matches\":[{\"instance\":\"^n\",\"apply\":[\"all\",\"ops\"]}]}");
	struct schema *sc = schema_new("s", NULL);
	struct snap *sn[SETS][10];
	struct row_cut *c = NULL;
	struct set *s[SETS];
	unsigned long before = 0;
	unsigned int rows = 0;
	int rec, list;

	schema_add(sc, "a", V_U64, NULL, NULL);
	rec = schema_add_record(sc, "rec", members, 2, NULL);
	list = schema_add_list(sc, "list", NULL, (uint32_t)schema_record_heap(sc, rec, 3), NULL);
	for (unsigned int i = 0; i < SETS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u/s", i);
		if (set_new(pool, sc, name, "n", 0, 0, 0777, &s[i], NULL))
			fail();
		for (unsigned int t = 0; t < 10; t++) {
			set_begin(s[i]);
			list_clear(s[i], list);
			for (unsigned int k = 0; k < 3; k++) {
				struct record *r = list_append_record(s[i], list, rec);

				record_text(s[i], r, 0, &"abc"[k], 1);
				record_u64(s[i], r, 1, t * k);
			}
			set_end(s[i]);
			sn[i][t] = snap_at(s[i], 100 + t, 0);
		}
	}
	c = decomp_cut_new(d, &sn[0][0]->im);
	for (unsigned int t = 0; t < 10; t++) {
		if (t == 6) /* all groups are full */
			before = allocs;
		for (unsigned int i = 0; i < SETS; i++)
			assert_int_equal(row_cut_each(c, sn[i][t], take, &rows), 0);
	}
	assert_int_equal(allocs, before);
	assert_true(!COUNTS || allocs);
	assert_int_equal(rows, 10 * SETS * 6);
	row_cut_free(c);
	for (unsigned int i = 0; i < SETS; i++) {
		for (unsigned int t = 0; t < 10; t++)
			snap_put(sn[i][t]);
		set_put(s[i]);
	}
	schema_free(sc);
	decomp_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_steady_state) };

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
