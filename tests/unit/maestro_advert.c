/* Producers that come by advertisement: each is to run at one aggregator. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/maestro/advert.h"

#define AGGS_MAX 3

/* What an aggregator has: a character for each producer a, b, c ...: C connected, S standby, D disconnected (it runs, and
 * its daemon is not there), O stopped, - not known to it. */
static void take(struct advert **all, const char *has)
{
	static const struct {
		char c;
		const char *state;
	} states[] = { { 'C', "CONNECTED" }, { 'S', "STANDBY" }, { 'D', "DISCONNECTED" }, { 'O', "STOPPED" } };
	struct err err = { "" };
	struct buf b = { 0 };

	buf_addf(&b, "[{\"name\":\"fixed\",\"type\":\"active\",\"state\":\"CONNECTED\"}");
	for (size_t i = 0; has[i]; i++)
		for (size_t k = 0; k < sizeof(states) / sizeof(*states); k++)
			if (states[k].c == has[i])
				buf_addf(&b, ",{\"name\":\"%c\",\"type\":\"advertised, passive\",\"state\":\"%s\"}",
					 (char)('a' + i), states[k].state);
	buf_addf(&b, "]");
	assert_int_equal(adverts_take(all, buf_str(&b), &err), 0);
	buf_fini(&b);
}

static void on_settled(void *arg, size_t agg, const char *name, bool start)
{
	buf_addf(arg, "%s%c%zu%s", ((struct buf *)arg)->len ? " " : "", start ? '+' : '-', agg, name);
}

static const struct row {
	const char *what;
	const char *before[AGGS_MAX], *has[AGGS_MAX]; /* NULL: there is none such */
	size_t others[AGGS_MAX];
	bool deaf[AGGS_MAX]; /* cannot be told */
	bool sticky;
	const char *does, *then; /* and at the next call */
} rows[] = {
	{ .what = "each was started everywhere", .has = { "CCCC", "CCCC" }, .does = "-1a -0b -1c -0d", .then = "" },
	{ .what = "nobody was started", .has = { "SSS", "SSS" }, .does = "+0a +1b +0c", .then = "" },
	{ .what = "all is well", .has = { "CCSS", "SSCC" }, .does = "", .then = "" },
	{ .what = "others count, too", .has = { "SS", "SS" }, .others = { 3, 0 }, .does = "+1a +1b", .then = "" },
	{ .what = "one is dead", .has = { "CCSS" }, .does = "+0c +0d", .then = "" },
	{ .what = "it is back", .has = { "CCCC", "SSSS" }, .does = "-0a -0b", .then = "+1a +1b" },
	{ .what = "... and took all of them", .has = { "CCCC", "CCCC" }, .does = "-1a -0b -1c -0d", .then = "" },
	{ .what = "sticky: it is back", .has = { "CCCC", "SSSS" }, .sticky = true, .does = "", .then = "" },
	{ .what = "sticky: ... and took all of them",
	  .before = { "CCCC", "" },
	  .has = { "CCCC", "CCCC" },
	  .sticky = true,
	  .does = "-1a -1b -1c -1d",
	  .then = "" },
	{ .what = "only where it is connected", .has = { "D", "C" }, .does = "-0a", .then = "" },
	{ .what = "it may come back", .before = { "C", "S" }, .has = { "D", "S" }, .does = "", .then = "" },
	{ .what = "it does not come back", .before = { "D", "S" }, .has = { "D", "S" }, .does = "-0a +1a", .then = "" },
	{ .what = "it is nowhere", .before = { "D", "O" }, .has = { "D", "O" }, .does = "", .then = "" },
	{ .what = "who cannot be told keeps what it has",
	  .has = { "CC", "SS" },
	  .deaf = { true },
	  .does = "",
	  .then = "" },
	{ .what = "... and gets nothing", .has = { "SS", "SS" }, .deaf = { true }, .does = "+1a +1b", .then = "" },
	{ .what = "three",
	  .has = { "CCCCCC", "SSSSSS", "SSSSSS" },
	  .does = "-0a -0b -0c -0d",
	  .then = "+1a +2b +1c +2d" },
	{ .what = "one that not all know", .has = { "-S", "S-" }, .does = "+0b +1a", .then = "" },
};

static void test_each_runs_once(void **state)
{
	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		const struct row *t = &rows[r];
		struct advert_agg aggs[AGGS_MAX] = { 0 };
		struct buf does = { 0 }, then = { 0 };
		size_t n = 0;

		for (; n < AGGS_MAX && t->has[n]; n++) {
			if (t->before[n])
				take(&aggs[n].all, t->before[n]);
			take(&aggs[n].all, t->has[n]);
			aggs[n].others = t->others[n];
			aggs[n].told = !t->deaf[n];
		}
		adverts_settle(aggs, n, !t->sticky, on_settled, &does);
		adverts_settle(aggs, n, !t->sticky, on_settled, &then);
		if (strcmp(buf_str(&does), t->does) || strcmp(buf_str(&then), t->then))
			fail_msg("%s: %s; then %s", t->what, buf_str(&does), buf_str(&then));
		for (size_t i = 0; i < n; i++)
			adverts_free(&aggs[i].all);
		buf_fini(&does);
		buf_fini(&then);
	}
}

/* An ldmsd shows what it was told only later; who never does is told again. */
static void test_a_start_that_does_not_show(void **state)
{
	struct advert_agg aggs[] = { { .told = true }, { .told = true } };
	struct buf does = { 0 };

	(void)state;
	for (int i = 0; i < 6; i++) {
		take(&aggs[0].all, "S");
		take(&aggs[1].all, "S");
		adverts_settle(aggs, 2, true, on_settled, &does);
	}
	assert_string_equal(buf_str(&does), "+0a +0a");
	adverts_free(&aggs[0].all);
	adverts_free(&aggs[1].all);
	buf_fini(&does);
}

static void test_answers_of_no_use(void **state)
{
	static const char *const none[] = { "", "{}", "[", "x" };
	struct err err = { "" };
	struct advert *all = NULL;

	(void)state;
	take(&all, "C");
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_true(adverts_take(&all, none[i], &err) < 0);
	assert_non_null(adverts_find(all, "a")); /* what was known still is */
	assert_int_equal(
		adverts_take(
			&all,
			"[1,null,{},{\"name\":\"a b\",\"type\":\"advertised\"},{\"name\":1,\"type\":\"advertised\"},"
			"{\"name\":\"\",\"type\":\"advertised\"},{\"name\":\"x\"},{\"name\":\"y\",\"type\":"
			"\"advertised\"},"
			"{\"name\":\"y\",\"type\":\"advertised\"}]",
			&err),
		0);
	assert_int_equal(HASH_COUNT(all), 1);
	adverts_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_runs_once),
		cmocka_unit_test(test_a_start_that_does_not_show),
		cmocka_unit_test(test_answers_of_no_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
