/* strgp_decomp.c - policies with a decomposition: a store that fails in the middle of a set, and one that does not want
 * some of the rows */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/daemon/strgp.h"
#include "decomp_rig.h"

#define WAIT_MAX_US (20 * SEC_US)

/* -- a store that notes rows --------------------------------------------------------------------------------------- */

struct store_sink {
	int unused;
};

/* Of the only store; read when the policy has stopped. */
static struct {
	struct buf got;            /* "SCHEMA LAST " of each row */
	int rows_left;             /* row() fails once with -ENOSPC when it is 0 */
	const char *unwanted;      /* the row schema that is refused */
	atomic_uint failed, taken; /* looked at meanwhile */
} fake;

static int fake_config(struct store *st, struct err *err)
{
	return 0;
}

static int fake_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	*ret = xcalloc(1, sizeof(**ret));
	return 0;
}

static int fake_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	if (fake.unwanted && !strcmp(row->schema->name, fake.unwanted))
		return err_set(err, -EINVAL, "fake: %s is not wanted", fake.unwanted);
	if (!fake.rows_left--) {
		atomic_fetch_add(&fake.failed, 1);
		return err_set(err, -ENOSPC, "fake: full");
	}
	buf_addf(&fake.got, "%s %lld ", row->schema->name, (long long)value_s64(row->v[row->schema->n_cols - 1], 0));
	atomic_fetch_add(&fake.taken, 1);
	return 0;
}

static int fake_flush(struct store_sink *sk, struct err *err)
{
	return 0;
}

static void fake_close(struct store_sink *sk)
{
	free(sk);
}

static void fake_fini(struct store *st)
{
}

static const struct store_type fake_type = {
	.name = "fake",
	.attrs = (const struct store_attr[]){ { 0 } },
	.config = fake_config,
	.open = fake_open,
	.row = fake_row,
	.flush = fake_flush,
	.close = fake_close,
	.fini = fake_fini,
};

/* -- one policy ---------------------------------------------------------------------------------------------------- */

static struct strgp_pool *threads;

struct rig {
	struct store *store;
	struct strgp *sg;
	struct set *set;
};

static void rig_init(struct rig *r, const char *decomposition)
{
	struct strgp_conf conf = { .name = "sg", .schema = "s", .flush_us = MSEC_US, .decomposition = "d.json" };
	struct schema *sc = schema_new("s", NULL);
	struct err err = { "" };

	memset(&fake, 0, sizeof(fake));
	fake.rows_left = -1;
	assert_int_equal(store_new(&fake_type, "fake", &r->store, &err), 0);
	conf.store = r->store;
	conf.decomp = decomp_of(decomposition);
	assert_int_equal(strgp_new(&conf, threads, &r->sg, &err), 0);
	schema_add(sc, "a", V_U64, NULL, NULL);
	schema_add(sc, "b", V_U64, NULL, NULL);
	r->set = set_of(sc, "n1/s");
}

static void rig_fini(struct rig *r)
{
	strgp_put(r->sg);
	store_put(r->store);
	set_put(r->set);
	buf_fini(&fake.got);
}

static void offer(struct rig *r, uint64_t a)
{
	struct snap *sn;

	set_begin(r->set);
	set_u64(r->set, 0, a);
	set_u64(r->set, 1, 1);
	set_end(r->set);
	sn = snap_at(r->set, (uint32_t)a, 0);
	strgp_offer(r->sg, sn);
	snap_put(sn);
}

static void wait_taken(unsigned int n)
{
	for (int64_t until = mono_us() + WAIT_MAX_US; atomic_load(&fake.taken) < n;) {
		assert_true(mono_us() < until);
		usleep(1000);
	}
}

#define TWO                                                                                                            \
	"{\"type\":\"static\",\"rows\":[{\"schema\":\"one\",\"cols\":[{\"src\":\"timestamp\"},{\"src\":\"a\"}]},"      \
	"{\"schema\":\"two\",\"cols\":[{\"src\":\"timestamp\",\"dst\":\"ts\"},{\"src\":\"a\",\"op\":\"diff\"}],"       \
	"\"group\":{\"index\":[],\"order\":[\"ts\"],\"limit\":2}}]}"

/* The row that was not taken is offered again; those before it, and the operators, stay as they are. */
static void test_store_that_fails(void **state)
{
	struct err err = { "" };
	struct strgp_status st;
	struct rig r;

	rig_init(&r, TWO);
	fake.rows_left = 3;
	assert_int_equal(strgp_start(r.sg, &err), 0);
	offer(&r, 10);
	offer(&r, 15);
	offer(&r, 22);
	wait_taken(6);
	assert_int_equal(strgp_stop(r.sg, WAIT_MAX_US, &err), 0);
	assert_int_equal(fake.failed, 1);
	assert_string_equal(buf_str(&fake.got), "one 10 two 0 one 15 two 5 one 22 two 7 ");
	strgp_status(r.sg, &st);
	assert_int_equal(st.stored, 3);
	assert_int_equal(st.rows, 6);
	/* operators begin anew */
	buf_reset(&fake.got);
	assert_int_equal(strgp_start(r.sg, &err), 0);
	offer(&r, 30);
	wait_taken(8);
	assert_int_equal(strgp_stop(r.sg, WAIT_MAX_US, &err), 0);
	assert_string_equal(buf_str(&fake.got), "one 30 two 0 ");
	rig_fini(&r);
}

/* Rows of the other row schema go on. */
static void test_rows_that_are_not_wanted(void **state)
{
	struct err err = { "" };
	struct strgp_status st;
	struct rig r;

	rig_init(&r, TWO);
	fake.unwanted = "one";
	assert_int_equal(strgp_start(r.sg, &err), 0);
	offer(&r, 10);
	offer(&r, 15);
	wait_taken(2);
	assert_int_equal(strgp_stop(r.sg, WAIT_MAX_US, &err), 0);
	assert_string_equal(buf_str(&fake.got), "two 0 two 5 ");
	strgp_status(r.sg, &st);
	assert_int_equal(st.stored, 2);
	assert_int_equal(st.dropped, 0);
	assert_int_equal(st.errors, 1);
	assert_string_equal(st.why, "fake: one is not wanted");
	rig_fini(&r);
}

/* Nothing of the set is left: that is a drop. */
static void test_nothing_is_wanted(void **state)
{
	struct err err = { "" };
	struct strgp_status st;
	struct rig r;

	rig_init(&r, "{\"type\":\"static\",\"rows\":[{\"schema\":\"one\",\"cols\":[{\"src\":\"a\"}]}]}");
	fake.unwanted = "one";
	assert_int_equal(strgp_start(r.sg, &err), 0);
	offer(&r, 10);
	offer(&r, 15);
	assert_int_equal(strgp_stop(r.sg, WAIT_MAX_US, &err), 0);
	strgp_status(r.sg, &st);
	assert_int_equal(st.stored, 0);
	assert_int_equal(st.dropped, 2);
	assert_int_equal(st.rows, 0);
	rig_fini(&r);
}

static int setup(void **state)
{
	threads = strgp_pool_new(1);
	return pool_setup(state);
}

static int teardown(void **state)
{
	strgp_pool_free(threads, WAIT_MAX_US);
	return pool_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_that_fails),
		cmocka_unit_test(test_rows_that_are_not_wanted),
		cmocka_unit_test(test_nothing_is_wanted),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, setup, teardown);
}
