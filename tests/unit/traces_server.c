/* What recorded clients said is said to our server. */
#include "tests/unit/trace.h"

/* The sets of the recorded server, made from what was read of them. */
static void publish(struct rig *r, struct trace *t)
{
	for (int i = 0; i < t->maps_n; i++) {
		struct map *m = &t->maps[i];
		struct err err = { "" };
		struct set *s;

		if (!m->have_meta)
			continue;
		if (image_check_meta(m->image, m->meta_len, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(set_mirror_new(r->env.pool, (struct set_meta *)m->image, &s, &err), 0);
		if (setdb_add(r->env.sets, s, &err))
			fail_msg("%s", err.msg);
		set_put(s);
	}
}

/* Is this one said by itself, not in answer? */
static bool is_news(const struct frame *f)
{
	uint32_t cmd;

	if (type_of(f) != 2)
		return false;
	cmd = cmd_of(f);
	return cmd == 5 || cmd == 9 || cmd == 0x103 || cmd == 0x105;
}

/* Where a client names a set by the server's number: its place in the frame, or 0. */
static size_t id_at(const struct frame *f)
{
	if (type_of(f) == 3)
		return 40 + 16;
	return type_of(f) == 2 && (cmd_of(f) == 3 || cmd_of(f) == 4 || cmd_of(f) == 7) ? 24 + 16 : 0;
}

/* The same number as our server gave it. */
static void put_our_id(struct trace *t, struct frame *f)
{
	size_t at = id_at(f);

	for (int i = 0; at && i < t->maps_n; i++)
		if (t->maps[i].id == be64_at(&f->b, at)) {
			uint64_t id = htobe64(t->maps[i].our_id);

			memcpy(f->b.p + at, &id, sizeof(id));
			return;
		}
}

/* The sample that the recorded server pushed ends at ours. */
static void sample_as_pushed(struct rig *r, struct trace *t, const struct frame *f)
{
	struct map *m = &t->maps[0];
	struct set *s = setdb_find(r->env.sets, m->name);

	rig_until(r, s->watches);
	set_mirror_data(s, 0, 1, f->b.p + 24 + 40 + m->meta_len);
	set_put(s);
}

static void server_replay(const char *name)
{
	struct raw w[CONNS_MAX], old[CONNS_MAX];
	struct trace t;
	struct rig r;
	int old_n = 0;

	LOAD_OR_SKIP(&t, name);
	memset(w, 0, sizeof(w));
	rig_open(&r, "sock");
	publish(&r, &t);
	rig_listen(&r);
	for (int i = 0; i < t.n; i++) {
		struct frame *f = &t.f[i];
		struct raw *c = &w[f->conn];

		if (f->from_client) {
			struct map *m = type_of(f) == 4 ? map_of(&t, raw32_at(&f->b, 20)) : NULL;

			if (type_of(f) == 1 && c->fd) /* some recordings do not number their connections */
				old[old_n++] = *c;
			if (type_of(f) == 1)
				*c = raw_connect(xprt_listener_port(r.l));
			if (m) {
				uint64_t addr = htobe64(be64_at(&f->b, 24) - m->addr + m->our_addr);

				memcpy(f->b.p + 20, &m->our_key, 4);
				memcpy(f->b.p + 24, &addr, 8);
			}
			put_our_id(&t, f);
			raw_send(&r, c, f->b.p, f->b.len);
			continue;
		}
		if (is_news(f))
			continue;
		if (type_of(f) == 2 && cmd_of(f) == 0x108 && be32_at(&f->b, 24 + 36))
			sample_as_pushed(&r, &t, f);
		raw_until(&r, c, raw_has(c));
		compare(&t, f, c);
		buf_consume(&c->in, raw_has(c));
	}
	for (int i = 0; i < CONNS_MAX; i++)
		if (w[i].fd)
			raw_close(&w[i]);
	while (old_n)
		raw_close(&old[--old_n]);
	rig_until(&r, !atomic_load(&r.env.stats.live));
	assert_int_equal(atomic_load(&r.env.stats.ended[XPRT_PROTO]), 0);
	rig_close(&r);
	trace_free(&t);
}

#define SERVER(id, file)                                                                                               \
	static void test_server_##id(void **state)                                                                     \
	{                                                                                                              \
		server_replay(file);                                                                                   \
	}

SERVER(01, "01-ls-dir.txt")
SERVER(02, "02-ls-long.txt")
SERVER(04, "04-push.txt")
SERVER(06, "06-agg-cycle.txt")
SERVER(07, "07-rail2.txt")
SERVER(11, "11-connect-rejects.txt")
SERVER(12, "12-lookup-and-read-errors.txt")
SERVER(13, "13-set-array.txt")
SERVER(14, "14-independent-server.txt")
SERVER(16, "16-agg-set-array.txt")
SERVER(17, "17-notify.txt")

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_01), cmocka_unit_test(test_server_02), cmocka_unit_test(test_server_04),
		cmocka_unit_test(test_server_06), cmocka_unit_test(test_server_07), cmocka_unit_test(test_server_11),
		cmocka_unit_test(test_server_12), cmocka_unit_test(test_server_13), cmocka_unit_test(test_server_14),
		cmocka_unit_test(test_server_16), cmocka_unit_test(test_server_17),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
