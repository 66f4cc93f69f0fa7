/* record.c - control records: cut, joined, refused */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/ctl/record.h"

static void gather(void *arg, const void *rec, size_t len)
{
	struct record r;
	struct buf *whole = arg;

	assert_int_equal(record_parse(rec, len, &r, NULL), 0);
	assert_int_equal(!(r.flags & RECORD_FIRST), whole->len != 0);
	buf_add(whole, r.body, r.body_len);
}

/* The example of the specification: prdcr_status name=x. */
static void test_bytes(void **state)
{
	static const uint8_t want[] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1,   0, 0, 1, 4, 0,
					0,    0,    0x2a, 0,    0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 'x', 0, 0, 0, 0, 0 };
	struct record_attr a[4];
	struct record r;

	(void)state;
	assert_int_equal(record_parse(want, sizeof(want), &r, NULL), 0);
	assert_int_equal(r.type, RECORD_REQUEST);
	assert_int_equal(r.code, 0x104);
	assert_int_equal(record_attrs(r.body, r.body_len, a, 4, NULL), 1);
	assert_int_equal(a[0].id, ATTR_NAME);
	assert_string_equal(a[0].value, "x");
}

static void test_long_messages_are_cut_and_joined(void **state)
{
	struct buf body = { 0 }, whole = { 0 }, text = { 0 };
	struct record_attr a[2];

	(void)state;
	for (size_t i = 0; i < 3000000; i++)
		buf_u8(&text, (uint8_t)('a' + i % 26));
	buf_u8(&text, 0);
	record_put(&body, ATTR_JSON, text.p, text.len);
	record_end(&body);
	record_send(RECORD_RESPONSE, 7, 0, &body, gather, &whole);
	assert_int_equal(whole.len, body.len);
	assert_int_equal(record_attrs(whole.p, whole.len, a, 2, NULL), 1);
	assert_int_equal(a[0].len, text.len);
	assert_string_equal(a[0].value, (char *)text.p);
	buf_fini(&body);
	buf_fini(&whole);
	buf_fini(&text);
}

static void test_bad_ones_are_refused(void **state)
{
	struct buf b = { 0 };
	struct record_attr a[2];
	struct record r;
	struct err err;

	(void)state;
	assert_int_equal(record_parse("short", 5, &r, &err), -EPROTO);
	for (int i = 0; i < 6; i++)
		buf_be32(&b, i ? 24 : RECORD_MARKER);
	assert_int_equal(record_parse(b.p, b.len, &r, &err), 0);
	assert_int_equal(record_attrs(r.body, r.body_len, a, 2, &err), -EINVAL); /* no end */
	b.p[23] = 25;
	assert_int_equal(record_parse(b.p, b.len, &r, &err), -EINVAL); /* longer than it is */
	b.p[23] = 23;
	assert_int_equal(record_parse(b.p, b.len, &r, &err), -EINVAL); /* shorter than its header */
	b.p[20] = 0x7f;
	assert_int_equal(record_parse(b.p, b.len, &r, &err), -E2BIG);
	b.p[0] = 0;
	assert_int_equal(record_parse(b.p, b.len, &r, &err), -EPROTO);
	assert_string_equal(err.msg, "Config request is missing record marker");
	buf_reset(&b);
	record_put(&b, ATTR_NAME, "no NUL", 6);
	record_end(&b);
	assert_int_equal(record_attrs(b.p, b.len, a, 2, &err), -EINVAL);
	buf_reset(&b);
	for (int i = 0; i < 3; i++)
		record_put(&b, ATTR_NAME, "", 1);
	record_end(&b);
	assert_int_equal(record_attrs(b.p, b.len, a, 2, &err), -EINVAL); /* too many */
	buf_fini(&b);
}

/* What ldmsd takes, and what it does not. */
static void test_what_stands_behind_the_end(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		int n;
	} rows[] = {
		{ "\0\0\0\0", 4, 0 },
		{ "", 0, -EINVAL },
		{ "\0\0\0\0\0\0\0\0", 8, -EINVAL }, /* two ends */
		{ "\0\0\0\0junkjunk", 12, 0 },
		{ "\0\0\0\7\0\0\0\1\0\0\0\2x\0\0\0\0\0", 18, 1 }, /* 7 says as well that one follows */
		{ "\0\0\0\1\0\0\0\1\0\0\0\2x\0\0\0\0\0junk", 22, 1 },
		{ "\0\0\0\1\0\0\0\1\0\0\0\2x\0", 14, -EINVAL }, /* no end */
	};
	struct record_attr a[2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(record_attrs((const uint8_t *)rows[i].body, rows[i].len, a, 2, NULL), rows[i].n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_long_messages_are_cut_and_joined),
		cmocka_unit_test(test_bad_ones_are_refused),
		cmocka_unit_test(test_what_stands_behind_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
