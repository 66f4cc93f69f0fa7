/* child.c - plugin code in a process of its own (plugins/child.h): this program is its own child, of kinds that crash,
 * hang and talk nonsense; and what is believed of an answer */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/unit.h"
#include "plugins/child.h"
#include "plugins/child_wire.h"
#include "plugins/gpu.h"

#define LONG_US  (60 * SEC_US) /* nothing waits so long */
#define SHORT_US (SEC_US / 20)

/* -- the kinds of children ------------------------------------------------------------------------------------------ */

static void say(uint32_t magic, uint32_t seq, const char *body, uint32_t len)
{
	char packet[256];
	struct child_head h = { .magic = magic, .seq = seq, .len = len };

	memcpy(packet, &h, sizeof(h));
	memcpy(packet + sizeof(h), body, strlen(body));
	send(CHILD_FD, packet, sizeof(h) + strlen(body), MSG_NOSIGNAL);
}

/* Takes the question, and answers badly. */
static int bad_child(const char *kind)
{
	char question[256];

	if (recv(CHILD_FD, question, sizeof(question), 0) <= 0)
		return 0;
	signal(SIGABRT, SIG_DFL);
	if (!strcmp(kind, "crash"))
		abort();
	if (!strcmp(kind, "end"))
		return 3;
	if (!strcmp(kind, "magic"))
		say(CHILD_MAGIC + 1, 1, "", 0);
	if (!strcmp(kind, "seq"))
		say(CHILD_MAGIC, 2, "", 0);
	if (!strcmp(kind, "len"))
		say(CHILD_MAGIC, 1, "abc", 4);
	if (!strcmp(kind, "short"))
		send(CHILD_FD, "abc", 3, MSG_NOSIGNAL);
	if (!strcmp(kind, "echo"))
		say(CHILD_MAGIC, 1, question + sizeof(struct child_head), 5);
	recv(CHILD_FD, question, sizeof(question), 0); /* until the daemon hangs up */
	return 0;
}

/* -- tests ---------------------------------------------------------------------------------------------------------- */

static void test_an_answer(void **state)
{
	struct child c = { .type = "echo" };
	struct buf b = { 0 };
	struct err err = { "" };

	buf_add(&b, "old", 3);
	assert_int_equal(child_ask(&c, "hello", LONG_US, &b, &err), 0);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.p, "hello", 5);
	assert_true(c.pid > 0);
	child_close(&c);
	assert_int_equal(c.pid, 0);
	child_close(&c); /* once more is fine */
	buf_fini(&b);
}

static void test_bad_children(void **state)
{
	static const struct {
		const char *kind;
		int rc;
		const char *words;
	} bad[] = {
		{ "crash", -ECHILD, "was ended by signal 6" },
		{ "end", -ECHILD, "ended with status 3" },
		{ "magic", -EPROTO, "none of ours" },
		{ "seq", -EPROTO, "none of ours" },
		{ "len", -EPROTO, "none of ours" },
		{ "short", -EPROTO, "none of ours" },
		{ "hang", -ETIMEDOUT, "has not answered within 50ms (deadline=) and was killed" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct child c = { .type = bad[i].kind };
		int64_t deadline_us = bad[i].rc == -ETIMEDOUT ? SHORT_US : LONG_US;
		struct buf b = { 0 };
		struct err err = { "" };

		assert_int_equal(child_ask(&c, "?", deadline_us, &b, &err), bad[i].rc);
		if (!strstr(err.msg, bad[i].words) || !strstr(err.msg, "it is begun again in 1s"))
			fail_msg("%s: %s", bad[i].kind, err.msg);
		assert_int_equal(c.pid, 0);
		/* meanwhile it is not begun, and the reason is still known */
		assert_int_equal(child_ask(&c, "?", deadline_us, &b, &err), -EAGAIN);
		assert_non_null(strstr(err.msg, bad[i].words));
		/* it waits longer the next time */
		c.not_before_us = 0;
		c.seq = 0; /* these children count for themselves */
		assert_int_equal(child_ask(&c, "?", deadline_us, &b, &err), bad[i].rc);
		assert_non_null(strstr(err.msg, "it is begun again in 2s"));
		c.fails = 1000;
		c.not_before_us = 0;
		c.type = "echo";
		c.seq = 0;
		assert_int_equal(child_ask(&c, "again", LONG_US, &b, &err), 0);
		assert_int_equal(c.fails, 0);
		child_close(&c);
		buf_fini(&b);
	}
}

static void test_a_minute_at_most(void **state)
{
	struct child c = { .type = "end", .fails = 1000 };
	struct buf b = { 0 };
	struct err err = { "" };

	assert_int_equal(child_ask(&c, "?", LONG_US, &b, &err), -ECHILD);
	assert_non_null(strstr(err.msg, "it is begun again in 1m"));
	buf_fini(&b);
}

/* The one that ends while nobody asks it is found out at the next question. */
static void test_ended_meanwhile(void **state)
{
	struct child c = { .type = "echo" };
	struct buf b = { 0 };
	struct err err = { "" };

	assert_int_equal(child_ask(&c, "hello", LONG_US, &b, &err), 0);
	kill(c.pid, SIGKILL);
	assert_int_equal(child_ask(&c, "hello", LONG_US, &b, &err), -ECHILD);
	assert_non_null(strstr(err.msg, "was ended by signal 9"));
	buf_fini(&b);
}

static void test_a_question_too_long(void **state)
{
	char question[CHILD_QUESTION_MAX + 2];
	struct child c = { .type = "echo" };
	struct buf b = { 0 };
	struct err err = { "" };

	memset(question, 'x', sizeof(question));
	question[sizeof(question) - 1] = 0;
	assert_int_equal(child_ask(&c, question, LONG_US, &b, &err), -E2BIG);
	assert_int_equal(c.pid, 0);
	buf_fini(&b);
}

/* What the real ones say of libraries that do not fit; the process goes on. */
static void test_libraries(void **state)
{
	static const struct {
		const char *type, *library;
		int rc;
		const char *words;
	} bad[] = {
		{ "nvml", "libno-such-thing.so", -ENOENT, "libno-such-thing.so is not there: " },
		{ "nvml", "libm.so.6", -ENOSYS, "libm.so.6 is of another kind or too old: it has no nvmlInit_v2()" },
		{ "rocm", "libno-such-thing.so", -ENOENT, "libno-such-thing.so is not there: " },
		{ "rocm", "libm.so.6", -ENOSYS, "libm.so.6 is of another kind or too old: it has no rsmi_init()" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct child c = { .type = bad[i].type };
		struct buf b = { 0 };
		struct err err = { "" };

		for (int again = 0; again < 2; again++) {
			assert_int_equal(child_ask(&c, bad[i].library, LONG_US, &b, &err), bad[i].rc);
			if (!strstr(err.msg, bad[i].words))
				fail_msg("%s", err.msg);
		}
		assert_true(c.pid > 0);
		child_close(&c);
		buf_fini(&b);
	}
}

static void test_by_hand(void **state)
{
	char *argv[] = { (char *)"child", (char *)"nvml", NULL };
	int saved = dup(STDERR_FILENO);

	assert_non_null(freopen("/dev/null", "w", stderr));
	assert_int_equal(child_main(2, argv), 1); /* nobody is at the other end */
	assert_int_equal(child_main(1, argv), 1);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void test_lists_of_processors(void **state)
{
	struct gpu g[2];
	struct err err = { "" };

	gpu_init(&g[0], 0);
	gpu_init(&g[1], 1);
	for (int i = 0; i < GPU_VALUES; i++)
		assert_int_equal(g[1].values[i], GPU_UNKNOWN);
	assert_int_equal(gpus_check(NULL, 0, &err), 0);
	assert_int_equal(gpus_check(g, sizeof(g), &err), 0);
	assert_int_equal(gpus_check(g, sizeof(g) - 1, &err), -EPROTO);
	assert_int_equal(gpus_check(g, (GPU_MAX + 1) * sizeof(*g), &err), -EPROTO); /* before they are looked at */
	memset(g[1].name, 'x', sizeof(g[1].name));
	assert_int_equal(gpus_check(g, sizeof(g), &err), -EPROTO);
	assert_non_null(strstr(err.msg, "names that have no end"));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer),
		cmocka_unit_test(test_bad_children),
		cmocka_unit_test(test_a_minute_at_most),
		cmocka_unit_test(test_ended_meanwhile),
		cmocka_unit_test(test_a_question_too_long),
		cmocka_unit_test(test_libraries),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_lists_of_processors),
	};

	if (argc == 3 && !strcmp(argv[1], "child"))
		return strcmp(argv[2], "nvml") && strcmp(argv[2], "rocm") ? bad_child(argv[2])
									  : child_main(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
