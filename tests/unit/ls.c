/* ls.c - `ldms ls` as it is called: what it prints and how it exits, against a daemon in this process and against peers
 * that misbehave */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "core/base/buf.h"
#include "core/set/setdb.h"
#include "tests/json_valid.h"
#include "xprt/xprt_impl.h"

#define SETS     1000
#define ARGS_MAX 16

static struct daemon {
	struct xprt_env env;
	struct loop *loop;
	struct xprt_listener *listener;
	char port[8];
	atomic_uint peer_uid; /* whom it takes its peers for */
} daemon_;

/* -- a daemon ------------------------------------------------------------------------------------------------------ */

static void daemon_add(const char *instance, const struct schema *schema, bool sampled)
{
	struct set *set;

	assert_int_equal(set_new(daemon_.env.pool, schema, instance, "n", 0, 0, 0444, &set, NULL), 0);
	if (sampled) {
		set_begin(set);
		set_u64(set, 0, 42);
		set_end(set);
	}
	setdb_add(daemon_.env.sets, set, NULL);
	set_put(set);
}

static void daemon_fill(void)
{
	struct schema *group = schema_new("ldmsd_grp_schema", NULL), *many = schema_new("many", NULL);
	char name[32];
	struct set *g;

	schema_add(many, "x", V_U64, "kB", NULL);
	for (int i = 0; i < SETS; i++) {
		snprintf(name, sizeof(name), "n/many%04d", i);
		daemon_add(name, many, true);
	}
	daemon_add("n/never", many, false);
	daemon_add("grp", group, false);
	g = setdb_find(daemon_.env.sets, "grp");
	setdb_info_put(daemon_.env.sets, g, "    grp_member: n/many0007", "-");
	set_put(g);
	schema_free(many);
	schema_free(group);
}

static void daemon_up(struct xprt *x, void *arg)
{
	(void)arg;
	x->uid = x->gid = daemon_.peer_uid;
}

static int daemon_start(void **state)
{
	static const struct xprt_events events = { .up = daemon_up };
	struct xprt_listen_conf conf = { .type = "sock", .host = "127.0.0.1", .auth = "none" };
	struct err err;

	(void)state;
	daemon_.env.sets = setdb_new();
	daemon_.env.pool = pool_new(0);
	daemon_.env.limits = xprt_limits_dflt;
	daemon_fill();
	daemon_.loop = loop_new("daemon", &err);
	loop_lock(daemon_.loop);
	if (xprt_listen(&daemon_.env, &daemon_.loop, 1, &conf, &events, NULL, &daemon_.listener, &err))
		fail_msg("%s", err.msg);
	snprintf(daemon_.port, sizeof(daemon_.port), "%u", xprt_listener_port(daemon_.listener));
	loop_unlock(daemon_.loop);
	return loop_start(daemon_.loop, &err);
}

static int daemon_stop(void **state)
{
	(void)state;
	loop_lock(daemon_.loop);
	xprt_listener_close(daemon_.listener);
	loop_unlock(daemon_.loop);
	loop_join(daemon_.loop);
	loop_free(daemon_.loop);
	setdb_free(daemon_.env.sets);
	pool_free(daemon_.env.pool);
	return 0;
}

/* -- peers that misbehave ------------------------------------------------------------------------------------------ */

/* A port where one connection is accepted, `says` is sent (NULL: nothing), and the end of the other side awaited. */
struct peer {
	const char *says;
	pthread_t thread;
	int fd;
	char port[8];
};

static void *peer_run(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->fd, NULL, NULL);
	char bytes[256];

	if (p->says && send(fd, p->says, strlen(p->says), MSG_NOSIGNAL) < 0)
		perror("send");
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
	return NULL;
}

/* A port of its own, where nobody listens yet. */
static void peer_bind(struct peer *p)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&sin, &len), 0);
	snprintf(p->port, sizeof(p->port), "%u", ntohs(sin.sin_port));
}

static void peer_start(struct peer *p)
{
	peer_bind(p);
	assert_int_equal(listen(p->fd, 1), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_run, p), 0);
}

static void peer_end(struct peer *p)
{
	pthread_join(p->thread, NULL);
	close(p->fd);
}

/* -- calling ls ---------------------------------------------------------------------------------------------------- */

struct said {
	int status;
	struct buf out, err;
};

/* What a stream's descriptor gets while it is redirected to a file without a name. */
struct redirect {
	FILE *stream, *file;
	int old;
};

static struct redirect redirect_to_file(FILE *stream)
{
	struct redirect r = { stream, tmpfile(), dup(fileno(stream)) };

	fflush(stream);
	dup2(fileno(r.file), fileno(stream));
	return r;
}

static void redirect_end(struct redirect *r, struct buf *ret)
{
	size_t n;

	fflush(r->stream);
	dup2(r->old, fileno(r->stream));
	close(r->old);
	rewind(r->file);
	while ((n = fread(buf_reserve(ret, 4096), 1, 4096, r->file)))
		ret->len += n;
	buf_str(ret);
	fclose(r->file);
}

static struct said ls(const char *port, const char *args)
{
	char text[256], *argv[ARGS_MAX] = { (char *)"ls", (char *)"-h", (char *)"127.0.0.1", (char *)"-p" };
	struct redirect out = redirect_to_file(stdout), err = redirect_to_file(stderr);
	struct said said = { 0 };
	char *save = NULL;
	int argc = 4;

	argv[argc++] = (char *)port;
	snprintf(text, sizeof(text), "%s", args);
	for (char *arg = strtok_r(text, " ", &save); arg; arg = strtok_r(NULL, " ", &save))
		argv[argc++] = arg;
	said.status = cmd_ls(argc, argv);
	redirect_end(&out, &said.out);
	redirect_end(&err, &said.err);
	return said;
}

static void said_free(struct said *s)
{
	buf_fini(&s->out);
	buf_fini(&s->err);
}

static size_t count(const struct said *s, const char *what)
{
	const char *p = (const char *)s->out.p;
	size_t n = 0;

	while ((p = strstr(p, what))) {
		p += strlen(what);
		n++;
	}
	return n;
}

/* -- tests --------------------------------------------------------------------------------------------------------- */

/* `out` is all that is printed, or NULL; `err` a part of what is said, or NULL for nothing. */
static void check(const char *port, const char *args, int status, const char *out, const char *err)
{
	struct said s = ls(port, args);

	if (s.status != status)
		fail_msg("%s: exit %d, %s", args, s.status, (char *)s.err.p);
	if (out)
		assert_string_equal((char *)s.out.p, out);
	if (err && !strstr((char *)s.err.p, err))
		fail_msg("%s: %s", args, (char *)s.err.p);
	if (!err)
		assert_string_equal((char *)s.err.p, "");
	said_free(&s);
}

static void test_names(void **state)
{
	struct said s = ls(daemon_.port, "");

	(void)state;
	assert_int_equal(s.status, 0);
	assert_int_equal(count(&s, "\n"), SETS + 2);
	said_free(&s);
	check(daemon_.port, "n/many0005", 0, "n/many0005\n", NULL);
	check(daemon_.port, "-E 000[12]$", 0, "n/many0002\nn/many0001\n", NULL);
	check(daemon_.port, "-S ldmsd_grp_schema", 0, "grp\nn/many0007\n", NULL);
	check(daemon_.port, "--json grp", 0, "{\"sets\":[{\"instance\":\"grp\"},{\"instance\":\"n/many0007\"}]}\n",
	      NULL);
	check(daemon_.port, "-f tab n/never", 0, "#instance\nn/never\n", NULL);
	check(daemon_.port, "many", 8, "", "no set matches");
}

static void daemon_chmod(const char *name, uint32_t perm)
{
	struct set *s = setdb_find(daemon_.env.sets, name);

	setdb_perm_set(daemon_.env.sets, s, &(struct set_owner){ 0, 0, perm });
	set_put(s);
}

/* Sets that one may not see are not silently missing. */
static void test_hidden(void **state)
{
	char name[32];

	(void)state;
	daemon_chmod("n/many0005", 0400);
	check(daemon_.port, "-E 000[56]$", 0, "n/many0006\nn/many0005\n", NULL); /* root sees all */
	daemon_.peer_uid = 1234;
	check(daemon_.port, "-E 000[56]$", 0, "n/many0006\n", "1 of 1002 sets are hidden from uid 1234, gid 1234: ");
	check(daemon_.port, "n/many0005", 8, "", "1 of 1002 sets are hidden");
	for (int i = 0; i < SETS; i++) {
		snprintf(name, sizeof(name), "n/many%04d", i);
		daemon_chmod(name, 0440);
	}
	daemon_chmod("n/never", 0440);
	daemon_chmod("grp", 0440);
	check(daemon_.port, "", 0, "", "all 1002 sets are hidden from uid 1234, gid 1234: ");
	daemon_.peer_uid = 0;
}

static void test_contents(void **state)
{
	struct said s = ls(daemon_.port, "-l -E many");

	(void)state;
	assert_int_equal(s.status, 0);
	assert_int_equal(count(&s, ": consistent, last update: "), SETS);
	assert_int_equal(count(&s, "\nD u64          x                                          42 kB\n"), SETS);
	assert_memory_equal(s.out.p, "n/many0000:", 11); /* the last one first */
	said_free(&s);
	s = ls(daemon_.port, "-l --json");
	assert_int_equal(s.status, 0);
	assert_true(json_valid(s.out.p, s.out.len));
	assert_int_equal(count(&s, "\"value\":42,"), SETS);
	said_free(&s);
	check(daemon_.port, "-l n/never", 0,
	      "n/never: inconsistent, last update: Thu Jan 01 00:00:00 1970 +0000 [0us] \n"
	      "D u64          x                                          0 kB\n\n",
	      NULL);
}

static void test_bad_peers(void **state)
{
	struct peer silent = { 0 }, ssh = { .says = "SSH-2.0-OpenSSH_9.2\r\n" }, gone = { 0 };

	(void)state;
	peer_start(&silent);
	check(silent.port, "-w 200ms", 4, "", "no connection within 200ms");
	peer_end(&silent);
	peer_start(&ssh);
	check(ssh.port, "", 5, "", "127.0.0.1:");
	peer_end(&ssh);
	peer_bind(&gone);
	check(gone.port, "", 3, "", "refused");
	close(gone.fd);
}

static void test_usage(void **state)
{
	static const struct {
		const char *args, *words;
	} rows[] = {
		{ "--jsno", "--json" },
		{ "-p 0", "1 to 65535" },
		{ "-p 65536", "1 to 65535" },
		{ "-w 0", "no time to wait" },
		{ "-w x", "--timeout" },
		{ "-f xml", "json, tab or text" },
		{ "-E [", "'['" },
		{ "-x carrier", "carrier" },
		{ "-a open-sesame", "open-sesame" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(daemon_.port, rows[i].args, 1, "", rows[i].words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_contents), cmocka_unit_test(test_bad_peers),
		cmocka_unit_test(test_usage), cmocka_unit_test(test_hidden),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, daemon_start, daemon_stop);
}
