/* stream.c - streams within a process: who gets what, what is counted, and that slow ones lose and leave in peace */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/log.h"
#include "core/daemon/stream.h"

struct ear {
	struct stream_sub *sub, *victim; /* victim: is unsubscribed from within */
	unsigned int n;
	char last[64];
	enum stream_type type;
	bool full; /* nothing can be passed on */
};

struct test {
	struct streams *all;
	struct loop *loop;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	log_level_set(LOG_QUIET_);
	t->all = streams_new(NULL);
	streams_enable(t->all, true);
	t->loop = loop_new("test", NULL);
	loop_lock(t->loop);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	loop_unlock(t->loop);
	loop_free(t->loop);
	streams_free(t->all);
	free(t);
	return 0;
}

static void turn(struct test *t)
{
	for (int i = 0; i < 50; i++)
		ev_run(loop_ev(t->loop), EVRUN_NOWAIT);
}

static void hear(void *arg, const struct stream_msg *m)
{
	struct ear *e = arg;

	e->n++;
	e->type = m->type;
	snprintf(e->last, sizeof(e->last), "%.*s", (int)m->len, (const char *)m->data);
	if (e->full)
		stream_dropped(e->sub, m);
	if (e->victim) {
		struct stream_sub *v = e->victim;

		e->victim = NULL;
		stream_unsubscribe(v);
	}
}

static struct stream_sub *listen_to(struct test *t, const char *name, struct ear *e, const void *owner)
{
	const struct stream_sub_conf conf = { .name = name, .owner = owner, .loop = t->loop, .fn = hear, .arg = e };

	e->sub = stream_subscribe(t->all, &conf, NULL);
	return e->sub;
}

static int say(struct test *t, const char *name, const char *text, const struct stream_from *from)
{
	const struct stream_msg m = { .name = name, .type = STREAM_JSON, .data = text, .len = strlen(text) + 1 };

	return stream_publish(t->all, &m, from, NULL);
}

static void test_who_gets_what(void **state)
{
	struct test *t = *state;
	struct ear a = { 0 }, b = { 0 }, other = { 0 };
	struct stream_from from = { .prdcr = "p1", .owner = &b };
	const struct streams_view *v;

	listen_to(t, "foo", &a, &a);
	listen_to(t, "foo", &b, &b);
	listen_to(t, "bar", &other, NULL);
	assert_int_equal(say(t, "foo", "one", NULL), 0);
	assert_int_equal(a.n, 0); /* not from within stream_publish() */
	turn(t);
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 1);
	assert_string_equal(a.last, "one");
	assert_int_equal(a.type, STREAM_JSON);
	assert_int_equal(say(t, "foo", "two", &from), 0);
	turn(t);
	assert_int_equal(a.n, 2);
	assert_int_equal(b.n, 1); /* not back where it came from */
	assert_int_equal(say(t, "none", "lonely", NULL), 0);
	turn(t);
	assert_int_equal(other.n, 0);
	v = streams_lock(t->all);
	assert_int_equal(HASH_COUNT(v->streams), 3);
	assert_string_equal(v->streams->name, "bar"); /* by name */
	assert_int_equal(v->recv.n, 3);
	assert_int_equal(v->recv.bytes, 4 + 4 + 7);
	assert_int_equal(v->pub.n, 2);
	for (struct stream *s = v->streams; s; s = s->hh.next)
		if (!strcmp(s->name, "foo")) {
			assert_int_equal(HASH_COUNT(s->sources), 1);
			assert_string_equal(s->sources->prdcr, "p1");
			assert_int_equal(s->sources->recv.n, 1);
		}
	streams_reset(t->all);
	assert_int_equal(v->recv.n, 0);
	streams_unlock(t->all);
}

static void test_slow_ones_lose_what_does_not_fit(void **state)
{
	const size_t big = (1 << 20) - STREAM_MSG_COST;
	struct test *t = *state;
	char *data = calloc(1, big);
	struct stream_msg m = { .name = "foo", .data = data, .len = big };
	struct ear e = { 0 };
	unsigned int fit = STREAM_QUEUE_MAX >> 20;

	listen_to(t, "foo", &e, NULL);
	for (unsigned int i = 0; i < fit + 5; i++)
		assert_int_equal(stream_publish(t->all, &m, NULL, NULL), 0);
	assert_int_equal(e.sub->drops, 5);
	assert_int_equal(e.sub->drop_bytes, 5 * big);
	assert_int_equal(e.sub->queued, STREAM_QUEUE_MAX);
	turn(t);
	assert_int_equal(e.n, fit);
	assert_int_equal(e.sub->queued, 0);
	assert_int_equal(e.sub->taken, fit);
	e.full = true;
	say(t, "foo", "x", NULL);
	turn(t);
	assert_int_equal(e.sub->drops, 6);
	assert_int_equal(e.sub->taken, fit);
	free(data);
}

static void test_leaving(void **state)
{
	struct test *t = *state;
	struct ear a = { 0 }, b = { 0 };

	listen_to(t, "foo", &a, NULL);
	listen_to(t, "foo", &b, NULL);
	say(t, "foo", "never seen", NULL);
	stream_unsubscribe(a.sub); /* with something in its queue */
	stream_unsubscribe(NULL);
	turn(t);
	assert_int_equal(a.n, 0);
	assert_int_equal(b.n, 1);
	for (int i = 0; i < 3; i++)
		say(t, "foo", "x", NULL);
	b.victim = b.sub; /* from within, with more waiting */
	turn(t);
	assert_int_equal(b.n, 2);
	listen_to(t, "foo", &a, NULL);
	say(t, "foo", "x", NULL);
	stream_unsubscribe(a.sub); /* and the loop ends before it turns */
}

static struct stream *known(struct test *t, const char *name)
{
	struct stream *streams = streams_lock(t->all)->streams, *s;

	HASH_FIND_STR(streams, name, s);
	streams_unlock(t->all);
	return s;
}

/* Names without end push out each other, but none that somebody listens to. */
static void test_many_names(void **state)
{
	struct test *t = *state;
	struct ear e = { 0 };
	char name[16];

	listen_to(t, "mine", &e, NULL);
	assert_int_equal(say(t, "s1", "x", NULL), 0);
	assert_int_equal(say(t, "s2", "x", NULL), 0);
	assert_int_equal(say(t, "s1", "x", NULL), 0);
	for (int i = 3; i < STREAMS_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(say(t, name, "x", NULL), 0);
	}
	assert_int_equal(say(t, "one more", "x", NULL), 0);
	assert_null(known(t, "s2"));
	assert_non_null(known(t, "s1"));
	for (int i = 0; i < STREAMS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(say(t, name, "x", NULL), 0);
	}
	assert_int_equal(say(t, "mine", "x", NULL), 0);
	turn(t);
	assert_int_equal(e.n, 1);
	for (int i = 1; i < STREAMS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_non_null(listen_to(t, name, &e, NULL));
	}
	assert_int_equal(say(t, "one too many", "x", NULL), -ENOSPC);
	assert_null(listen_to(t, "one too many", &e, NULL));
	assert_int_equal(say(t, "t1", "x", NULL), 0);
	turn(t);
	assert_int_equal(e.n, 2);
}

static void test_refused(void **state)
{
	struct test *t = *state;
	char name[STREAM_NAME_MAX + 1], many[16];
	struct ear e = { 0 };

	memset(name, 'n', sizeof(name));
	name[STREAM_NAME_MAX] = '\0';
	assert_int_equal(say(t, name, "x", NULL), -EINVAL);
	assert_null(listen_to(t, name, &e, NULL));
	name[STREAM_NAME_MAX - 1] = '\0';
	assert_int_equal(say(t, name, "x", NULL), 0);
	assert_int_equal(say(t, "", "x", NULL), -EINVAL);
	assert_int_equal(say(t, "a\tb", "x", NULL), -EINVAL);
	streams_enable(t->all, false);
	assert_int_equal(say(t, "s1", "x", NULL), -ENOSYS);
	for (int i = 0; i < 2000; i++) { /* what the log remembers is bounded */
		snprintf(many, sizeof(many), "t%d", i);
		say(t, many, "x", NULL);
	}
}

#define THREADS 4
#define EACH    5000

static void *shout(void *arg)
{
	struct test *t = arg;

	for (int i = 0; i < EACH; i++)
		say(t, "foo", "x", NULL);
	return NULL;
}

static void test_any_thread_may_publish(void **state)
{
	struct test *t = *state;
	struct ear a = { 0 }, b = { 0 };
	pthread_t th[THREADS];

	listen_to(t, "foo", &a, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&th[i], NULL, shout, t);
	for (int i = 0; i < 200; i++) {
		listen_to(t, "foo", &b, NULL);
		ev_run(loop_ev(t->loop), EVRUN_NOWAIT);
		stream_unsubscribe(b.sub);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(th[i], NULL);
	while (a.n < THREADS * EACH)
		ev_run(loop_ev(t->loop), EVRUN_ONCE);
	assert_int_equal(a.sub->drops, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_who_gets_what), TEST(test_slow_ones_lose_what_does_not_fit),
		TEST(test_leaving),       TEST(test_refused),
		TEST(test_many_names),    TEST(test_any_thread_may_publish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
