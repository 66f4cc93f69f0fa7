/* undo.c - what was written and not counted is taken back, and nothing else */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/log.h"
#include "scratch.h"
#include "store/undo.h"

struct files {
	char *dir, *log, *a, *b;
	struct undo *u;
	int fd;
};

static int setup(void **state)
{
	struct files *f = xcalloc(1, sizeof(*f));

	f->dir = scratch_new();
	f->log = xasprintf("%s/undo", f->dir);
	f->a = xasprintf("%s/a", f->dir);
	f->b = xasprintf("%s/b", f->dir);
	assert_int_equal(undo_open(f->log, &f->u, NULL), 0);
	f->fd = open(f->a, O_RDWR | O_CREAT | O_APPEND, 0600);
	assert_int_equal(write(f->fd, "old\n", 4), 4);
	undo_settle(f->u, 7);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct files *f = *state;

	undo_close(f->u);
	close(f->fd);
	scratch_free(f->dir);
	free(f->log);
	free(f->a);
	free(f->b);
	free(f);
	return 0;
}

/* As a store does it; `n` of the bytes are written. */
static void append(struct files *f, const char *text, size_t n)
{
	undo_note(f->u, f->a, f->fd, text, strlen(text));
	assert_int_equal(write(f->fd, text, n), n);
}

static void append_all(struct files *f, const char *text)
{
	append(f, text, strlen(text));
}

/* The next process, whose account says so of records. */
static void next_process(struct files *f, uint64_t taken, uint64_t tail)
{
	undo_close(f->u);
	assert_int_equal(undo_open(f->log, &f->u, NULL), 0);
	undo_apply(f->u, taken, tail);
}

static void holds(const char *path, const char *text)
{
	char got[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, got, sizeof(got) - 1);

	close(fd);
	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

/* What comes again goes, all writes of it, once. */
static void test_comes_again(void **state)
{
	struct files *f = *state;

	undo_again(f->u, 7);
	append_all(f, "one\ntwo\n");
	append_all(f, "three\n");
	next_process(f, 7, 9);
	holds(f->a, "old\n");
	append_all(f, "four\n"); /* not noted as coming again */
	next_process(f, 7, 9);
	holds(f->a, "old\nfour\n");
}

/* What was counted stays, and what would not come again. */
static void test_stays(void **state)
{
	struct files *f = *state;

	undo_again(f->u, 7);
	append_all(f, "one\n");
	undo_settle(f->u, 8);
	append_all(f, "memory\n");
	next_process(f, 8, 8);
	holds(f->a, "old\none\nmemory\n");
	undo_again(f->u, 8);
	append_all(f, "two\n");
	next_process(f, 9, 9); /* it was counted, and ended before it could say so here */
	holds(f->a, "old\none\nmemory\ntwo\n");
	undo_again(f->u, 9);
	append_all(f, "three\n");
	next_process(f, 9, 9); /* there is no such record */
	holds(f->a, "old\none\nmemory\ntwo\nthree\n");
}

/* A write that was not finished: all of it goes, or what is no whole line. */
static void test_torn(void **state)
{
	struct files *f = *state;

	append(f, "one\ntwo\n", 6);
	next_process(f, 7, 7);
	holds(f->a, "old\none\n");
	undo_again(f->u, 7);
	append_all(f, "two\n");
	append(f, "three\nfour\n", 8);
	next_process(f, 7, 9);
	holds(f->a, "old\none\n");
	undo_again(f->u, 7);
	append(f, "five\n", 0);
	next_process(f, 7, 9);
	holds(f->a, "old\none\n");
}

/* A disk that took a part of it. */
static void test_short(void **state)
{
	struct files *f = *state;

	undo_again(f->u, 7);
	append(f, "one\ntwo\n", 4);
	undo_short(f->u, "one\ntwo\n", 4);
	append(f, "two\n", 0);
	undo_short(f->u, "two\n", 0);
	append_all(f, "two\n");
	next_process(f, 7, 9);
	holds(f->a, "old\n");
}

/* ... a pipe that took none: that is not about the file before it. */
static void test_short_pipe(void **state)
{
	struct files *f = *state;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	undo_again(f->u, 7);
	append_all(f, "one\n");
	undo_note(f->u, "pipe", pipes[1], "two\n", 4);
	undo_short(f->u, "two\n", 0);
	next_process(f, 7, 9);
	holds(f->a, "old\n");
	close(pipes[0]);
	close(pipes[1]);
}

/* Others have written to the file. */
static void test_others(void **state)
{
	struct files *f = *state;

	undo_again(f->u, 7);
	append_all(f, "one\n");
	assert_int_equal(write(f->fd, "other\n", 6), 6);
	next_process(f, 7, 9);
	holds(f->a, "old\none\nother\n");
	undo_again(f->u, 7);
	append(f, "two\n", 0);
	assert_int_equal(write(f->fd, "ABC\n", 4), 4);
	next_process(f, 7, 9);
	holds(f->a, "old\none\nother\nABC\n");
	undo_again(f->u, 7);
	append(f, "three\n", 0);
	assert_int_equal(write(f->fd, "D\n", 2), 2);
	next_process(f, 7, 9);
	holds(f->a, "old\none\nother\nABC\nD\n");
	/* another file of that name */
	undo_again(f->u, 7);
	append_all(f, "four\n");
	assert_int_equal(rename(f->a, f->b), 0);
	close(open(f->a, O_WRONLY | O_CREAT, 0600));
	next_process(f, 7, 9);
	holds(f->b, "old\none\nother\nABC\nD\nfour\n");
	holds(f->a, "");
}

/* Files that were renamed, or were going to be. */
static void test_renamed(void **state)
{
	struct files *f = *state;
	char *c = xasprintf("%s/c", f->dir);

	undo_again(f->u, 7);
	append_all(f, "one\n");
	undo_rename(f->u, f->a, f->b);
	next_process(f, 7, 9);
	holds(f->a, "old\n");
	undo_again(f->u, 7);
	append_all(f, "one\n");
	undo_rename(f->u, f->a, f->b);
	assert_int_equal(rename(f->a, f->b), 0);
	undo_rename(f->u, f->b, c);
	assert_int_equal(rename(f->b, c), 0);
	next_process(f, 7, 9);
	holds(c, "old\n");
	free(c);
}

/* A note that did not get to the disk: what stands in its place is of an earlier flush, and was counted. */
static void test_stale(void **state)
{
	struct files *f = *state;
	char old[128];
	int fd = open(f->log, O_RDWR), other = open(f->b, O_RDWR | O_CREAT | O_APPEND, 0600);

	undo_again(f->u, 7);
	append_all(f, "one\n");
	assert_int_equal(pread(fd, old, sizeof(old), 64), sizeof(old));
	undo_settle(f->u, 8);
	undo_again(f->u, 8);
	undo_note(f->u, f->b, other, "two\n", 4);
	assert_int_equal(write(other, "two\n", 4), 4);
	assert_int_equal(pwrite(fd, old, sizeof(old), 64), sizeof(old));
	next_process(f, 8, 9);
	holds(f->a, "old\none\n");
	close(other);
	close(fd);
}

/* Notes that are no notes do nothing. */
static void test_spoilt(void **state)
{
	struct files *f = *state;
	struct stat st;
	int fd;

	for (off_t at = 0; at < 192; at += 4) {
		undo_again(f->u, 7);
		append_all(f, "one\n");
		assert_int_equal(stat(f->log, &st), 0);
		fd = open(f->log, O_WRONLY);
		assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, at), 4);
		close(fd);
		next_process(f, 7, 9);
		assert_int_equal(stat(f->a, &st), 0);
		assert_true(st.st_size == 4 || st.st_size == 8);
		assert_int_equal(ftruncate(f->fd, 4), 0);
		undo_settle(f->u, 7);
	}
	holds(f->a, "old\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renamed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spoilt, setup, teardown),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
