/* post_rows.c - batches of rows to a server that refuses some of them, or all, or takes its time */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/post.h"

#define BODY_MAX 65536

/* Rows are lines.  What it answers: 413 to more than `rows` of them, or to one with "long" in it; 400 where "bad" is. */
struct server {
	int fd;
	char *url;
	atomic_uint rows, wait_ms;
	atomic_bool denies;                 /* 400, whatever it is */
	atomic_uint requests, stored, most; /* most: rows of one request that it took */
	pthread_t thread;
};

static unsigned int answer_of(struct server *sv, const char *body)
{
	unsigned int n = 0;

	for (const char *p = body; (p = strchr(p, '\n')); p++)
		n++;
	sv->requests++;
	if (n > sv->rows || strstr(body, "long"))
		return 413;
	if (sv->denies || strstr(body, "bad"))
		return 400;
	sv->stored += n;
	sv->most = n > sv->most ? n : sv->most;
	return 204;
}

/* One connection, until the client hangs up. */
static void serve_one(struct server *sv, int fd)
{
	char in[BODY_MAX + 1], out[128];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, in + len, BODY_MAX - len)) > 0) {
		char *body, *length;

		in[len += (size_t)n] = '\0';
		body = strstr(in, "\r\n\r\n");
		length = strstr(in, "Content-Length: ");
		if (!body || strlen(body + 4) < (size_t)atol(length + 16))
			continue;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000L * sv->wait_ms }, NULL);
		n = snprintf(out, sizeof(out), "HTTP/1.1 %u So\r\nContent-Length: 0\r\n\r\n", answer_of(sv, body + 4));
		send(fd, out, (size_t)n, MSG_NOSIGNAL);
		len = 0;
	}
	close(fd);
}

static void *serve(void *arg)
{
	struct server *sv = arg;
	int fd;

	while ((fd = accept(sv->fd, NULL, NULL)) >= 0)
		serve_one(sv, fd);
	return NULL;
}

static const char *const no_headers[] = { NULL };
static const struct post_face face = { .headers = no_headers };

struct rig {
	struct server sv;
	struct post_conf conf;
	struct post *post;
	struct err err;
};

static void rig_init(struct rig *r, unsigned int batch)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	memset(r, 0, sizeof(*r));
	if (HTTP_NEEDS)
		skip();
	r->sv.fd = socket(AF_INET, SOCK_STREAM, 0);
	r->sv.rows = UINT32_MAX;
	assert_int_equal(bind(r->sv.fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(r->sv.fd, 1), 0);
	getsockname(r->sv.fd, (struct sockaddr *)&a, &len);
	pthread_create(&r->sv.thread, NULL, serve, &r->sv);
	r->conf = (struct post_conf){ .batch = batch, .deadline_us = 10 * SEC_US };
	r->post = post_new(&r->conf, &face, NULL, xasprintf("http://127.0.0.1:%d/", ntohs(a.sin_port)));
}

static void rig_fini(struct rig *r)
{
	post_close(r->post, "test");
	shutdown(r->sv.fd, SHUT_RDWR); /* ends accept() */
	pthread_join(r->sv.thread, NULL);
	close(r->sv.fd);
}

static void row(struct rig *r, const char *text)
{
	buf_addf(post_taken(r->post), "%s\n", text);
	assert_int_equal(post_added(r->post, &r->err), 0);
}

static void rows(struct rig *r, const char *text, unsigned int n)
{
	while (n--)
		row(r, text);
}

/* Bad rows are refused, all others stored, with two requests for each time that a batch is halved. */
static void test_bad_rows(void **state)
{
	struct rig r;

	rig_init(&r, 1000);
	rows(&r, "good", 300);
	row(&r, "bad");
	rows(&r, "good", 400);
	row(&r, "bad");
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_int_equal(r.sv.stored, 700);
	assert_int_equal(post_refused(r.post, &r.err), 2);
	assert_non_null(strstr(r.err.msg, "answers with status 400"));
	assert_in_range(r.sv.requests, 4, 50);
	/* and large batches go on */
	rows(&r, "good", 1000);
	rows(&r, "good", 1000);
	assert_int_equal(r.sv.stored, 2700);
	assert_int_equal(r.sv.most, 1000);
	rig_fini(&r);
}

/* What a server takes at once is kept to; a row that is too long alone says nothing about others. */
static void test_too_much(void **state)
{
	struct rig r;

	rig_init(&r, 1000);
	r.sv.rows = 100;
	rows(&r, "good", 1000);
	assert_int_equal(r.sv.stored, 1000);
	assert_int_equal(post_refused(r.post, NULL), 0);
	r.sv.requests = 0;
	rows(&r, "good", 1000);
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_in_range(r.sv.requests, 10, 20);

	r.sv.rows = UINT32_MAX;
	row(&r, "long");
	rows(&r, "good", 100);
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_int_equal(post_refused(r.post, NULL), 1);
	rows(&r, "good", 3000);
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_int_equal(r.sv.stored, 5100);
	assert_int_equal(r.sv.most, 1000);
	rig_fini(&r);
}

/* A server that refuses everything, slowly, holds nobody for long, and is through with it at last. */
static void test_slow(void **state)
{
	enum { N = 64 };
	unsigned int tries = 1;
	uint64_t refused;
	struct rig r;
	int rc;

	rig_init(&r, 1000);
	r.conf.deadline_us = 200 * MSEC_US;
	row(&r, "good");
	assert_int_equal(post_flush(r.post, &r.err), 0);
	r.sv.wait_ms = 10;
	rows(&r, "bad", N);
	while ((rc = post_flush(r.post, &r.err))) {
		if (rc == -EAGAIN)
			assert_non_null(strstr(r.err.msg, "answers take long"));
		tries++;
	}
	assert_true(tries > 2);
	refused = post_refused(r.post, NULL);
	assert_int_equal(refused, N);

	/* nor where it takes so long that batches stay small; they grow again when that is over, or no matter of rows */
	r.sv.wait_ms = 160;
	row(&r, "bad");
	rows(&r, "good", 15);
	for (tries = 1; post_flush(r.post, &r.err);)
		tries++;
	assert_true(tries > 2);
	assert_true(r.sv.stored >= 15); /* or twice, on a machine that is slow */
	r.sv.wait_ms = 110;
	r.sv.requests = 0;
	rows(&r, "good", 60);
	while (post_flush(r.post, &r.err))
		;
	assert_true(r.sv.stored >= 75);
	assert_in_range(r.sv.requests, 5, 30);
	rig_fini(&r);
}

/* An address that is wrong answers 400, too: that says nothing about rows, and none is lost. */
static void test_wrong_address(void **state)
{
	unsigned int tries = 0;
	struct rig r;

	rig_init(&r, 1000);
	r.sv.denies = true;
	rows(&r, "good", 100);
	assert_int_equal(post_flush(r.post, &r.err), -EREMOTEIO);
	assert_non_null(strstr(r.err.msg, "status 400; it has taken nothing so far: see url="));
	assert_int_equal(post_flush(r.post, &r.err), -EREMOTEIO);
	assert_in_range(r.sv.requests, 2, 100);
	r.sv.denies = false;
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_int_equal(r.sv.stored, 100);
	assert_int_equal(post_refused(r.post, NULL), 0);
	rig_fini(&r);

	/* bad rows in front of good ones are found by these; and go, some at a time, where there are many of them */
	rig_init(&r, 1);
	buf_addf(post_taken(r.post), "bad\n");
	while (post_added(r.post, &r.err)) {
		buf_addf(post_taken(r.post), "bad\n");
		tries++;
	}
	assert_in_range(tries, 3, 100);
	assert_int_equal(post_refused(r.post, NULL), 1);
	rig_fini(&r);
	rig_init(&r, 1000);
	rows(&r, "bad", 3);
	rows(&r, "good", 5);
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_int_equal(r.sv.stored, 5);
	assert_int_equal(post_refused(r.post, NULL), 3);
	rig_fini(&r);
	rig_init(&r, 1000);
	rows(&r, "bad", 100);
	rows(&r, "good", 5);
	while (post_flush(r.post, &r.err))
		;
	assert_int_equal(r.sv.stored, 5);
	assert_int_equal(post_refused(r.post, NULL), 100);
	rig_fini(&r);
}

/* A row that is too long among those that the address refuses takes none of these with it. */
static void test_too_long_at_wrong_address(void **state)
{
	struct rig r;

	rig_init(&r, 1000);
	r.sv.denies = true;
	rows(&r, "good", 3);
	row(&r, "long");
	rows(&r, "good", 100);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post_flush(r.post, &r.err), -EREMOTEIO);
	r.sv.denies = false;
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_int_equal(r.sv.stored, 103);
	assert_int_equal(post_refused(r.post, NULL), 1);
	rig_fini(&r);
}

/* Rows that were sent before, and may have been taken then, are told from those that are lost. */
static void test_no_answer_before(void **state)
{
	struct rig r;

	rig_init(&r, 1000);
	r.conf.deadline_us = 200 * MSEC_US;
	r.sv.wait_ms = 400;
	rows(&r, "bad", 3);
	assert_int_equal(post_flush(r.post, &r.err), -ETIMEDOUT);
	r.conf.deadline_us = 10 * SEC_US;
	r.sv.wait_ms = 0;
	row(&r, "good");
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_int_equal(post_refused(r.post, &r.err), 3);
	assert_non_null(strstr(r.err.msg, "the server may have it, no answer came when it was sent before: http"));
	row(&r, "bad");
	assert_int_equal(post_flush(r.post, &r.err), 0);
	assert_int_equal(post_refused(r.post, &r.err), 1);
	assert_null(strstr(r.err.msg, "may have it"));
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_rows),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_wrong_address),
		cmocka_unit_test(test_too_long_at_wrong_address),
		cmocka_unit_test(test_no_answer_before),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
