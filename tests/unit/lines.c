/* lines.c - lines that go to a pipe, whose reader is slow or gone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/dirs.h"
#include "store/lines.h"

#define LINES 16

static char dir[] = "/tmp/lines.XXXXXX", fifo[64];

static int pipe_open(void)
{
	return open(fifo, file_flags(fifo, O_RDWR | O_APPEND));
}

/* Each byte goes through once, and in order, however often the reader was too slow. */
static void test_in_parts(void **state)
{
	int in = open(fifo, O_RDONLY | O_NONBLOCK);
	struct lines l = { .path = fifo, .fd = pipe_open() };
	struct buf want = { 0 }, got = { 0 };
	struct err err = { "" };
	unsigned int refused = 0;
	int room = fcntl(in, F_SETPIPE_SZ, PIPE_BUF); /* a page */
	size_t len, some = (size_t)room / 4 * 3;
	ssize_t n = 1;

	buf_addf(&l.buf, "#a,b,c\n");
	buf_addf(&want, "#a,b,c\n");
	for (int i = 0; i < LINES; i++) {
		size_t before = l.buf.len;

		/* now and then a line is longer than the pipe */
		buf_addf(&l.buf, "%d,%0*d\n", i, i % 10 ? room / 14 : room / 2 * 3, i);
		if (lines_added(&l, before, 100, 3, &len, &err))
			refused++;
		else
			buf_addf(&want, "%d,%0*d\n", i, i % 10 ? room / 14 : room / 2 * 3, i);
		assert_true(l.rows <= 4);
		if (i % 8 == 0 && (n = read(in, buf_reserve(&got, some), some)) > 0)
			got.len += (size_t)n;
	}
	assert_true(refused > 0 && refused < LINES);
	assert_non_null(strstr(err.msg, "who reads it is slow"));
	do {
		lines_flush(&l, NULL);
		n = read(in, buf_reserve(&got, some), some);
		got.len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	assert_int_equal(l.rows, 0);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.p, want.p, want.len);
	close(in);
	close(l.fd);
	buf_fini(&l.buf);
	buf_fini(&want);
	buf_fini(&got);
}

static void test_nobody_reads(void **state)
{
	struct lines l = { .path = fifo };
	struct err err = { "" };
	int in;

	assert_int_equal(pipe_open(), -1);
	assert_int_equal(errno, ENXIO);
	in = open(fifo, O_RDONLY | O_NONBLOCK);
	l.fd = pipe_open();
	assert_true(l.fd >= 0);
	close(in);
	buf_addf(&l.buf, "1\n");
	assert_int_equal(lines_flush(&l, &err), -EPIPE);
	assert_non_null(strstr(err.msg, "nobody reads any more"));
	close(l.fd);
	buf_fini(&l.buf);
}

static void *read_all(void *arg)
{
	int in = open(fifo, O_RDONLY);
	struct buf *b = arg;
	ssize_t n;

	while ((n = read(in, buf_reserve(b, 4096), 4096)) > 0)
		b->len += (size_t)n;
	close(in);
	return NULL;
}

/* Who waits for somebody to open the other end gets all that is written, and the end behind it. */
static void test_somebody_reads(void **state)
{
	struct buf got = { 0 }, want = { 0 };
	struct lines l = { .path = fifo };
	pthread_t reader;

	pthread_create(&reader, NULL, read_all, &got);
	while ((l.fd = pipe_open()) < 0)
		assert_int_equal(errno, ENXIO);
	for (int i = 0; i < 50000; i++)
		buf_addf(&l.buf, "%d\n", i);
	buf_add(&want, l.buf.p, l.buf.len);
	while (lines_flush(&l, NULL))
		;
	close(l.fd);
	pthread_join(reader, NULL);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.p, want.p, want.len);
	buf_fini(&l.buf);
	buf_fini(&got);
	buf_fini(&want);
}

/* What is no pipe is opened as ever. */
static void test_file(void **state)
{
	assert_int_equal(file_flags("/dev/null", O_RDWR | O_APPEND), O_RDWR | O_APPEND);
	assert_int_equal(file_flags(dir, O_RDONLY), O_RDONLY);
	assert_int_equal(file_flags("/nowhere", O_RDWR), O_RDWR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_parts),
		cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_somebody_reads),
		cmocka_unit_test(test_file),
	};
	int rc;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	if (mkfifo(fifo, 0600))
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(fifo);
	rmdir(dir);
	return rc;
}
