/* cells.c - numbers that change, in texts of all shapes: what cells_update() writes is what a full scan would write */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/cells.h"

#define LINES 40
#define CELLS 12

struct text {
	int lines, cells; /* of each line */
	int width;        /* right-aligned to; 0: one blank between numbers */
	bool loose;       /* the second half of the cells is not looked at, nor all of every fifth line */
	unsigned int names[LINES];
	uint64_t v[LINES][CELLS];
};

static uint64_t slots[LINES][CELLS];

/* As proc_read() would leave it. */
static void put(struct proc_file *file, const struct text *t)
{
	char *p;

	file->cap = LINES * (CELLS + 1) * 24 + PROC_SLACK;
	file->buf = p = xrealloc(file->buf, file->cap);
	for (int i = 0; i < t->lines; i++) {
		p += sprintf(p, "name%u:", t->names[i]);
		for (int k = 0; k < t->cells; k++)
			p += sprintf(p, " %*llu", t->width, (unsigned long long)t->v[i][k]);
		p += sprintf(p, "  what 7 is\n");
	}
	file->len = (size_t)(p - file->buf);
	memset(p, 0, PROC_SLACK);
}

static int wanted(const struct text *t, int line)
{
	return !t->loose ? t->cells : line % 5 == 4 ? 0 : t->cells / 2;
}

static void learn(struct cells *c, struct proc_file *file, const struct text *t)
{
	const char *p = file->buf;

	cells_begin(c);
	for (int i = 0; i < t->lines; i++, p = proc_next_line(p)) {
		const char *q = p + proc_word(p, ' ');

		assert_int_equal(cells_line(c, p), i);
		for (int k = 0; k < wanted(t, i); k++)
			assert_true(cells_number(c, &q, &slots[i][k]));
		if (t->loose)
			cells_loose(c, q);
	}
	assert_int_equal(*p, 0);
	cells_end(c, file);
}

static void check(const struct text *t)
{
	for (int i = 0; i < t->lines; i++)
		for (int k = 0; k < wanted(t, i); k++)
			assert_int_equal(le64toh(slots[i][k]), t->v[i][k]);
}

static uint64_t any(void)
{
	uint64_t v = (uint64_t)random();

	switch (random() % 4) {
	case 0:
		return v % 10;
	case 1:
		return v % 1000;
	case 2:
		return v % 1000000000;
	default:
		return v * v;
	}
}

/* The same lines with other numbers: always known again. */
static void test_numbers_change(void **state)
{
	struct proc_file file = { 0 };
	struct cells c = { 0 };

	srandom(1);
	for (int round = 0; round < 200; round++) {
		struct text t = {
			.lines = 1 + (int)(random() % LINES),
			.cells = (int)(random() % (CELLS + 1)),
			.width = (int)(random() % 3 * 5), /* 0, 5, 10 */
			.loose = random() % 3 == 0,
		};

		for (int i = 0; i < t.lines; i++) {
			t.names[i] = (unsigned int)(random() % 100000);
			for (int k = 0; k < t.cells; k++)
				t.v[i][k] = any();
		}
		put(&file, &t);
		learn(&c, &file, &t);
		check(&t);
		for (int step = 0; step < 30; step++) {
			const struct text before = t;

			for (int n = (int)(random() % 20); n && t.cells; n--) {
				int i = (int)(random() % t.lines), k = (int)(random() % t.cells);

				t.v[i][k] = random() % 2 ? any() : t.v[i][k] + (uint64_t)(random() % 3);
			}
			put(&file, &t);
			assert_true(cells_update(&c, &file));
			check(&t);
			for (int i = 0; i < t.lines; i++)
				assert_int_equal(
					cells_moved(&c, (size_t)i),
					memcmp(t.v[i], before.v[i], (size_t)wanted(&t, i) * sizeof(uint64_t)) != 0);
		}
	}
	cells_fini(&c);
	free(file.buf);
}

/* Other lines: they are not taken for those that were learnt. */
static void test_lines_change(void **state)
{
	static const char *const other[] = {
		"",
		"a: 1 2\n",
		"a: 1 2\nb: 3 4\nc: 5 6\n",
		"b: 3 4\na: 1 2\n",
		"a: 1 2\nc: 3 4\n",
		"a: 1 2\nb: 3\n",
		"a: 1\nb: 3 4\n",
		"a: 1 2 9\nb: 3 4\n",
		"a: 1 2\nb: 3 4 \n",
		"a: 1 2\nb: 3 x\n",
		"a: 1 2\nb: 3 4",
		"a: 1 -2\nb: 3 4\n",
		"a:1 2\nb 3 4\n",
		"a: 1 !\nb: 3 4\n",
		"a: 1*2\nb: 3 4\n",
		"a:\"1 2\nb: 3 4\n",
		"a: 12\nb: 3 4\n",
		"x\n",
	};
	struct proc_file file = { 0 };
	struct cells c = { 0 };
	uint64_t v[4];

	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
		for (int learnt = 1; learnt >= 0; learnt--) {
			const char *text = learnt ? "a: 1 2\nb: 3 4\n" : other[i], *p, *q;

			file.cap = 256;
			file.buf = xrealloc(file.buf, file.cap);
			memset(file.buf, 0, file.cap);
			strcpy(file.buf, text);
			file.len = strlen(text);
			if (!learnt) {
				assert_false(cells_update(&c, &file));
				assert_false(cells_update(&c, &file)); /* nothing is known any more */
				continue;
			}
			p = file.buf;
			cells_begin(&c);
			for (int k = 0; k < 2; k++, p = proc_next_line(p)) {
				cells_line(&c, p);
				q = p + 2;
				assert_true(cells_number(&c, &q, &v[2 * k]) && cells_number(&c, &q, &v[2 * k + 1]));
			}
			cells_end(&c, &file);
		}
	}
	cells_fini(&c);
	free(file.buf);
}

/* Words between numbers stay, wherever they stand. */
static void test_words(void **state)
{
	static const struct {
		const char *text;
		bool same; /* are these the lines that were learnt? */
		uint64_t n, sum;
	} rows[] = {
		{ "read 10 samples [b] 4 99\nx 1\n", true, 10, 99 },
		{ "read 11 samples [b] 4 99\nx 1\n", true, 11, 99 },
		{ "read 1100 samples [b] 4 99\nx 1\n", true, 1100, 99 },
		{ "read 7 samples [b] 12345 100000\nx 1\n", true, 7, 100000 },
		{ "read 7 samples [b] 1 2", true, 7, 2 },
		{ "read 7 samples [c] 1 2\nx 1\n", false, 0, 0 },
		{ "read 70 samples [bb] 1 2\nx 1\n", false, 0, 0 },
		{ "read 7 8 9 1 2\nx 1\n", false, 0, 0 },
		{ "read 70 8\nx 1\n", false, 0, 0 },
		{ "read 70 samples [b] x 2\nx 1\n", false, 0, 0 },
		{ "read 7", false, 0, 0 },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		struct cells c = { 0 };
		struct proc_file file = { .cap = 256 };
		uint64_t n, spare, sum;
		const char *p, *from;

		file.buf = xcalloc(1, file.cap);
		file.len = (size_t)sprintf(file.buf, "%s", rows[0].text);
		p = file.buf + 4;
		cells_begin(&c);
		cells_line(&c, file.buf);
		assert_true(cells_number(&c, &p, &n));
		from = p;
		p += strlen(" samples [b]");
		cells_add(&c, from, p, &spare);
		assert_true(cells_number(&c, &p, &spare) && cells_number(&c, &p, &sum));
		cells_line(&c, proc_next_line(p));
		cells_loose(&c, proc_next_line(p) + 1);
		cells_end(&c, &file);
		memset(file.buf, 0, file.cap);
		file.len = (size_t)sprintf(file.buf, "%s%s", rows[k].text, strchr(rows[k].text, '\n') ? "" : "\nx");
		assert_int_equal(cells_update(&c, &file), rows[k].same);
		if (rows[k].same) {
			assert_int_equal(le64toh(n), rows[k].n);
			assert_int_equal(le64toh(sum), rows[k].sum);
		}
		cells_fini(&c);
		free(file.buf);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_change),
		cmocka_unit_test(test_lines_change),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
