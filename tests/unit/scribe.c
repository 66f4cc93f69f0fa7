/* scribe.c - stores of messages: their files, what a full disk does to them, and that every message is accounted for */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/scribe.h"
#include "core/daemon/stream.h"
#include "core/daemon/strgp_pool.h"

static char dir[64];

static struct scribe_env draft = { .draft = true }; /* nothing is heard, and no worker comes */

static int setup(void **state)
{
	draft.loop = loop_new("test", NULL);
	log_level_set(LOG_QUIET_);
	signal(SIGXFSZ, SIG_IGN);
	strcpy(dir, "/tmp/scribe-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return chdir(dir);
}

static int teardown(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);
	int rc = chdir("/") || system(cmd);

	free(cmd);
	loop_free(draft.loop);
	return rc;
}

/* -- plugins, without a daemon ------------------------------------------------------------------------------------- */

static struct scribe *plugin_new(const char *type, const char *attrs)
{
	struct scribe *sc = scribe_new(&draft, scribe_type_find(type), "x");
	struct err err = { "" };
	struct kv kv = { 0 };

	kv_parse(&kv, attrs);
	if (scribe_config(sc, &kv, &err))
		fail_msg("%s", err.msg);
	kv_fini(&kv);
	assert_int_equal(scribe_type(sc)->open ? scribe_type(sc)->open(sc, &err) : 0, 0);
	return sc;
}

static void plugin_free(struct scribe *sc)
{
	scribe_type(sc)->close(sc);
	scribe_drop(sc);
}

static int say(struct scribe *sc, enum scribe_via via, const char *name, bool json, const char *text)
{
	const struct scribe_msg m = {
		.via = via,
		.heard = name,
		.name = name,
		.json = json,
		.data = text,
		.len = strlen(text) + 1,
		.recv_us = 5 * SEC_US + 7,
	};

	return scribe_type(sc)->msg(sc, &m, NULL);
}

/* The bytes of the n-th file of that pattern, "" where there is none; yours. */
static struct buf bytes_of(const char *pattern, size_t n)
{
	struct buf b = { 0 };
	glob_t g = { 0 };
	FILE *f;

	if (!glob(pattern, 0, NULL, &g) && n < g.gl_pathc && (f = fopen(g.gl_pathv[n], "re"))) {
		assert_int_equal(buf_slurp(&b, f, 1 << 20), 0);
		fclose(f);
	}
	globfree(&g);
	buf_str(&b);
	return b;
}

static void check_bytes(const char *pattern, size_t n, const void *want, size_t len)
{
	struct buf b = bytes_of(pattern, n);

	if (b.len != len || memcmp(b.p, want, len))
		fail_msg("%s, %zu: %zu bytes: %s", pattern, n, b.len, (char *)b.p);
	buf_fini(&b);
}

static void check_text(const char *pattern, size_t n, const char *want)
{
	check_bytes(pattern, n, want, strlen(want));
}

static size_t count(const char *pattern)
{
	glob_t g = { 0 };
	size_t n = glob(pattern, 0, NULL, &g) ? 0 : g.gl_pathc;

	globfree(&g);
	return n;
}

static void test_blob(void **state)
{
	static const char dat[] = "blobdat\0{\"a\":1}\n\0hi\0"; /* the literal's NUL is not counted below */
	static const char offset[] = "bloboff\0\x8\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0";
	static const char timing[] = "blobtim\0\5\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0";
	struct scribe *sc =
		plugin_new("blob_stream_writer", "path=. container=c stream=s stream=t/u timing=1 types=1 spool=1");

	assert_int_equal(say(sc, SCRIBE_STREAM, "s", true, "{\"a\":1}\n"), 0);
	assert_int_equal(say(sc, SCRIBE_STREAM, "s", false, "hi"), 0);
	assert_int_equal(say(sc, SCRIBE_STREAM, "t/u", false, ""), 0);
	assert_int_equal(say(sc, SCRIBE_STREAM, "v", false, "not mine"), -EINVAL);
	assert_int_equal(scribe_type(sc)->flush(sc, NULL), 0);
	check_bytes("c/s.DAT.*", 0, dat, sizeof(dat) - 1);
	check_bytes("c/s.OFFSET.*", 0, offset, sizeof(offset) - 1);
	check_bytes("c/s.TIMING.*", 0, timing, sizeof(timing) - 1);
	check_bytes("c/s.TYPE.*", 0, "blobtyp\0js", 10);
	check_bytes("c/t_u.DAT.*", 0, "blobdat\0", 9);
	assert_int_equal(count("c/spool/*"), 0);
	plugin_free(sc);
	assert_int_equal(count("c/*.*"), 0);
	assert_int_equal(count("c/spool/*"), 8);
	check_bytes("c/spool/s.TYPE.*", 0, "blobtyp\0js", 10);
}

static void test_rolls(void **state)
{
	struct scribe *sc =
		plugin_new("stream_csv_store", "path=. container=c stream=s,t rolltype=3 rollover=3 buffer=0");
	char text[32];
	size_t n = 0;

	/* names tell seconds: a second file comes when its second does */
	while (count("c/s.*") < 2) {
		snprintf(text, sizeof(text), "{\"n\":%zu}", n++);
		assert_int_equal(say(sc, SCRIBE_STREAM, "s", true, text), 0);
	}
	assert_true(n > 3);
	snprintf(text, sizeof(text), "#n\n%zu\n", n - 1);
	check_text("c/s.*", 1, text);
	/* strings before the first object: its columns are headed where they begin */
	assert_int_equal(say(sc, SCRIBE_STREAM, "t", false, "a line"), 0);
	assert_int_equal(say(sc, SCRIBE_STREAM, "t", true, "{\"b\":[]}"), -EINVAL);
	assert_int_equal(say(sc, SCRIBE_STREAM, "t", true, "{\"b\":\"x\"}"), 0);
	check_text("c/t.*", 0, "a line\n#b\n\"x\"\n");
	plugin_free(sc);
}

static void test_dump(void **state)
{
	struct scribe *sc = plugin_new("stream_dump", "op=stream_subscribe stream=s path=d");
	char *want = xasprintf("before\n\001%d: one\n\001%d: two\n\n\001%d: last\n", gettid(), gettid(), gettid());
	struct err err = { "" };
	struct kv kv = { 0 };
	FILE *f = fopen("d", "we");

	fputs("before\n", f);
	fclose(f);
	kv_parse(&kv, "op=msg_subscribe message_channel=m.* path=d");
	assert_int_equal(scribe_config(sc, &kv, &err), 0);
	assert_int_equal(scribe_config(sc, &kv, &err), -EEXIST);
	assert_int_equal(say(sc, SCRIBE_STREAM, "s", false, "one"), 0);
	assert_int_equal(say(sc, SCRIBE_MSG, "m.*", false, "two\n"), 0);
	kv_fini(&kv);
	kv_parse(&kv, "op=stream_close stream=s");
	assert_int_equal(scribe_config(sc, &kv, &err), 0);
	assert_int_equal(scribe_config(sc, &kv, &err), -ENOENT);
	kv_fini(&kv);
	/* what came before it was closed */
	assert_int_equal(say(sc, SCRIBE_STREAM, "s", false, "last"), 0);
	assert_int_equal(say(sc, SCRIBE_STREAM, "other", false, "never"), -EINVAL);
	assert_int_equal(scribe_type(sc)->flush(sc, NULL), 0);
	check_text("d", 0, want);
	plugin_free(sc);
	free(want);
}

static void file_limit(rlim_t bytes)
{
	struct rlimit rl;

	getrlimit(RLIMIT_FSIZE, &rl);
	rl.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

/* A disk that is full, a little less with each try: no message is written in part, or twice. */
static void test_full(void **state)
{
	static const struct {
		const char *type, *attrs, *files;
	} rows[] = {
		{ "stream_csv_store", "path=. container=c stream=s buffer=0", "c/s.*" },
		{ "stream_dump", "op=stream_subscribe stream=s path=d", "d" },
		{ "blob_stream_writer", "path=. container=b stream=s types=1", "b/s.DAT.*" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scribe *sc = plugin_new(rows[i].type, rows[i].attrs);
		struct buf b, want = { 0 };
		unsigned int refused = 0;

		for (unsigned int n = 0, limit = 3; n < 20;) {
			char text[64];
			int rc;

			snprintf(text, sizeof(text), "message %u of some length", n);
			file_limit(limit);
			rc = say(sc, SCRIBE_STREAM, "s", false, text);
			if (!rc && scribe_type(sc)->flush(sc, NULL))
				refused++;
			n += !rc;
			refused += rc != 0;
			limit += 7;
			assert_true(!rc || rc == -EFBIG);
			if (!rc && i == 2)
				buf_add(&want, text, strlen(text) + 1);
			else if (!rc)
				buf_addf(&want, i == 1 ? "\001%d: %s\n" : "%.0d%s\n", i == 1 ? gettid() : 0, text);
		}
		assert_true(refused > 0);
		file_limit(RLIM_INFINITY);
		assert_int_equal(scribe_type(sc)->flush(sc, NULL), 0);
		plugin_free(sc);
		b = bytes_of(rows[i].files, 0);
		if (i == 2)
			buf_consume(&b, 8);
		assert_int_equal(b.len, want.len);
		assert_memory_equal(b.p, want.p, b.len);
		buf_fini(&b);
		buf_fini(&want);
	}
	check_bytes("b/s.TYPE.*", 0, "blobtyp\0ssssssssssssssssssss", 28);
}

static void test_slips(void **state)
{
	static const struct {
		const char *type, *attrs, *words;
	} rows[] = {
		{ "stream_csv_store", "path=/p container=c", "path, container and stream are required" },
		{ "stream_csv_store", "path=/p container=c stream=a,b,a", "a is written already" },
		{ "stream_csv_store", "path=/p container=c stream=a rolltype=9 rollover=1", "rolltype out of range" },
		{ "stream_csv_store", "path=/p container=c stream=a rolltype=5 rollover=20",
		  "rolltype=5 takes rollagain" },
		{ "stream_csv_store", "path=/p container=c stream=a buffer=4", "buffer" },
		{ "stream_csv_store", "path=/p container=c steam=a", "did you mean 'stream'?" },
		{ "stream_csv_store", "path=/p container=c stream=a queue_bytes=0", "messages need some room" },
		{ "blob_stream_writer", "path=/p stream=a", "path and container are required" },
		{ "blob_stream_writer", "path=/p container=c", "stream is required" },
		{ "blob_stream_writer", "path=/p container=c stream=a timing=maybe", "timing" },
		{ "blob_msg_writer", "path=/p container=c stream=a", "no attribute 'stream'" },
		{ "blob_msg_writer", "path=/p container=c message_tag=.*", "and no expression" },
		{ "stream_dump", "", "op=" },
		{ "stream_dump", "op=listen", "op=listen" },
		{ "stream_dump", "op=stream_subscribe path=d", "stream is required" },
		{ "stream_dump", "op=msg_subscribe message_channel=( path=d", "(" },
		{ "stream_dump", "op=stream_subscribe stream=a", "path is required" },
		{ "stream_dump", "op=stream_close stream=a", "a is not written" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scribe *sc = scribe_new(&draft, scribe_type_find(rows[i].type), "x");
		struct err err = { "" };
		struct kv kv = { 0 };

		kv_parse(&kv, rows[i].attrs);
		assert_true(scribe_config(sc, &kv, &err) < 0);
		if (!strstr(err.msg, rows[i].words))
			fail_msg("%s %s: %s", rows[i].type, rows[i].attrs, err.msg);
		assert_int_equal(scribe_start(sc, &err), -EINVAL);
		kv_fini(&kv);
		scribe_drop(sc);
	}
}

/* -- the daemon's side --------------------------------------------------------------------------------------------- */

/* What the plugin below does, and did; under `lock`. */
static struct {
	pthread_mutex_t lock;
	int rc;      /* of msg() */
	bool refuse; /* the next one */
	bool slow;   /* 10 ms for each */
	unsigned int got, flushed, opened, closed;
	char last[32];
	unsigned int first; /* messages that it had at its first flush */
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int fake_config(struct scribe *sc, struct err *err)
{
	return scribe_subscribe(sc, SCRIBE_STREAM, "s", false, err);
}

static int fake_open(struct scribe *sc, struct err *err)
{
	fake.opened++;
	return 0;
}

static int fake_msg(struct scribe *sc, const struct scribe_msg *m, struct err *err)
{
	int rc;

	pthread_mutex_lock(&fake.lock);
	rc = fake.refuse ? -EINVAL : fake.rc;
	fake.refuse = false;
	if (!rc) {
		fake.got++;
		snprintf(fake.last, sizeof(fake.last), "%s", m->data);
	}
	pthread_mutex_unlock(&fake.lock);
	if (fake.slow)
		usleep(10000);
	return rc ? err_set(err, rc, "the plugin says no") : 0;
}

static int fake_flush(struct scribe *sc, struct err *err)
{
	fake.flushed++;
	if (!fake.first)
		fake.first = fake.got;
	return 0;
}

static void fake_close(struct scribe *sc)
{
	fake.closed++;
}

static void fake_fini(struct scribe *sc)
{
}

static const struct store_attr fake_attrs[] = { { 0 } };
static const struct scribe_type fake_type = {
	.name = "fake",
	.brief = "",
	.attrs = fake_attrs,
	.waits = true,
	.config = fake_config,
	.open = fake_open,
	.msg = fake_msg,
	.flush = fake_flush,
	.close = fake_close,
	.fini = fake_fini,
};

struct rig {
	struct scribe_env env;
	struct scribe *sc;
};

static void rig_new(struct rig *r, const char *attrs)
{
	struct err err = { "" };
	struct kv kv = { 0 };

	memset((char *)&fake + sizeof(fake.lock), 0, sizeof(fake) - sizeof(fake.lock));
	r->env = (struct scribe_env){ .loop = loop_new("test", NULL),
				      .streams = streams_new(NULL),
				      .pool = strgp_pool_new(1) };
	streams_enable(r->env.streams, true);
	loop_lock(r->env.loop);
	r->sc = scribe_new(&r->env, &fake_type, "x");
	kv_parse(&kv, attrs);
	assert_int_equal(scribe_config(r->sc, &kv, &err), 0);
	assert_int_equal(scribe_start(r->sc, &err), 0);
	assert_int_equal(scribe_start(r->sc, &err), -EBUSY);
	kv_fini(&kv);
}

static void rig_turn(struct rig *r)
{
	for (int i = 0; i < 20; i++)
		ev_run(loop_ev(r->env.loop), EVRUN_NOWAIT);
}

static void rig_say(struct rig *r, const char *text)
{
	const struct stream_msg m = { .name = "s", .type = STREAM_STRING, .data = text, .len = strlen(text) + 1 };

	assert_int_equal(stream_publish(r->env.streams, &m, NULL, NULL), 0);
	rig_turn(r);
}

static struct scribe_status status(struct rig *r)
{
	struct scribe_status st;

	scribe_status(r->sc, &st);
	assert_int_equal(st.msgs, st.stored + st.queued + st.dropped + st.refused);
	return st;
}

static void rig_free(struct rig *r)
{
	scribe_drop(r->sc);
	loop_unlock(r->env.loop);
	loop_free(r->env.loop);
	strgp_pool_free(r->env.pool, 10 * SEC_US);
	streams_free(r->env.streams);
}

#define WAIT(condition)                                                                                                \
	for (int64_t until_ = mono_us() + 20 * SEC_US; !(condition) && mono_us() < until_;)                            \
		usleep(1000);                                                                                          \
	assert_true(condition)

static void test_counts(void **state)
{
	struct rig r;

	rig_new(&r, "queue_bytes=64k");
	rig_turn(&r);
	for (int i = 0; i < 100; i++)
		rig_say(&r, "m");
	WAIT(status(&r).stored == 100);
	fake.refuse = true;
	rig_say(&r, "bad");
	WAIT(status(&r).refused == 1);
	assert_string_equal(status(&r).why, "a message of s is not stored: the plugin says no");
	rig_say(&r, "last");
	WAIT(status(&r).stored == 101);
	assert_string_equal(fake.last, "last");
	/* stopped: it hears nothing; started again, it does */
	assert_int_equal(scribe_stop(r.sc, NULL), 0);
	WAIT(!strcmp(status(&r).state, "CONFIGURED"));
	assert_int_equal(fake.closed, 1);
	rig_say(&r, "unheard");
	assert_int_equal(scribe_stop(r.sc, NULL), -EBUSY);
	assert_int_equal(scribe_start(r.sc, NULL), 0);
	rig_turn(&r);
	rig_say(&r, "heard");
	WAIT(status(&r).stored == 102);
	assert_int_equal(status(&r).msgs, 103);
	scribe_end(r.sc, mono_us() + 10 * SEC_US);
	assert_int_equal(fake.opened, 2);
	assert_int_equal(fake.closed, 2);
	rig_free(&r);
}

static atomic_bool watching;

static void *watch(void *arg)
{
	struct scribe_status st;

	while (watching) {
		scribe_status(arg, &st);
		if (st.msgs != st.stored + st.queued + st.dropped + st.refused)
			return "it does not add up";
	}
	return NULL;
}

/* Messages are in one place at every moment, also those that are refused. */
static void test_watched(void **state)
{
	pthread_t t;
	void *words;
	struct rig r;

	rig_new(&r, "");
	rig_turn(&r);
	fake.rc = -EINVAL;
	watching = true;
	pthread_create(&t, NULL, watch, r.sc);
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 500; k++)
			rig_say(&r, "m");
		WAIT(!status(&r).queued);
	}
	watching = false;
	pthread_join(t, &words);
	assert_null(words);
	assert_int_equal(status(&r).refused, 10000);
	rig_free(&r);
}

/* A plugin that fails keeps its messages, as many as there is room for; the newest are kept, and written in order. */
static void test_failing(void **state)
{
	struct scribe_status st;
	struct rig r;

	rig_new(&r, "queue_bytes=64k");
	rig_turn(&r);
	fake.rc = -ENOSPC;
	rig_say(&r, "first");
	WAIT(status(&r).retry_us > 0);
	assert_string_equal(status(&r).why, "the plugin says no");
	for (int i = 0; i < 1000; i++)
		rig_say(&r, "m");
	rig_say(&r, "last");
	st = status(&r);
	assert_true(st.dropped > 100 && st.queued > 100 && st.queued_bytes <= 65536);
	assert_int_equal(st.stored, 0);
	pthread_mutex_lock(&fake.lock);
	fake.rc = 0;
	pthread_mutex_unlock(&fake.lock);
	WAIT(status(&r).stored == st.queued); /* after the back-off of a second */
	assert_int_equal(fake.got, st.queued);
	assert_string_equal(fake.last, "last");
	assert_string_equal(status(&r).why, "");
	rig_free(&r);
}

/* Where messages take long, those that were written are flushed in time, and other stores have their turn. */
static void test_slow(void **state)
{
	struct rig r;

	rig_new(&r, "");
	rig_turn(&r);
	fake.slow = true;
	for (int i = 0; i < 250; i++)
		rig_say(&r, "m");
	WAIT(status(&r).stored == 250);
	assert_in_range(fake.first, 1, 200);
	rig_free(&r);
}

/* The end of the daemon: what is queued is written; what cannot be is counted. */
static void test_end(void **state)
{
	struct rig r;

	rig_new(&r, "");
	rig_turn(&r);
	rig_say(&r, "m");
	scribe_end(r.sc, mono_us() + 10 * SEC_US);
	assert_int_equal(status(&r).stored, 1);
	assert_int_equal(scribe_start(r.sc, NULL), 0);
	rig_turn(&r);
	fake.rc = -EIO;
	rig_say(&r, "m");
	scribe_end(r.sc, mono_us() + 10 * SEC_US);
	assert_int_equal(status(&r).dropped, 1);
	rig_free(&r);
	/* one that had not begun */
	rig_new(&r, "");
	scribe_end(r.sc, mono_us() + 10 * SEC_US);
	assert_int_equal(fake.opened, 0);
	rig_free(&r);
	/* one that writes goes by itself */
	rig_new(&r, "");
	rig_turn(&r);
	rig_say(&r, "m");
	rig_free(&r);
	assert_int_equal(fake.got, 1);
	assert_int_equal(fake.closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_blob, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rolls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dump, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slips, setup, teardown),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_watched),
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
