/* pool.c - the sets' memory: alignment, zero, reuse, the ceiling, pages that nobody wrote, threads */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/set/pool.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static bool is_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (!*p && !memcmp(p, p + 1, n - 1));
}

static void test_alignment(void **state)
{
	struct pool *p = pool_new(0);
	void *mem[400];
	struct err err;

	for (size_t i = 0; i < 400; i++) {
		mem[i] = pool_alloc(p, i, &err);
		assert_non_null(mem[i]);
		assert_int_equal((uintptr_t)mem[i] % (i < 64 ? 8 : 64), 0);
		assert_true(is_zero(mem[i], i));
		memset(mem[i], 0xff, i);
	}
	for (size_t i = 0; i < 400; i++)
		pool_put(p, mem[i]);
	assert_int_equal(pool_used(p), 0);
	pool_put(p, NULL);
	pool_free(p);
}

/* What comes back is joined, zero, and given out again: the same work for ever takes no more memory. */
static void test_reuse(void **state)
{
	struct pool *p = pool_new(0);
	struct {
		uint8_t *mem;
		size_t size;
	} live[256] = { 0 };
	size_t mapped = 0;
	unsigned int seed = 1;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 2000; i++) {
			size_t k = (size_t)rand_r(&seed) % 256;

			if (live[k].mem) {
				for (size_t b = 0; b < live[k].size; b++)
					assert_int_equal(live[k].mem[b], (uint8_t)k);
				pool_put(p, live[k].mem);
				live[k].mem = NULL;
				continue;
			}
			live[k].size = 1 + (size_t)rand_r(&seed) % (k % 16 ? 5000 : 300000);
			live[k].mem = pool_alloc(p, live[k].size, NULL);
			assert_non_null(live[k].mem);
			assert_true(is_zero(live[k].mem, live[k].size));
			memset(live[k].mem, (int)k, live[k].size);
		}
		for (size_t k = 0; k < 256; k++) {
			pool_put(p, live[k].mem);
			live[k].mem = NULL;
		}
		assert_int_equal(pool_used(p), 0);
		assert_true(pool_mapped(p) <= 256 * KIB); /* an empty chunk goes back, but for one */
		if (round == 0)
			mapped = pool_mapped(p);
		assert_true(pool_mapped(p) <= mapped + 256 * KIB);
	}
	pool_free(p);
}

/* Neighbours become one, in whatever order they come back. */
static void test_joined(void **state)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		struct pool *p = pool_new(256 * KIB);
		void *third[3], *all;

		for (int k = 0; k < 3; k++)
			third[k] = memset(pool_alloc(p, 80 * KIB, NULL), 1, 80 * KIB);
		assert_null(pool_alloc(p, 80 * KIB, NULL));
		for (int k = 0; k < 3; k++)
			pool_put(p, third[orders[i][k]]);
		all = pool_alloc(p, 255 * KIB, NULL);
		assert_non_null(all);
		assert_true(is_zero(all, 255 * KIB));
		pool_put(p, all);
		pool_free(p);
	}
}

static void test_overhead(void **state)
{
	struct pool *p = pool_new(0);
	void *mem[100];

	for (int i = 0; i < 100; i++)
		mem[i] = pool_alloc(p, 64 * 13 - 16, NULL);
	assert_int_equal(pool_used(p), 100 * 64 * 13);
	for (int i = 0; i < 100; i++)
		pool_put(p, mem[i]);
	pool_free(p);
}

static void test_ceiling(void **state)
{
	struct pool *p = pool_new(MIB);
	void *mem[100], *large;
	struct err err = { "" };
	int n = 0;

	assert_int_equal(pool_ceiling(p), MIB);
	assert_int_equal(pool_mapped(p), 0);
	assert_null(pool_alloc(p, 2 * MIB, &err));
	assert_non_null(strstr(err.msg, "1048576"));
	assert_non_null(strstr(err.msg, "raise --mem"));
	assert_null(pool_alloc(p, SIZE_MAX, &err));
	assert_null(pool_alloc(p, SIZE_MAX / 2, &err));
	assert_int_equal(pool_mapped(p), 0);

	while (n < 100 && (mem[n] = pool_alloc(p, 50 * KIB, &err)))
		n++;
	assert_true(n >= 20 && n < 21);
	assert_true(pool_mapped(p) <= MIB);
	pool_ceiling_set(p, 2 * MIB);
	large = pool_alloc(p, 900 * KIB, &err); /* more than an ordinary chunk */
	assert_non_null(large);
	pool_put(p, large);
	while (n)
		pool_put(p, mem[--n]);
	pool_free(p);
	pool_free(NULL);
}

static size_t resident(const uint8_t *mem, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	uint8_t *first = (uint8_t *)(((uintptr_t)mem + page - 1) / page * page);
	size_t pages = (len - (size_t)(first - mem)) / page;
	unsigned char *in = malloc(pages);

	assert_int_equal(mincore(first, pages * page, in), 0);
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	free(in);
	return n * page;
}

/* A large set of which little is used costs little. */
static void test_untouched(void **state)
{
	struct pool *p = pool_new(0);
	uint8_t *mem = pool_alloc(p, 8 * MIB, NULL);

	madvise((void *)((uintptr_t)mem & ~(uintptr_t)4095), 8 * MIB, MADV_NOHUGEPAGE);
	mem[4 * MIB] = 1;
	assert_true(resident(mem, 8 * MIB) <= 64 * KIB);
	pool_put(p, mem);
	pool_free(p);
}

static void *churn(void *arg)
{
	struct pool *p = arg;
	unsigned int seed = (unsigned int)(uintptr_t)&seed;
	uint8_t *mem[16] = { 0 };

	for (int i = 0; i < 5000; i++) {
		size_t k = (size_t)rand_r(&seed) % 16, size = 100 * (k + 1);

		if (mem[k]) {
			pool_put(p, mem[k]);
			mem[k] = NULL;
			continue;
		}
		mem[k] = pool_alloc(p, size, NULL);
		if (!mem[k] || !is_zero(mem[k], size))
			return "not zero";
		memset(mem[k], 0xff, size);
	}
	for (size_t k = 0; k < 16; k++)
		pool_put(p, mem[k]);
	return NULL;
}

static void test_threads(void **state)
{
	struct pool *p = pool_new(0);
	pthread_t t[4];
	void *said;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, churn, p), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &said);
		assert_null(said);
	}
	assert_int_equal(pool_used(p), 0);
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment), cmocka_unit_test(test_reuse),   cmocka_unit_test(test_joined),
		cmocka_unit_test(test_overhead),  cmocka_unit_test(test_ceiling), cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
