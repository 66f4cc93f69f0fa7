/* Who a peer is: secrets, the exchanges of the methods, and everything that a stranger may try instead. */
#include "tests/unit/rig.h"

#include <sys/stat.h>

#include "core/ctl/verb.h"
#include "xprt/auth.h"
#include "xprt/auth_ovis.h"
#include "xprt/secret.h"
#include "xprt/xprt_impl.h"
#include "auth_rig.h"

/* What a domain does with its arguments. */
static int auth_check(const char *name, struct kv *args, struct err *err)
{
	struct auth_conf *ac = NULL;
	int rc = auth_open(name, args, &ac, err);

	if (!rc)
		rc = auth_settle(ac, args, err);
	auth_conf_put(ac);
	return rc;
}

static char good_file[64], other_file[64];

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int files_make(void **state)
{
	snprintf(good_file, sizeof(good_file), "/tmp/ldms-auth-good.%d", getpid());
	snprintf(other_file, sizeof(other_file), "/tmp/ldms-auth-other.%d", getpid());
	write_file(good_file, "# of the test\n\nsecretword=swordfish-42 # it\n", 0600);
	write_file(other_file, "secretword=swordfish-43\n", 0600);
	return 0;
}

static int files_remove(void **state)
{
	unlink(good_file);
	unlink(other_file);
	return 0;
}

/* -- secrets ------------------------------------------------------------------------------------------------------- */

static void test_secret_text(void **state)
{
	static const struct {
		const char *text, *word; /* NULL: refused */
	} rows[] = {
		{ "secretword=swordfish-42\n", "swordfish-42" },
		{ "secretword=swordfish-42", "swordfish-42" },
		{ "secretword= \t swordfish-42 \n", "swordfish-42" },
		{ "secretword=swordfish-42#x\n", "swordfish-42" },
		{ "secretword=swordfish-42\nsecretword=another-one\n", "swordfish-42" },
		{ "\n#secretword=commented\n\nsecretword=swordfish-42\n", "swordfish-42" },
		{ "secretword=12345678\n", "12345678" },
		{ "secretword=1234567\n", NULL },
		{ "secretword=\n", NULL },
		{ " secretword=swordfish-42\n", NULL },
		{ "swordfish-42\n", NULL },
		{ "", NULL },
	};
	struct secret s;
	struct err err;
	char text[1024] = SECRET_KEY;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = secret_parse("F", rows[i].text, strlen(rows[i].text), &s, &err);

		assert_int_equal(rc, rows[i].word ? 0 : -EINVAL);
		if (rows[i].word)
			assert_string_equal(s.word, rows[i].word);
		else
			assert_non_null(strstr(err.msg, "secret file F: "));
	}
	memset(text + strlen(SECRET_KEY), 'x', SECRET_MAX);
	assert_int_equal(secret_parse("F", text, strlen(text), &s, &err), 0);
	assert_int_equal(s.len, SECRET_MAX);
	strcat(text, "x");
	assert_int_equal(secret_parse("F", text, strlen(text), &s, &err), -EINVAL);
	assert_int_equal(secret_parse("F", "secretword=sword\0fish", 21, &s, &err), -EINVAL);
	secret_wipe(&s);
	assert_int_equal(s.len, 0);
}

static void test_secret_file(void **state)
{
	static const mode_t bad[] = { 0640, 0604, 0620, 0602, 0610, 0644, 0666 };
	char path[64], words[128];
	struct secret s;
	struct err err;

	snprintf(path, sizeof(path), "/tmp/ldms-auth-file.%d", getpid());
	write_file(path, "secretword=swordfish-42\n", 0600);
	assert_int_equal(secret_read(path, &s, &err), 0);
	chmod(path, 0400);
	assert_int_equal(secret_read(path, &s, &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		chmod(path, bad[i]);
		assert_int_equal(secret_read(path, &s, &err), -EACCES);
		snprintf(words, sizeof(words), "mode %04o", bad[i]);
		assert_non_null(strstr(err.msg, words));
		snprintf(words, sizeof(words), "chmod 600 %s", path);
		assert_non_null(strstr(err.msg, words));
	}
	unlink(path);
	assert_int_equal(secret_read(path, &s, &err), -ENOENT);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(mkfifo(path, 0600), 0); /* does not wait for a writer */
	assert_int_equal(secret_read(path, &s, &err), -EINVAL);
	unlink(path);
	assert_int_equal(secret_read("/", &s, &err), -EINVAL);
}

static void test_secret_places(void **state)
{
	char home[64], file[128], *path;
	struct err err;

	unsetenv("LDMS_AUTH_FILE");
	assert_int_equal(secret_find("/a/b", &path, &err), 0);
	assert_string_equal(path, "/a/b");
	free(path);
	assert_int_equal(secret_find("a/b", &path, &err), -EINVAL);
	setenv("LDMS_AUTH_FILE", "/from/env", 1);
	assert_int_equal(secret_find(NULL, &path, &err), 0);
	assert_string_equal(path, "/from/env");
	free(path);
	assert_int_equal(secret_find("/a/b", &path, &err), 0); /* the option goes first */
	assert_string_equal(path, "/a/b");
	free(path);
	setenv("LDMS_AUTH_FILE", "from/env", 1);
	assert_int_equal(secret_find(NULL, &path, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "LDMS_AUTH_FILE"));
	unsetenv("LDMS_AUTH_FILE");
	snprintf(home, sizeof(home), "/tmp/ldms-auth-home.%d", getpid());
	mkdir(home, 0700);
	setenv("HOME", home, 1);
	snprintf(file, sizeof(file), "%s/.ldmsauth.conf", home);
	write_file(file, "x", 0600);
	assert_int_equal(secret_find(NULL, &path, &err), 0);
	assert_string_equal(path, file);
	free(path);
	unlink(file);
	if (secret_find(NULL, &path, &err) == 0) /* this machine has one */
		free(path);
	else
		assert_non_null(strstr(err.msg, "ldms auth gen"));
	rmdir(home);
}

static void test_digest(void **state)
{
	char digest[OVIS_DIGEST_SZ];

	ovis_digest(1234567890123456789ull, "swordfish-42", 12, digest);
	assert_string_equal(digest, "13c9ca7d4d985b3ae70520e3b7e01527348fe261117922122cd5962b");
}

static void test_options(void **state)
{
	static const struct {
		const char *method, *args;
		int rc;
		const char *words;
	} rows[] = {
		{ "none", "", 0, NULL },
		{ "none", "conf=/x", -EINVAL, "takes no options, not 'conf'" },
		{ "ovis", "cnof=/x", -EINVAL, "did you mean 'conf'" },
		{ "ovis", "conf", -EINVAL, "wants a value" },
		{ "ovis", "conf=", -EINVAL, "wants a value" },
		{ "ovis", "conf=/no/such/file", -ENOENT, "/no/such/file" },
		{ "naive", "uid=0 gid=0", 0, NULL },
		{ "naive", "uid=root gid=root", 0, NULL },
		{ "naive", "uid=4294967295", 0, NULL },
		{ "naive", "uid=4294967296", -EINVAL, "no such user" },
		{ "naive", "gid=nobody-of-that-name", -EINVAL, "no such group" },
		{ "munge", "sockt=/x", -EINVAL, "did you mean 'socket'" },
		{ "password", "", -EINVAL, "there is: munge naive none ovis" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kv args = { 0 };
		struct err err = { "" };

		kv_parse(&args, rows[i].args);
		assert_int_equal(auth_check(rows[i].method, &args, &err), rows[i].rc);
		if (rows[i].words && !strstr(err.msg, rows[i].words))
			fail_msg("%s %s: %s", rows[i].method, rows[i].args, err.msg);
		kv_fini(&args);
	}
}

/* `listen` knows the options of all methods, and takes no other word for one. */
static void test_options_of_listen(void **state)
{
	static const char *const methods[] = { "munge", "naive", "none", "ovis" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		const struct auth_type *t;

		assert_int_equal(auth_type_find(methods[i], &t, NULL), 0);
		for (size_t k = 0; t->options && t->options[k]; k++) {
			char text[64];
			const struct ctl_arg arg = { .id = ATTR_STRING, .value = text };

			snprintf(text, sizeof(text), "%s=x", t->options[k]);
			assert_int_equal(ctl_check(verb_find("listen"), &arg, 1, NULL), 0);
			snprintf(text, sizeof(text), "%s2=x", t->options[k]);
			assert_int_equal(ctl_check(verb_find("listen"), &arg, 1, NULL), -EINVAL);
		}
	}
}

/* What depends on the environment is settled when the arguments are checked. */
static void test_settled(void **state)
{
	struct kv args = { 0 };

	setenv("LDMS_AUTH_FILE", good_file, 1);
	assert_int_equal(auth_check("ovis", &args, NULL), 0);
	unsetenv("LDMS_AUTH_FILE");
	assert_string_equal(kv_get(&args, "conf"), good_file);
	kv_fini(&args);
}

/* -- both sides ours ----------------------------------------------------------------------------------------------- */

static void conf(struct kv *args, const char *file)
{
	kv_add(args, "conf", file);
}

static void ovis_open(struct rig *r, const char *type, const char *theirs)
{
	rig_open(r, type);
	r->auth = r->c_auth = "ovis";
	conf(&r->args, good_file);
	conf(&r->c_args, theirs);
	rig_listen(r);
}

static void ovis_good(const char *type, unsigned int n_eps)
{
	struct rig r;
	uint32_t uid = 1, gid = 1;

	ovis_open(&r, type, good_file);
	rig_connect(&r, n_eps);
	xprt_peer_cred(r.s, &uid, &gid);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	rig_close(&r);
}

static void test_ovis_good(void **state)
{
	ovis_good("mem", 1);
	ovis_good("sock", 1);
	ovis_good("sock", 3);
}

static void client_fails(struct rig *r, enum auth_why at_client, const char *words)
{
	rig_connect_to(r, strcmp(r->type, "mem") ? "127.0.0.1" : "rig", xprt_listener_port(r->l), 1);
	rig_until(r, r->c_downs);
	assert_int_equal(r->c_fail, XPRT_AUTH);
	if (!strstr(r->why, words))
		fail_msg("%s", r->why);
	assert_int_equal(atomic_load(&r->cenv.stats.auth_failed[at_client]), 1);
	rig_until(r, !atomic_load(&r->env.stats.live));
	assert_int_equal(r->s_ups, 0);
}

static void test_ovis_wrong_secret(void **state)
{
	struct rig r;

	ovis_open(&r, "sock", other_file);
	client_fails(&r, AUTH_HUNG_UP, "its secret word is another one, most likely");
	assert_int_equal(atomic_load(&r.env.stats.auth_failed[AUTH_SECRET]), 1);
	assert_int_equal(atomic_load(&r.env.stats.refused[XPRT_AUTH]), 1);
	rig_close(&r);
}

static void test_other_method(void **state)
{
	struct rig r;

	ovis_open(&r, "sock", good_file);
	r.c_auth = "naive";
	kv_fini(&r.c_args);
	client_fails(&r, AUTH_METHOD, "another authentication method");
	assert_int_equal(atomic_load(&r.env.stats.auth_failed[AUTH_METHOD]), 1);
	rig_close(&r);
}

static void test_naive(void **state)
{
	struct rig r;
	uint32_t uid, gid;

	rig_open(&r, "mem");
	r.auth = r.c_auth = "naive";
	kv_parse(&r.args, "uid=7 gid=8");
	kv_parse(&r.c_args, "uid=1000");
	rig_connect(&r, 2);
	xprt_peer_cred(r.s, &uid, &gid);
	assert_int_equal(uid, 1000);
	assert_int_equal(gid, 65534);
	xprt_peer_cred(r.c, &uid, &gid);
	assert_int_equal(uid, 7);
	assert_int_equal(gid, 8);
	rig_close(&r);
}

/* -- a stranger at our server -------------------------------------------------------------------------------------- */

static void say(struct rig *r, struct raw *w, const void *bytes, uint32_t len)
{
	struct buf b = { 0 };

	put_auth(&b, bytes, len);
	raw_send(r, w, b.p, b.len);
	buf_fini(&b);
}

/* The server's next AUTH_MSG. */
static const uint8_t *hear(struct rig *r, struct raw *w, uint32_t len)
{
	static uint8_t bytes[256];
	uint32_t cmd;

	raw_until(r, w, raw_has(w));
	assert_int_equal(raw_has(w), 24 + 20 + len);
	memcpy(&cmd, w->in.p + 32, 4);
	assert_int_equal(ntohl(cmd), AUTH_MSG);
	memcpy(bytes, w->in.p + 44, len);
	buf_consume(&w->in, raw_has(w));
	return bytes;
}

static uint64_t hear_challenge(struct rig *r, struct raw *w)
{
	const uint8_t *m = hear(r, w, 12);
	uint64_t be;

	assert_memory_equal(m, "\1\0\0\0", 4);
	memcpy(&be, m + 4, 8);
	return be64toh(be);
}

static void say_challenge(struct rig *r, struct raw *w, uint64_t c)
{
	uint8_t m[12] = { 1 };
	uint64_t be = htobe64(c);

	memcpy(m + 4, &be, 8);
	say(r, w, m, sizeof(m));
}

static void say_reply(struct rig *r, struct raw *w, uint64_t c, const char *word)
{
	uint8_t m[4 + OVIS_DIGEST_SZ] = { 2 };

	ovis_digest(c, word, strlen(word), (char *)m + 4);
	say(r, w, m, sizeof(m));
}

static void test_ovis_by_hand(void **state)
{
	char want[OVIS_DIGEST_SZ];
	struct raw w;
	struct rig r;
	uint64_t c;

	ovis_open(&r, "sock", good_file);
	w = stranger(&r, "ovis");
	c = hear_challenge(&r, &w);
	say_challenge(&r, &w, 1234567890123456789ull);
	rig_settle(&r);
	assert_int_equal(raw_has(&w), 0); /* it answers who has proved itself, nobody else */
	say_reply(&r, &w, c, "swordfish-42");
	ovis_digest(1234567890123456789ull, "swordfish-42", 12, want);
	assert_memory_equal(hear(&r, &w, 61) + 4, want, OVIS_DIGEST_SZ);
	rig_until(&r, r.s_ups == 1);
	/* one more, now that it is over: it is dropped */
	say_challenge(&r, &w, 7);
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(atomic_load(&r.env.stats.ended[XPRT_PROTO]), 1);
	raw_close(&w);
	rig_close(&r);
}

enum trick {
	TRICK_REPLY_ALONE,
	TRICK_TWO_CHALLENGES,
	TRICK_MIRROR,
	TRICK_SHORT,
	TRICK_EMPTY,
	TRICK_NO_NUL,
	TRICK_TYPE,
	TRICK_LONG,
	TRICK_WRONG,
	TRICKS
};

static void play(struct rig *r, struct raw *w, enum trick trick, uint64_t c)
{
	static const uint8_t big[4096] = { 2 };
	uint8_t m[4 + OVIS_DIGEST_SZ] = { 2 };

	switch (trick) {
	case TRICK_REPLY_ALONE:
		say_reply(r, w, c, "swordfish-42");
		break;
	case TRICK_TWO_CHALLENGES:
		say_challenge(r, w, 1);
		say_challenge(r, w, 2);
		break;
	case TRICK_MIRROR:
		say_challenge(r, w, c);
		break;
	case TRICK_SHORT:
		say(r, w, m, 3);
		break;
	case TRICK_EMPTY:
		say(r, w, m, 0);
		break;
	case TRICK_NO_NUL:
		memset(m + 4, 'a', OVIS_DIGEST_SZ);
		say_challenge(r, w, 1);
		say(r, w, m, sizeof(m));
		break;
	case TRICK_TYPE:
		m[0] = 3;
		say(r, w, m, sizeof(m));
		break;
	case TRICK_LONG:
		say_challenge(r, w, 1);
		say(r, w, big, sizeof(big));
		break;
	default:
		say_challenge(r, w, 1);
		say_reply(r, w, c, "swordfish-4");
		break;
	}
}

static void test_ovis_tricks(void **state)
{
	struct rig r;

	ovis_open(&r, "sock", good_file);
	for (int i = 0; i < TRICKS; i++) {
		struct raw w = stranger(&r, "ovis");
		enum auth_why why = i == TRICK_WRONG ? AUTH_SECRET : AUTH_BROKEN;
		unsigned long before = atomic_load(&r.env.stats.auth_failed[why]);

		play(&r, &w, (enum trick)i, hear_challenge(&r, &w));
		raw_until(&r, &w, (raw_fill(&w), w.eof));
		assert_int_equal(w.in.len, 0); /* nothing was signed for it */
		if (atomic_load(&r.env.stats.auth_failed[why]) != before + 1)
			fail_msg("trick %d is not counted", i);
		raw_close(&w);
	}
	assert_int_equal(r.s_ups, 0);
	rig_close(&r);
}

/* Our daemon connects to a stranger, who hands it the challenge that our own listener gave him. */
static void test_ovis_mirror_between_connections(void **state)
{
	struct raw w, a;
	struct buf b = { 0 };
	unsigned short port;
	struct rig r;
	int fd = raw_listen(&port);
	uint64_t c;
	ev_io io;

	ovis_open(&r, "sock", good_file);
	w = stranger(&r, "ovis");
	c = hear_challenge(&r, &w);
	rig_connect_to(&r, "127.0.0.1", port, 1);
	ev_io_init(&io, raw_watch_cb, fd, EV_READ);
	ev_io_start(loop_ev(r.loop), &io);
	rig_until(&r, raw_accept(fd, &a));
	ev_io_stop(loop_ev(r.loop), &io);
	put_zap(&b, 8, 4 + 64);
	buf_be32(&b, 64);
	put_conn(&b, "ovis", 1, 0, 1);
	raw_send(&r, &a, b.p, b.len);
	say_challenge(&r, &a, c);
	rig_until(&r, r.c_downs);
	assert_int_equal(r.c_fail, XPRT_AUTH);
	assert_non_null(strstr(r.why, "a challenge of our own"));
	assert_int_equal(r.s_ups, 0);
	buf_fini(&b);
	raw_close(&a);
	raw_close(&w);
	close(fd);
	rig_close(&r);
}

/* Nothing is answered before somebody is who he says. */
static void test_strangers_are_not_served(void **state)
{
	static const uint32_t cmds[] = { 0, 1, 2, 5, 7, 9, 11, 12, 0x101, 0x108 };
	const uint8_t body[64] = { 0 };
	struct raw w;
	struct rig r;

	ovis_open(&r, "sock", good_file);
	set_put(rig_set(&r, "sc", "n/a", 1, 1, 0, 0777));
	w = stranger(&r, "ovis");
	hear_challenge(&r, &w);
	for (size_t i = 0; i < sizeof(cmds) / sizeof(*cmds); i++) {
		struct buf b = { 0 };

		put_ldms(&b, 1, cmds[i], cmds[i] > 0x100, 0, body, sizeof(body));
		raw_send(&r, &w, b.p, b.len);
		buf_fini(&b);
	}
	rig_settle(&r);
	raw_fill(&w);
	assert_int_equal(w.in.len, 0);
	assert_int_equal(r.s_msgs, 0);
	raw_close(&w);
	rig_until(&r, !atomic_load(&r.env.stats.live));
	assert_int_equal(atomic_load(&r.env.stats.auth_failed[AUTH_HUNG_UP]), 1);
	rig_close(&r);
}

static void test_silence(void **state)
{
	struct raw w;
	struct rig r;

	rig_open(&r, "sock");
	r.env.limits.handshake_us = 50 * MSEC_US;
	r.auth = "ovis";
	conf(&r.args, good_file);
	rig_listen(&r);
	w = stranger(&r, "ovis");
	hear_challenge(&r, &w);
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(atomic_load(&r.env.stats.auth_failed[AUTH_SILENT]), 1);
	raw_close(&w);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_text),
		cmocka_unit_test(test_secret_file),
		cmocka_unit_test(test_secret_places),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_options_of_listen),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_ovis_good),
		cmocka_unit_test(test_ovis_wrong_secret),
		cmocka_unit_test(test_other_method),
		cmocka_unit_test(test_naive),
		cmocka_unit_test(test_ovis_by_hand),
		cmocka_unit_test(test_ovis_tricks),
		cmocka_unit_test(test_ovis_mirror_between_connections),
		cmocka_unit_test(test_strangers_are_not_served),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, files_make, files_remove);
}
