/* The transport `sock`: making connections and failing to, and limits. */
#include "tests/unit/rig.h"

#include <sys/resource.h>

#include "xprt/xprt_impl.h"
#include "xprt/zap.h"

/* -- connections that do not come about: each with its own reason, in words ---------------------------------------- */

static void test_refused(void **state)
{
	unsigned short port;
	struct rig r;
	int fd;

	rig_open(&r, "sock");
	fd = raw_listen(&port);
	close(fd); /* the port is free, and nobody there */
	rig_connect_to(&r, "127.0.0.1", port, 1);
	rig_until(&r, r.c_downs);
	assert_int_equal(r.c_fail, XPRT_REFUSED);
	assert_non_null(strstr(r.why, "nothing listens"));
	rig_close(&r);
}

static void test_name_does_not_resolve(void **state)
{
	struct rig r;

	rig_open(&r, "sock");
	r.cenv.work = work_new("resolve", 2);
	rig_connect_to(&r, "no-such-host.invalid", 411, 1);
	rig_until(&r, r.c_downs);
	assert_int_equal(r.c_fail, XPRT_RESOLVE);
	assert_non_null(strstr(r.why, "host no-such-host.invalid: the name does not resolve"));
	assert_true(work_free(r.cenv.work, 10 * SEC_US));
	rig_close(&r);
}

static void test_closed_while_resolving(void **state)
{
	struct rig r;

	rig_open(&r, "sock");
	r.cenv.work = work_new("resolve", 2);
	rig_connect_to(&r, "no-such-host.invalid", 411, 1);
	xprt_close(r.c);
	r.c = NULL;
	assert_true(work_free(r.cenv.work, 10 * SEC_US));
	rig_close(&r);
	assert_int_equal(r.c_downs, 0);
}

/* Say `bytes` to a client that connects, or just close (bytes NULL); why it goes down. */
static enum xprt_fail answer_with(const void *bytes, size_t len, char *why, size_t why_size)
{
	struct raw w = { .fd = -1 };
	unsigned short port;
	enum xprt_fail fail;
	struct rig r;
	ev_io io;
	int fd;

	rig_open(&r, "sock");
	fd = raw_listen(&port);
	rig_connect_to(&r, "127.0.0.1", port, 1);
	ev_io_init(&io, raw_watch_cb, fd, EV_READ);
	ev_io_start(loop_ev(r.loop), &io);
	rig_until(&r, raw_accept(fd, &w));
	ev_io_stop(loop_ev(r.loop), &io);
	raw_until(&r, &w, raw_has(&w)); /* its CONNECT */
	if (bytes)
		raw_send(&r, &w, bytes, len);
	else
		raw_close(&w);
	rig_until(&r, r.c_downs);
	if (bytes)
		raw_close(&w);
	close(fd);
	fail = r.c_fail;
	snprintf(why, why_size, "%s", r.why);
	rig_close(&r);
	return fail;
}

static void rejection(struct buf *b, const char *text)
{
	buf_reset(b);
	put_zap(b, 9, 4 + (uint32_t)strlen(text) + 1);
	buf_be32(b, (uint32_t)strlen(text) + 1);
	buf_add(b, text, strlen(text) + 1);
}

static void test_answers_that_are_none(void **state)
{
	struct buf b = { 0 };
	char why[ERR_MAX];

	assert_int_equal(answer_with(NULL, 0, why, sizeof(why)), XPRT_NOT_LDMS);
	assert_non_null(strstr(why, "without an LDMS answer"));
	assert_int_equal(answer_with("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 32, why, sizeof(why)), XPRT_NOT_LDMS);
	assert_int_equal(answer_with("HTTP/1.1 400 Bad Request\r\n\r\n", 28, why, sizeof(why)), XPRT_NOT_LDMS);
	rejection(&b, "Version mismatch");
	assert_int_equal(answer_with(b.p, b.len, why, sizeof(why)), XPRT_VERSION);
	rejection(&b, "Auth mismatch");
	assert_int_equal(answer_with(b.p, b.len, why, sizeof(why)), XPRT_AUTH);
	rejection(&b, "bad ep_idx 0, the endpoint already existed");
	assert_int_equal(answer_with(b.p, b.len, why, sizeof(why)), XPRT_REFUSED);
	assert_non_null(strstr(why, "already existed"));
	buf_reset(&b);
	put_accepted(&b);
	b.p[20 + 4 + 1] = 9; /* 4.9.0.0 */
	assert_int_equal(answer_with(b.p, b.len, why, sizeof(why)), XPRT_VERSION);
	buf_reset(&b);
	put_accepted(&b);
	b.p[20 + 4 + 4] = 'm';
	assert_int_equal(answer_with(b.p, b.len, why, sizeof(why)), XPRT_AUTH);
	buf_fini(&b);
}

/* Somebody accepts and says nothing: the deadline, for both sides. */
static void test_silence(void **state)
{
	unsigned short port;
	struct rig r;
	struct raw w;
	int fd;

	rig_open(&r, "sock");
	fd = raw_listen(&port);
	r.env.limits.handshake_us = r.cenv.limits.handshake_us = 30 * MSEC_US;
	rig_connect_to(&r, "127.0.0.1", port, 1);
	rig_until(&r, r.c_downs);
	assert_int_equal(r.c_fail, XPRT_TIMEOUT);
	assert_non_null(strstr(r.why, "30ms"));
	close(fd);

	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(atomic_load(&r.env.stats.refused[XPRT_TIMEOUT]), 1);
	raw_close(&w);
	rig_close(&r);
}

static void dir_cb(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	(*(int *)arg)++;
}

/* A peer that connects properly and then never answers is dropped; until it is asked something it may be silent. */
static void test_no_answer(void **state)
{
	struct buf b = { 0 };
	unsigned short port;
	struct rig r;
	struct raw w;
	int fd, heard = 0;
	ev_io io;

	rig_open(&r, "sock");
	fd = raw_listen(&port);
	r.cenv.limits.answer_us = 30 * MSEC_US;
	rig_connect_to(&r, "127.0.0.1", port, 1);
	ev_io_init(&io, raw_watch_cb, fd, EV_READ);
	ev_io_start(loop_ev(r.loop), &io);
	rig_until(&r, raw_accept(fd, &w));
	ev_io_stop(loop_ev(r.loop), &io);
	put_accepted(&b);
	raw_send(&r, &w, b.p, b.len);
	rig_until(&r, r.c_ups);
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &heard, NULL), 0);
	rig_until(&r, r.c_downs);
	assert_int_equal(r.c_fail, XPRT_TIMEOUT);
	assert_int_equal(heard, 0);
	raw_close(&w);
	close(fd);
	buf_fini(&b);
	rig_close(&r);
}

static void test_port_in_use(void **state)
{
	struct xprt_listen_conf conf = { .type = "sock", .host = "127.0.0.1", .auth = "none" };
	struct xprt_listener *l = NULL;
	struct err err = { "" };
	struct rig r;

	rig_open(&r, "sock");
	rig_listen(&r);
	conf.port = xprt_listener_port(r.l);
	assert_int_equal(xprt_listen(&r.env, &r.loop, 1, &conf, &rig_s_ev, &r, &l, &err), -EADDRINUSE);
	assert_null(l);
	assert_non_null(strstr(err.msg, "in use by"));
	if (!strstr(err.msg, "another program")) { /* /proc may be hidden from us */
		char pid[32];

		snprintf(pid, sizeof(pid), "pid %d", getpid());
		assert_non_null(strstr(err.msg, pid));
	}
	conf.type = "carrier-pigeon";
	assert_int_equal(xprt_listen(&r.env, &r.loop, 1, &conf, &rig_s_ev, &r, &l, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "sock"));
	conf.type = "sock";
	conf.auth = "password";
	assert_int_equal(xprt_listen(&r.env, &r.loop, 1, &conf, &rig_s_ev, &r, &l, &err), -EINVAL);
	rig_close(&r);
}

/* -- who connects -------------------------------------------------------------------------------------------------- */

static void spoil_version(struct buf *b)
{
	b->p[36 + 1] = 3;
}
static void spoil_auth(struct buf *b)
{
	memcpy(b->p + 36 + 4, "munge", 6);
}
static void spoil_type(struct buf *b)
{
	b->p[36 + 23] = 7;
}
static void spoil_idx(struct buf *b)
{
	b->p[36 + 47] = 3;
}
static void spoil_eps(struct buf *b)
{
	memset(b->p + 36 + 40, 0x7f, 4);
}
static void spoil_zap_version(struct buf *b)
{
	b->p[21] = 2;
}
static void spoil_signature(struct buf *b)
{
	b->p[24] = 'X';
}
static void spoil_data_len(struct buf *b)
{
	memset(b->p + 32, 0xff, 4);
}

static void test_bad_connect(void **state)
{
	static const struct {
		void (*spoil)(struct buf *b);
		const char *text; /* of REJECTED; NULL: the connection just ends */
	} rows[] = {
		{ spoil_version, "Version mismatch" },
		{ spoil_auth, "Auth mismatch" },
		{ spoil_type, "Bad msg" },
		{ spoil_idx, "bad ep_idx 3 (should be in 0..0 range)" },
		{ spoil_eps, "bad request, rail of" },
		{ spoil_zap_version, NULL },
		{ spoil_signature, NULL },
		{ spoil_data_len, NULL },
	};
	struct rig r;

	rig_open(&r, "sock");
	rig_listen(&r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct raw w = raw_connect(xprt_listener_port(r.l));
		struct buf b = { 0 };

		put_connect(&b, "none", 1, 0, i);
		rows[i].spoil(&b);
		raw_send(&r, &w, b.p, b.len);
		raw_until(&r, &w, (raw_fill(&w), w.eof));
		if (rows[i].text) {
			assert_int_equal(raw_type(&w), 9);
			assert_memory_equal(w.in.p + 24, rows[i].text, strlen(rows[i].text));
		} else {
			assert_int_equal(w.in.len, 0);
		}
		raw_close(&w);
		buf_fini(&b);
	}
	assert_int_equal(r.s_ups, 0);
	rig_close(&r);
}

static void test_old_peer(void **state)
{
	struct rig r;
	struct raw w;
	struct buf b = { 0 };

	rig_open(&r, "sock");
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	put_zap(&b, 1, 16 + 9); /* 4 + "none" + NUL */
	buf_add(&b, "\1\3\1\0SOCKET\0\0", 12);
	buf_be32(&b, 9);
	buf_add(&b, "\4\2\0\0none", 9);
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 8);
	assert_int_equal(raw_has(&w), 24 + 20);
	buf_reset(&b);
	put_ack(&b);
	raw_send(&r, &w, b.p, b.len);
	rig_until(&r, r.s_ups);
	assert_true(r.s->legacy);
	raw_close(&w);
	rig_until(&r, r.s_downs);
	buf_fini(&b);
	rig_close(&r);
}

/* Two processes that have the same pid and count their rails from 1, each in its own container. */
static void test_rails_of_equal_containers(void **state)
{
	const struct conn c = { .pid = 1, .gn = 1, .n_eps = 1 };
	struct sockaddr_storage from[4] = { 0 };
	struct rail_id ids[4];

	for (int i = 0; i < 4; i++) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&from[i];

		in6->sin6_family = AF_INET6;
		inet_pton(AF_INET6, i < 2 ? "fd00::1:1" : "fd00::1:2", &in6->sin6_addr);
		in6->sin6_port = htons((uint16_t)(4000 + i));
		ids[i] = guest_rail_id(&from[i], &c);
	}
	assert_memory_equal(&ids[0], &ids[1], sizeof(ids[0])); /* connections of one rail */
	assert_memory_equal(&ids[2], &ids[3], sizeof(ids[0]));
	assert_memory_not_equal(&ids[0], &ids[2], sizeof(ids[0]));
}

static void test_rail_rules(void **state)
{
	struct rig r;
	struct raw a, b, c;
	struct buf m = { 0 };

	rig_open(&r, "sock");
	rig_listen(&r);
	a = raw_connect(xprt_listener_port(r.l));
	put_connect(&m, "none", 2, 1, 99); /* the second one first */
	raw_send(&r, &a, m.p, m.len);
	raw_until(&r, &a, raw_has(&a));
	assert_int_equal(raw_type(&a), 8);

	b = raw_connect(xprt_listener_port(r.l));
	raw_send(&r, &b, m.p, m.len); /* once more */
	raw_until(&r, &b, raw_has(&b));
	assert_string_equal((char *)b.in.p + 24, "bad ep_idx 1, the endpoint already existed");
	raw_close(&b);

	b = raw_connect(xprt_listener_port(r.l));
	buf_reset(&m);
	put_connect(&m, "none", 1, 0, 99);
	raw_send(&r, &b, m.p, m.len);
	raw_until(&r, &b, raw_has(&b));
	assert_string_equal((char *)b.in.p + 24, "bad request, expecting rail of 2 eps, but got 1");
	raw_close(&b);

	c = raw_connect(xprt_listener_port(r.l));
	buf_reset(&m);
	put_connect(&m, "none", 2, 0, 99);
	raw_send(&r, &c, m.p, m.len);
	raw_until(&r, &c, raw_has(&c));
	assert_int_equal(raw_type(&c), 8);
	buf_reset(&m);
	put_ack(&m);
	raw_send(&r, &a, m.p, m.len);
	assert_int_equal(r.s_ups, 0);
	raw_send(&r, &c, m.p, m.len);
	rig_until(&r, r.s_ups == 1);
	raw_close(&a); /* one goes, the whole peer is gone */
	rig_until(&r, r.s_downs == 1);
	raw_until(&r, &c, (raw_fill(&c), c.eof));
	raw_close(&c);
	buf_fini(&m);
	rig_close(&r);
}

/* -- ceilings ------------------------------------------------------------------------------------------------------ */

static void test_too_many(void **state)
{
	struct raw w[3];
	struct rig r;

	for (int per_addr = 0; per_addr < 2; per_addr++) {
		rig_open(&r, "sock");
		if (per_addr)
			r.env.limits.conns_per_addr = 2;
		else
			r.env.limits.conns = 2;
		rig_listen(&r);
		w[0] = raw_handshake(&r);
		w[1] = raw_handshake(&r);
		w[2] = raw_connect(xprt_listener_port(r.l));
		raw_until(&r, &w[2], raw_has(&w[2]));
		assert_int_equal(raw_type(&w[2]), 9);
		assert_non_null(strstr((char *)w[2].in.p + 24, "Too many connections"));
		raw_close(&w[2]);
		raw_close(&w[0]);
		rig_until(&r, r.s_downs == 1);
		w[2] = raw_handshake(&r); /* there is room again */
		raw_close(&w[1]);
		raw_close(&w[2]);
		rig_until(&r, r.s_downs == 3);
		rig_close(&r);
	}
}

static void test_out_of_descriptors(void **state)
{
	struct rlimit old, now;
	struct rig r;
	struct raw w;
	int spare;

	rig_open(&r, "sock");
	rig_listen(&r);
	rig_settle(&r);
	w = raw_connect(xprt_listener_port(r.l));
	getrlimit(RLIMIT_NOFILE, &old);
	spare = dup(0);
	now = old;
	now.rlim_cur = (rlim_t)spare; /* the next descriptor would be this one */
	close(spare);
	setrlimit(RLIMIT_NOFILE, &now);
	rig_until(&r, atomic_load(&r.env.stats.refused[XPRT_LIMIT]) == 2); /* it tries again, and does not spin */
	assert_int_equal(atomic_load(&r.env.stats.accepted), 0);
	setrlimit(RLIMIT_NOFILE, &old);
	rig_until(&r, atomic_load(&r.env.stats.accepted) == 1);
	raw_close(&w);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_name_does_not_resolve),
		cmocka_unit_test(test_closed_while_resolving),
		cmocka_unit_test(test_answers_that_are_none),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_port_in_use),
		cmocka_unit_test(test_bad_connect),
		cmocka_unit_test(test_old_peer),
		cmocka_unit_test(test_rail_rules),
		cmocka_unit_test(test_rails_of_equal_containers),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_out_of_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
