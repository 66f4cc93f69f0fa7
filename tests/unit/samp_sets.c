/* samp_sets.c - what plugins ask of their instance beyond one set that stays: sets that come and go while it samples,
 * sets of other names and shapes, messages, and the job that samples are of */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp_impl.h"
#include "core/daemon/stream.h"
#include "core/set/about.h"
#include "core/set/snap.h"
#include "xprt/bus.h"

#define GIVE_UP_US (20 * SEC_US)

/* -- a sampler that does what the test wants ----------------------------------------------------------------------- */

#define SETS 8

struct puppet {
	struct set *keep, *sets[SETS];
	unsigned int n;
};

static int (*act)(struct samp *sp, struct puppet *p, struct err *err); /* in sample() */
static int (*act_open)(struct samp *sp, struct puppet *p, struct err *err);

static int puppet_open(struct samp *sp, struct err *err)
{
	struct puppet *p = samp_state(sp);
	struct schema *s = samp_schema_new(sp, "keep", err);

	assert_true(schema_add(s, "count", V_U64, "", err) == 3);
	p->keep = samp_set_new(sp, s, "", err);
	if (!p->keep)
		return -ENOMEM;
	return act_open ? act_open(sp, p, err) : 0;
}

static int puppet_sample(struct samp *sp, struct err *err)
{
	struct puppet *p = samp_state(sp);

	samp_begin(sp, p->keep);
	set_u64(p->keep, 3, ++p->n);
	samp_end(sp, p->keep);
	return act ? act(sp, p, err) : 0;
}

static void puppet_close(struct samp *sp)
{
	(void)sp;
}

static const struct samp_type puppet = {
	.name = "puppet",
	.source = "a test",
	.state_size = sizeof(struct puppet),
	.open = puppet_open,
	.sample = puppet_sample,
	.close = puppet_close,
};

struct fixture {
	struct samp_env env;
	struct samp *sp;
	struct setdb_listener l;
	unsigned int adds, dels;
};

static void on_set(struct setdb_listener *l, enum setdb_event ev, struct set *s)
{
	struct fixture *f = (struct fixture *)((char *)l - offsetof(struct fixture, l));

	(void)s;
	f->adds += ev == SETDB_ADD;
	f->dels += ev == SETDB_DEL;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->env = (struct samp_env){
		.pool = pool_new(0),
		.sets = setdb_new(),
		.producer = "node-1",
		.component_id = 7,
		.perm = 0440,
		.sysroot = "",
	};
	f->l.fn = on_set;
	setdb_listen(f->env.sets, &f->l);
	act = act_open = NULL;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	samp_free(f->sp);
	assert_int_equal(setdb_count(f->env.sets), 0);
	assert_int_equal(pool_used(f->env.pool), 0);
	setdb_free(f->env.sets);
	pool_free(f->env.pool);
	free(f);
	return 0;
}

static void load(struct fixture *f, const char *conf)
{
	struct kv kv = { 0 };
	struct err err = { "" };

	f->sp = samp_new(&f->env, &puppet, "puppet", &err);
	kv_parse(&kv, conf);
	if (samp_config(f->sp, &kv, &err))
		fail_msg("%s", err.msg);
	kv_fini(&kv);
}

static void once(struct fixture *f)
{
	struct err err = { "" };

	if (samp_once(f->sp, &err))
		fail_msg("%s", err.msg);
}

static bool is_there(struct fixture *f, const char *name)
{
	struct set *s = setdb_find(f->env.sets, name);

	set_put(s);
	return s;
}

static uint64_t number(struct fixture *f, const char *name, const char *metric)
{
	struct set *s = setdb_find(f->env.sets, name);
	struct snap *sn;
	uint64_t v;
	int i;

	assert_non_null(s);
	sn = snap_new(s);
	i = image_find(sn->im.meta, metric);
	assert_true(i >= 0);
	v = value_u64(image_value(&sn->im, (uint32_t)i), 0);
	snap_put(sn);
	set_put(s);
	return v;
}

/* -- sets that come and go ----------------------------------------------------------------------------------------- */

/* A set more with each sample, up to three; then the oldest goes. */
static int come_and_go(struct samp *sp, struct puppet *p, struct err *err)
{
	char name[32];
	struct schema *s = samp_schema_new(sp, "mount", err);

	if (p->n > 3) {
		samp_set_drop(sp, p->sets[0]);
		memmove(p->sets, p->sets + 1, 2 * sizeof(p->sets[0]));
		p->sets[2] = NULL;
	}
	snprintf(name, sizeof(name), "%s/fs%u", samp_producer(sp), p->n);
	p->sets[p->n < 3 ? p->n - 1 : 2] = samp_set_named(sp, s, name, err);
	for (int i = 0; i < 3 && p->sets[i]; i++) {
		samp_begin(sp, p->sets[i]);
		samp_end(sp, p->sets[i]);
	}
	return 0;
}

static void test_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct set *sets[SETS], *gone;
	struct samp_status st;

	act = come_and_go;
	load(f, "");
	for (int i = 0; i < 3; i++)
		once(f);
	assert_true(is_there(f, "node-1/fs1"));
	assert_int_equal(samp_sets(f->sp, NULL, 0), 4);
	gone = setdb_find(f->env.sets, "node-1/fs1");
	once(f);
	assert_true(gone->deleted);
	set_put(gone);
	assert_false(is_there(f, "node-1/fs1"));
	assert_true(is_there(f, "node-1/fs4"));
	assert_int_equal(number(f, "node-1/fs4", "component_id"), 7);
	assert_int_equal(number(f, "node-1/puppet", "count"), 4); /* its own go on */
	assert_int_equal(f->adds, 5);
	assert_int_equal(f->dels, 1);
	/* in order of making */
	assert_int_equal(samp_sets(f->sp, sets, SETS), 4);
	assert_string_equal(sets[0]->name, "node-1/puppet");
	assert_string_equal(sets[1]->name, "node-1/fs2");
	assert_string_equal(sets[3]->name, "node-1/fs4");
	for (int i = 0; i < 4; i++)
		set_put(sets[i]);
	samp_status(f->sp, &st);
	assert_int_equal(st.sets, 4);
	/* all of them go with the instance */
	samp_free(f->sp);
	f->sp = NULL;
	assert_int_equal(f->dels, 5);
}

/* A list that outgrew its heap: dropped and made anew under the same name. */
static int make_anew(struct samp *sp, struct puppet *p, struct err *err)
{
	struct schema *s = samp_schema_bare(sp, "bare", err);
	int comp = schema_add(s, "component_id", V_U64, "", err);

	schema_add_list(s, "l", "", 64 * p->n, err);
	samp_set_drop(sp, p->sets[0]);
	p->sets[0] = samp_set_new(sp, s, "/list", err);
	assert_non_null(p->sets[0]);
	samp_begin(sp, p->sets[0]);
	samp_end(sp, p->sets[0]);
	assert_int_equal(comp, 0);
	return 0;
}

static void test_anew(void **state)
{
	struct fixture *f = *state;

	act = make_anew;
	load(f, "instance=x component_id=9 set_array_card=3");
	for (int i = 0; i < 20; i++)
		once(f);
	assert_int_equal(samp_sets(f->sp, NULL, 0), 2);
	assert_int_equal(number(f, "x/list", "component_id"), 9); /* DATA is filled in, too */
	assert_int_equal(f->dels, 19);
}

static int twice(struct samp *sp, struct puppet *p, struct err *err)
{
	(void)p;
	return samp_set_named(sp, samp_schema_new(sp, "s", err), "x", err) ? 0 : -EEXIST;
}

static void test_name_is_taken(void **state)
{
	struct fixture *f = *state;
	struct err err;

	act = twice;
	load(f, "instance=x");
	assert_int_equal(samp_once(f->sp, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "set x: there is a set of that name already"));
	assert_int_equal(samp_sets(f->sp, NULL, 0), 1);
}

/* -- what metrics are ---------------------------------------------------------------------------------------------- */

static const struct metric_def defs[] = {
	{ "limit", V_U32, "B", METRIC_INFO, "it never changes", 1 },
	{ "sent", V_U64, "B", METRIC_COUNTER, "bytes sent", 1 },
	{ "load", V_D64, "", METRIC_GAUGE, NULL, 1 },
};

static int described(struct samp *sp, struct puppet *p, struct err *err)
{
	for (int i = 0; i < 2; i++) {
		struct schema *s = samp_schema_new(sp, "described", err);
		int rec, irq;

		assert_int_equal(schema_add_defs(s, defs, 3, err), 3);
		rec = schema_add_record(s, "rec", defs, 3, err);
		assert_true(schema_add_list(s, "list", "", 512, err) > rec);
		irq = schema_add(s, "irq.7#0", V_U64, "", err);
		schema_about_set(s, irq, METRIC_COUNTER, "interrupts");
		p->sets[i] = samp_set_new(sp, s, i ? "/b" : "/a", err);
		assert_non_null(p->sets[i]);
		assert_int_equal(irq, 8);
	}
	return 0;
}

static void test_about(void **state)
{
	struct fixture *f = *state;
	const struct metric_about *m;
	struct set *a, *b;

	act_open = described;
	load(f, "");
	a = setdb_find(f->env.sets, "node-1/puppet/a");
	b = setdb_find(f->env.sets, "node-1/puppet/b");
	assert_ptr_equal(a->about, b->about); /* one table for both */
	assert_int_equal(a->about->n, 9);
	assert_true(image_metric((struct set_meta *)a->image, 3).meta); /* METRIC_INFO */
	m = set_about(a, 3);
	assert_int_equal(m->kind, METRIC_INFO);
	m = set_about(a, 4);
	assert_int_equal(m->kind, METRIC_COUNTER);
	assert_string_equal(m->help, "bytes sent");
	m = set_about_member(a, 6, 1);
	assert_int_equal(m->kind, METRIC_COUNTER);
	m = set_about(a, 8);
	assert_string_equal(m->help, "interrupts");
	assert_int_equal(set_about(a, 0)->kind, METRIC_INFO);
	assert_null(set_about(a, 9));
	assert_null(set_about_member(a, 7, 0));
	set_put(a);
	set_put(b);
	assert_int_equal(samp_metric_find("loadavg", "load1min")->kind, METRIC_GAUGE);
	assert_null(samp_metric_find("loadavg", "x"));
	assert_null(samp_metric_find("nobody", "x"));
}

/* -- messages ------------------------------------------------------------------------------------------------------ */

static char heard[1024];
static atomic_uint hearings;

static int hear(struct samp *sp, const struct samp_msg *m, struct err *err)
{
	size_t n = strlen(heard);

	snprintf(heard + n, sizeof(heard) - n, "%s%s:%s:%zu:%u ", m->json ? "json " : "", m->name, m->data, m->len,
		 m->uid);
	assert_int_equal(m->data[m->len], 0);
	hearings++;
	return strstr(m->data, "bad") ? err_set(err, -EINVAL, "it is bad") : 0;
}

static int subscribe(struct samp *sp, struct puppet *p, struct err *err)
{
	(void)p;
	heard[0] = 0;
	hearings = 0;
	assert_int_equal(samp_subscribe(sp, SAMP_MSG, "(", true, hear, err), -EINVAL);
	assert_int_equal(samp_subscribe(sp, SAMP_MSG, "", false, hear, err), -EINVAL);
	if (samp_subscribe(sp, SAMP_STREAM | SAMP_MSG, "slurm", false, hear, err))
		return -EINVAL;
	return samp_subscribe(sp, SAMP_MSG, "^job", true, hear, err);
}

static void tell(struct fixture *f, enum samp_via via, const char *name, const char *text)
{
	struct samp_msg m = { .via = via, .name = name, .data = text, .len = strlen(text) + 1, .uid = 5 };

	samp_tell(f->sp, &m);
}

static void test_told(void **state)
{
	struct fixture *f = *state;
	struct samp_status st;

	act_open = subscribe;
	load(f, "");
	tell(f, SAMP_MSG, "slurm", "a");
	tell(f, SAMP_STREAM, "slurm", "bad");
	tell(f, SAMP_STREAM, "jobs", "no");
	tell(f, SAMP_MSG, "jobs", "c");
	tell(f, SAMP_MSG, "slurmy", "no");
	assert_string_equal(heard, "");
	once(f);
	assert_string_equal(heard, "slurm:a:1:5 slurm:bad:3:5 jobs:c:1:5 ");
	samp_status(f->sp, &st);
	assert_int_equal(st.msgs, 3);
	assert_int_equal(st.msg_errors, 1);
	assert_int_equal(st.msg_lost, 0);
	for (int i = 0; i < 20000; i++)
		tell(f, SAMP_MSG, "slurm", "x");
	samp_status(f->sp, &st);
	assert_true(st.msg_lost > 0 && st.msg_lost < 20000);
	heard[0] = 0;
	once(f);
	samp_status(f->sp, &st);
	assert_int_equal(st.msgs - 3 + st.msg_lost, 20000);
	tell(f, SAMP_MSG, "slurm", "left over"); /* goes with the instance */
}

/* The source changes its shape while messages wait: they are not lost, and those that it wants no more are. */
static int opens;

static int subscribe_less(struct samp *sp, struct puppet *p, struct err *err)
{
	(void)p;
	if (!opens++ && samp_subscribe(sp, SAMP_MSG, "once", false, hear, err))
		return -EINVAL;
	return samp_subscribe(sp, SAMP_MSG, "always", false, hear, err);
}

static int reshape(struct samp *sp, struct puppet *p, struct err *err)
{
	static const struct samp_msg always = { .via = SAMP_MSG, .name = "always", .data = "1", .len = 1 },
				     once_ = { .via = SAMP_MSG, .name = "once", .data = "2", .len = 1 };

	(void)p;
	if (opens > 1)
		return 0;
	samp_tell(sp, &always);
	samp_tell(sp, &once_);
	return err_set(err, -ESTALE, "another shape");
}

static void test_told_while_reshaped(void **state)
{
	struct fixture *f = *state;
	struct samp_status st;

	heard[0] = 0;
	opens = 0;
	act_open = subscribe_less;
	act = reshape;
	load(f, "");
	once(f);
	assert_int_equal(opens, 2);
	assert_string_equal(heard, "");
	once(f);
	assert_string_equal(heard, "always:1:1:0 ");
	samp_status(f->sp, &st);
	assert_int_equal(st.msgs, 1);
	assert_int_equal(st.msg_lost, 1);
	tell(f, SAMP_MSG, "once", "nobody wants it");
	once(f);
	assert_string_equal(heard, "always:1:1:0 ");
}

/* -- a daemon's loop, bus, streams and schedule -------------------------------------------------------------------- */

#define wait_until(cond)                                                                                               \
	do {                                                                                                           \
		int64_t end = mono_us() + GIVE_UP_US;                                                                  \
		while (!(cond)) {                                                                                      \
			if (mono_us() > end)                                                                           \
				fail_msg("never came true: %s", #cond);                                                \
			usleep(500);                                                                                   \
		}                                                                                                      \
	} while (0)

static atomic_int inside;

static int alone(struct samp *sp, const struct samp_msg *m, struct err *err)
{
	(void)sp;
	(void)m;
	(void)err;
	assert_int_equal(inside++, 0);
	usleep(50);
	inside--;
	hearings++;
	return 0;
}

static int sample_alone(struct samp *sp, struct puppet *p, struct err *err)
{
	(void)p;
	assert_int_equal(inside++, 0);
	usleep(50);
	inside--;
	return 0;
}

static int subscribe_alone(struct samp *sp, struct puppet *p, struct err *err)
{
	(void)p;
	hearings = 0;
	return samp_subscribe(sp, SAMP_STREAM | SAMP_MSG, "slurm", false, alone, err);
}

static void test_bus(void **state)
{
	struct fixture *f = *state;
	struct err err = { "" };
	const struct bus_msg bm = { .channel = "slurm", .data = "x", .len = 2, .perm = 0777 };
	const struct stream_msg sm = { .name = "slurm", .data = "x", .len = 2 };
	struct samp_status st;

	f->env.loop = loop_new("main", &err);
	f->env.bus = bus_new(NULL);
	f->env.streams = streams_new(NULL);
	f->env.sched = samp_sched_new(10 * SEC_US, &err);
	bus_enable(f->env.bus, true);
	streams_enable(f->env.streams, true);
	assert_int_equal(loop_start(f->env.loop, &err), 0);
	act = sample_alone;
	act_open = subscribe_alone;
	loop_lock(f->env.loop);
	load(f, "");
	loop_unlock(f->env.loop);
	/* not started yet: messages come all the same; the subscription is a moment later than config */
	wait_until(({
		bus_publish(f->env.bus, &bm, NULL);
		hearings > 0;
	}));
	loop_lock(f->env.loop);
	assert_int_equal(samp_start(f->sp, MSEC_US, 0, &err), 0);
	loop_unlock(f->env.loop);
	for (int i = 0; i < 500; i++) {
		bus_publish(f->env.bus, &bm, NULL);
		stream_publish(f->env.streams, &sm, NULL, NULL);
	}
	wait_until((samp_status(f->sp, &st), st.msgs >= 1001 && st.samples > 3));
	assert_int_equal(st.msg_lost, 0);
	assert_int_equal(samp_publish(f->sp, SAMP_MSG, "slurm", false, "mine", &err), 0);
	assert_int_equal(samp_publish(f->sp, SAMP_STREAM, "slurm", true, "{}", &err), 0);
	wait_until(hearings >= 1003);
	streams_enable(f->env.streams, false);
	assert_int_equal(samp_publish(f->sp, SAMP_STREAM, "slurm", true, "{}", &err), -ENOSYS);
	for (int i = 0; i < 500; i++)
		bus_publish(f->env.bus, &bm, NULL);
	loop_lock(f->env.loop);
	samp_free(f->sp); /* in the midst of it */
	loop_unlock(f->env.loop);
	f->sp = NULL;
	loop_join(f->env.loop);
	assert_true(samp_sched_free(f->env.sched));
	loop_free(f->env.loop);
	bus_free(f->env.bus);
	streams_free(f->env.streams);
}

/* -- the job ------------------------------------------------------------------------------------------------------- */

static struct set *set_of(struct fixture *f, struct schema *s, const char *name)
{
	struct set *set;

	assert_int_equal(set_new(f->env.pool, s, name, "node-1", 0, 0, 0440, &set, NULL), 0);
	schema_free(s);
	assert_int_equal(setdb_add(f->env.sets, set, NULL), 0);
	return set;
}

static void set_gone(struct fixture *f, struct set *set)
{
	setdb_del(f->env.sets, set);
	set_put(set);
}

static void check_job(struct fixture *f, uint64_t job, uint64_t app)
{
	once(f);
	assert_int_equal(number(f, "node-1/puppet", "job_id"), job);
	assert_int_equal(number(f, "node-1/puppet", "app_id"), app);
}

static void put_job(struct set *set, const uint64_t v[4])
{
	set_begin(set);
	for (int i = 0; i < 4; i++)
		set_u64(set, i, v[i]);
	set_end(set);
}

static struct set *plain_job_set(struct fixture *f, const char *name, const char *const metrics[4])
{
	struct schema *s = schema_new("jobinfo", NULL);

	for (int i = 0; i < 4; i++)
		assert_true(schema_add(s, metrics[i], V_U64, "", NULL) >= 0);
	return set_of(f, s, name);
}

static void test_job_plain(void **state)
{
	static const char *const metrics[] = { "job_id", "app_id", "job_start", "job_end" };
	struct fixture *f = *state;
	uint64_t now = (uint64_t)(wall_us() / SEC_US);
	struct set *job;

	load(f, "");
	check_job(f, 0, 0);
	job = plain_job_set(f, "job_info", metrics);
	check_job(f, 0, 0); /* no sample yet */
	put_job(job, (uint64_t[]){ 42, 3, now - 100, 0 });
	check_job(f, 42, 3);
	put_job(job, (uint64_t[]){ 42, 3, now - 100, now - 50 }); /* ended */
	check_job(f, 0, 0);
	put_job(job, (uint64_t[]){ 42, 4, now - 100, now + 1000 });
	check_job(f, 42, 4);
	put_job(job, (uint64_t[]){ 43, 4, now + 1000, 0 }); /* not begun */
	check_job(f, 0, 0);
	put_job(job, (uint64_t[]){ 44, 0, 0, 0 });
	check_job(f, 44, 0);
	set_gone(f, job);
	check_job(f, 0, 0);
	job = plain_job_set(f, "job_info", metrics); /* and found again */
	put_job(job, (uint64_t[]){ 45, 0, 0, 0 });
	check_job(f, 45, 0);
	set_gone(f, job);
}

static void test_job_names(void **state)
{
	static const char *const metrics[] = { "jid", "app_id", "began", "ended" };
	struct fixture *f = *state;
	struct set *job = plain_job_set(f, "n/j", metrics);

	load(f, "job_set=n/j job_id=jid job_start=began job_end=ended");
	put_job(job, (uint64_t[]){ 42, 3, 1, 0 });
	check_job(f, 42, 3);
	put_job(job, (uint64_t[]){ 42, 3, 1, 2 });
	check_job(f, 0, 0);
	set_gone(f, job);
}

enum { SLOTS = 3 };

static void test_job_slots(void **state)
{
	struct fixture *f = *state;
	struct schema *s = schema_new("mt-slurm", NULL);
	struct set *job;
	static const uint64_t ids[SLOTS] = { 10, 11, 12 }, apps[SLOTS] = { 1, 2, 3 };
	static const uint32_t starts[SLOTS] = { 5, 5, 5 }, ends[SLOTS] = { 0, 0, 9 };
	int32_t list[SLOTS] = { -1, -1, -1 };

	assert_int_equal(schema_add_array(s, "job_id", V_U64_ARRAY, SLOTS, "", NULL), 0);
	schema_add_array(s, "app_id", V_U64_ARRAY, SLOTS, "", NULL);
	schema_add(s, "job_slot_list_tail", V_S32, "", NULL);
	schema_add_array(s, "job_slot_list", V_S32_ARRAY, SLOTS, "", NULL);
	schema_add_array(s, "job_start", V_U32_ARRAY, SLOTS, "", NULL);
	schema_add_array(s, "job_end", V_U32_ARRAY, SLOTS, "", NULL);
	job = set_of(f, s, "job_info");
	load(f, "");
	for (int32_t tail = -1; tail < SLOTS; tail++) {
		static const uint64_t want[] = { 10, 10, 11, 0 }; /* the last one has ended */

		if (tail >= 0)
			list[tail] = tail;
		set_begin(job);
		set_bytes(job, 0, ids, sizeof(ids));
		set_bytes(job, 1, apps, sizeof(apps));
		set_bytes(job, 2, &tail, sizeof(tail));
		set_bytes(job, 3, list, sizeof(list));
		set_bytes(job, 4, starts, sizeof(starts));
		set_bytes(job, 5, ends, sizeof(ends));
		set_end(job);
		check_job(f, want[tail + 1], want[tail + 1] ? want[tail + 1] - 9 : 0);
	}
	set_gone(f, job);
}

static void test_job_list(void **state)
{
	static const struct metric_def members[] = {
		{ "job_id", V_U64, "", METRIC_GAUGE, NULL, 1 },      { "app_id", V_U64, "", METRIC_GAUGE, NULL, 1 },
		{ "user", V_CHAR_ARRAY, "", METRIC_GAUGE, NULL, 8 }, { "job_start", V_U32, "", METRIC_GAUGE, NULL, 1 },
		{ "job_end", V_U32, "", METRIC_GAUGE, NULL, 1 },
	};
	struct fixture *f = *state;
	struct schema *s = schema_new("mt-slurm2", NULL);
	struct record *r;
	struct set *job;
	int rec = schema_add_record(s, "job_data", members, 5, NULL);

	assert_int_equal(schema_add_list(s, "job_list", "", (uint32_t)schema_record_heap(s, rec, 4), NULL), 1);
	job = set_of(f, s, "job_info");
	load(f, "");
	set_begin(job);
	set_end(job);
	check_job(f, 0, 0);
	for (uint64_t id = 100; id < 103; id++) {
		set_begin(job);
		r = list_append_record(job, 1, rec);
		record_u64(job, r, 0, id);
		record_u64(job, r, 1, 1);
		set_end(job);
		check_job(f, id, 1);
	}
	set_gone(f, job);
}

/* A set that says nothing of jobs is reported, and no more. */
static void test_job_none(void **state)
{
	static const char *const metrics[] = { "a", "b", "c", "d" };
	struct fixture *f = *state;
	struct set *job = plain_job_set(f, "job_info", metrics);

	load(f, "");
	put_job(job, (uint64_t[]){ 42, 3, 1, 0 });
	check_job(f, 0, 0);
	set_gone(f, job);
}

static int own_job(struct samp *sp, struct puppet *p, struct err *err)
{
	p->sets[0] = samp_set_new(sp, samp_schema_new(sp, "own", err), "/own", err);
	samp_set_job(sp, p->sets[0], 77, 8);
	return 0;
}

static int sample_own(struct samp *sp, struct puppet *p, struct err *err)
{
	samp_begin(sp, p->sets[0]);
	samp_end(sp, p->sets[0]);
	return 0;
}

static void test_job_own(void **state)
{
	static const char *const metrics[] = { "job_id", "app_id", "job_start", "job_end" };
	struct fixture *f = *state;
	struct set *job = plain_job_set(f, "job_info", metrics);

	act_open = own_job;
	act = sample_own;
	load(f, "");
	put_job(job, (uint64_t[]){ 42, 3, 1, 0 });
	check_job(f, 42, 3);
	assert_int_equal(number(f, "node-1/puppet/own", "job_id"), 77);
	assert_int_equal(number(f, "node-1/puppet/own", "app_id"), 8);
	set_gone(f, job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_come_and_go), T(test_anew),      T(test_name_is_taken),
		T(test_about),       T(test_told),      T(test_told_while_reshaped),
		T(test_bus),         T(test_job_plain), T(test_job_names),
		T(test_job_slots),   T(test_job_list),  T(test_job_none),
		T(test_job_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
