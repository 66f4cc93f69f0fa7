/* What is noted of commands, what is dumped, and the difference of two configurations. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_diff.h"
#include "core/ctl/book_line.h"
#include "core/ctl/conf.h"

static void collect(void *arg, const char *words)
{
	buf_addf(arg, "%s\n", words);
}

static const struct daemon_conf draft_conf = { .name = "d", .draft = true };

/* A draft of these lines; complaints are added to `said`. */
static struct book *draft(const char *text, struct buf *said)
{
	struct conf *cf = conf_new(collect, said);
	struct book *b = book_new();
	struct daemon *d;

	assert_int_equal(daemon_new(&draft_conf, &d, NULL), 0);
	d->book = b;
	conf_text(cf, "f", text);
	assert_int_equal(conf_run(cf, d), 0);
	daemon_free(d, 0);
	conf_free(cf);
	return b;
}

static struct book *book_of(const char *text)
{
	struct buf said = { 0 };
	struct book *b = draft(text, &said);

	assert_string_equal(buf_str(&said), "");
	buf_fini(&said);
	return b;
}

/* These lines are dumped as those; and those as themselves. */
static void dumps(const char *text, const char *want)
{
	for (int i = 0; i < 2; i++) {
		struct book *b = book_of(i ? want : text);
		struct buf out = { 0 };

		book_put(&out, b);
		assert_string_equal(buf_str(&out), want);
		buf_fini(&out);
		book_free(b);
	}
}

static void differ(const char *from, const char *to, const char *want)
{
	struct book *a = book_of(from), *b = book_of(to);
	struct book_diff *df = book_diff_new(a, b);
	struct buf out = { 0 };
	size_t len;

	book_diff_put(&out, df);
	len = out.len;
	if (book_diff_fixed(&out, df)) {
		memmove(out.p + len + 9, out.p + len, out.len - len);
		memcpy(out.p + len, "restart: ", 9);
		out.len += 9;
	}
	assert_string_equal(buf_str(&out), want);
	buf_fini(&out);
	book_diff_free(df);
	book_free(a);
	book_free(b);
}

/* -- the table
 * --------------------------------------------------------------------------------------------------------- */

/* Verbs that change something, and leave nothing in the configuration. */
static const struct {
	const char *verb, *why;
} exceptions[] = {
	{ "advertise", "what a peer says of itself: it comes again by itself" },
	{ "banner", "has no effect" },
	{ "daemon_exit", "ends the daemon" },
	{ "dump_cfg", "writes this very configuration" },
	{ "exit", "ends the daemon" },
	{ "failover_cfgprdcr", "what the peer has is its configuration" },
	{ "failover_cfgstrgp", "what the peer has is its configuration" },
	{ "failover_cfgupdtr", "what the peer has is its configuration" },
	{ "failover_pair", "asks" },
	{ "failover_peercfg", "asks" },
	{ "failover_peercfg_start", "what is the case with the peer decides" },
	{ "failover_peercfg_stop", "what is the case with the peer decides" },
	{ "failover_ping", "asks" },
	{ "failover_reset", "what a peer says of itself" },
	{ "failover_status", "asks" },
	{ "greeting", "asks" },
	{ "include", "the lines of that file are noted themselves" },
	{ "log_status", "asks" },
	{ "logrotate", "what the file is called before is nobody's configuration" },
	{ "prdcr_stream_status", "asks" },
	{ "prdcr_set_status", "asks" },
	{ "publish", "a message is not kept" },
	{ "qgroup_info", "asks" },
	{ "reload", "leads back to what the files say" },
	{ "stream_client_dump", "asks" },
	{ "cfg_cntr", "asks" },
	{ "stats_reset", "counters are no configuration" },
	{ "updtr_match_list", "asks" },
	{ "subscribe", "ends with the connection that it came on" },
	{ "worker_threads", "has no effect" },
};

static bool is_exception(const char *verb)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
		if (!strcmp(exceptions[i].verb, verb))
			return true;
	return false;
}

/* Every verb that not everybody may use is noted, or is known to leave nothing: a new object cannot be forgotten. */
static void test_every_verb_has_a_row(void **state)
{
	(void)state;
	for (const struct verb *v = verbs; v->name; v++) {
		const struct book_verb *bv = book_verb_find(v->name);

		if (v->flags & VERB_UNSUPPORTED)
			continue;
		if (v->flags & VERB_ALL && !(v->flags & VERB_MODIFIES)) {
			assert_null(bv);
			continue;
		}
		if (!bv == !is_exception(v->name))
			fail_msg("%s: needs a row in book_verbs.c, or a reason in this test; not both", v->name);
	}
	for (const struct book_verb *bv = book_verbs; bv->verb; bv++) {
		assert_non_null(verb_find(bv->verb));
		if (bv->act == BOOK_UNPART)
			assert_non_null(verb_find(bv->of));
	}
	for (size_t i = 0; i < BOOK_KINDS; i++) {
		const struct book_kind_row *k = &book_kinds[i];
		const char *const named[] = { k->del, k->run, k->halt, k->unpart };

		assert_non_null(k->word);
		for (size_t n = 0; n < sizeof(named) / sizeof(*named); n++)
			if (named[n])
				assert_non_null(verb_find(named[n]));
	}
}

/* -- one spelling
 * ------------------------------------------------------------------------------------------------------ */

static void test_one_spelling(void **state)
{
	(void)state;
	dumps("", "");
	dumps("prdcr_add name=n type=active host=h port=411 xprt=sock interval=1000000 perm=504",
	      "prdcr_add name=n type=active host=h port=411 xprt=sock reconnect=1s\n");
	dumps("prdcr_add name=n type=active host=h reconnect=20s quota=1024k cache_ip=no",
	      "prdcr_add name=n type=active host=h port=411 xprt=sock reconnect=20s quota=1M cache_ip=false\n");
	dumps("load name=meminfo plugin=meminfo\nconfig  name=meminfo   producer=x\tinstance=x/y",
	      "load name=meminfo\nconfig name=meminfo producer=x instance=x/y\n");
	dumps("load name=a plugin=none\nstrgp_add name=a plugin=a container=a schema=s flush=1000000",
	      "load name=a plugin=none\nstrgp_add name=a plugin=a schema=s flush=1s\n");
	dumps("metric_sets_default_authz perm=440 uid=0\nmetric_sets_default_authz gid=0\nmetric_sets_default_authz",
	      "metric_sets_default_authz uid=0 gid=0 perm=0440\n");
	dumps("limits conns=5 guests=6\nlimits conns=7", "limits conns=7\nlimits guests=6\n");
	dumps("stream_disable\nstream_enable\nmsg_enable", "msg_enable\nstream_enable\n");
}

static void test_objects_and_their_lines(void **state)
{
	(void)state;
	dumps("updtr_start name=u\nupdtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=b\nupdtr_prdcr_add "
	      "name=u regex=a\n"
	      "updtr_prdcr_del name=u regex=b\nupdtr_match_add name=u regex=x match=inst",
	      "updtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=a\nupdtr_match_add name=u "
	      "regex=x\nupdtr_start name=u\n");
	dumps("updtr_add name=u interval=1s\nupdtr_start name=u interval=2s offset=1ms",
	      "updtr_add name=u interval=2s offset=1ms\nupdtr_start name=u\n");
	dumps("updtr_add name=u interval=1s\nupdtr_del name=u", "");
	dumps("prdcr_add name=b type=active host=h\nprdcr_add name=a type=active host=h\nprdcr_start_regex regex=^b",
	      "prdcr_add name=a type=active host=h port=411 xprt=sock reconnect=20s\n"
	      "prdcr_add name=b type=active host=h port=411 xprt=sock reconnect=20s\nprdcr_start name=b\n");
	dumps("updtr_add name=u interval=1s\nupdtr_start name=u\nupdtr_start name=u interval=5s",
	      "updtr_add name=u interval=1s\nupdtr_start name=u\n");
	dumps("bridge_add name=x host=h\nbridge_start name=x",
	      "bridge_add name=x host=h port=411 xprt=sock reconnect=20s\nprdcr_start name=x\n");
	dumps("advertiser_start name=x host=h reconnect=1s",
	      "advertiser_add name=x host=h port=411 xprt=sock reconnect=1s\nadvertiser_start name=x\n");
	dumps("setgroup_add name=g interval=1s\nsetgroup_ins name=g instance=a,b,c,b\nsetgroup_rm name=g "
	      "instance=b\nsetgroup_mod name=g",
	      "setgroup_add name=g\nsetgroup_ins name=g instance=a\nsetgroup_ins name=g instance=c\n");
	dumps("prdcr_subscribe regex=.* stream=a\nprdcr_subscribe regex=.* stream=a\nprdcr_subscribe regex=.* "
	      "stream=b\n"
	      "prdcr_unsubscribe regex=.* stream=b",
	      "prdcr_subscribe regex=.* stream=a\n");
	dumps("qgroup_config quota=1m ask_interval=1s\nqgroup_config quota=2m\nqgroup_member_add host=h\nqgroup_start",
	      "qgroup_member_add xprt=sock host=h port=411\nqgroup_config quota=2M ask_interval=1s\nqgroup_start\n");
	dumps("failover_start\nfailover_config host=h port=1 xprt=sock peer_name=p interval=500ms auto_switch=false",
	      "failover_config host=h port=1 xprt=sock peer_name=p auto_switch=false "
	      "interval=500000\nfailover_start\n");
	dumps("load name=loadavg\nconfig name=loadavg\nstart name=loadavg interval=1s offset=0",
	      "load name=loadavg\nconfig name=loadavg\nstart name=loadavg interval=1s\n");
}

/* A draft finds what is wrong, all of it. */
static void test_all_complaints(void **state)
{
	struct buf said = { 0 };

	(void)state;
	book_free(draft("load name=nosuch\nstrgp_add name=s plugin=x schema=s\nupdtr_start name=u\n"
			"auth_add name=a plugin=ovis conf=/nosuch/file\nload name=loadavg\nconfig name=loadavg "
			"metrix_format=x\n"
			"listen port=1 host=127.0.0.1\nlisten port=1",
			&said));
	for (const char *const *w = (const char *const[]){ "f:1:6: load", "f:2:1: strgp_add", "f:3:1: updtr_start",
							   "f:4:1: auth_add", "f:6:8: config", "f:8:1: listen", NULL };
	     *w; w++)
		if (!strstr(buf_str(&said), *w))
			fail_msg("no '%s' in:\n%s", *w, buf_str(&said));
	buf_fini(&said);
}

/* What only the network can say is dumped as a comment; what would be taken for something else is refused. */
static void test_values_that_files_cannot_hold(void **state)
{
	const struct ctl_arg args[] = { { .id = ATTR_REGEX, .value = "a b" }, { .id = ATTR_STREAM, .value = "s" } };
	const struct ctl_arg bad[] = { { .id = ATTR_REGEX, .value = "a\037stream=x" },
				       { .id = ATTR_STREAM, .value = "s" } };
	struct ctl c = { 0 }, c2 = { 0 };
	struct book *b = book_new();
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(ctl_prepare(&c, verb_find("prdcr_subscribe"), args, 2, NULL), 0);
	assert_int_equal(book_note(b, &c, NULL), 0);
	book_put(&out, b);
	assert_string_equal(buf_str(&out),
			    "# a file cannot say this, for blanks in a value, or an attribute within the rest: "
			    "prdcr_subscribe regex=a b stream=s\n");
	assert_int_equal(ctl_prepare(&c2, verb_find("prdcr_subscribe"), bad, 2, NULL), -EINVAL);
	ctl_fini(&c);
	ctl_fini(&c2);
	buf_fini(&out);
	book_free(b);
}

/* -- differences
 * --------------------------------------------------------------------------------------------------------- */

#define UPDTR   "updtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n"
#define SAMPLER "load name=loadavg\nconfig name=loadavg\nstart name=loadavg interval=1s\n"
#define PRDCR   "prdcr_add name=n type=active host=h\nprdcr_start name=n\n"
#define STRGP   "strgp_add name=s plugin=none schema=x\nstrgp_start name=s\n"

static void test_differences(void **state)
{
	(void)state;
	differ("", "", "");
	differ(UPDTR PRDCR SAMPLER, SAMPLER UPDTR PRDCR, "");
	differ("", PRDCR, "+ prdcr n type=active host=h\n");
	differ(PRDCR, "", "- prdcr n\n");
	differ(PRDCR, "prdcr_add name=n type=active host=h2\nprdcr_start name=n", "~ prdcr n host h -> h2 (restart)\n");
	differ(PRDCR, "prdcr_add name=n type=active host=h", "~ prdcr n is to be stopped\n");
	differ("prdcr_add name=n type=active host=h", PRDCR, "~ prdcr n is to be started\n");
	differ(UPDTR, "updtr_add name=u interval=2s\nupdtr_prdcr_add name=u regex=x\nupdtr_start name=u",
	       "~ updtr u interval 1s -> 2s -updtr_prdcr_add regex=.* +updtr_prdcr_add regex=x (restart)\n");
	differ(SAMPLER, "load name=loadavg\nconfig name=loadavg\nstart name=loadavg interval=2s",
	       "~ plugin loadavg interval 1s -> 2s (restart)\n");
	differ(SAMPLER, "load name=loadavg\nconfig name=loadavg job_id=x\nstart name=loadavg interval=1s",
	       "~ plugin loadavg -config +config job_id=x (restart)\n");
	differ("setgroup_add name=g\nsetgroup_ins name=g instance=a",
	       "setgroup_add name=g\nsetgroup_ins name=g instance=b",
	       "~ setgroup g -setgroup_ins instance=a +setgroup_ins instance=b\n");
}

/* Who uses what is made anew is made anew, too; others are not. */
static void test_users_follow(void **state)
{
	(void)state;
	differ("load name=none\n" STRGP, "load name=none\nconfig name=none\n" STRGP,
	       "~ plugin none +config (restart)\n~ strgp s uses none (restart)\n");
	differ("auth_add name=a plugin=none\nprdcr_add name=n type=active host=h auth=a\n" UPDTR,
	       "auth_add name=a plugin=naive\nprdcr_add name=n type=active host=h auth=a\n" UPDTR,
	       "~ auth a plugin none -> naive (restart)\n~ prdcr n uses a (restart)\n");
}

static void test_what_needs_a_restart(void **state)
{
	(void)state;
	differ("daemon_name name=a\nmemory size=1m", "daemon_name name=b\nmemory size=2m",
	       "~ setting daemon_name name a -> b\n~ setting memory size 1M -> 2M\nrestart: daemon_name, memory");
	differ("", "set_memory size=2m", "+ setting memory:  memory size=2M\nrestart: memory");
	differ("metric_sets_default_authz perm=400", "",
	       "- setting metric_sets_default_authz\nrestart: metric_sets_default_authz");
	differ("msg_enable\nlimits conns=4", "", "- setting msg\n- limit conns\n");
	differ("stream_disable", "", "");
	differ("log_level level=DEBUG", "loglevel level=ERROR", "~ log_level level DEBUG -> ERROR\n");
	differ("log_level level=DEBUG", "log_level level=ERROR", "~ log_level level DEBUG -> ERROR\n");
	differ("log_level level=DEBUG name=config\nlog_level level=ERROR\nlog_level level=INFO regex=^s test",
	       "log_level level=ERROR\nlog_level level=DEBUG regex=^s",
	       "~ log_level :^s level INFO -> DEBUG\n- log_level config\n");
	differ("udata instance=a metric=m udata=1\nudata_regex instance=a regex=x base=1",
	       "udata instance=a metric=m udata=2", "~ udata a:m udata 1 -> 2\n- udata a::x\nrestart: udata a::x");
	differ("qgroup_config quota=1 ask_mark=5", "qgroup_config quota=1", "~ qgroup qgroup ask_mark 5 -> 0\n");
	differ("qgroup_config quota=1 ask_amount=5", "qgroup_config quota=1",
	       "~ qgroup qgroup ask_amount 5 -> -\nrestart: qgroup qgroup");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_verb_has_a_row),
		cmocka_unit_test(test_one_spelling),
		cmocka_unit_test(test_objects_and_their_lines),
		cmocka_unit_test(test_all_complaints),
		cmocka_unit_test(test_values_that_files_cannot_hold),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_users_follow),
		cmocka_unit_test(test_what_needs_a_restart),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
