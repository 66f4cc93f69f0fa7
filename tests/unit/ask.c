/* Our requests to a peer, and answers that are none. */
#include "tests/unit/rig.h"

#include "core/ctl/ask.h"

struct ear {
	int n, rc;
	char text[64];
};

static void hear(void *arg, int rc, const char *text)
{
	struct ear *e = arg;

	e->n++;
	e->rc = rc;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

/* A peer to ask. */
static void asks_open(struct rig *r, struct asks *a)
{
	rig_open(r, "mem");
	rig_connect(r, 1);
	*a = (struct asks){ .x = r->c };
}

static void ask(struct asks *a, struct ear *e)
{
	struct buf body = { 0 };

	record_end(&body);
	assert_int_equal(ask_send(a, 0x901, &body, hear, e, NULL), 0);
	buf_fini(&body);
}

static void test_answer_in_pieces(void **state)
{
	struct asks a;
	struct ear e = { 0 };
	struct buf body = { 0 };
	struct rig r;

	asks_open(&r, &a);
	ask(&a, &e);
	record_put(&body, ATTR_STRING, "well", 5);
	record_end(&body);
	for (size_t i = 0; i < body.len; i++) {
		const struct record rec = { .type = RECORD_RESPONSE,
					    .flags = (i ? 0 : RECORD_FIRST) | (i + 1 < body.len ? 0 : RECORD_LAST),
					    .msg_no = a.last_no,
					    .body = body.p + i,
					    .body_len = 1 };

		assert_int_equal(e.n, 0);
		asks_got(&a, &rec);
	}
	assert_int_equal(e.n, 1);
	assert_int_equal(e.rc, 0);
	assert_string_equal(e.text, "well");
	buf_fini(&body);
	rig_close(&r);
}

/* It is not kept for as long as it pleases the peer. */
static void test_answer_without_end(void **state)
{
	static const uint8_t much[10000];
	struct record rec = { .type = RECORD_RESPONSE, .flags = RECORD_FIRST, .body = much, .body_len = sizeof(much) };
	struct asks a;
	struct ear e = { 0 };
	struct rig r;

	asks_open(&r, &a);
	ask(&a, &e);
	rec.msg_no = a.last_no;
	for (int i = 0; i < 10 && !e.n; i++, rec.flags = 0)
		asks_got(&a, &rec);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.rc, -EMSGSIZE);
	assert_null(a.open);
	asks_got(&a, &rec); /* what follows is an answer to nothing */
	assert_int_equal(e.n, 1);
	rig_close(&r);
}

static void test_end(void **state)
{
	struct asks a;
	struct ear e = { 0 };
	struct rig r;

	asks_open(&r, &a);
	ask(&a, &e);
	ask(&a, &e);
	asks_end(&a, -ENOTCONN);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.rc, -ENOTCONN);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_in_pieces),
		cmocka_unit_test(test_answer_without_end),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
