/* plan.c - what a plan says of a cluster: where each daemon is reached, who is above whom, and the lines of each */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/xalloc.h"
#include "core/maestro/share.h"

struct notes {
	unsigned int errors, warnings;
	char last[256];
};

static void on_note(void *arg, const struct conf_note *n)
{
	struct notes *ns = arg;

	*(n->warning ? &ns->warnings : &ns->errors) += 1;
	snprintf(ns->last, sizeof(ns->last), "%u:%u: %s", n->line, n->col, n->words);
}

static struct plan *plan_of(const char *text, struct notes *ns)
{
	struct plan *p = NULL;
	struct err err;

	*ns = (struct notes){ 0 };
	plan_parse("test", text, strlen(text), on_note, ns, &p, &err);
	return p;
}

static const char tree[] =
	"daemons:\n"
	"- {names: 's[1-4]', hosts: 'n[1-4]', endpoints: [\n"
	"   {names: 's[1-4]-x', ports: 10, xprt: mem},\n"
	"   {names: 's[1-4]', ports: 411, maestro_comm: true, auth: {name: site, plugin: ovis, conf: /etc/s}}]}\n"
	"- {names: 'a[1-2]', hosts: h, endpoints: [{names: 'a[1-2]', ports: '[500-501]', maestro_comm: yes, auth: "
	"{name: munge}}]}\n"
	"- {names: t, hosts: h, endpoints: [{names: t, ports: 600}]}\n"
	"aggregators:\n"
	"- {daemons: t, peers: [{endpoints: 'a[1-2]', type: active, reconnect: 1s, updaters: [{interval: 1s}]}]}\n"
	"- {daemons: 'a[1-2]', rebalance: sticky, peers: [{endpoints: 's[1-4]', type: active, reconnect: 1s, updaters: "
	"[{interval: 1s}]}]}\n"
	"maestro: {balance: bytes}\n";

static void test_where(void **state)
{
	struct notes ns;
	struct plan *p = plan_of(tree, &ns);
	const struct plan_daemon *d;

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->n_daemons, 7);
	d = &p->daemons[plan_find(p, "s3")];
	assert_string_equal(d->endpoint, "s3");
	assert_string_equal(d->host, "n3");
	assert_string_equal(d->xprt, "sock");
	assert_int_equal(d->port, 411);
	assert_string_equal(d->auth, "ovis");
	assert_string_equal(kv_get(d->auth_args, "conf"), "/etc/s");
	assert_int_equal(d->level, 0);
	d = &p->daemons[plan_find(p, "a2")];
	assert_string_equal(d->auth, "munge");
	assert_null(d->auth_args);
	assert_int_equal(d->port, 501);
	assert_int_equal(d->level, 1);
	/* others have maestro_comm: this one is not to be connected to */
	d = &p->daemons[plan_find(p, "t")];
	assert_null(d->host);
	assert_int_equal(d->level, 2);
	assert_int_equal(plan_find(p, "nobody"), PLAN_NONE);
	plan_free(p);
}

static void test_order_and_groups(void **state)
{
	struct notes ns;
	struct plan *p = plan_of(tree, &ns);

	(void)state;
	for (size_t i = 1; i < p->n_daemons; i++)
		assert_true(p->daemons[p->order[i - 1]].level <= p->daemons[p->order[i]].level);
	assert_int_equal(p->n_groups, 2);
	assert_string_equal(p->groups[1].name, "a[1-2]");
	assert_int_equal(p->groups[1].rebalance, PLAN_STICKY);
	assert_int_equal(p->groups[0].rebalance, PLAN_EAGER);
	assert_int_equal(p->groups[0].balance, PLAN_BY_BYTES);
	assert_int_equal(p->groups[1].n_prdcrs, 4);
	assert_int_equal(p->groups[1].prdcrs[2].daemon, plan_find(p, "s3"));
	plan_free(p);
}

static void test_by_first(void **state)
{
	struct notes ns;
	struct plan *p = plan_of(
		"daemons: [{names: a, hosts: h, endpoints: [{names: x, ports: 1}, {names: y, ports: 2}]}]\n", &ns);

	(void)state;
	assert_non_null(p);
	assert_true(p->daemons[0].by_first);
	assert_string_equal(p->daemons[0].endpoint, "x");
	assert_int_equal(ns.warnings, 1);
	plan_free(p);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
		n++;
	return n;
}

static bool a1_lives(void *arg, size_t daemon)
{
	return daemon == plan_find(arg, "a1") || daemon == plan_find(arg, "t");
}

static void test_lines(void **state)
{
	struct notes ns;
	struct plan *p = plan_of(tree, &ns);
	struct share *s = share_new(p, NULL);
	struct buf b = { 0 }, again = { 0 };
	size_t a1 = plan_find(p, "a1");

	(void)state;
	plan_lines(p, a1, s, 0, &b);
	assert_int_equal(count(buf_str(&b), " host=n"), 2);
	assert_int_equal(count(buf_str(&b), "prdcr_start"), 2);
	plan_lines(p, a1, NULL, 0, &again);
	assert_string_equal(buf_str(&b), buf_str(&again));
	buf_reset(&b);
	plan_lines(p, a1, s, PLAN_STANDBY, &b);
	assert_int_equal(count(buf_str(&b), " host=n"), 4);
	assert_int_equal(count(buf_str(&b), "prdcr_start"), 2);
	/* whose neighbour is dead has all of them, and the same updater */
	assert_int_equal(share_settle(s, p, a1_lives, p, NULL), 2);
	buf_reset(&b);
	plan_lines(p, a1, s, 0, &b);
	assert_int_equal(count(buf_str(&b), "prdcr_start"), 4);
	assert_non_null(strstr(buf_str(&b), strstr(buf_str(&again), "updtr_add")));
	buf_fini(&b);
	buf_fini(&again);
	share_free(s);
	plan_free(p);
}

/* What is wrong for daemons that are alike is said once. */
static void test_said_once(void **state)
{
	struct notes ns;
	struct plan *p =
		plan_of("daemons: [{names: 's[1-9]', hosts: 'n[1-9]', endpoints: [{names: 's[1-9]', ports: 411}]}]\n"
			"samplers:\n- {daemons: 's[1-5]', plugins: [m]}\n- {daemons: 's[6-9]', plugins: [m]}\n"
			"plugins: {m: {name: meminfo, interval: 1y}}\n",
			&ns);

	(void)state;
	assert_null(p);
	assert_int_equal(ns.errors, 1);
	assert_memory_equal(ns.last, "5:40: interval", 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where), cmocka_unit_test(test_order_and_groups), cmocka_unit_test(test_by_first),
		cmocka_unit_test(test_lines), cmocka_unit_test(test_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
