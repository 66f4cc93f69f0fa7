/* show.c - answers as tables: what is there, what is not, and what must not get onto a terminal */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "cmd/ctl_show.h"
#include "cmd/show.h"
#include "core/base/term.h"

static void check(const char *verb, enum ctl_form form, const char *answer, const char *want)
{
	const struct verb *v = verb_find(verb);
	struct buf b = { 0 };

	assert_non_null(v);
	ctl_show(&b, v, answer, strlen(answer), form);
	assert_string_equal(buf_str(&b), want);
	buf_fini(&b);
}

static void test_facts_of_failover(void **state)
{
	(void)state;
	check("failover_status", CTL_TABLES,
	      "{\"host\": \"h\", \"port\": \"411\", \"peer_name\": \"a2\", \"ping_interval\": \"1000000\", "
	      "\"ping_skipped\": \"3\", \"ping_max\": \"1500\", \"failover_state\": \"START\", \"conn_state\": "
	      "\"CONFIGURED\", \"peercfg_activated\": \"1\", \"flags\": {\"PEERCFG_RECEIVED\": \"1\"}, \"why\": \"\"}",
	      "state:             START\npeer:              a2\nhost:              h\nport:              411\n"
	      "connection:        CONFIGURED\nstands in:         1\nknows what it has: 1\n"
	      "pings every:       1s\nslowest answer:    1.5ms\npings skipped:     3\n");
}

static void test_rows_and_what_is_below_them(void **state)
{
	(void)state;
	check("updtr_status", CTL_TABLES,
	      "[{\"name\":\"u1\",\"interval\":\"1000000\",\"offset\":\"200000\",\"sync\":\"true\",\"mode\":\"Pull\","
	      "\"auto\":\"false\",\"state\":\"RUNNING\",\"producers\":[{\"name\":\"dead\",\"host\":\"localhost\","
	      "\"port\":21099,\"transport\":\"sock\",\"state\":\"DISCONNECTED\"},\n"
	      "{\"name\":\"p\",\"host\":\"h\",\"port\":1,\"transport\":\"sock\",\"state\":\"CONNECTED\"}]},\n"
	      "{\"name\":\"long-name\",\"interval\":\"1500\",\"offset\":\"-100000\",\"state\":\"STOPPED\","
	      "\"producers\":[]}]",
	      "Name      Interval Offset Sync Auto  Mode State\n"
	      "--------- -------- ------ ---- ----- ---- -------\n"
	      "u1              1s  200ms true false Pull RUNNING\n"
	      "    dead localhost 21099 sock DISCONNECTED\n"
	      "    p    h             1 sock CONNECTED\n"
	      "long-name    1.5ms -100ms -    -     -    STOPPED\n");
}

static void test_columns_that_nobody_has_are_left_out(void **state)
{
	(void)state;
	check("plugn_status", CTL_TABLES, "[{\"name\":\"a\",\"type\":\"sampler[M]\",\"libpath\":\"-\"}]",
	      "Name Type\n---- ----------\na    sampler[M]\n");
	check("plugn_status", CTL_TABLES, "[]",
	      "Name Plugin Type State Degraded Overdue Samples Errors Missed Sets Late 50% 99% Max Stored Queued Dropped "
	      "Refused Why Retry in From\n"
	      "---- ------ ---- ----- -------- ------- ------- ------ ------ ---- -------- --- --- ------ ------ ------- "
	      "------- --- -------- ----\n");
}

static void test_lists(void **state)
{
	(void)state;
	check("strgp_status", CTL_TABLES,
	      "[{\"name\":\"s\",\"flush\":\"1.500000\",\"producers\":[\"a\",\"b\"],\"metrics\":[]}]",
	      "Name Flush\n---- -----\ns     1.5s\n    producers: a b\n");
}

static void test_facts(void **state)
{
	(void)state;
	check("version", CTL_TABLES, "{ \"LDMSD Version\":\"4.5.3\",  \"LDMS Protocol Version\": \"4.2.0.0\"}",
	      "LDMSD:    4.5.3\nprotocol: 4.2.0.0\n");
	check("daemon_status", CTL_TABLES,
	      "{\"state\":\"ready\",\"refused\":[{\"reason\":\"conns\",\"count\":3,\"last_peer\":\"h:1\",\"what\":"
	      "\"w\"}]}",
	      "state: ready\n\nRefused\nReason Count Last peer What\n------ ----- --------- ----\n"
	      "conns      3 h:1       w\n");
}

static void test_names_that_are_keys(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	check("stream_status", CTL_TABLES,
	      "{\"foo\":{\"mode\":\"subscribed\",\"pub\":{},\"recv\":{\"first_ts\":1795187806,\"last_ts\":1795187807,"
	      "\"count\":2,\"total_bytes\":2048,\"count/sec\":2.000000}}}",
	      "Stream Mode       Received Bytes /s First                   Last\n"
	      "------ ---------- -------- ----- -- ----------------------- -----------------------\n"
	      "foo    subscribed        2    2k  2 2026-11-20 15:16:46.000 2026-11-20 15:16:47.000\n");
	check("msg_stats", CTL_TABLES,
	      "[{\"name\":\"c\",\"rx\":{\"bytes\": 0,\"count\": 0,\"first_ts\": 9223372036854775807.999999999,"
	      "\"last_ts\": 0.000000000}}]",
	      "Channel Received Bytes First Last\n------- -------- ----- ----- ----\n"
	      "c              0     0 -     -\n");
}

static void test_answers_that_no_table_knows(void **state)
{
	(void)state;
	check("stream_client_dump", CTL_JSON, "{\"streams\":[]}", "{\"streams\":[]}\n");
	check("cfg_cntr", CTL_TABLES, "{\"a\":[1,2.5]}", "{\n  \"a\": [\n    1,\n    2.5\n  ]\n}\n");
	check("cfg_cntr", CTL_TABLES, "12", "12\n");
	check("cfg_cntr", CTL_TABLES, "12\n", "12\n");
	check("cfg_cntr", CTL_JSON, "a \"b\"\n", "\"a \\\"b\\\"\\u000a\"\n");
	check("cfg_cntr", CTL_TABLES, "", "");
	check("cfg_cntr", CTL_TABLES, "{not json", "{not json\n");
	/* not what was expected: no crash, and nothing is kept back */
	check("version", CTL_TABLES, "[1]", "[\n  1\n]\n");
	check("prdcr_status", CTL_TABLES, "{\"a\":{\"name\":7}}", "Name\n----\n7\n");
	check("prdcr_status", CTL_TABLES, "[3,null,\"x\"]", "[\n  3,\n  null,\n  \"x\"\n]\n");
}

static void test_a_number_that_is_too_large(void **state)
{
	(void)state;
	check("cfg_cntr", CTL_TABLES, "{\"a\":99999999999999999999}", "{\n  \"a\": 1e20\n}\n");
}

static void test_nothing_moves_the_cursor(void **state)
{
	(void)state;
	check("plugn_status", CTL_TABLES,
	      "[{\"name\":\"a\\u001b[2J\\n\",\"type\":\"\\u009b1m\\u202ex\\u007f\",\"libpath\":\"\\u00e9\"}]",
	      "Name       Type                From\n---------- ------------------- ----\n"
	      "a\\x1b[2J\\n \\u009b1m\\u202ex\\x7f \xc3\xa9\n");
	check("cfg_cntr", CTL_TABLES, "a\x1b]0;x\x07\nb\xff", "a\\x1b]0;x\\x07\nb\\xff\n");
	check("plugn_status", CTL_JSON, "[{\"name\":\"a\x7f\xc2\x9b\xe2\x80\xae\"}]",
	      "[{\"name\":\"a\\u007f\\u009b\\u202e\"}]\n");
}

static void test_every_row_is_a_verb_or_will_be(void **state)
{
	(void)state;
	for (const struct ctl_tables *t = ctl_tables; t->verb; t++)
		for (const struct show_table *s = t->tables; s->rows; s++)
			assert_non_null(s->cols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts_of_failover),
		cmocka_unit_test(test_rows_and_what_is_below_them),
		cmocka_unit_test(test_columns_that_nobody_has_are_left_out),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_names_that_are_keys),
		cmocka_unit_test(test_answers_that_no_table_knows),
		cmocka_unit_test(test_a_number_that_is_too_large),
		cmocka_unit_test(test_nothing_moves_the_cursor),
		cmocka_unit_test(test_every_row_is_a_verb_or_will_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
