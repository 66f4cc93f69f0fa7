/* append.c - runs of bytes at the end of a file, on a disk that is full now and then */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/append.h"

#define ROOM 100

static char path[] = "/tmp/append.XXXXXX";

/* The disk has room for that much. */
static void room(rlim_t bytes)
{
	struct rlimit lim;

	getrlimit(RLIMIT_FSIZE, &lim);
	lim.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &lim);
}

static void put(struct append *a, char c, size_t n)
{
	while (n--)
		buf_u8(&a->buf, (uint8_t)c);
}

static off_t size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* Two runs, of which the second is taken back after a flush that wrote a part of it. */
static void half_written(struct append *a)
{
	append_init(a);
	assert_int_equal(append_open(a, path, false, 0600, NULL), 0);
	put(a, 'a', 60);
	put(a, 'b', 60);
	room(ROOM);
	assert_true(append_flush(a, NULL) < 0);
	room(RLIM_INFINITY);
	a->buf.len = 60;
}

static void test_taken_back(void **state)
{
	struct append a;

	half_written(&a);
	assert_int_equal(append_flush(&a, NULL), 0);
	assert_int_equal(size(), 60);
	put(&a, 'c', 10);
	assert_int_equal(append_flush(&a, NULL), 0);
	append_close(&a);
	assert_int_equal(size(), 70);
}

static void test_lost(void **state)
{
	struct append a;

	assert_int_equal(truncate(path, 0), 0);
	half_written(&a);
	append_close(&a);
	assert_int_equal(size(), 0);
	half_written(&a);
	buf_reset(&a.buf);
	append_close(&a);
	assert_int_equal(size(), 0);
}

/* A file that was there stays as long as it was. */
static void test_longer(void **state)
{
	struct append a;

	append_init(&a);
	assert_int_equal(truncate(path, 500), 0);
	assert_int_equal(append_open(&a, path, false, 0600, NULL), 0);
	append_close(&a);
	assert_int_equal(size(), 500);
}

/* Who reads a pipe may not be there, or slow: then it fails, and keeps nobody waiting. */
static void test_pipe(void **state)
{
	char fifo[64], in[16];
	struct err err = { "" };
	struct append a;
	int fd;

	snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	append_init(&a);
	assert_int_equal(append_open(&a, fifo, false, 0600, &err), -ENXIO);
	assert_non_null(strstr(err.msg, "a pipe that nobody reads"));
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	if (append_open(&a, fifo, false, 0600, &err))
		fail_msg("%s", err.msg);
	put(&a, 'a', sizeof(in));
	assert_int_equal(append_flush(&a, &err), 0);
	assert_int_equal(read(fd, in, sizeof(in)), sizeof(in));
	do
		put(&a, 'b', PIPE_BUF);
	while (!append_flush(&a, &err));
	assert_non_null(strstr(err.msg, "who reads it is slow"));
	append_close(&a);
	close(fd);
	unlink(fifo);
}

/* What a pipe has taken of a run is not written again: the rest follows, also of a run that fails. */
static void test_pipe_in_parts(void **state)
{
	struct buf want = { 0 }, got = { 0 };
	struct err err = { "" };
	struct append a;
	char fifo[64];
	size_t room, len;
	int fd;

	snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	append_init(&a);
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	assert_int_equal(append_open(&a, fifo, false, 0600, &err), 0);
	room = (size_t)fcntl(fd, F_SETPIPE_SZ, PIPE_BUF); /* a page */
	len = 3 * room;
	for (size_t i = 0; i < len; i++)
		buf_u8(&want, (uint8_t)('a' + i / 7 % 26));
	buf_add(&a.buf, want.p, len - 10);
	assert_int_equal(append_added(&a, 0, 1, &err), 0); /* a part of it is there */
	buf_add(&a.buf, want.p, 10);
	assert_int_equal(append_added(&a, a.buf.len - 10, 1, &err), -EAGAIN); /* nothing of it */
	buf_add(&a.buf, want.p + len - 10, 10);
	while (got.len < len) {
		ssize_t n = read(fd, buf_reserve(&got, room), room);

		assert_true(n > 0);
		got.len += (size_t)n;
		append_flush(&a, &err);
	}
	assert_int_equal(got.len, len);
	assert_memory_equal(got.p, want.p, len);
	assert_int_equal(a.buf.len, 0);
	append_close(&a);
	close(fd);
	unlink(fifo);
	buf_fini(&want);
	buf_fini(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_back), cmocka_unit_test(test_lost),          cmocka_unit_test(test_longer),
		cmocka_unit_test(test_pipe),       cmocka_unit_test(test_pipe_in_parts),
	};
	int rc;

	signal(SIGXFSZ, SIG_IGN);
	close(mkstemp(path));
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
