/* thread.c - threads that enter, work and leave are listed as they are */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/base/thread.h"

struct found {
	const char *name;
	struct thread_look look;
	unsigned int n;
};

static void find(const struct thread_look *look, void *arg)
{
	struct found *f = arg;

	if (strcmp(look->name, f->name))
		return;
	f->look = *look;
	f->n++;
}

static struct found found(const char *name)
{
	struct found f = { .name = name };

	threads_each(find, &f);
	return f;
}

static void *thread_main(void *arg)
{
	pthread_barrier_t *b = arg;

	thread_enter("a name that is longer than a thread's", b);
	pthread_barrier_wait(b);
	pthread_barrier_wait(b);
	thread_leave();
	return NULL;
}

static void test_threads_come_and_go(void **state)
{
	pthread_barrier_t b;
	struct found f;
	pthread_t t;

	(void)state;
	pthread_barrier_init(&b, NULL, 2);
	assert_int_equal(pthread_create(&t, NULL, thread_main, &b), 0);
	pthread_barrier_wait(&b);
	f = found("a name that is ");
	assert_int_equal(f.n, 1);
	assert_ptr_equal(f.look.owner, &b);
	assert_true(pthread_equal(f.look.id, t));
	assert_int_not_equal(f.look.tid, gettid());
	pthread_barrier_wait(&b);
	pthread_join(t, NULL);
	assert_int_equal(found("a name that is ").n, 0);
	pthread_barrier_destroy(&b);
}

static void test_work_is_counted(void **state)
{
	volatile unsigned int spin = 0;
	struct found f;

	(void)state;
	thread_enter("me", NULL);
	thread_enter("me again", NULL);
	f = found("me");
	assert_int_equal(f.look.window_us, 0); /* nobody looked before */
	assert_int_equal(found("me again").n, 0);
	thread_leave();
	while (!f.look.window_active_us && ++spin)
		f = found("me");
	assert_true(f.look.active_us <= f.look.total_us);
	assert_true(f.look.active_us > 0 && f.look.window_us >= f.look.window_active_us);
	threads_reset();
	f = found("me");
	assert_int_equal(f.look.window_us, 0);
	thread_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_come_and_go),
		cmocka_unit_test(test_work_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
