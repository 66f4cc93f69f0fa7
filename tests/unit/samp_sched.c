/* samp_sched.c - the schedule of samplers: slots of the wall clock, sources that hang, instances that go while they do
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/daemon/samp_impl.h"
#include "core/set/snap.h"
#include "sysroot.h"

#define GRACE_US    (30 * MSEC_US)
#define INTERVAL_US (5 * MSEC_US)
#define GIVE_UP_US  (20 * SEC_US) /* a test that waits longer has failed */

/* Look again and again until it holds. */
#define wait_until(cond)                                                                                               \
	do {                                                                                                           \
		int64_t end = mono_us() + GIVE_UP_US;                                                                  \
		while (!(cond)) {                                                                                      \
			if (mono_us() > end)                                                                           \
				fail_msg("never came true: %s", #cond);                                                \
			usleep(500);                                                                                   \
		}                                                                                                      \
	} while (0)

/* -- a sampler whose source is a pipe ------------------------------------------------------------------------------ */

/* It hangs until somebody writes.  The last character of an instance's name is the number of its pipe. */

#define GATES 4
static int gates[GATES][2]; /* read end, write end */
static atomic_int opens, closes, inside;
static atomic_bool hang_in_open, hang_in_close, closing;

static void gate_pass(struct samp *sp)
{
	const char *name = samp_name(sp);
	char c;

	inside++;
	if (read(gates[name[strlen(name) - 1] - '0'][0], &c, 1) != 1)
		abort();
	inside--;
}

static void gate_let(int gate, int n)
{
	while (n--)
		if (write(gates[gate][1], "x", 1) != 1)
			abort();
}

struct gated {
	struct set *set;
};

static int gated_open(struct samp *sp, struct err *err)
{
	struct gated *g = samp_state(sp);
	struct schema *s;

	opens++;
	if (hang_in_open)
		gate_pass(sp);
	s = samp_schema_new(sp, "gated", err);
	assert(s);
	g->set = samp_set_new(sp, s, "", err);
	return g->set ? 0 : -ENOMEM;
}

static int gated_sample(struct samp *sp, struct err *err)
{
	struct gated *g = samp_state(sp);

	gate_pass(sp);
	samp_begin(sp, g->set);
	samp_end(sp, g->set);
	return 0;
}

static void gated_close(struct samp *sp)
{
	closing = true;
	if (hang_in_close)
		gate_pass(sp);
	closes++;
}

static const struct samp_type gated = {
	.name = "gated",
	.source = "a pipe",
	.state_size = sizeof(struct gated),
	.open = gated_open,
	.sample = gated_sample,
	.close = gated_close,
};

/* -- a daemon's part ----------------------------------------------------------------------------------------------- */

struct fixture {
	struct samp_env env;
	char *root;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->root = sysroot_new();
	f->env = (struct samp_env){
		.pool = pool_new(0),
		.sets = setdb_new(),
		.sched = samp_sched_new(GRACE_US, NULL),
		.producer = "node-1",
		.perm = 0440,
		.sysroot = f->root,
	};
	if (!f->env.sched)
		return -1;
	for (int i = 0; i < GATES; i++)
		if (pipe(gates[i]))
			return -1;
	opens = closes = inside = 0;
	hang_in_open = hang_in_close = closing = false;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->env.sched && !samp_sched_free(f->env.sched))
		return -1;
	setdb_free(f->env.sets);
	pool_free(f->env.pool);
	sysroot_free(f->root);
	for (int i = 0; i < GATES; i++) {
		close(gates[i][0]);
		close(gates[i][1]);
	}
	free(f);
	return 0;
}

static struct samp *load(struct fixture *f, const struct samp_type *type, const char *name, const char *conf)
{
	struct err err = { 0 };
	struct samp *sp = samp_new(&f->env, type, name, &err);
	struct kv kv = { 0 };

	kv_parse(&kv, conf);
	if (!sp || samp_config(sp, &kv, &err))
		fail_msg("%s", err.msg);
	kv_fini(&kv);
	return sp;
}

static struct samp *begin(struct fixture *f, const struct samp_type *type, const char *name, const char *conf)
{
	struct samp *sp = load(f, type, name, conf);
	struct err err = { 0 };

	if (samp_start(sp, INTERVAL_US, 0, &err))
		fail_msg("%s", err.msg);
	return sp;
}

static struct samp_status status(struct samp *sp)
{
	struct samp_status st;

	samp_status(sp, &st);
	return st;
}

static uint64_t gn(struct fixture *f, const char *name)
{
	struct set *set = setdb_find(f->env.sets, name);
	uint64_t n = set ? set_gn(set) : 0;

	set_put(set);
	return n;
}

/* Does that instance go on sampling? */
static void check_alive(struct samp *sp)
{
	uint64_t n = status(sp).samples;

	wait_until(status(sp).samples >= n + 3);
}

static void test_samples(void **state)
{
	struct fixture *f = *state;
	struct samp *sp = load(f, samp_type_find("loadavg"), "loadavg", "");
	struct set *set = setdb_find(f->env.sets, "node-1/loadavg");
	struct set_stat stat;
	struct err err;

	assert_non_null(set);
	assert_null(set_info_find(set, "updt_hint_us"));
	assert_int_equal(status(sp).state, SAMP_CONFIGURED);
	assert_int_equal(samp_start(sp, INTERVAL_US, -1 * MSEC_US, &err), 0);
	assert_int_equal(samp_start(sp, INTERVAL_US, 0, &err), -EBUSY);
	assert_int_equal(samp_once(sp, &err), -EBUSY);
	assert_string_equal(set_info_find(set, "updt_hint_us"), "5000:-1000");
	check_alive(sp);
	assert_int_equal(samp_stop(sp, &err), 0);
	assert_int_equal(samp_stop(sp, &err), -EINVAL);
	set_stat(set, &stat);
	assert_true(stat.consistent);
	assert_int_equal(stat.gn > 1, true);
	set_put(set);
	assert_int_equal(samp_start(sp, 1, 0, &err), 0);
	check_alive(sp);
	samp_free(sp);
	assert_int_equal(setdb_count(f->env.sets), 0);
}

static void test_bad_start(void **state)
{
	struct fixture *f = *state;
	struct samp *sp = samp_new(&f->env, &gated, "gated0", NULL);
	struct kv none = { 0 };
	struct err err;

	assert_int_equal(samp_start(sp, INTERVAL_US, 0, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "is not configured"));
	assert_int_equal(samp_once(sp, &err), -EBUSY);
	assert_int_equal(samp_config(sp, &none, &err), 0);
	assert_int_equal(samp_start(sp, 0, 0, &err), -EINVAL);
	assert_int_equal(samp_start(sp, -5, 0, &err), -EINVAL);
	assert_int_equal(samp_start(sp, 1000, 1000, &err), -EINVAL);
	assert_int_equal(samp_start(sp, 1000, -1000, &err), -EINVAL);
	samp_free(sp);
}

/* Samples stand on interval * k + offset. */
static void test_slots(void **state)
{
	struct fixture *f = *state;
	struct samp *sp = load(f, samp_type_find("loadavg"), "loadavg", "");
	int good = 0, seen = 0;
	uint64_t last = 0;

	assert_int_equal(samp_start(sp, 50 * MSEC_US, 20 * MSEC_US, NULL), 0);
	while (seen < 10) {
		struct set *set;
		struct set_stat st;

		wait_until(gn(f, "node-1/loadavg") != last && status(sp).samples);
		last = gn(f, "node-1/loadavg");
		set = setdb_find(f->env.sets, "node-1/loadavg");
		set_stat(set, &st);
		set_put(set);
		if (!st.consistent)
			continue;
		seen++;
		good += (st.ts_usec + 30000) % 50000 < 15000;
	}
	assert_true(good >= 5); /* a busy machine may be late now and then */
	samp_free(sp);
}

/* The rule of slots, without a clock. */
static void test_plan(void **state)
{
	struct samp_task t = { .interval_us = 100, .offset_us = 7, .due_us = 1007 };

	samp_task_plan(&t, 1007); /* in time */
	assert_int_equal(t.due_us, 1107);
	samp_task_plan(&t, 1206); /* late, but within its slot */
	assert_int_equal(t.due_us, 1207);
	assert_int_equal(t.missed, 0);
	samp_task_plan(&t, 1507); /* slots 1307, 1407 and 1507 passed; it runs for the last of them */
	assert_int_equal(t.due_us, 1607);
	assert_int_equal(t.missed, 3);
	/* the clock is set forward: every slot that will not come is missed */
	samp_task_replan(&t, 10000);
	assert_int_equal(t.due_us, 10007);
	assert_int_equal(t.missed, 3 + 84);
	/* and back: sampling goes on in the new time */
	samp_task_replan(&t, 500);
	assert_int_equal(t.due_us, 507);
	assert_int_equal(t.missed, 87);
	samp_task_replan(&t, 507);
	assert_int_equal(t.due_us, 607);
	assert_int_equal(t.missed, 88);
}

/* A source that hangs delays only itself, and comes back. */
static void test_hang(void **state)
{
	struct fixture *f = *state;
	struct samp *good = begin(f, samp_type_find("loadavg"), "good", ""), *bad[3];
	uint64_t n;

	for (int i = 0; i < 3; i++) {
		char name[] = { 'b', 'a', 'd', (char)('0' + i), 0 };

		bad[i] = begin(f, &gated, name, "");
		wait_until(status(bad[i]).overdue);
		assert_int_equal(inside, i + 1);
		check_alive(good);
	}
	assert_false(status(good).overdue);
	for (int i = 0; i < 3; i++)
		assert_int_equal(status(bad[i]).samples, 0);
	n = status(good).samples;
	for (int i = 0; i < 3; i++) {
		gate_let(i, 1);
		wait_until(status(bad[i]).samples == 1);
		wait_until(status(bad[i]).missed > 0); /* counted when its next time is planned */
	}
	gate_let(0, 60000);
	wait_until(status(bad[0]).samples > 3 && !status(bad[0]).overdue);
	wait_until(status(good).samples > n + 3);
	for (int i = 0; i < 3; i++) {
		gate_let(i, 100);
		samp_free(bad[i]);
	}
	samp_free(good);
	wait_until(closes == 3);
	assert_int_equal(opens, 3);
}

/* Stopping and freeing do not wait for a source that hangs; it ends by itself when it comes back. */
static void test_free_while_hung(void **state)
{
	struct fixture *f = *state;
	struct samp *good = begin(f, samp_type_find("loadavg"), "good", ""), *bad = begin(f, &gated, "bad0", "");
	int64_t since;

	wait_until(status(bad).overdue);
	since = mono_us();
	assert_int_equal(samp_stop(bad, NULL), 0);
	assert_int_equal(status(bad).state, SAMP_CONFIGURED);
	assert_true(status(bad).overdue);
	assert_int_equal(samp_start(bad, INTERVAL_US, 0, NULL), 0);
	samp_free(bad);
	assert_true(mono_us() - since < 5 * SEC_US);
	assert_int_equal(inside, 1);
	assert_int_equal(closes, 0);
	assert_int_equal(gn(f, "node-1/bad0"), 0);              /* unpublished */
	bad = begin(f, &gated, "bad1", "instance=node-1/bad0"); /* the name is free */
	gate_let(0, 1);
	wait_until(closes == 1);
	check_alive(good);
	gate_let(1, 1000);
	samp_free(bad);
	samp_free(good);
	wait_until(closes == 2);
}

/* The whole schedule ends while one hangs: it may still write its sets, so their pool stays. */
static void test_end_while_hung(void **state)
{
	static struct pool *left; /* not a leak */
	struct fixture *f = *state;
	struct samp *bad = begin(f, &gated, "bad0", "");

	wait_until(status(bad).overdue);
	samp_free(bad);
	assert_false(samp_sched_free(f->env.sched));
	f->env.sched = NULL;
	left = f->env.pool;
	f->env.pool = pool_new(0);
	gate_let(0, 1);
	wait_until(closes == 1);
	wait_until(!pool_used(left));
}

/* ... or while one that came back hangs in being closed. */
static void test_end_while_closing(void **state)
{
	static struct pool *left; /* not a leak */
	struct fixture *f = *state;
	struct samp *bad = begin(f, &gated, "bad0", "");

	wait_until(status(bad).overdue);
	hang_in_close = true;
	samp_free(bad);
	gate_let(0, 1);
	wait_until(closing);
	assert_false(samp_sched_free(f->env.sched));
	f->env.sched = NULL;
	left = f->env.pool;
	f->env.pool = pool_new(0);
	hang_in_close = false;
	gate_let(0, 1);
	wait_until(closes == 1);
	wait_until(!pool_used(left));
}

/* open() hangs: config comes back all the same, and the set is there once it answers. */
static void test_hang_in_open(void **state)
{
	struct fixture *f = *state;
	struct samp *good = begin(f, samp_type_find("loadavg"), "good", ""), *bad;
	struct kv required = { 0 };
	struct err err;

	hang_in_open = true;
	bad = load(f, &gated, "bad0", "");
	wait_until(status(bad).overdue);
	assert_int_equal(status(bad).sets, 0);
	assert_int_equal(samp_once(bad, &err), -EBUSY);
	assert_int_equal(samp_start(bad, INTERVAL_US, 0, &err), 0);
	check_alive(good);
	gate_let(0, 2);
	wait_until(status(bad).samples);
	assert_int_equal(status(bad).sets, 1);
	wait_until(status(bad).overdue); /* now it hangs in a sample */
	samp_free(bad);
	gate_let(0, 1);
	wait_until(closes == 1);

	bad = samp_new(&f->env, &gated, "worse1", NULL);
	kv_parse(&required, "required=true");
	assert_int_equal(samp_config(bad, &required, &err), -ETIMEDOUT);
	kv_fini(&required);
	assert_non_null(strstr(err.msg, "sampler worse1: its source (a pipe) does not answer"));
	samp_free(bad);
	gate_let(1, 1); /* open goes on for a daemon that has forgotten it */
	wait_until(closes == 2);
	assert_int_equal(gn(f, "node-1/worse1"), 0);
	check_alive(good);
	samp_free(good);
}

/* A pipe in place of a file of /proc. */
static void test_fifo(void **state)
{
	struct fixture *f = *state;
	char *path = sysroot_path(f->root, "/proc/meminfo");
	struct samp *good = begin(f, samp_type_find("loadavg"), "good", ""), *bad;
	int fd;

	sysroot_del(f->root, "/proc/meminfo");
	assert_int_equal(mkfifo(path, 0600), 0);
	bad = begin(f, samp_type_find("meminfo"), "meminfo", "");
	wait_until(status(bad).overdue);
	check_alive(good);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "A: 1 kB\n", 8), 8);
	wait_until(status(bad).sets == 1);
	assert_int_equal(write(fd, "A: 2 kB\n", 8), 8);
	wait_until(status(bad).samples);
	wait_until(status(bad).overdue); /* nobody writes */
	check_alive(good);
	assert_int_equal(write(fd, "A: 3 kB\n", 8), 8);
	wait_until(status(bad).samples >= 2);
	samp_free(bad);
	close(fd); /* end of file: it comes back */
	samp_free(good);
	wait_until(!pool_used(f->env.pool));
	free(path);
}

/* The source goes away under a running instance, and comes back; then in another shape. */
static void test_degraded(void **state)
{
	struct fixture *f = *state;
	struct samp *sp = begin(f, samp_type_find("vmstat"), "vmstat", "");
	struct set *set;

	check_alive(sp);
	sysroot_put(f->root, "/proc/vmstat", "");
	wait_until(status(sp).degraded);
	assert_non_null(strstr(status(sp).why, "/proc/vmstat: is empty"));
	assert_int_equal(status(sp).state, SAMP_RUNNING);
	sysroot_put(f->root, "/proc/vmstat", "only 1\n");
	wait_until(!status(sp).degraded);
	check_alive(sp);
	set = setdb_find(f->env.sets, "node-1/vmstat");
	assert_int_equal(image_card((const struct set_meta *)set->image), 4);
	assert_string_equal(set_info_find(set, "updt_hint_us"), "5000:0"); /* also on sets made later */
	set_put(set);
	samp_free(sp);
}

/* Many instances come and go while they run. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	static const char *const types[] = { "loadavg", "meminfo", "procnetdev2", "procstat2", "synth", "vmstat" };
	struct samp *sp[24];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 24; i++) {
			char name[16];

			snprintf(name, sizeof(name), "s%d", i);
			sp[i] = load(f, samp_type_find(types[i % 6]), name, "");
			assert_int_equal(samp_start(sp[i], 1000 + i, i % 7, NULL), 0);
		}
		for (int i = 0; i < 24; i++) {
			check_alive(sp[i]);
			assert_int_equal(status(sp[i]).errors, 0);
			if (i % 2)
				assert_int_equal(samp_stop(sp[i], NULL), 0);
		}
		for (int i = 0; i < 24; i++)
			samp_free(sp[(i * 7) % 24]);
	}
	assert_int_equal(setdb_count(f->env.sets), 0);
}

/* A thread of its own: neither holds up the other, and all is counted together. */
static void test_exclusive(void **state)
{
	struct fixture *f = *state;
	struct samp *shared = begin(f, samp_type_find("loadavg"), "shared", "");
	struct samp *own = begin(f, samp_type_find("loadavg"), "own", "exclusive_thread=1");
	struct samp_lateness all;
	struct samp_status a, b;

	check_alive(shared);
	check_alive(own);
	assert_false(samp_is_thread_of(shared, shared->own_sched));
	assert_true(samp_is_thread_of(own, own->own_sched));
	assert_int_equal(samp_stop(own, NULL), 0);
	assert_int_equal(samp_stop(shared, NULL), 0);
	a = status(shared);
	b = status(own);
	samp_sched_lateness(f->env.sched, &all);
	assert_int_equal(a.late.n, a.samples);
	assert_int_equal(b.late.n, b.samples);
	assert_int_equal(all.n, a.late.n + b.late.n);
	assert_true(a.late.p50_us <= a.late.p99_us && a.late.p99_us <= a.late.max_us);
	assert_int_equal(all.max_us, a.late.max_us > b.late.max_us ? a.late.max_us : b.late.max_us);
	assert_int_equal(samp_start(own, INTERVAL_US, 0, NULL), 0); /* on the same thread again */
	check_alive(own);
	samp_free(own);
	samp_free(shared);
}

/* It is removed while it hangs on its own thread: who ends the schedule is told, and it frees itself when it is back. */
static void test_exclusive_hangs(void **state)
{
	static struct pool *left; /* not a leak */
	struct fixture *f = *state;
	struct samp *good = begin(f, samp_type_find("loadavg"), "good", "");
	struct samp *bad = begin(f, &gated, "bad0", "exclusive_thread=true");

	wait_until(status(bad).overdue);
	check_alive(good);
	samp_free(bad);
	assert_int_equal(gn(f, "node-1/bad0"), 0);
	check_alive(good);
	samp_free(good);
	assert_false(samp_sched_free(f->env.sched));
	f->env.sched = NULL;
	left = f->env.pool;
	f->env.pool = pool_new(0);
	gate_let(0, 1);
	wait_until(closes == 1);
	wait_until(!pool_used(left));
}

/* Runs that are asked for beside the slots are not due, and take nothing from those that are. */
struct kicked {
	struct samp_task task;
	atomic_uint due, other;
};

static void kicked_run(struct samp_task *t)
{
	struct kicked *k = (struct kicked *)t;

	if (t->due)
		k->due++;
	else
		k->other++;
}

static void test_kick(void **state)
{
	struct fixture *f = *state;
	struct kicked k = { .task = { .run = kicked_run } };
	unsigned int due;

	samp_sched_kick(f->env.sched, &k.task); /* also without slots */
	wait_until(k.other == 1);
	assert_int_equal(k.due, 0);
	samp_sched_add(f->env.sched, &k.task, INTERVAL_US, 0);
	while (k.other < 20) {
		unsigned int n = k.other + k.due;

		samp_sched_kick(f->env.sched, &k.task);
		wait_until(k.other + k.due > n); /* one that is due anyhow will do */
	}
	due = k.due;
	wait_until(k.due > due + 3);
	assert_true(samp_sched_del(f->env.sched, &k.task));
	assert_true(samp_sched_leave(f->env.sched, &k.task));
}

struct timed {
	struct samp_task task;
	int64_t took_us;
	atomic_uint turn; /* the last run's number among those of all */
};

static atomic_uint turns;

static void timed_run(struct samp_task *t)
{
	struct timed *tm = (struct timed *)t;

	for (int64_t end = mono_us() + tm->took_us; mono_us() < end;)
		;
	tm->turn = ++turns;
}

/* Whoever takes long does not make the others late. */
static void test_long_ones_last(void **state)
{
	struct fixture *f = *state;
	struct timed tm[3] = { { .took_us = 2000 }, { .took_us = 0 }, { .took_us = 700 } };

	for (int i = 0; i < 3; i++) {
		tm[i].task.run = timed_run;
		samp_sched_add(f->env.sched, &tm[i].task, INTERVAL_US, 0);
	}
	wait_until(tm[1].turn + 1 == tm[2].turn && tm[2].turn + 1 == tm[0].turn);
	for (int i = 0; i < 3; i++)
		assert_true(samp_sched_leave(f->env.sched, &tm[i].task));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_samples),        TEST(test_bad_start),
		TEST(test_slots),          cmocka_unit_test(test_plan),
		TEST(test_hang),           TEST(test_free_while_hung),
		TEST(test_end_while_hung), TEST(test_end_while_closing),
		TEST(test_hang_in_open),   TEST(test_fifo),
		TEST(test_degraded),       TEST(test_many),
		TEST(test_exclusive),      TEST(test_exclusive_hangs),
		TEST(test_kick),           TEST(test_long_ones_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
