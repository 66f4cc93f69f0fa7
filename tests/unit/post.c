/* post.c - what goes over HTTP and what comes back: servers' words, Snappy, gzip */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/rd.h"
#include "core/base/xalloc.h"
#include "store/gzip.h"
#include "store/post.h"
#include "store/snappy.h"

static void test_words(void **state)
{
	static const struct {
		const char *body, *words;
	} rows[] = {
		{ "", "" },
		{ "  \n", "" },
		{ "plain words\n", "plain words" },
		{ "two\r\n\tlines\x1b[31m", "two lines [31m" },
		{ "{\"error\":\"database not found: \\\"d\\\"\"}\n", "database not found: \"d\"" },
		{ "{\"code\":\"invalid\",\"message\":\"a\\nb\"}", "a b" },
		{ "{\"error\":\"a \\u003cb\\u003E \\u00e4 \\u001b\\/\"}", "a <b> ? ?/" },
		{ "{\"message\":\"m\",\"error\":\"e\"}", "e" },
		{ "{\"error\":{\"no\":\"text\"}}", "{\"error\":{\"no\":\"text\"}}" },
		{ "{\"error\":\"torn", "{\"error\":\"torn" },
		{ "\xff \xe2\x80\xae \xc3\xa4", "? ? \xc3\xa4" },
	};
	char to[POST_WORDS_MAX], *big;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		post_words(rows[i].body, strlen(rows[i].body), to);
		assert_string_equal(to, rows[i].words);
	}
	big = xmalloc(10000);
	memset(big, 'x', 10000);
	post_words(big, 10000, to);
	assert_in_range(strlen(to), POST_WORDS_MAX - 8, POST_WORDS_MAX - 1);
	free(big);
	post_words(NULL, 0, to);
	assert_string_equal(to, "");
}

/* A body is bytes, with nothing behind them. */
static void test_words_end(void **state)
{
	static const char body[] = "{\"error\":\"\\u0041\"}";
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len = sizeof(body) - 1;
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char to[POST_WORDS_MAX];

	assert_int_equal(mprotect(p + page, page, PROT_NONE), 0);
	memcpy(p + page - len, body, len);
	post_words(p + page - len, len, to);
	assert_string_equal(to, "A");
	munmap(p, 2 * page);
}

/* What our own literals say, by the format's rules. */
static void check_literals(size_t len)
{
	uint8_t *p = xmalloc(len + 1);
	struct buf b = { 0 }, got = { 0 };
	struct rd r;
	uint64_t said = 0;
	unsigned int shift = 0;
	uint8_t byte;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7);
	snappy_put_literals(p, len, &b);
	r = rd_over(b.p, b.len);
	do {
		byte = rd_u8(&r);
		said |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	assert_int_equal(said, len);
	while (rd_left(&r)) {
		size_t n;

		assert_int_equal(rd_u8(&r), 61 << 2);
		n = rd_u8(&r);
		n |= (size_t)rd_u8(&r) << 8;
		buf_add(&got, rd_take(&r, n + 1), n + 1);
	}
	assert_false(r.short_read);
	assert_int_equal(got.len, len);
	assert_memory_equal(buf_str(&got), p, len);
	buf_fini(&b);
	buf_fini(&got);
	free(p);
}

static void test_snappy(void **state)
{
	static const size_t lens[] = { 0, 1, 60, 127, 128, 65535, 65536, 65537, 200000 };
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++)
		check_literals(lens[i]);
	/* with the library or without: the length is in front */
	snappy_put("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 68, &b);
	assert_int_equal(b.p[0], 68);
	buf_fini(&b);
}

static void test_gzip(void **state)
{
	struct buf b = { 0 };
	struct gzip *g;
	size_t first;

	if (gzip_new(6, &g, NULL))
		skip(); /* no zlib */
	buf_add(&b, "x", 1);
	assert_int_equal(gzip_put(g, "hello hello hello hello", 23, &b, NULL), 0);
	assert_memory_equal(b.p, "x\x1f\x8b\x08", 4);
	assert_memory_equal(b.p + b.len - 4, "\x17\0\0\0", 4); /* how long it was */
	first = b.len - 1;
	assert_int_equal(gzip_put(g, "hello hello hello hello", 23, &b, NULL), 0);
	assert_int_equal(b.len, 1 + 2 * first);
	assert_memory_equal(b.p + 1, b.p + 1 + first, first);
	gzip_free(g);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_words_end),
		cmocka_unit_test(test_snappy),
		cmocka_unit_test(test_gzip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
