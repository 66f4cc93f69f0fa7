/* proc.c - the scanner of /proc files, and reading them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "plugins/proc.h"
#include "sysroot.h"

/* A text as proc_read() leaves it. */
static const char *text_of(char *buf, size_t cap, const char *text)
{
	assert_true(strlen(text) + PROC_SLACK <= cap);
	memset(buf, 0, cap);
	memcpy(buf, text, strlen(text));
	return buf;
}

static void test_digits(void **state)
{
	static const char *const behind[] = { "", " ", "\n", " kB\n", "/", ":", ".", "x12345678", "\xff\xff", "-1" };
	uint64_t v = 0;
	char buf[64];

	/* every length, and what may stand behind */
	for (int len = 1; len <= 20; len++) {
		v = len == 20 ? UINT64_MAX - 1 : v * 10 + (uint64_t)(len * 7 % 10);
		for (size_t k = 0; k < sizeof(behind) / sizeof(*behind); k++) {
			char text[48];
			const char *p;
			int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);

			snprintf(text + n, sizeof(text) - (size_t)n, "%s", behind[k]);
			p = text_of(buf, sizeof(buf), text);
			assert_int_equal(proc_digits(&p), v);
			assert_ptr_equal(p, buf + n);
		}
	}
	/* the same with zeros in front */
	for (int zeros = 0; zeros < 24; zeros++) {
		char text[48];
		const char *p;

		snprintf(text, sizeof(text), "%0*d ", zeros + 3, 907);
		p = text_of(buf, sizeof(buf), text);
		assert_int_equal(proc_digits(&p), 907);
		assert_int_equal(*p, ' ');
	}
	/* none */
	for (int c = 0; c < 256; c++) {
		char text[] = { (char)c, '1', 0 };
		const char *p = text_of(buf, sizeof(buf), text);

		if (proc_is_digit((char)c))
			continue;
		assert_int_equal(proc_digits(&p), 0);
		assert_ptr_equal(p, buf);
	}
}

static void test_blanks_and_numbers(void **state)
{
	char buf[128];
	const char *p = text_of(buf, sizeof(buf), "1                     22 333\n4444");

	assert_int_equal(proc_u64(&p), 1);
	assert_int_equal(proc_u64(&p), 22);
	assert_int_equal(proc_u64(&p), 333);
	assert_int_equal(proc_u64(&p), 0); /* not into the next line */
	assert_int_equal(*p, '\n');
	p = proc_next_line(p);
	assert_int_equal(proc_u64(&p), 4444);
	assert_int_equal(proc_u64(&p), 0);
	assert_int_equal(*p, 0);
}

static void test_lines(void **state)
{
	char text[64], buf[128];

	for (size_t n = 0; n < 40; n++) {
		const char *p;

		memset(text, 'x', n);
		text[n] = 0;
		p = text_of(buf, sizeof(buf), text);
		assert_ptr_equal(proc_next_line(p), buf + n); /* the end */
		strcpy(text + n, "\nz");
		p = text_of(buf, sizeof(buf), text);
		assert_ptr_equal(proc_next_line(p), buf + n + 1);
		/* bytes that look like a newline or a NUL to careless arithmetic */
		memset(text, '\x8a', n);
		p = text_of(buf, sizeof(buf), text);
		assert_ptr_equal(proc_next_line(p), buf + n + 1);
		memset(text, '\x01', n);
		p = text_of(buf, sizeof(buf), text);
		assert_ptr_equal(proc_next_line(p), buf + n + 1);
		memset(text, '\x0b', n);
		p = text_of(buf, sizeof(buf), text);
		assert_ptr_equal(proc_next_line(p), buf + n + 1);
	}
}

static void test_words(void **state)
{
	char buf[128], word[64] = "nr_free_pages_blocks ";
	const char *p = text_of(buf, sizeof(buf), "nr_free_pages_blocks 1179136");

	assert_int_equal(proc_word(p, ':'), 20);
	assert_int_equal(proc_word("MemTotal: 1", ':'), 8);
	assert_int_equal(proc_word("cpu", ' '), 3);
	for (size_t n = 0; n <= 21; n++) {
		assert_true(proc_starts(p, word, n));
		if (!n)
			continue;
		word[n - 1] ^= 1;
		assert_false(proc_starts(p, word, n));
		assert_true(proc_starts(p, word, n - 1));
		word[n - 1] ^= 1;
	}
}

static void check_file(const char *root, size_t len)
{
	struct proc_file pf;
	struct err err;
	char *bytes = xmalloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)('a' + i % 26);
	sysroot_put_bytes(root, "/proc/loadavg", bytes, len);
	assert_int_equal(proc_open(&pf, root, "/proc/loadavg", &err), 0);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(proc_read(&pf, &err), 0);
		assert_int_equal(pf.len, len);
		assert_memory_equal(pf.buf, bytes, len);
		for (size_t i = 0; i < PROC_SLACK; i++)
			assert_int_equal(pf.buf[len + i], 0);
	}
	proc_close(&pf);
	free(bytes);
}

static void test_sizes(void **state)
{
	static const size_t edges[] = { 1, 3584, 4096, 8192, 8208, 65536 };

	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
		for (size_t d = 0; d < 40; d++)
			if (edges[i] + d > 20)
				check_file(*state, edges[i] + d - 20);
	check_file(*state, 300000);
}

static void test_shrinks(void **state)
{
	struct proc_file pf;
	struct err err;

	sysroot_put(*state, "/proc/loadavg", "a long text");
	assert_int_equal(proc_open(&pf, *state, "/proc/loadavg", &err), 0);
	assert_int_equal(proc_read(&pf, &err), 0);
	sysroot_put(*state, "/proc/loadavg", "short");
	assert_int_equal(proc_read(&pf, &err), 0);
	assert_string_equal(pf.buf, "short");
	proc_close(&pf);
}

/* Errors name the file and the remedy; what is open heals when the file comes back. */
static void test_missing(void **state)
{
	struct proc_file pf, zero = { 0 };
	struct err err;

	assert_int_equal(proc_open(&pf, *state, "/proc/nothing", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/proc/nothing: cannot be opened: No such file"));
	assert_non_null(strstr(err.msg, "is this a Linux host with procfs mounted?"));
	proc_close(&pf);
	proc_close(&pf);
	proc_close(&zero);

	assert_int_equal(proc_open(&pf, *state, "/proc/loadavg", &err), 0);
	sysroot_put(*state, "/proc/loadavg", "");
	assert_int_equal(proc_read(&pf, &err), -ENODATA);
	assert_non_null(strstr(err.msg, "/proc/loadavg: is empty"));
	sysroot_del(*state, "/proc/loadavg");
	assert_int_equal(proc_read(&pf, &err), -ENOENT);
	sysroot_put(*state, "/proc/loadavg", "again");
	assert_int_equal(proc_read(&pf, &err), 0);
	assert_string_equal(pf.buf, "again");
	proc_close(&pf);

	assert_int_equal(proc_open(&pf, *state, "/proc/net", &err), 0);
	assert_int_equal(proc_read(&pf, &err), -EISDIR);
	assert_non_null(strstr(err.msg, "/proc/net: cannot be read: Is a directory"));
	proc_close(&pf);
}

/* A source that cannot seek. */
static void test_pipe(void **state)
{
	char *path = sysroot_path(*state, "/proc/pipe");
	struct proc_file pf;
	struct err err;
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(proc_open(&pf, *state, "/proc/pipe", &err), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(fd, "12 34\n", 6), 6);
		assert_int_equal(proc_read(&pf, &err), 0);
		assert_string_equal(pf.buf, "12 34\n");
	}
	proc_close(&pf);
	close(fd);
	free(path);
}

static int setup(void **state)
{
	*state = sysroot_new();
	return 0;
}

static int teardown(void **state)
{
	sysroot_free(*state);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_blanks_and_numbers),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_words),
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shrinks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipe, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
