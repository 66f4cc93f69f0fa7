/* decomp_ops.c - operators: beside a model that keeps all rows, counters that wrap and begin anew, groups that end */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "core/base/log.h"
#include "decomp_rig.h"

/* A set of a key, an order and a value of each type that a test asks for. */
static struct set *kv_set(enum value_type t)
{
	struct schema *sc = schema_new("kv", NULL);

	schema_add(sc, "key", V_U64, NULL, NULL);
	schema_add(sc, "at", V_U64, NULL, NULL);
	value_is_array(t) ? schema_add_array(sc, "x", t, 2, NULL, NULL) : schema_add(sc, "x", t, NULL, NULL);
	return set_of(sc, "n1/kv");
}

static struct decomp *kv_decomp(unsigned int limit, const char *type, const char *more)
{
	char *text = xasprintf("{\"type\":\"static\",\"rows\":[{\"schema\":\"r\",\"cols\":["
			       "{\"src\":\"key\"},{\"src\":\"at\"},{\"src\":\"x\",\"dst\":\"diff\",\"op\":\"diff\"%s},"
			       "{\"src\":\"x\",\"dst\":\"mean\",\"op\":\"mean\"%s},"
			       "{\"src\":\"x\",\"dst\":\"min\",\"op\":\"min\"%s},"
			       "{\"src\":\"x\",\"dst\":\"max\",\"op\":\"max\"%s}],"
			       "\"group\":{\"limit\":%u,\"index\":[\"key\"],\"order\":[\"at\"]%s}}]}",
			       type, type, type, type, limit, more);
	struct decomp *d = decomp_of(text);

	free(text);
	return d;
}

static struct snap *kv_snap(struct set *s, uint64_t key, uint64_t at, const void *x, size_t n)
{
	struct snap *sn;

	set_begin(s);
	set_u64(s, 0, key);
	set_u64(s, 1, at);
	set_bytes(s, 2, x, n);
	set_end(s);
	sn = snap_new(s);
	return sn;
}

/* What the four operators gave. */
struct got {
	int64_t n[4];
	double d[4];
	enum value_type type;
	int rc;
};

static int see(const struct row *row, void *arg)
{
	struct got *g = arg;

	for (uint32_t i = 0; i < 4; i++) {
		g->n[i] = value_s64(row->v[2 + i], 0);
		g->d[i] = value_d64(row->v[2 + i], 0);
		g->type = row->v[2 + i].type;
	}
	return g->rc;
}

/* -- beside a model ------------------------------------------------------------------------------------------------ */

struct seen {
	uint64_t key, at;
	int64_t x;
};

/* All rows of the key so far, those of the window by hand. */
static void model(const struct seen *all, size_t n, unsigned int limit, int64_t want[4], double want_d[4])
{
	const struct seen *now = &all[n - 1], *prev = NULL;
	struct seen window[64], kept[64];
	size_t n_window = 0, n_kept = 0, k;
	int64_t sum = now->x, min = now->x, max = now->x;

	/* what is kept before this row: the limit - 1 largest orders, the later of equal ones */
	for (size_t i = 0; i < n - 1; i++) {
		if (all[i].key != now->key)
			continue;
		for (k = n_kept; k && kept[k - 1].at > all[i].at; k--)
			kept[k] = kept[k - 1];
		kept[k] = all[i];
		n_kept++;
		if (n_kept > limit - 1) {
			memmove(kept, kept + 1, (n_kept - 1) * sizeof(*kept));
			n_kept--;
		}
	}
	for (k = 0; k < n_kept; k++) {
		window[n_window++] = kept[k];
		if (kept[k].at <= now->at)
			prev = &kept[k];
	}
	for (k = 0; k < n_window; k++) {
		sum += window[k].x;
		min = window[k].x < min ? window[k].x : min;
		max = window[k].x > max ? window[k].x : max;
	}
	want[0] = prev ? now->x - prev->x : 0;
	want[1] = sum / (int64_t)(n_window + 1);
	want_d[1] = (double)sum / (double)(n_window + 1);
	want[2] = min;
	want[3] = max;
}

static void beside_model(unsigned int limit, enum value_type t, unsigned int seed)
{
	struct decomp *d = kv_decomp(limit, "", "");
	struct set *s = kv_set(t);
	struct seen all[200];
	struct row_cut *c = NULL;
	double want_d[4] = { 0 };
	int64_t want[4];

	srand(seed);
	for (size_t i = 0; i < 200; i++) {
		struct snap *sn;
		struct got got = { .rc = 0 };
		double x;

		all[i] = (struct seen){ (uint64_t)rand() % 3, (uint64_t)rand() % 4 ? i : (uint64_t)rand() % 200,
					rand() % 2000 - 1000 };
		x = (double)all[i].x;
		sn = t == V_D64 ? kv_snap(s, all[i].key, all[i].at, &x, 8)
				: kv_snap(s, all[i].key, all[i].at, &all[i].x, 8);
		c = c ? c : decomp_cut_new(d, &sn->im);
		/* a store that does not take the row, or has it: it is not counted twice */
		if (rand() % 4 == 0) {
			got.rc = -5;
			assert_int_equal(row_cut_each(c, sn, see, &got), -5);
			got.rc = 0;
		}
		assert_int_equal(row_cut_each(c, sn, see, &got), 0);
		if (rand() % 4 == 0) {
			struct got again = { .rc = ROW_HAD };

			assert_int_equal(row_cut_each(c, sn, see, &again), 0);
		}
		model(all, i + 1, limit, want, want_d);
		for (int k = 0; k < 4; k++)
			if (t == V_D64 && k == 1 ? fabs(got.d[k] - want_d[k]) > 1e-9 : got.n[k] != want[k])
				fail_msg("limit %u seed %u row %zu operator %d: %lld, not %lld", limit, seed, i, k,
					 (long long)got.n[k], (long long)want[k]);
		snap_put(sn);
	}
	row_cut_free(c);
	set_put(s);
	decomp_free(d);
}

static void test_beside_model(void **state)
{
	static const unsigned int limits[] = { 1, 2, 3, 10, 60 };

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		for (unsigned int seed = 0; seed < 10; seed++) {
			beside_model(limits[i], V_S64, seed);
			beside_model(limits[i], V_D64, seed);
		}
}

/* -- counters ------------------------------------------------------------------------------------------------------ */

static void test_counters(void **state)
{
	static const struct {
		enum value_type t;
		uint64_t before, now;
		int64_t diff;
	} rows[] = {
		{ V_U64, 10, 30, 20 },
		{ V_U64, 1000000, 5, 0 },         /* began anew */
		{ V_U64, UINT64_MAX - 4, 5, 10 }, /* went through the end */
		{ V_U32, UINT32_MAX - 4, 5, 10 },
		{ V_U32, UINT32_MAX / 2, 5, 0 },
		{ V_U32, UINT32_MAX - 4, UINT32_MAX / 2, 0 },
		{ V_U16, 65535, 0, 1 },
		{ V_U8, 250, 2, 8 },
		{ V_U8, 100, 99, 0 },
		{ V_S64, 100, 99, -1 }, /* no counter */
		{ V_S32, 100, 99, -1 },
		{ V_U64, INT64_MAX, UINT64_MAX, (int64_t)(UINT64_MAX - INT64_MAX) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct decomp *d = kv_decomp(2, "", "");
		struct set *s = kv_set(rows[i].t);
		uint64_t x[2] = { htole64(rows[i].before), htole64(rows[i].now) };
		struct snap *sn = kv_snap(s, 1, 1, &x[0], value_elem_size(rows[i].t)),
			    *next = kv_snap(s, 1, 2, &x[1], value_elem_size(rows[i].t));
		struct row_cut *c = decomp_cut_new(d, &sn->im);
		struct got got = { .rc = 0 };

		assert_int_equal(row_cut_each(c, sn, see, &got), 0);
		assert_int_equal(got.n[0], 0);
		assert_int_equal(row_cut_each(c, next, see, &got), 0);
		assert_int_equal(got.n[0], rows[i].diff);
		assert_int_equal(got.type, rows[i].t);
		/* forgotten */
		decomp_reset(d);
		row_cut_free(c);
		c = decomp_cut_new(d, &sn->im);
		assert_int_equal(row_cut_each(c, next, see, &got), 0);
		assert_int_equal(got.n[0], 0);
		row_cut_free(c);
		snap_put(sn);
		snap_put(next);
		set_put(s);
		decomp_free(d);
	}
}

static int see_text(const struct row *row, void *arg)
{
	struct buf *b = arg;

	for (uint32_t i = 2; i < 6; i++)
		for (uint32_t k = 0; k < row->v[i].count; k++)
			buf_addf(b, "%g ", value_d64(row->v[i], k));
	return 0;
}

static void test_arrays_and_types(void **state)
{
	static const struct {
		enum value_type t;
		const char *type, *want;
		double x[2][2];
	} rows[] = {
		{ V_D64_ARRAY, "", "0.5 -2 1.25 5 1 4 1.5 6 ", { { 1, 6 }, { 1.5, 4 } } },
		/* converted first */
		{ V_D64_ARRAY, ",\"type\":\"s32[]\"", "0 -2 1 5 1 4 1 6 ", { { 1, 6 }, { 1.5, 4 } } },
		{ V_D64, ",\"type\":\"u8\"", "3 2 1 4 ", { { 1 }, { 4 } } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct decomp *d = kv_decomp(2, rows[i].type, "");
		struct set *s = kv_set(rows[i].t);
		size_t n = value_is_array(rows[i].t) ? 16 : 8;
		struct snap *sn = kv_snap(s, 1, 1, rows[i].x[0], n), *next = kv_snap(s, 1, 2, rows[i].x[1], n);
		struct row_cut *c = decomp_cut_new(d, &sn->im);
		struct buf b = { 0 };

		assert_int_equal(row_cut_each(c, sn, see_text, &b), 0);
		buf_reset(&b);
		assert_int_equal(row_cut_each(c, next, see_text, &b), 0);
		assert_string_equal(buf_str(&b), rows[i].want);
		buf_fini(&b);
		row_cut_free(c);
		snap_put(sn);
		snap_put(next);
		set_put(s);
		decomp_free(d);
	}
}

/* Sets of other shapes share the group, when their rows have the same columns. */
static void test_groups(void **state)
{
	struct decomp *d = kv_decomp(2, "", ",\"timeout\":\"1h\""), *brief = kv_decomp(2, "", ",\"timeout\":\"1us\"");
	struct schema *sc = schema_new("kv2", NULL);
	struct set *s = kv_set(V_S64), *other;
	struct snap *sn, *next;
	struct row_cut *c, *o, *b;
	struct got got = { .rc = 0 };

	schema_add(sc, "more", V_U64, NULL, NULL);
	schema_add(sc, "key", V_U64, NULL, NULL);
	schema_add(sc, "at", V_U64, NULL, NULL);
	schema_add(sc, "x", V_S64, NULL, NULL);
	other = set_of(sc, "n1/kv2");
	sn = kv_snap(s, 7, 1, &(int64_t){ htole64(5) }, 8);
	set_begin(other);
	set_u64(other, 1, 7);
	set_u64(other, 2, 2);
	set_s64(other, 3, 9);
	set_end(other);
	next = snap_new(other);
	c = decomp_cut_new(d, &sn->im);
	o = decomp_cut_new(d, &next->im);
	b = decomp_cut_new(brief, &sn->im);
	assert_int_equal(row_cut_each(c, sn, see, &got), 0);
	assert_int_equal(row_cut_each(o, next, see, &got), 0);
	assert_int_equal(got.n[0], 4);
	/* a group that was idle too long begins anew */
	assert_int_equal(row_cut_each(b, sn, see, &got), 0);
	/* until the clock has moved on by more than the microsecond */
	for (struct timespec t0, t; clock_gettime(CLOCK_MONOTONIC, &t0) == 0;) {
		do {
			clock_gettime(CLOCK_MONOTONIC, &t);
		} while (t.tv_sec == t0.tv_sec && t.tv_nsec - t0.tv_nsec < 10000);
		break;
	}
	snap_put(sn);
	sn = kv_snap(s, 7, 2, &(int64_t){ htole64(6) }, 8);
	assert_int_equal(row_cut_each(b, sn, see, &got), 0);
	assert_int_equal(got.n[0], 0);
	snap_put(sn);
	snap_put(next);
	row_cut_free(c);
	row_cut_free(o);
	row_cut_free(b);
	set_put(s);
	set_put(other);
	decomp_free(d);
	decomp_free(brief);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beside_model),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_arrays_and_types),
		cmocka_unit_test(test_groups),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
