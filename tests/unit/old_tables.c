/* old_tables.c - answers as ldmsd_controller and ldmsctl print them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/old_tables.h"

/* What is printed; NULL: there is no table.  Yours. */
static char *shown(enum old_ctl who, const char *verb, const char *json)
{
	struct buf b = { 0 };
	char *ret = old_tables_put(&b, who, verb, json, strlen(json)) ? strdup(buf_str(&b)) : NULL;

	buf_fini(&b);
	return ret;
}

static void expect(enum old_ctl who, const char *verb, const char *json, const char *text)
{
	char *got = shown(who, verb, json);

	assert_non_null(got);
	assert_string_equal(got, text);
	free(got);
}

static void test_sets(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	expect(OLD_CONTROLLER, "prdcr_set_status",
	       "[{\"inst_name\":\"node1/meminfo\",\"schema_name\":\"meminfo\",\"state\":\"READY\",\"origin\":\"node1\","
	       "\"producer\":\"samp1\",\"timestamp.sec\":\"1795187806\",\"timestamp.usec\":\"1745\",\"duration.sec\":"
	       "\"0\","
	       "\"duration.usec\":\"52\"}]",
	       "Name                           Schema Name      State      Origin           Producer         Timestamp "
	       "       "
	       "         Duration(sec)\n"
	       "------------------------------ ---------------- ---------- ---------------- ---------------- "
	       "------------------------- ------------\n"
	       "node1/meminfo                  meminfo          READY      node1            samp1            11-20-26 "
	       "15:16:46 "
	       "[1745]  0.000052    \n");
}

static void test_policies(void **state)
{
	(void)state;
	expect(OLD_CONTROLLER, "strgp_status",
	       "[{\"name\":\"mem\",\"container\":\"c1\",\"schema\":\"meminfo\",\"regex\":\"-\",\"plugin\":\"store_"
	       "csv\","
	       "\"flush\":\"0.000000\",\"state\":\"RUNNING\",\"decomp\":\"-\",\"producers\":[\"samp.*\"],"
	       "\"metrics\":[\"job_id\",\"app_id\"]}]",
	       "Name             Container        Schema           Regex            Plugin           Flush            "
	       "State  "
	       "    Decomposition       \n"
	       "---------------- ---------------- ---------------- ---------------- ---------------- ---------------- "
	       "---------- --------------------\n"
	       "mem              c1               meminfo          -                store_csv        0.000000         "
	       "RUNNING"
	       "    -\n"
	       "    producers: samp.* \n"
	       "    metrics: job_id app_id \n");
}

static void test_facts(void **state)
{
	(void)state;
	expect(OLD_CONTROLLER, "daemon_status", "{\"state\":\"ready\"}", "Deamon State: ready\n");
	expect(OLD_CTL, "daemon_status", "{\"state\":\"ready\"}", "Daemon State: ready\n");
}

static void test_others(void **state)
{
	(void)state;
	assert_null(shown(OLD_CTL, "strgp_status", "[]"));
	assert_null(shown(OLD_CONTROLLER, "prdcr_status", "{\"a\":1}"));
	assert_null(shown(OLD_CONTROLLER, "prdcr_status", "[{"));
	expect(OLD_CTL, "updtr_status", "[1,{\"producers\":[7]}]",
	       "Name             Interval     Offset       Mode            State\n"
	       "---------------- ------------ ------------ --------------- ------------\n"
	       "                                                           \n"
	       "                                                           \n"
	       "                                                               \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
