/* conf.c - configuration files: lines, complaints, and what they do to a daemon */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/base/log.h"
#include "core/ctl/conf.h"
#include "core/ctl/verb.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/updtr.h"

static void collect(void *arg, const char *words)
{
	buf_addf(arg, "%s\n", words);
}

static void check(const char *text, const char *want)
{
	struct buf said = { 0 };
	struct conf *cf = conf_new(collect, &said);

	conf_text(cf, "f", text);
	assert_string_equal(buf_str(&said), want);
	conf_free(cf);
	buf_fini(&said);
}

static void test_complaints_name_the_line(void **state)
{
	(void)state;
	check("", "");
	check("# nothing\n\n   \n\t# more\r\n", "");
	check("load name=meminfo # but no x=y\n", "");
	check("load\n", "f:1:1: The attribute 'name' is required by load.\n");
	check("\nlod name=x\n", "f:2:1: unknown verb 'lod'; did you mean 'load'?\n");
	check("load \\\n name=x plugn=y\n", "f:2:9: load: unknown attribute 'plugn'; did you mean 'plugin'?\n");
	check("load name=\n", "f:1:1: The attribute 'name' is required by load.\n");
	check("prdcr_add name=p type=actve host=h\n",
	      "f:1:23: prdcr_add: attribute 'type': 'actve' is not one of active|bridge|local|passive\n");
	check("xx\nyy", "f:1:1: unknown verb 'xx'\nf:2:1: unknown verb 'yy'\n");
	/* what a variable will hold is known only when it is carried out */
	check("start name=x interval=${IVAL}\n", "");
	check("config name=x a=b c d=e=f\n", "");
}

/* A comment behind a continuation ends the command. */
static void test_continuation(void **state)
{
	(void)state;
	check("load \\\n# name=x\n", "f:1:1: The attribute 'name' is required by load.\n");
	check("load \\\n\n", "f:1:1: The attribute 'name' is required by load.\n");
	check("load \\\n \\\n name=x", "");
}

static struct daemon *run(const char *text, int want)
{
	struct daemon_conf dc = { .name = "d" };
	struct buf said = { 0 };
	struct conf *cf = conf_new(collect, &said);
	struct daemon *d = NULL;

	assert_int_equal(daemon_new(&dc, &d, NULL), 0);
	conf_text(cf, "f", text);
	assert_int_equal(conf_errors(cf), 0);
	if (conf_run(cf, d) != want)
		fail_msg("%s", buf_str(&said));
	conf_free(cf);
	buf_fini(&said);
	return d;
}

/* Starts are carried out last, settings first, whatever the order of the lines. */
static void test_order(void **state)
{
	struct daemon *d;
	struct prdcr *p;

	(void)state;
	d = run("prdcr_start_regex regex=.*\nupdtr_start name=u\n"
		"updtr_add name=u interval=${IVAL} offset=100ms\nupdtr_prdcr_add name=u regex=^a$\n"
		"prdcr_add name=a type=local\nprdcr_add name=b type=active host=127.0.0.1 port=1 reconnect=60s\n"
		"env IVAL=2s\n",
		0);
	p = node_find(d->prdcrs, "a");
	assert_non_null(p);
	assert_int_equal(prdcr_state(p), PRDCR_CONNECTED);
	assert_int_equal(updtr_conf(node_find(d->updtrs, "u"))->interval_us, 2000000);
	assert_true(updtr_running(node_find(d->updtrs, "u")));
	assert_true(updtr_takes_prdcr(node_find(d->updtrs, "u"), "a"));
	assert_false(updtr_takes_prdcr(node_find(d->updtrs, "u"), "b"));
	daemon_free(d, 0);
}

/* Ports, plugins and the places of stores are known before a thread is needed; samplers are not configured yet. */
static void test_prepared(void **state)
{
	struct confine_conf cc = { .sandbox = SANDBOX_ON };
	struct daemon_conf dc = { .name = "d", .io_loops = 1, .hold = true };
	struct buf said = { 0 };
	struct conf *cf = conf_new(collect, &said);
	struct samp_status st;
	struct samp_node *s;
	struct store_node *store;
	struct daemon *d;

	(void)state;
	assert_int_equal(confine_new(&cc, &dc.confine, NULL), 0);
	assert_int_equal(daemon_new(&dc, &d, NULL), 0);
	conf_text(cf, "f",
		  "load name=l plugin=loadavg\nconfig name=l instance=x\nterm name=l\nload name=l plugin=loadavg\n"
		  "strgp_add name=s plugin=c schema=y\nload name=c plugin=csv\nconfig name=c path=${WHERE}\n"
		  "env WHERE=/tmp\nlisten port=0 host=127.0.0.1\n");
	assert_null(conf_file(cf, 0));
	if (conf_prepare(cf, d))
		fail_msg("%s", buf_str(&said));
	assert_non_null(d->listeners);
	s = node_find(d->samps, "l");
	store = node_find(d->stores, "c");
	assert_true(s && store && store_configured(store->store));
	samp_status(s->samp, &st);
	assert_int_equal(st.state, SAMP_LOADED);
	assert_null(d->strgps);
	assert_null(d->samp.sched);
	assert_int_equal(daemon_begin(d, NULL), 0);
	if (conf_run(cf, d))
		fail_msg("%s", buf_str(&said));
	/* what stood behind `term` was done behind it */
	assert_non_null(node_find(d->samps, "l"));
	assert_non_null(node_find(d->strgps, "s"));
	conf_free(cf);
	buf_fini(&said);
	daemon_free(d, 0);
	confine_free(dc.confine);
}

/* A start that fails before there are threads. */
static void test_held(void **state)
{
	struct daemon_conf dc = { .name = "d", .io_loops = 2, .hold = true };
	struct daemon *d;

	(void)state;
	assert_int_equal(daemon_new(&dc, &d, NULL), 0);
	daemon_free(d, 0);
}

static void test_what_cannot_be_carried_out(void **state)
{
	(void)state;
	daemon_free(run("updtr_start name=nobody\n", -2), 0);
	daemon_free(run("prdcr_add name=a type=local\nprdcr_add name=a type=local\n", -17), 0);
	daemon_free(run("load name=nosuchplugin\n", -2), 0);
	daemon_free(run("load name=csv\nconfig name=csv\n", -22), 0);
	daemon_free(run("load name=csv\nconfig name=csv path=/tmp\nstrgp_add name=s plugin=csv\n", -22), 0);
}

/* Handlers take their words from the table: every row is complete. */
static void test_every_verb_is_described(void **state)
{
	(void)state;
	for (const struct verb *v = verbs; v->name; v++) {
		assert_true(v->run || v->flags & VERB_FILE_ONLY);
		assert_non_null(v->help);
		assert_ptr_equal(verb_find(v->name), v);
		for (const struct attr_use *u = v->attrs; u && u->name; u++) {
			assert_in_range(u->id, 1, ATTR_IDS - 1);
			assert_non_null(u->help);
			assert_true(u->type == AT_REST || (u->type == AT_WORD) == (u->words != NULL));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complaints_name_the_line),
		cmocka_unit_test(test_continuation),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_prepared),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_what_cannot_be_carried_out),
		cmocka_unit_test(test_every_verb_is_described),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
