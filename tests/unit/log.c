/* log.c - lines of the log: their bytes, which of them are wanted, how often they are said, and where they end */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/log_impl.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "in_child.h"
#include "tests/json_valid.h"

static char *dir; /* of one test */

static int setup(void **state)
{
	char name[] = "/tmp/ldms-unit-XXXXXX";

	(void)state;
	if (!mkdtemp(name))
		return -1;
	dir = xstrdup(name);
	return 0;
}

static int teardown(void **state)
{
	char *rm = xasprintf("rm -r %s", dir);
	int rc = system(rm);

	(void)state;
	log_use(open("/dev/null", O_WRONLY), NULL, NULL);
	log_levels_set(NULL, ".*", LOG_FOLLOW);
	log_level_set(LOG_INFO_);
	free(rm);
	free(dir);
	return rc;
}

static char *at(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

/* What a file holds; yours. */
static char *text_of(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 1 << 20);

	if (f) {
		text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

/* -- bytes --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *format, *variable;
	enum log_level level;
	const char *text, *want;
} lines[] = {
	{ "ldmsd", NULL, LOG_DEBUG_, "n17: up", "    DEBUG: config: n17: up\n" },
	{ "ldmsd", NULL, LOG_INFO_, "n17: up", "     INFO: config: n17: up\n" },
	{ "ldmsd", NULL, LOG_WARNING_, "n17: up", "  WARNING: config: n17: up\n" },
	{ "ldmsd", NULL, LOG_ERROR_, "n17: up", "    ERROR: config: n17: up\n" },
	{ "ldmsd", NULL, LOG_CRITICAL_, "n17: up", " CRITICAL: config: n17: up\n" },
	{ "ldmsd", "LDMSD_LOG_TIME_SEC", LOG_INFO_, "x", "1795188078.366153:     INFO: config: x\n" },
	{ "ldmsd", "OVIS_LOG_TIME_SEC", LOG_INFO_, "x", "1795188078.366153:     INFO: config: x\n" },
	{ "ldmsd", "LDMSD_LOG_DATE_TIME", LOG_INFO_, "x", "Fri Nov 20 15:21:18 2026:     INFO: config: x\n" },
	{ "text", "OVIS_LOG_DATE_TIME", LOG_INFO_, "x", "Fri Nov 20 15:21:18 2026:     INFO: config: x\n" },
	{ "text", NULL, LOG_ERROR_, "x", "2026-11-20T15:21:18.366:    ERROR: config: x\n" },
	{ "json", NULL, LOG_INFO_, "a \"b\"\n",
	  "{\"time\":\"2026-11-20T15:21:18.366153Z\",\"level\":\"INFO\",\"subsystem\":\"config\",\"text\":\"a "
	  "\\\"b\\\"\\u000a\"}\n" },
	{ "json", NULL, LOG_INFO_, "\xc2\x9b\xe2\x80\xae\xc3\xbc",
	  "{\"time\":\"2026-11-20T15:21:18.366153Z\",\"level\":\"INFO\",\"subsystem\":\"config\",\"text\":"
	  "\"\\u009b\\u202e\xc3\xbc\"}\n" },
	{ "logfmt", NULL, LOG_WARNING_, "n=1 \\",
	  "time=2026-11-20T15:21:18.366153Z level=WARNING subsystem=config text=\"n=1 \\\\\"\n" },
};

static void test_formats(void **state)
{
	struct err err = { "" };

	(void)state;
	setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct log_entry e = { .at = { 1795188078, 366153999 }, .level = lines[i].level, .subsys = "config" };
		static char to[LOG_BYTES_MAX];

		e.text = lines[i].text;
		e.len = strlen(e.text);
		if (lines[i].variable)
			setenv(lines[i].variable, "1", 1);
		assert_int_equal(log_format_set(lines[i].format, NULL), 0);
		if (lines[i].variable)
			unsetenv(lines[i].variable);
		to[log_format(&e, to)] = '\0';
		assert_string_equal(to, lines[i].want);
	}
	assert_int_equal(log_format_set("xml", &err), -22);
	assert_non_null(strstr(err.msg, "logfmt"));
	log_format_set("ldmsd", NULL);
}

static void test_services(void **state)
{
	struct log_entry e = { { 1795188078, 0 }, LOG_ERROR_, "store", "a\nb", 3 };
	char to[LOG_BYTES_MAX], want[200];

	(void)state;
	to[log_format_syslog(&e, to)] = '\0';
	snprintf(want, sizeof(want), "<27>Nov 20 15:21:18 ldms[%d]: store: a\\nb", (int)getpid());
	assert_string_equal(to, want);
	to[log_format_journal(&e, to)] = '\0';
	assert_string_equal(to, "PRIORITY=3\nSYSLOG_IDENTIFIER=ldms\nSUBSYSTEM=store\nMESSAGE=store: a\\nb\n");
}

static void test_escape(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "plain \\ \"text\"", "plain \\ \"text\"" },
		{ "two\nlines\r\tand", "two\\nlines\\r\\tand" },
		{ "\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xff\xc3", "\\xff\\xc3" },
		{ "\xc2\x9b"
		  "31m",
		  "\\xc2\\x9b31m" }, /* what ESC [ is in one character */
		{ "a\xe2\x80\xae"
		  "b",
		  "a\\xe2\\x80\\xaeb" }, /* right to left from here */
		{ "a\xe2\x80\xa8"
		  "b",
		  "a\\xe2\\x80\\xa8b" }, /* a line ends */
	};
	char to[100], all[256], big[4 * 256 + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		to[log_escape(to, rows[i].text, strlen(rows[i].text))] = '\0';
		assert_string_equal(to, rows[i].want);
	}
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	assert_true(log_escape(big, all, sizeof(all)) < sizeof(big));
}

static void test_worst(void **state)
{
	static char text[LOG_TEXT_MAX], to[LOG_BYTES_MAX];
	struct log_entry e = { .level = LOG_INFO_, .subsys = "config", .text = text, .len = sizeof(text) };
	static const char *const names[] = { "text", "json", "logfmt" };
	size_t n;

	(void)state;
	memset(text, 1, sizeof(text));
	for (size_t i = 0; i < 3; i++) {
		log_format_set(names[i], NULL);
		n = log_format(&e, to);
		assert_in_range(n, sizeof(text), sizeof(to));
		if (i == 1)
			assert_true(json_valid(to, n - 1));
	}
	log_format_set("ldmsd", NULL);
}

/* -- levels -------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *words, *shown; /* NULL: refused */
} levels[] = {
	{ "DEBUG", "DEBUG,INFO,WARNING,ERROR,CRITICAL" },
	{ "info", "INFO,WARNING,ERROR,CRITICAL" },
	{ "CRITICAL", "CRITICAL," },
	{ "QUIET", "QUIET" },
	{ "INFO,ERROR", "INFO,ERROR" },
	{ "error,info", "INFO,ERROR" },
	{ "WARNING,", "WARNING," },
	{ "WARN,CRIT", "WARNING,CRITICAL" },
	{ ",", "QUIET" },
	{ "INFO,,ERROR", "INFO,ERROR" },
	{ "QUIET,INFO", "QUIET" },
	{ "WARN", NULL },
	{ "CRIT", NULL },
	{ "", NULL },
	{ "INF", NULL },
	{ "INFOS", NULL },
	{ "INFO,FOO", NULL },
};

struct shown {
	const char *name;
	char levels[100];
};

static void look(void *arg, const char *name, const char *desc, const char *text)
{
	struct shown *s = arg;

	assert_true(*desc);
	if (!strcmp(name, s->name))
		snprintf(s->levels, sizeof(s->levels), "%s", text);
}

static const char *levels_of(const char *name)
{
	static struct shown s;

	s = (struct shown){ .name = name };
	log_subsys_each(look, &s);
	return s.levels;
}

static void test_levels(void **state)
{
	uint32_t mask;

	(void)state;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (!levels[i].shown) {
			assert_int_equal(log_levels_parse(levels[i].words, &mask), -22);
			continue;
		}
		assert_int_equal(log_levels_parse(levels[i].words, &mask), 0);
		assert_int_equal(log_levels_set("store", NULL, mask), 0);
		assert_string_equal(levels_of("store"), levels[i].shown);
	}
}

static void test_subsystems(void **state)
{
	uint32_t debug, follow;

	(void)state;
	log_levels_parse("DEBUG", &debug);
	assert_int_equal(log_levels_parse("default", &follow), 0);
	assert_int_equal(follow, LOG_FOLLOW);
	assert_true(log_wants(LOG_INFO_, "producer") && !log_wants(LOG_DEBUG_, "producer"));

	/* one with levels of its own does not follow the default, the others do, also those that nobody knows */
	assert_int_equal(log_levels_set("producer", NULL, debug), 0);
	log_level_set(LOG_ERROR_);
	assert_true(log_wants(LOG_DEBUG_, "producer"));
	assert_false(log_wants(LOG_WARNING_, "updater") || log_wants(LOG_WARNING_, "resolver"));
	assert_true(log_wants(LOG_ERROR_, "updater") && log_wants(LOG_ERROR_, "resolver"));
	assert_string_equal(levels_of("updater"), "default");
	assert_int_equal(log_levels_set("producer", NULL, follow), 0);
	assert_false(log_wants(LOG_WARNING_, "producer"));
	assert_string_equal(levels_of("producer"), "default");
	assert_int_equal(log_levels_set(NULL, NULL, follow), 0);
	assert_string_equal(levels_of("ldmsd"), "ERROR,CRITICAL");

	/* by expressions, and by the names of ldmsd */
	assert_int_equal(log_levels_set(NULL, "^(st|up)", debug), 0);
	assert_true(log_wants(LOG_DEBUG_, "store") && log_wants(LOG_DEBUG_, "stream") &&
		    log_wants(LOG_DEBUG_, "updater") && !log_wants(LOG_DEBUG_, "config"));
	assert_int_equal(log_levels_set("xprt.zap.sock", NULL, debug), 0);
	assert_true(log_wants(LOG_DEBUG_, "xprt"));
	assert_int_equal(log_levels_set("ldms.msg", NULL, debug), 0);
	assert_true(log_wants(LOG_DEBUG_, "msg"));
	assert_int_equal(log_levels_set("nosuch", NULL, debug), -2);
	assert_int_equal(log_levels_set(NULL, "nosuch", debug), -2);
	assert_int_equal(log_levels_set(NULL, "(", debug), -22);
}

/* -- repetitions --------------------------------------------------------------------------------------------------- */

static char said[4096];

static void put(const struct log_entry *e)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof(said) - n, "%s: %.*s\n", e->subsys, (int)e->len, e->text);
}

static void say(const char *subsys, const char *text, int64_t now_us)
{
	struct log_entry e = { .level = LOG_INFO_, .subsys = subsys, .text = text, .len = strlen(text) };

	if (!log_fold(&e, now_us, put))
		put(&e);
}

static void test_fold(void **state)
{
	int64_t t = 1000 * SEC_US;

	(void)state;
	*said = '\0';
	say("qgroup", "a", t);
	for (int i = 0; i < 512; i++)
		say("qgroup", "a", t + i);
	say("stream", "a", t); /* another subsystem is another matter, and does not end it */
	assert_string_equal(said, "qgroup: a\nstream: a\n");
	say("qgroup", "b", t);
	assert_string_equal(said, "qgroup: a\nstream: a\nqgroup: a (repeated 512 times)\nqgroup: b\n");

	/* held for no longer than a while, whoever comes */
	*said = '\0';
	say("qgroup", "b", t + 1);
	assert_true(log_fold_due_us() > t && log_fold_due_us() < t + 60 * SEC_US);
	log_fold_flush(t + 2, false, put);
	assert_string_equal(said, "");
	log_fold_flush(log_fold_due_us(), false, put);
	assert_string_equal(said, "qgroup: b (repeated 1 time)\n");
	assert_true(log_fold_due_us() == INT64_MAX);

	/* what comes again after a long while is news */
	*said = '\0';
	say("qgroup", "b", t + 3600 * SEC_US);
	assert_string_equal(said, "qgroup: b\n");
	say("qgroup", "b", t + 3600 * SEC_US);
	log_fold_flush(0, true, put);
	assert_string_equal(said, "qgroup: b\nqgroup: b (repeated 1 time)\n");
}

/* -- where they end ------------------------------------------------------------------------------------------------ */

static void test_file(void **state)
{
	char *path = at("log"), *old = at("log.1"), *text;
	struct stat st;

	(void)state;
	assert_int_equal(log_open(path, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	log_info("config", "first %d", 1);
	log_debug("config", "not wanted");
	assert_int_equal(rename(path, old), 0);
	log_info("config", "second");
	log_reopen();
	log_info("config", "third");
	text = text_of(old);
	assert_string_equal(text, "     INFO: config: first 1\n     INFO: config: second\n");
	free(text);
	text = text_of(path);
	assert_string_equal(text, "     INFO: config: third\n");
	free(text);
	free(path);
	free(old);
}

static void test_rotate(void **state)
{
	char *path = at("log"), *look_for = xasprintf("test $(ls %s/log-[0-9]* | wc -l) = 1", dir);
	struct err err = { "" };

	(void)state;
	log_open(NULL, NULL);
	assert_int_equal(log_rotate(&err), -22);
	assert_string_equal(err.msg, "Failed to rotate the log file. Invalid argument");
	assert_int_equal(log_open(path, NULL), 0);
	assert_int_equal(log_rotate(NULL), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(system(look_for), 0);
	free(path);
	free(look_for);
}

static void test_cannot(void **state)
{
	struct err err = { "" };
	char *path = at("no/log"), *service = xasprintf("syslog:%s/nobody", dir);

	(void)state;
	assert_int_equal(log_open(path, &err), -2);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(log_open(service, &err), -2);
	assert_non_null(strstr(err.msg, "does it run?"));
	free(path);
	free(service);
}

static int service_listen(const char *path, int type)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

static void is_received(int fd, const char *words)
{
	char got[4096];
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	got[n] = '\0';
	if (!strstr(got, words))
		fail_msg("no \"%s\" in: %s", words, got);
}

static void test_socket(void **state)
{
	char *path = at("socket"), *name;
	int fd = service_listen(path, SOCK_DGRAM);

	(void)state;
	assert_true(log_is_service("syslog") && log_is_service("journald") && log_is_service("journald:/x"));
	assert_false(log_is_service("syslog.txt") || log_is_service("syslog:x") || log_is_service("/dev/log"));
	name = xasprintf("syslog:%s", path);
	assert_int_equal(log_open(name, NULL), 0);
	log_warning("store", "policy x: behind");
	is_received(fd, "]: store: policy x: behind");
	/* it is started anew: the next line finds it */
	close(fd);
	fd = service_listen(path, SOCK_DGRAM);
	log_warning("store", "policy y: behind");
	is_received(fd, "]: store: policy y: behind");
	/* it is full: lines are lost, nobody waits, and then it is said how many */
	for (int i = 0; i < 10000; i++)
		log_warning("store", "line %d", i);
	for (char c[4096]; recv(fd, c, sizeof(c), MSG_DONTWAIT) > 0;)
		;
	log_warning("store", "room again");
	is_received(fd, "]: ldmsd: log: lost=");
	is_received(fd, "]: store: room again");
	free(name);
	name = xasprintf("journald:%s", path);
	assert_int_equal(log_open(name, NULL), 0);
	log_info("store", "policy z: runs");
	is_received(fd, "SUBSYSTEM=store\nMESSAGE=store: policy z: runs\n");
	close(fd);
	free(name);
	free(path);
}

/* -- the writer ---------------------------------------------------------------------------------------------------- */

#define SAYERS 4
#define EACH   2000

static void *sayer(void *arg)
{
	for (int i = 0; i < EACH; i++)
		log_info("producer", "sayer %d says %d", (int)(intptr_t)arg, i);
	return NULL;
}

static void test_writer(void **state)
{
	char *path = at("log"), *text;
	pthread_t threads[SAYERS];
	size_t lines_n = 0, lost;

	(void)state;
	assert_int_equal(log_open(path, NULL), 0);
	assert_int_equal(log_begin(NULL), 0);
	for (int i = 0; i < SAYERS; i++)
		pthread_create(&threads[i], NULL, sayer, (void *)(intptr_t)i);
	for (int i = 0; i < SAYERS; i++)
		pthread_join(threads[i], NULL);
	log_error("ldmsd", "the last one");
	log_error("ldmsd", "the last one");
	log_end(10 * SEC_US);
	text = text_of(path);
	for (char *line = text; *line; line = strchr(line, '\n') + 1, lines_n++)
		assert_true(!strncmp(line, "     INFO: producer: sayer ", 26) || strstr(line, "the last one") ||
			    strstr(line, "lost="));
	/* those that came faster than they were written were counted */
	lost = strstr(text, "lost=") ? strtoul(strstr(text, "lost=") + 5, NULL, 10) : 0;
	if (count(text, "lost=") < 2)
		assert_int_equal(lines_n + lost - !!lost, SAYERS * EACH + 2);
	assert_non_null(strstr(text, "the last one (repeated 1 time)\n"));
	/* and again, by those who say it */
	log_info("producer", "afterwards");
	free(text);
	text = text_of(path);
	assert_non_null(strstr(text, "afterwards"));
	free(text);
	free(path);
}

/* Nobody reads: who speaks goes on, what does not fit is counted, and said when somebody reads again. */
static int deaf(const void *arg)
{
	char got[1 << 16];
	size_t n = 0;
	int fds[2];

	(void)arg;
	WANT(!pipe(fds));
	log_use(fds[1], NULL, NULL);
	WANT(!log_begin(NULL));
	for (int i = 0; i < 20000; i++)
		log_info("config", "%0500d", i);
	while (n < sizeof(got) || !memmem(got, sizeof(got), "lost=", 5)) {
		ssize_t k = read(fds[0], got, sizeof(got));

		WANT(k > 0);
		n += (size_t)k;
		if (memmem(got, (size_t)k, "lost=", 5))
			break;
		if (n > 300000)
			log_info("config", "and now? %zu", n);
	}
	return 0;
}

/* ... and when nobody ever reads again, the end comes all the same. */
static int deaf_for_ever(const void *arg)
{
	int fds[2];

	(void)arg;
	WANT(!pipe(fds));
	log_use(fds[1], NULL, NULL);
	WANT(!log_begin(NULL));
	for (int i = 0; i < 20000; i++)
		log_info("config", "%0500d", i);
	log_end(1);
	log_info("config", "to nobody");
	return 0;
}

static void test_pipe(void **state)
{
	(void)state;
	assert_int_equal(in_child(deaf, NULL), 0);
	assert_int_equal(in_child(deaf_for_ever, NULL), 0);
}

static void test_full(void **state)
{
	char *path = at("log"), *text;

	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(log_open("/dev/full", NULL), 0);
	assert_int_equal(log_begin(NULL), 0);
	for (int i = 0; i < 10; i++)
		log_info("config", "line %d", i);
	log_end(10 * SEC_US);
	log_open(path, NULL);
	log_info("config", "on another disk");
	text = text_of(path);
	assert_string_equal(text, "  WARNING: ldmsd: log: lost=10 lines could not be written: No space left on device\n"
				  "     INFO: config: on another disk\n");
	assert_int_equal(count(text, "line "), 0);
	free(text);
	free(path);
}

static void test_long(void **state)
{
	char *path = at("log"), *text;

	(void)state;
	log_open(path, NULL);
	log_info("config", "%05000d", 1);
	text = text_of(path);
	assert_true(strlen(text) < LOG_TEXT_MAX + 100);
	assert_string_equal(text + strlen(text) - 4, "...\n");
	free(text);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_worst),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subsystems, setup, teardown),
		cmocka_unit_test(test_fold),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer, setup, teardown),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
