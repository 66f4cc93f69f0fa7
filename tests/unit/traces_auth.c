/* Recorded authentications: what each side said is said to ours. */
#include "tests/unit/trace.h"

#include "core/base/work.h"
#include "xprt/auth.h"
#include "xprt/auth_ovis.h"

#define WORD     "swordfish-42" /* of the recording */
#define AUTH_OFF 44             /* of what an AUTH_MSG carries, in its frame */

/* The digest that answers the challenge of a frame. */
static void answer_to(const struct buf *challenge, char digest[OVIS_DIGEST_SZ])
{
	ovis_digest(be64_at(challenge, AUTH_OFF + 4), WORD, strlen(WORD), digest);
}

/* An AUTH_MSG of ours against a recorded one: `n` bytes of what it carries are the same. */
static void auth_compare(const struct raw *w, const struct frame *want, size_t n)
{
	assert_memory_equal(w->in.p, want->b.p, 8); /* type, length */
	assert_memory_equal(w->in.p + 20, want->b.p + 20, AUTH_OFF - 20 + n);
}

static void secret_file(char path[64])
{
	int fd;

	snprintf(path, 64, "/tmp/ldms-traces-%d-XXXXXX", getpid());
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "secretword=" WORD "\n", strlen("secretword=" WORD "\n")),
			 strlen("secretword=" WORD "\n"));
	close(fd);
}

/* Frames: 1 CONNECT, 2 ACCEPTED, 3 ACK, 4 and 5 the challenges of server and client, 6 and 7 their answers. */
static void test_ovis_recorded(void **state)
{
	char digest[OVIS_DIGEST_SZ];
	struct trace t;

	LOAD_OR_SKIP(&t, "03-auth-ovis.txt");
	answer_to(&t.f[3].b, digest);
	assert_memory_equal(t.f[6].b.p + AUTH_OFF + 4, digest, sizeof(digest));
	answer_to(&t.f[4].b, digest);
	assert_memory_equal(t.f[5].b.p + AUTH_OFF + 4, digest, sizeof(digest));
	trace_free(&t);
}

static void test_ovis_server(void **state)
{
	char path[64];
	struct trace t;
	struct raw w;
	struct rig r;

	LOAD_OR_SKIP(&t, "03-auth-ovis.txt");
	secret_file(path);
	rig_open(&r, "sock");
	r.auth = "ovis";
	kv_add(&r.args, "conf", path);
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	raw_send(&r, &w, t.f[0].b.p, t.f[0].b.len);
	raw_until(&r, &w, raw_has(&w));
	compare(&t, &t.f[1], &w);
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[2].b.p, t.f[2].b.len);
	raw_until(&r, &w, raw_has(&w));
	auth_compare(&w, &t.f[3], 4);
	answer_to(&w.in, (char *)t.f[6].b.p + AUTH_OFF + 4); /* its challenge is another one today */
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[4].b.p, t.f[4].b.len);
	raw_send(&r, &w, t.f[6].b.p, t.f[6].b.len);
	raw_until(&r, &w, raw_has(&w));
	auth_compare(&w, &t.f[5], 4 + OVIS_DIGEST_SZ);
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[7].b.p, t.f[7].b.len);
	raw_until(&r, &w, raw_has(&w));
	compare(&t, &t.f[8], &w);
	raw_close(&w);
	rig_close(&r);
	unlink(path);
	trace_free(&t);
}

static void test_ovis_client(void **state)
{
	unsigned short port;
	char path[64];
	struct trace t;
	struct raw w;
	struct rig r;
	int fd;
	ev_io io;

	LOAD_OR_SKIP(&t, "03-auth-ovis.txt");
	secret_file(path);
	rig_open(&r, "sock");
	r.c_auth = "ovis";
	kv_add(&r.c_args, "conf", path);
	fd = raw_listen(&port);
	rig_connect_to(&r, "127.0.0.1", port, 1);
	ev_io_init(&io, raw_watch_cb, fd, EV_READ);
	ev_io_start(loop_ev(r.loop), &io);
	rig_until(&r, raw_accept(fd, &w));
	ev_io_stop(loop_ev(r.loop), &io);
	raw_until(&r, &w, raw_has(&w));
	buf_consume(&w.in, raw_has(&w)); /* CONNECT */
	raw_send(&r, &w, t.f[1].b.p, t.f[1].b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 10);
	buf_consume(&w.in, raw_has(&w));
	raw_until(&r, &w, raw_has(&w));
	auth_compare(&w, &t.f[4], 4);
	answer_to(&w.in, (char *)t.f[5].b.p + AUTH_OFF + 4);
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[3].b.p, t.f[3].b.len);
	raw_until(&r, &w, raw_has(&w));
	auth_compare(&w, &t.f[6], 4 + OVIS_DIGEST_SZ);
	assert_int_equal(r.c_ups, 0);
	raw_send(&r, &w, t.f[5].b.p, t.f[5].b.len);
	rig_until(&r, r.c_ups);
	raw_close(&w);
	close(fd);
	rig_close(&r);
	unlink(path);
	trace_free(&t);
}

/* The credential of the recording is long void; but that it is one, and whom to ask, is seen. */
static void test_munge_server(void **state)
{
	struct auth_conf *ac = NULL;
	struct kv args = { 0 };
	struct trace t;
	struct raw w;
	struct rig r;

	kv_add(&args, "socket", "/tmp/ldms-traces-no-munged");
	if (auth_open("munge", &args, &ac, NULL)) {
		kv_fini(&args);
		skip(); /* libmunge is not installed */
	}
	auth_conf_put(ac);
	LOAD_OR_SKIP(&t, "15-auth-munge.txt");
	rig_open(&r, "sock");
	r.auth = "munge";
	r.args = args;
	r.env.work = work_new("traces", 1);
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	raw_send(&r, &w, t.f[0].b.p, t.f[0].b.len);
	raw_until(&r, &w, raw_has(&w));
	compare(&t, &t.f[1], &w);
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[2].b.p, t.f[2].b.len);
	raw_send(&r, &w, t.f[4].b.p, t.f[4].b.len);
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(w.in.len, 0);
	assert_int_equal(atomic_load(&r.env.stats.auth_failed[AUTH_HELPER]), 1);
	raw_close(&w);
	assert_true(work_free(r.env.work, 20 * SEC_US));
	rig_close(&r);
	trace_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ovis_recorded),
		cmocka_unit_test(test_ovis_server),
		cmocka_unit_test(test_ovis_client),
		cmocka_unit_test(test_munge_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
