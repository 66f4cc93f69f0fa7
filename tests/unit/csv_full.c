/* csv_full.c - store csv: buffers, and disks that are full */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "csv_rig.h"

static void test_buffer(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	struct rig r;

	rig_open(&r, "buffer=0");
	assert_int_equal(small_store(&r, s, 1), 0);
	assert_stored("s", HEAD_A ROW_A(1));
	rig_close(&r);
	rig_open(&r, "buffer=3 buffertype=3");
	assert_int_equal(small_store(&r, s, 2), 0);
	assert_int_equal(small_store(&r, s, 3), 0);
	assert_stored("s", HEAD_A ROW_A(1));
	assert_int_equal(small_store(&r, s, 4), 0);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(2) ROW_A(3) ROW_A(4));
	rig_close(&r);
	rig_open(&r, "buffer=1");
	assert_int_equal(small_store(&r, s, 5), 0);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(2) ROW_A(3) ROW_A(4));
	assert_int_equal(rig_flush(&r), 0);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(2) ROW_A(3) ROW_A(4) ROW_A(5));
	rig_close(&r);
	set_put(s);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit rl;

	getrlimit(RLIMIT_FSIZE, &rl);
	rl.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

/* The file never holds a part of a row, and no row twice, whatever the disk takes. */
static void check_full(const char *attrs, uint64_t rows)
{
	struct set *s = small_set("s", 0, V_U64);
	struct buf want = { 0 };
	uint64_t refused = 0;
	rlim_t limit = 50; /* less than the header and a row */
	struct rig r;

	signal(SIGXFSZ, SIG_IGN);
	buf_addf(&want, "%s", HEAD_A);
	rig_open(&r, attrs);
	limit_file_size(limit);
	for (uint64_t i = 0; i < rows;) {
		int rc = small_store(&r, s, i);

		if (!rc)
			buf_addf(&want, "1000.000007,7,n1,%llu\n", (unsigned long long)i++);
		if (!rc && i % 7)
			continue;
		if (rc || (rc = rig_flush(&r))) {
			char *got = stored_text("s");
			size_t len = strlen(got);

			assert_int_equal(rc, -EFBIG);
			assert_non_null(strstr(r.err.msg, "/box/inner/s: cannot be written: File too large; "));
			assert_true(len <= limit);
			assert_true(!len || got[len - 1] == '\n');
			assert_memory_equal(got, want.p, len);
			free(got);
			refused++;
			limit += 31; /* about one row more each time */
			limit_file_size(limit);
		}
	}
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(rig_flush(&r), 0);
	rig_close(&r);
	assert_true(refused > rows / 10);
	assert_stored("s", buf_str(&want));
	buf_fini(&want);
	set_put(s);
}

static void test_full_disk_each_row(void **state)
{
	check_full("buffer=0", 50);
}

static void test_full_disk_buffered(void **state)
{
	check_full("buffer=1", 200);
}

static void test_full_disk_rows(void **state)
{
	check_full("buffer=5 buffertype=3", 200);
}

static void test_no_space(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	char *dir = stored_path("."), *path = stored_path("s"), *cmd = xasprintf("mkdir -p %s", dir);
	struct rig r;

	assert_int_equal(system(cmd), 0);
	assert_int_equal(symlink("/dev/full", path), 0);
	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 1), -ENOSPC);
	assert_non_null(strstr(r.err.msg, "s: cannot be written: No space left on device; free some space"));
	unlink(path);
	assert_int_equal(small_store(&r, s, 1), 0);
	rig_close(&r);
	assert_stored("s", HEAD_A ROW_A(1));
	free(dir);
	free(path);
	free(cmd);
	set_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_each_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_buffered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_space, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
