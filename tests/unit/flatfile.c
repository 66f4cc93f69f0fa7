/* flatfile.c - store flatfile: its lines, names, torn lines, a full disk */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/daemon/strgp.h"
#include "scratch.h"

static char *scratch;
static struct row_col cols[] = { { "component_id", V_U64, 1, ROW_METRIC },
				 { "../cpu#0", V_D64, 1, ROW_METRIC },
				 { "text", V_CHAR_ARRAY, 8, ROW_METRIC },
				 { "array", V_U8_ARRAY, 2, ROW_METRIC } };
static struct row_schema schema = { .name = "a/s", .cols = cols, .n_cols = 4, .refs = 2 };

static int setup(void **state)
{
	scratch = scratch_new();
	return 0;
}

static int teardown(void **state)
{
	scratch_free(scratch);
	return 0;
}

static void open_it(struct store **st, struct store_sink **sk)
{
	struct err err = { "" };
	struct kv kv = { 0 };

	kv_add(&kv, "path", scratch);
	if (store_new(store_type_find("store_flatfile"), "f", st, &err) || store_config(*st, &kv, &err) ||
	    store_type(*st)->open(*st, "c", sk, &err))
		fail_msg("%s", err.msg);
	kv_fini(&kv);
}

static int put(struct store *st, struct store_sink *sk, double d, struct err *err)
{
	const uint64_t component = htole64(7);
	const struct value v[] = { { V_U64, 1, (const uint8_t *)&component },
				   { V_D64, 1, (const uint8_t *)&d },
				   { V_CHAR_ARRAY, 3, (const uint8_t *)"a\nb" },
				   { V_U8_ARRAY, 2, (const uint8_t *)"ab" } };
	struct row row = { .schema = &schema, .producer = "p", .ts_sec = 5, .ts_usec = 42, .v = v };

	return store_type(st)->row(sk, &row, err);
}

static void assert_text(const char *name, const char *want)
{
	char *path = xasprintf("%s/c/a_s/%s", scratch, name), got[256] = "";
	FILE *f = fopen(path, "r");

	if (!f)
		fail_msg("%s: is not there", path);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	free(path);
	assert_string_equal(got, want);
}

static void test_lines(void **state)
{
	struct store_sink *sk;
	struct err err = { "" };
	struct store *st;
	char *path;
	FILE *f;

	open_it(&st, &sk);
	assert_int_equal(put(st, sk, 0.5, &err), 0);
	assert_int_equal(store_type(st)->flush(sk, &err), 0);
	assert_text("_._cpu", "5.000042 p 7 0.5\n");
	assert_text("component_id", "5.000042 p 7 7\n");
	assert_text("text", "5.000042 p 7 a b\n");
	store_type(st)->close(sk);
	store_put(st);
	path = xasprintf("%s/c/a_s/_._cpu", scratch);
	f = fopen(path, "a");
	fputs("5.00", f); /* as a killed daemon leaves it */
	fclose(f);
	free(path);
	open_it(&st, &sk);
	assert_int_equal(put(st, sk, 1, &err), 0);
	store_type(st)->close(sk);
	store_put(st);
	assert_text("_._cpu", "5.000042 p 7 0.5\n5.00\n5.000042 p 7 1\n");
	path = xasprintf("%s/c/a_s/array", scratch);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
}

/* What cannot be written waits, and is written once. */
static void test_full(void **state)
{
	char *path = xasprintf("%s/c/a_s", scratch), *full = xasprintf("%s/text", path);
	struct store_sink *sk;
	struct err err = { "" };
	struct store *st;
	char *command = xasprintf("mkdir -p %s; ln -s /dev/full %s", path, full);

	assert_int_equal(system(command), 0);
	open_it(&st, &sk);
	assert_int_equal(put(st, sk, 0.5, &err), 0);
	assert_int_equal(store_type(st)->flush(sk, &err), -ENOSPC);
	assert_non_null(strstr(err.msg, "free some space"));
	assert_int_equal(store_type(st)->flush(sk, &err), -ENOSPC);
	assert_text("_._cpu", "5.000042 p 7 0.5\n");
	store_type(st)->close(sk);
	store_put(st);
	free(command);
	free(full);
	free(path);
}

static void test_config(void **state)
{
	struct err err = { "" };
	struct kv kv = { 0 };
	struct store *st;

	assert_int_equal(store_new(store_type_find("flatfile"), "f", &st, &err), 0);
	assert_int_equal(store_config(st, &kv, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "store f: path is required"));
	store_put(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
