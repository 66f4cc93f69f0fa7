/* test_fill.c - the values of test_sampler's sets: see test_grammar.h
 *
 * Numbers grow by one a sample from what they begin with, all elements of an array alike; texts are one letter, which
 * goes through the alphabet.  Lists grow from nothing to their longest, entry by entry, and shrink again.
 */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/fill.h"
#include "plugins/test_grammar.h"

/* 0 1 2 1 0 1 2 ... of at most `max`: the n-th, from 0 */
static uint64_t wave(uint64_t n, uint64_t max)
{
	uint64_t at = max ? n % (2 * max) : 0;

	return at <= max ? at : 2 * max - at;
}

static void value_fill(void *to, const struct test_metric *m, uint64_t n)
{
	fill_ints(to, m->type, m->count, m->init + n, 0);
}

static void record_fill(struct set *set, struct record *r, const struct test_metric *type, uint64_t n)
{
	for (size_t k = 0; k < type->n_of; k++)
		value_fill(record_slot(set, r, (int)k), &type->of[k], n);
}

static void list_fill(const struct test_schema *ts, struct set *set, int i, uint64_t n)
{
	const struct test_metric *m = &ts->metrics[i];
	uint64_t len = m->min + wave(n - 1, m->max - m->min);

	list_clear(set, i);
	for (uint64_t k = 0; k < len; k++) {
		if (m->record >= 0) {
			struct record *r = list_append_record(set, i, m->record);

			if (r)
				record_fill(set, r, &ts->metrics[m->record], n);
		} else {
			void *to = list_append(set, i, m->of[0].type, m->of[0].count);

			if (to)
				value_fill(to, &m->of[0], n);
		}
	}
}

void test_set_init(const struct test_schema *ts, struct set *set)
{
	for (size_t i = 0; i < ts->n; i++) {
		const struct test_metric *m = &ts->metrics[i];
		size_t size = value_size(m->type, m->count);
		void *value;

		if (!m->meta || m->fixed || !size)
			continue;
		value = xcalloc(1, size);
		value_fill(value, m, 0);
		set_meta_put(set, (int)i, value, size);
		free(value);
	}
}

void test_set_fill(const struct test_schema *ts, struct set *set, uint64_t n)
{
	for (size_t i = 0; i < ts->n; i++) {
		const struct test_metric *m = &ts->metrics[i];

		if (m->meta || m->fixed)
			continue;
		if (m->type == V_LIST)
			list_fill(ts, set, (int)i, n);
		else if (m->type == V_RECORD_ARRAY)
			for (uint32_t k = 0; k < m->count; k++)
				record_fill(set, record_array_slot(set, (int)i, k), &ts->metrics[m->record], n);
		else
			value_fill(set_slot(set, (int)i), m, n);
	}
}
