/* ctl_line.c - commands as they are typed: lines, arguments, what is sent, what may follow */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "cmd/ctl.h"
#include "core/ctl/client.h"
#include "core/ctl/record.h"

/* -- lines --------------------------------------------------------------------------------------------------------- */

static void test_lines_are_joined(void **state)
{
	struct line_join j = { 0 };
	char first[] = "  load \\\r\n", second[] = "name=x # y\n", none[] = " # z\n", open[] = "a \\", end[] = "";

	(void)state;
	assert_false(line_join(&j, none, false));
	assert_false(line_join(&j, first, false));
	assert_true(line_join(&j, second, false));
	assert_string_equal(line_join_take(&j), "load  name=x");
	assert_false(line_join(&j, open, false));
	assert_true(line_join(&j, end, true));
	assert_string_equal(line_join_take(&j), "a ");
	assert_false(line_join(&j, end, true));
	line_join_fini(&j);
}

static void test_arguments_have_numbers(void **state)
{
	struct err err;
	struct line l;

	(void)state;
	assert_int_equal(line_parse(&l, "config name=x a=b c", &err), 0);
	assert_string_equal(l.verb->name, "config");
	assert_int_equal(l.n, 2);
	assert_int_equal(l.args[0].id, ATTR_NAME);
	assert_string_equal(l.args[0].value, "x");
	assert_int_equal(l.args[1].id, ATTR_STRING);
	assert_string_equal(l.args[1].value, "a=b c");
	line_fini(&l);
	assert_int_equal(line_parse(&l, " \t", &err), 0);
	assert_null(l.verb);
	line_fini(&l);
	assert_true(line_parse(&l, "prdcr_start nam=x", &err) < 0);
	assert_string_equal(err.msg, "prdcr_start: unknown attribute 'nam'; did you mean 'name'?");
}

/* -- what is sent -------------------------------------------------------------------------------------------------- */

static void sent(const char *command, const char *want)
{
	struct record_attr attrs[ATTR_IDS];
	struct buf body = { 0 }, text = { 0 };
	struct err err = { "" };
	struct line l;
	int n;

	assert_int_equal(line_parse(&l, command, &err), 0);
	client_put(&body, l.verb, l.args, l.n);
	n = record_attrs(body.p, body.len, attrs, ATTR_IDS, &err);
	assert_true(n >= 0);
	for (int i = 0; i < n; i++)
		buf_addf(&text, "%u=%s;", attrs[i].id, attrs[i].value ? attrs[i].value : "");
	assert_string_equal(buf_str(&text), want);
	buf_fini(&body);
	buf_fini(&text);
	line_fini(&l);
}

static void test_what_is_sent(void **state)
{
	(void)state;
	sent("prdcr_status", "");
	sent("prdcr_status name=x", "1=x;");
	sent("updtr_match_add name=u regex=^a=b$ match=schema", "1=u;4=^a=b$;11=schema;");
	sent("config name=x path=/a b=${HOME}", "1=x;16=path=/a b=${HOME};");
	sent("bridge_add name=b host=h reconnect=1s", "1=b;9=h;2=1s;5=bridge;");
	sent("bridge_add name=b host=h type=bridge", "1=b;9=h;5=bridge;");
}

/* -- completion ---------------------------------------------------------------------------------------------------- */

static void names(void *arg, const char *status_verb, struct ctl_list *to)
{
	const char json[] = "[{\"name\":\"n2\"},{\"name\":\"n1\"},{\"name\":\"other\"},{\"nam\":1},7]";

	*(const char **)arg = status_verb;
	ctl_list_names(to, json, sizeof(json) - 1);
}

static void completes(const char *line, const char *want, const char *asked)
{
	const char *status = NULL;
	struct ctl_list l = { 0 };
	struct buf b = { 0 };

	ctl_complete(line, names, &status, &l);
	for (size_t i = 0; i < l.n; i++)
		buf_addf(&b, "%s%s", i ? "|" : "", l.v[i]);
	assert_string_equal(buf_str(&b), want);
	if (asked)
		assert_string_equal(status, asked);
	else
		assert_null(status);
	buf_fini(&b);
	ctl_list_fini(&l);
}

static void test_completion(void **state)
{
	(void)state;
	completes("updtr_pr", "updtr_prdcr_add |updtr_prdcr_del ", NULL);
	completes("qu", "quit ", NULL);
	completes("help  quit", "", NULL);
	completes("help prdcr_stop", "prdcr_stop |prdcr_stop_regex ", NULL);
	completes("nonsense ", "", NULL);
	completes("updtr_match_add ", "match=|name=|regex=", NULL);
	completes("updtr_match_add name=u ", "match=|regex=", NULL);
	completes("updtr_match_add name=u match=", "match=inst |match=schema ", NULL);
	completes("updtr_match_add match=s", "match=schema ", NULL);
	completes("updtr_add auto_interval=", "auto_interval=false |auto_interval=true ", NULL);
	completes("prdcr_start name=n", "name=n1 |name=n2 ", "prdcr_status");
	completes("updtr_prdcr_add name=", "name=n1 |name=n2 |name=other ", "updtr_status");
	completes("strgp_add plugin=o", "plugin=other ", "plugn_status");
	completes("prdcr_listen_stop name=n1", "name=n1 ", "prdcr_listen_status");
	completes("stop name=x", "", "plugn_status");
	completes("prdcr_add name=", "", NULL);
	completes("prdcr_add host=", "", NULL);
	completes("prdcr_add nonsense=", "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_joined),
		cmocka_unit_test(test_arguments_have_numbers),
		cmocka_unit_test(test_what_is_sent),
		cmocka_unit_test(test_completion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
