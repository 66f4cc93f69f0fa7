/* Samples that did not come: what is counted between those that did, across the end and return of a set, and clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdcr_impl.h"

#define I    (250 * MSEC_US)
#define HOUR (3600 * SEC_US)

static const int64_t t0 = 1700000000 * SEC_US; /* a slot */
static const int64_t up = 5000 * SEC_US;       /* the monotonic clock then */

struct step {
	int64_t slot; /* since t0 */
	int64_t late_us;
	int64_t clock_us; /* that its side's clock is ahead */
	uint32_t missed;
};

static void walk(const struct step *s, size_t n, int64_t offset_us)
{
	struct prdgap g = { 0 };
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t at = s[i].slot * I + offset_us + s[i].late_us;

		assert_int_equal(prdgap_next(&g, I, offset_us, t0 + at + s[i].clock_us, up + at), s[i].missed);
		sum += s[i].missed;
		assert_int_equal(g.missed, sum);
	}
}
#define WALK(offset, ...)                                                                                              \
	do {                                                                                                           \
		const struct step s[] = { __VA_ARGS__ };                                                               \
		walk(s, sizeof(s) / sizeof(*s), offset);                                                               \
	} while (0)

static void test_slots(void **state)
{
	(void)state;
	WALK(0, { 0, 0, 0, 0 }, { 1, 0, 0, 0 }, { 2, 0, 0, 0 }, { 5, 0, 0, 2 }, { 6, 0, 0, 0 }, { 8, 0, 0, 1 });
	WALK(100 * MSEC_US, { 0, 0, 0, 0 }, { 3, 0, 0, 2 }, { 4, 0, 0, 0 });
	WALK(-100 * MSEC_US, { 0, 0, 0, 0 }, { 3, 0, 0, 2 }, { 4, 0, 0, 0 });
}

/* Late ones are in their slot until the next one begins. */
static void test_late(void **state)
{
	(void)state;
	WALK(0, { 0, 240 * MSEC_US, 0, 0 }, { 1, 0, 0, 0 }, { 2, 249 * MSEC_US, 0, 0 }, { 3, 0, 0, 0 },
	     { 5, 200 * MSEC_US, 0, 1 });
	/* ... and take their successor's then: that is no sample too many for ever */
	WALK(0, { 0, 0, 0, 0 }, { 1, 260 * MSEC_US, 0, 1 }, { 2, 20 * MSEC_US, 0, 0 }, { 3, 0, 0, 0 }, { 5, 0, 0, 0 },
	     { 7, 0, 0, 1 });
	WALK(0, { 0, 0, 0, 0 }, { 0, 10 * MSEC_US, 0, 0 }, { 0, 20 * MSEC_US, 0, 0 }, { 3, 0, 0, 1 }, { 5, 0, 0, 1 });
}

static void test_clocks(void **state)
{
	(void)state;
	WALK(0, { 0, 0, 0, 0 }, { 1, 0, HOUR, 0 }, { 2, 0, HOUR, 0 }, { 4, 0, HOUR, 1 }, { 5, 0, -HOUR, 0 },
	     { 7, 0, -HOUR, 1 }, { 8, 0, 0, 0 });
	/* a step while samples are missing: as many as there was time for */
	WALK(0, { 0, 0, 0, 0 }, { 9, 0, HOUR, 8 }, { 12, 0, -HOUR, 2 });
	/* a little back */
	WALK(0, { 0, 0, 0, 0 }, { 1, 0, -400 * MSEC_US, 0 }, { 2, 0, -400 * MSEC_US, 0 });
}

/* Who was held up and then comes at once is not ahead of time. */
static void test_held_up(void **state)
{
	struct prdgap g = { 0 };

	(void)state;
	assert_int_equal(prdgap_next(&g, I, 0, t0, up + 10 * SEC_US), 0);
	assert_int_equal(prdgap_next(&g, I, 0, t0 + 10 * SEC_US, up + 10 * SEC_US + 1), 39);
}

/* Between two schedules nothing is known. */
static void test_other_schedule(void **state)
{
	struct prdgap g = { 0 };

	(void)state;
	assert_int_equal(prdgap_next(&g, SEC_US, 0, t0, up), 0);
	assert_int_equal(prdgap_next(&g, I, 0, t0 + 3 * SEC_US, up + 3 * SEC_US), 0);
	assert_int_equal(prdgap_next(&g, I, 0, t0 + 4 * SEC_US, up + 4 * SEC_US), 3);
}

static struct prdset *come(struct prdcr *p, const char *name)
{
	struct prdset *ps = xcalloc(1, sizeof(*ps) + strlen(name) + 1);

	ps->prdcr = p;
	strcpy(ps->name, name);
	p->stats.sets++;
	prdgap_recall(ps);
	return ps;
}

static void go(struct prdset *ps)
{
	ps->prdcr->stats.sets--;
	prdgap_keep(ps);
	free(ps);
}

static void test_sets_that_come_back(void **state)
{
	struct prdcr p = { 0 };
	struct prdset *a = come(&p, "a"), *b = come(&p, "b");

	(void)state;
	prdgap_next(&a->gap, I, 0, t0, up);
	prdgap_next(&a->gap, I, 0, t0 + 3 * I, up + 3 * I);
	go(a);
	go(b); /* never had a sample */
	assert_int_equal(HASH_COUNT(p.gone), 1);
	a = come(&p, "a");
	assert_null(p.gone);
	assert_int_equal(prdgap_next(&a->gap, I, 0, t0 + 10 * I, up + 10 * I), 6);
	assert_int_equal(a->gap.missed, 8);
	go(a);
	prdgap_forget(&p);
	a = come(&p, "a");
	assert_int_equal(prdgap_next(&a->gap, I, 0, t0 + 20 * I, up + 20 * I), 0);
	assert_int_equal(a->gap.missed, 0);
	go(a);
	prdgap_forget(&p);
}

/* Names that never come again do not pile up: the oldest make room. */
static void test_names_without_end(void **state)
{
	struct prdcr p = { 0 };
	struct prdset *ps;
	char name[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "job%d", i);
		ps = come(&p, name);
		prdgap_next(&ps->gap, I, 0, t0, up);
		go(ps);
	}
	assert_in_range(HASH_COUNT(p.gone), 1, 100);
	ps = come(&p, "job999");
	assert_int_equal(ps->gap.end_us, t0 + I);
	free(ps);
	ps = come(&p, "job0");
	assert_int_equal(ps->gap.end_us, 0);
	free(ps);
	prdgap_forget(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_other_schedule),
		cmocka_unit_test(test_sets_that_come_back),
		cmocka_unit_test(test_names_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
