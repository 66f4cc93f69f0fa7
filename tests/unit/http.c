/* Requests and answers of core/base/http.c, against a server of a few lines on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/http.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

/* One connection: it answers each request with the next of `answers`, and keeps what was asked. */
struct server {
	int fd;
	char *url;
	const char *const *answers; /* ended by NULL: then it hangs up */
	struct buf asked;
	pthread_t thread;
	bool ended;
};

/* NUL bytes, which are not for strings, become '0'. */
static ssize_t take(int fd, struct buf *b)
{
	uint8_t *p = buf_reserve(b, 4096);
	ssize_t n = read(fd, p, 4096);

	for (ssize_t i = 0; i < n; i++)
		if (!p[i])
			p[i] = '0';
	b->len += n > 0 ? (size_t)n : 0;
	return n;
}

/* Behind the head and as many bytes as Content-Length says. */
static bool is_whole(struct buf *b, size_t from)
{
	const char *text = buf_str(b) + from, *end = strstr(text, "\r\n\r\n"), *len = strstr(text, "Content-Length: ");

	return end && strlen(end + 4) >= (len && len < end ? (size_t)atol(len + 16) : 0);
}

static void *serve(void *arg)
{
	struct server *sv = arg;
	int fd = accept(sv->fd, NULL, NULL);
	size_t from = 0;
	ssize_t n = 1;

	for (size_t i = 0; n > 0 && sv->answers[i]; i++) {
		while (n > 0 && !is_whole(&sv->asked, from))
			n = take(fd, &sv->asked);
		from = sv->asked.len;
		n = send(fd, sv->answers[i], strlen(sv->answers[i]), MSG_NOSIGNAL);
	}
	close(fd);
	return NULL;
}

static void server_listen(struct server *sv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	sv->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(sv->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(sv->fd, 1), 0);
	getsockname(sv->fd, (struct sockaddr *)&a, &len);
	sv->url = xasprintf("http://127.0.0.1:%d/base", ntohs(a.sin_port));
}

static void server_start(struct server *sv, const char *const *answers)
{
	*sv = (struct server){ .answers = answers };
	server_listen(sv);
	pthread_create(&sv->thread, NULL, serve, sv);
}

static void server_wait(struct server *sv)
{
	if (!sv->ended)
		pthread_join(sv->thread, NULL);
	sv->ended = true;
}

static void server_end(struct server *sv)
{
	server_wait(sv);
	close(sv->fd);
	free(sv->url);
	buf_fini(&sv->asked);
}

static struct http *client(const struct http_conf *conf)
{
	struct err err = { "" };
	struct http *h;
	int rc = http_open(conf, &h, &err);

	if (rc == -ENOENT || rc == -ENOTSUP)
		skip(); /* no libcurl */
	if (rc)
		fail_msg("%s", err.msg);
	return h;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Words: two  words \r\n\r\nhello"

static void test_requests_of_one_connection(void **state)
{
	struct server sv;
	struct http_answer a = { 0 };
	struct err err = { "" };
	struct http *h;
	char text[64];

	server_start(&sv, (const char *const[]){ OK,
						 "HTTP/1.1 100 Continue\r\nX-Words: no\r\n\r\nHTTP/1.1 503 Busy\r\n"
						 "Retry-After: 7\r\nContent-Length: 0\r\n\r\n",
						 OK,
						 "HTTP/1.1 503 Busy\r\nRetry-After: 9000000000000000000\r\n"
						 "Content-Length: 0\r\n\r\n",
						 NULL });
	h = client(&(struct http_conf){ .url = sv.url,
					.headers = (const char *const[]){ "X-All: yes", NULL },
					.user = "u",
					.password = "p:q",
					.body_max = 100 });

	assert_int_equal(http_ask(h, &(struct http_req){ .deadline_us = 10 * SEC_US }, &a, &err), 0);
	assert_int_equal(a.status, 200);
	assert_string_equal(buf_str(&a.body), "hello");
	assert_string_equal(http_header(&a, "x-words", text, sizeof(text)), "two  words");
	assert_null(http_header(&a, "X-Word", text, sizeof(text)));
	assert_int_equal(a.retry_after_us, 0);

	struct http_req post = { .method = "POST",
				 .headers = (const char *const[]){ "X-One: a", "X-Two: b", NULL },
				 .body = "bo\0dy",
				 .body_len = 5,
				 .deadline_us = 10 * SEC_US };
	assert_int_equal(http_ask(h, &post, &a, &err), 0);
	assert_int_equal(a.status, 503);
	assert_int_equal(a.body.len, 0);
	assert_int_equal(a.retry_after_us, 7 * SEC_US);
	assert_null(http_header(&a, "X-Words", text, sizeof(text)));

	assert_int_equal(http_ask(h, &(struct http_req){ .method = "DELETE", .deadline_us = 10 * SEC_US }, &a, &err),
			 0);
	assert_int_equal(http_ask(h, &(struct http_req){ .deadline_us = 10 * SEC_US }, &a, &err), 0);
	assert_int_equal(a.retry_after_us, 86400 * SEC_US);
	http_close(h);
	http_answer_fini(&a);
	server_wait(&sv);
	const char *asked = buf_str(&sv.asked);
	const char *second = strstr(asked, "POST /base HTTP/1.1\r\n"),
		   *third = strstr(asked, "DELETE /base HTTP/1.1\r\n");
	assert_ptr_equal(strstr(asked, "GET /base HTTP/1.1\r\n"), asked);
	assert_true(second && third);
	assert_true(strstr(asked, "X-All: yes\r\n") < second && strstr(second, "X-All: yes\r\n") < third);
	assert_true(strstr(asked, "Authorization: Basic dTpwOnE=\r\n") < second);
	assert_true(strstr(second, "X-One: a\r\n") < third && strstr(second, "X-Two: b\r\n") < third);
	assert_true(strstr(second, "\r\n\r\nbo0dy") < third);
	assert_null(strstr(third, "X-One"));
	assert_null(strstr(asked, "Expect"));
	server_end(&sv);
}

static void test_failures_have_words(void **state)
{
	struct server sv;
	struct http_answer a = { 0 };
	struct err err = { "" };
	struct http *h;
	char *url;

	server_start(&sv, (const char *const[]){ OK, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel", NULL });
	h = client(&(struct http_conf){ .url = sv.url, .body_max = 3, .body_cut = true });
	assert_int_equal(http_ask(h, &(struct http_req){ .deadline_us = 10 * SEC_US }, &a, &err), 0);
	assert_string_equal(buf_str(&a.body), "hel");
	/* it is gone in the middle of an answer, and stays away; secrets of a query are not said */
	assert_int_equal(http_ask(h, &(struct http_req){ .deadline_us = 10 * SEC_US }, &a, &err), -EREMOTEIO);
	assert_ptr_equal(strstr(err.msg, sv.url), err.msg);
	close(sv.fd);
	url = xasprintf("%s?p=secret", sv.url);
	assert_int_equal(http_ask(h, &(struct http_req){ .url = url, .deadline_us = 10 * SEC_US }, &a, &err),
			 -ECONNREFUSED);
	assert_null(strstr(err.msg, "secret"));
	free(url);
	http_close(h);
	server_end(&sv);

	server_start(&sv, (const char *const[]){ OK, NULL });
	h = client(&(struct http_conf){ .url = sv.url, .body_max = 3 });
	assert_int_equal(http_ask(h, &(struct http_req){ .deadline_us = 10 * SEC_US }, &a, &err), -EFBIG);
	http_abort(h);
	assert_int_equal(http_ask(h, &(struct http_req){ .deadline_us = 10 * SEC_US }, &a, &err), -ECANCELED);
	http_close(h);
	server_end(&sv);
	http_answer_fini(&a);
}

/* One request is answered; the next one is not waited for any longer. */
struct aborting {
	struct server *sv;
	struct http *h;
};

static void *answer_and_abort(void *arg)
{
	const struct aborting *ab = arg;
	struct buf asked = { 0 };
	int fd = accept(ab->sv->fd, NULL, NULL);
	size_t from = 0;

	for (int i = 0; i < 2; i++) {
		while (!is_whole(&asked, from) && take(fd, &asked) > 0)
			;
		from = asked.len;
		if (!i)
			send(fd, OK, strlen(OK), MSG_NOSIGNAL);
	}
	http_abort(ab->h);
	close(fd);
	buf_fini(&asked);
	return NULL;
}

/* libcurl would try once more what a connection that was kept did not answer. */
static void test_abort_connects_no_more(void **state)
{
	struct server sv = { .ended = true };
	struct http_answer a = { 0 };
	struct err err = { "" };
	struct aborting ab = { .sv = &sv };

	server_listen(&sv);
	ab.h = client(&(struct http_conf){ .url = sv.url, .body_max = 100 });
	pthread_create(&sv.thread, NULL, answer_and_abort, &ab);
	assert_int_equal(http_ask(ab.h, &(struct http_req){ .deadline_us = 10 * SEC_US }, &a, &err), 0);
	assert_int_equal(http_ask(ab.h, &(struct http_req){ .deadline_us = 10 * SEC_US }, &a, &err), -ECANCELED);
	pthread_join(sv.thread, NULL);
	fcntl(sv.fd, F_SETFL, O_NONBLOCK);
	assert_int_equal(accept(sv.fd, NULL, NULL), -1);
	http_close(ab.h);
	http_answer_fini(&a);
	server_end(&sv);
}

static void test_urls(void **state)
{
	struct err err = { "" };
	struct buf b = { 0 };

	assert_int_equal(http_url_check("http://h:1/x?a=b", NULL), 0);
	for (const char *const *good =
		     (const char *const[]){ "https://[::1]", "http://[::1]:65535/a:b", "http://u:p@h:8086?x=:y", NULL };
	     *good; good++)
		assert_int_equal(http_url_check(*good, NULL), 0);
	for (const char *const *bad =
		     (const char *const[]){ "h:1", "ftp://h", "http://", "http:///x", "http://h/a b", "http://h/\n", "",
					    "http://h:65536", "http://h:0/x", "http://h:80x", "http://[::1]:x",
					    "http://h:/x", "http://h:4294967377", NULL };
	     *bad; bad++)
		assert_int_equal(http_url_check(*bad, NULL), -EINVAL);
	for (const char *const *bad = (const char *const[]){ "ftp://u:secret@h", "http:///x?p=secret",
							     "http://h/a?p=secret b", "http://u:secret@h:x", NULL };
	     *bad; bad++) {
		assert_int_equal(http_url_check(*bad, &err), -EINVAL);
		assert_null(strstr(err.msg, "secret"));
	}
	http_quote(&b, "a-Z_0.~ &=/\xc3\xa4");
	assert_string_equal(buf_str(&b), "a-Z_0.~%20%26%3D%2F%C3%A4");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_of_one_connection),
		cmocka_unit_test(test_failures_have_words),
		cmocka_unit_test(test_abort_connects_no_more),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
