/* prdcr_outage.c - what is said of many producers */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/base/xalloc.h"
#include "core/daemon/prdcr_outage.h"

#define MANY 4900

static char names[MANY][8];
static struct prdcr_look looks[MANY];

/* All connected. */
static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		looks[i] = (struct prdcr_look){ .name = names[i], .state = PRDCR_CONNECTED };
	}
	return 0;
}

static void away(int from, int to, enum xprt_fail how)
{
	for (int i = from; i <= to; i++)
		looks[i] = (struct prdcr_look){ names[i], PRDCR_DISCONNECTED, how, true };
}

static void is_said(size_t n, const char *want, unsigned int want_away)
{
	struct buf b = { 0 };
	unsigned int gone;

	prdcr_outage_words(looks, n, &b, &gone);
	assert_string_equal(buf_str(&b), want);
	assert_int_equal(gone, want_away);
	buf_fini(&b);
}

static void test_words(void **state)
{
	(void)state;
	is_said(0, "", 0);
	is_said(1, "all 1 producers connected", 0);
	is_said(MANY, "all 4,900 producers connected", 0);
	away(17, 52, XPRT_REFUSED);
	away(60, 60, XPRT_REFUSED);
	is_said(MANY, "37 of 4,900 producers unreachable: n[17-52,60] (connection refused)", 37);
	away(52, 52, XPRT_RESOLVE);
	is_said(MANY,
		"1 of 4,900 producers unreachable: n52 (the name does not resolve)\n"
		"36 of 4,900 producers unreachable: n[17-51,60] (connection refused)",
		37);
	setup(NULL);
	looks[3].state = PRDCR_CONNECTING;
	looks[4].state = PRDCR_STOPPED;
	is_said(1000, "998 of 999 producers connected", 1);
	looks[3].state = PRDCR_STOPPED;
	is_said(5, "all 3 producers connected", 0);
	for (int i = 0; i < 1000; i++)
		looks[i].state = PRDCR_STOPPED;
	is_said(1000, "all 1,000 producers stopped", 0);
}

static void test_long(void **state)
{
	struct buf b = { 0 };
	unsigned int gone;

	(void)state;
	for (int i = 0; i < MANY; i += 2)
		away(i, i, XPRT_TIMEOUT);
	prdcr_outage_words(looks, MANY, &b, &gone);
	assert_int_equal(gone, MANY / 2);
	assert_non_null(strstr(buf_str(&b), "2,450 of 4,900 producers unreachable: n[0,2,4,"));
	assert_non_null(strstr(buf_str(&b), "(no answer in time)"));
	assert_true(b.len < 1500);
	buf_fini(&b);
}

static void test_first_are_said(void **state)
{
	struct daemon d = { .name = NULL };
	struct prdcr_outage *o;
	int bad = 0, good = 0;

	(void)state;
	d.main = loop_new("main", NULL);
	o = prdcr_outage_new(&d);
	for (int i = 0; i < 1000; i++)
		bad += prdcr_outage_says(o, true);
	for (int i = 0; i < 1000; i++)
		good += prdcr_outage_says(o, false);
	assert_in_range(bad, 1, 10);
	assert_in_range(good, 1, 50);
	assert_true(prdcr_outage_says(NULL, true));
	loop_free(d.main); /* with a job and a timer that nobody waited for */
	prdcr_outage_free(o);
	prdcr_outage_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_words, setup),
		cmocka_unit_test_setup(test_long, setup),
		cmocka_unit_test(test_first_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
