/* share.c - which aggregator runs which producer: nothing is lost or double whoever dies and comes back, only the dead
 * one's producers move, and a changed file moves as few as it can */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/xalloc.h"
#include "core/maestro/share.h"

#define AGGS_MAX 8

static void on_note(void *arg, const struct conf_note *n)
{
	(void)arg;
	if (!n->warning)
		fail_msg("%u:%u: %s", n->line, n->col, n->words);
}

/* Two groups: `prdcrs` samplers shared by `aggs` aggregators, which two more share. */
static struct plan *cluster(unsigned int prdcrs, unsigned int aggs, const char *words)
{
	struct plan *p = NULL;
	struct err err;
	char *text =
		xasprintf("daemons:\n"
			  "- {names: 's[1-%u]', hosts: 'n[1-%u]', endpoints: [{names: 's[1-%u]', ports: 411}]}\n"
			  "- {names: 'a[1-%u]', hosts: 'h[1-%u]', endpoints: [{names: 'a[1-%u]', ports: 411}]}\n"
			  "- {names: 't[1-2]', hosts: 'h[1-2]', endpoints: [{names: 't[1-2]', ports: 412}]}\n"
			  "aggregators:\n"
			  "- {daemons: 'a[1-%u]', %s peers: [{endpoints: 's[1-%u]', type: active, reconnect: 1s}]}\n"
			  "- {daemons: 't[1-2]', peers: [{endpoints: 'a[1-%u]', type: active, reconnect: 1s}]}\n",
			  prdcrs, prdcrs, prdcrs, aggs, aggs, aggs, aggs, words, prdcrs, aggs);

	assert_int_equal(plan_parse("test", text, strlen(text), on_note, NULL, &p, &err), 0);
	free(text);
	return p;
}

/* -- the first share ----------------------------------------------------------------------------------------------- */

static size_t load(const struct share *s, size_t group, uint32_t agg)
{
	size_t n = 0;

	for (size_t i = 0; i < s->groups[group].n; i++)
		n += s->groups[group].runs[i] == agg;
	return n;
}

static void test_blocks(void **state)
{
	struct plan *p = cluster(11, 3, "");
	struct share *s = share_new(p, NULL);

	(void)state;
	/* in the order of numbers, the first ones have one more: s1-s4, s5-s8, s9-s11 */
	assert_string_equal(p->groups[0].prdcrs[9].name, "s10");
	for (size_t i = 0; i < 11; i++)
		assert_int_equal(s->groups[0].runs[i], i < 4 ? 0 : i < 8 ? 1 : 2);
	assert_int_equal(p->groups[0].n_aggs, 3);
	assert_int_equal(p->daemons[p->groups[0].aggs[0]].level, 1);
	assert_int_equal(p->daemons[p->groups[1].aggs[0]].level, 2);
	share_free(s);
	plan_free(p);
}

static double heavy_first(void *arg, size_t group, size_t prdcr)
{
	(void)arg;
	(void)group;
	return prdcr ? 100 : 900;
}

static void test_by_bytes(void **state)
{
	struct plan *p = cluster(10, 2, "balance: bytes,");
	const struct share_weigh w = { heavy_first, NULL };
	struct share *s = share_new(p, &w);

	(void)state;
	assert_int_equal(load(s, 0, 0), 1);
	assert_int_equal(load(s, 0, 1), 9);
	share_balance(s, p, &w); /* it was already */
	assert_int_equal(load(s, 0, 0), 1);
	share_free(s);
	plan_free(p);
}

/* -- who dies, and comes back -------------------------------------------------------------------------------------- */

struct living {
	const struct plan *p;
	bool dead[64]; /* by daemon */
};

static bool alive(void *arg, size_t daemon)
{
	return !((struct living *)arg)->dead[daemon];
}

static bool group_lives(const struct living *l, size_t group)
{
	for (size_t i = 0; i < l->p->groups[group].n_aggs; i++)
		if (!l->dead[l->p->groups[group].aggs[i]])
			return true;
	return false;
}

static bool is_dead(const struct living *l, size_t group, uint32_t agg)
{
	return agg == SHARE_NOBODY || l->dead[l->p->groups[group].aggs[agg]];
}

/* Each has one who lives, or nobody of the group does; and, of those that moved, the one before is dead, or was not at
 * home where he now is. */
static void judge(const struct living *l, const struct share *s, const uint32_t *const before[2], size_t moved)
{
	size_t n = 0;

	for (size_t g = 0; g < s->n; g++)
		for (size_t i = 0; i < s->groups[g].n; i++) {
			uint32_t was = before[g][i], is = s->groups[g].runs[i], home = s->groups[g].home[i];
			bool sticky = l->p->groups[g].rebalance == PLAN_STICKY;

			if (group_lives(l, g))
				assert_false(is_dead(l, g, is));
			else
				assert_int_equal(is, SHARE_NOBODY);
			if (!sticky && !is_dead(l, g, home))
				assert_int_equal(is, home);
			n += was != is;
			if (was != is)
				assert_true(is_dead(l, g, was) || (!sticky && is == home));
		}
	assert_int_equal(n, moved);
}

static void lives(unsigned int prdcrs, unsigned int aggs, const char *words, uint32_t seed)
{
	struct plan *p = cluster(prdcrs, aggs, words);
	struct share *s = share_new(p, NULL);
	struct living l = { .p = p };

	for (int round = 0; round < 60; round++) {
		uint32_t *before[2];
		size_t agg, moved;

		seed = seed * 1664525 + 1013904223;
		agg = p->groups[0].aggs[(seed >> 16) % aggs];
		l.dead[agg] = !l.dead[agg];
		for (size_t g = 0; g < 2; g++) {
			before[g] = xcalloc(s->groups[g].n, sizeof(**before));
			memcpy(before[g], s->groups[g].runs, s->groups[g].n * sizeof(**before));
		}
		moved = share_settle(s, p, alive, &l, NULL);
		judge(&l, s, (const uint32_t *const *)before, moved);
		free(before[0]);
		free(before[1]);
	}
	memset(l.dead, 0, sizeof(l.dead));
	share_settle(s, p, alive, &l, NULL);
	assert_int_equal(share_settle(s, p, alive, &l, NULL), 0); /* now all is quiet */
	share_free(s);
	plan_free(p);
}

static void test_lives(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < 20; seed++) {
		lives(seed * 2, 1 + seed % AGGS_MAX, "", seed);
		lives(seed * 2, 1 + seed % AGGS_MAX, "rebalance: sticky,", seed);
	}
}

static void test_evenly(void **state)
{
	struct plan *p = cluster(12, 4, "");
	struct share *s = share_new(p, NULL);
	struct living l = { .p = p };

	(void)state;
	l.dead[p->groups[0].aggs[1]] = true;
	assert_int_equal(share_settle(s, p, alive, &l, NULL), 3);
	assert_int_equal(load(s, 0, 0), 4);
	assert_int_equal(load(s, 0, 2), 4);
	assert_int_equal(load(s, 0, 3), 4);
	l.dead[p->groups[0].aggs[1]] = false;
	assert_int_equal(share_settle(s, p, alive, &l, NULL), 3);
	assert_int_equal(load(s, 0, 1), 3);
	share_free(s);
	plan_free(p);
}

/* -- a changed file ------------------------------------------------------------------------------------------------ */

static size_t changed(unsigned int prdcrs_was, unsigned int aggs_was, unsigned int prdcrs, unsigned int aggs)
{
	struct plan *was = cluster(prdcrs_was, aggs_was, ""), *is = cluster(prdcrs, aggs, "");
	struct share *old = share_new(was, NULL), *s = share_new(is, NULL);
	size_t moved = 0, min = (size_t)-1, max = 0;

	share_inherit(s, is, old, was);
	share_balance(s, is, NULL);
	for (size_t i = 0; i < s->groups[0].n && i < old->groups[0].n; i++) {
		const char *name = is->groups[0].prdcrs[i].name;

		assert_string_equal(name, was->groups[0].prdcrs[i].name);
		moved += s->groups[0].home[i] != old->groups[0].home[i];
		assert_int_equal(s->groups[0].runs[i], s->groups[0].home[i]);
	}
	for (uint32_t a = 0; a < aggs; a++) {
		size_t n = load(s, 0, a);

		min = n < min ? n : min;
		max = n > max ? n : max;
	}
	assert_true(max - min <= 1);
	share_free(old);
	share_free(s);
	plan_free(was);
	plan_free(is);
	return moved;
}

static void test_changes(void **state)
{
	(void)state;
	assert_int_equal(changed(12, 3, 12, 3), 0);
	assert_int_equal(changed(12, 3, 13, 3), 0); /* a sampler more: it alone is new */
	assert_int_equal(changed(12, 3, 12, 4), 3); /* an aggregator more takes its share */
	assert_int_equal(changed(12, 4, 12, 3), 3); /* one less gives his */
	assert_int_equal(changed(12, 3, 9, 3), 2);  /* the last three were one's: he gets one of each other's */
}

/* What runs when maestro comes is left as it is, but for what is too much. */
static void test_found(void **state)
{
	struct plan *p = cluster(9, 3, "");
	struct share *s = share_new(p, NULL);

	(void)state;
	for (size_t i = 0; i < 9; i++)
		share_found(s, 0, i, (uint32_t)(i % 3));
	share_balance(s, p, NULL);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(s->groups[0].runs[i], i % 3);
	for (size_t i = 0; i < 9; i++)
		share_found(s, 0, i, 2);
	share_balance(s, p, NULL);
	for (uint32_t a = 0; a < 3; a++)
		assert_int_equal(load(s, 0, a), 3);
	share_free(s);
	plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks), cmocka_unit_test(test_by_bytes), cmocka_unit_test(test_lives),
		cmocka_unit_test(test_evenly), cmocka_unit_test(test_changes),  cmocka_unit_test(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
