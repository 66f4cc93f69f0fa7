/* prdcr_listen.c - who may advertise, and which producers come of it; no connection is made here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/daemon/prdcr_listen.h"
#include "core/daemon/updtr.h"

struct rig {
	struct daemon *d;
	struct prdcr *p;
	bool take;
	struct err err;
};

static void rig_open(struct rig *r)
{
	const struct daemon_conf conf = { .name = "agg" };

	memset(r, 0, sizeof(*r));
	log_level_set(LOG_QUIET_);
	if (daemon_new(&conf, &r->d, &r->err))
		fail_msg("%s", r->err.msg);
}

static void rig_close(struct rig *r)
{
	daemon_free(r->d, 0);
}

static struct prdcr_listen *listen_on(struct rig *r, struct prdcr_listen_conf conf)
{
	struct prdcr_listen *l;

	conf.max = conf.max ? conf.max : PRDCR_LISTEN_MAX_DFLT;
	conf.auth = "none";
	l = prdcr_listen_new(r->d, &conf, &r->err);
	if (!l)
		fail_msg("%s", r->err.msg);
	node_add(&r->d->prdcr_listens, (struct node *)l);
	prdcr_listen_run(l, true);
	return l;
}

static int ask(struct rig *r, const char *host, unsigned short port, const char *from)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ss;

	if (inet_pton(AF_INET, from, &v4->sin_addr) == 1)
		ss.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, from, &v6->sin6_addr) == 1)
		ss.ss_family = AF_INET6;
	r->p = NULL;
	return prdcr_listen_ask(r->d, host, port, (struct sockaddr *)&ss, &r->p, &r->take, &r->err);
}

static void test_match(void **state)
{
	static const struct {
		const char *regex, *ip, *host, *from;
		bool wanted;
	} rows[] = {
		{ NULL, NULL, "n1", "10.0.0.1", true },
		{ "^n[0-9]+$", NULL, "n1", "10.0.0.1", true },
		{ "^n[0-9]+$", NULL, "m1", "10.0.0.1", false },
		{ NULL, "10.0.0.0/8", "n1", "10.0.0.1", true },
		{ NULL, "10.0.0.0/8", "n1", "11.0.0.1", false },
		{ NULL, "10.0.0.0/8", "n1", "::ffff:10.1.1.1", true }, /* v4 at a socket of both families */
		{ NULL, "10.0.0.0/8", "n1", "::1", false },
		{ NULL, "2001:db8::/32", "n1", "2001:db8::7", true },
		{ "^n", "10.0.0.0/8", "n1", "10.0.0.1", true }, /* both must match */
		{ "^n", "10.0.0.0/8", "n1", "11.0.0.1", false },
		{ "^n", "10.0.0.0/8", "m1", "10.0.0.1", false },
		{ NULL, "0.0.0.0/0", "n1", "no address at all", false },
	};
	struct rig r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct prdcr_listen *l;
		int rc;

		rig_open(&r);
		l = listen_on(&r, (struct prdcr_listen_conf){ .name = "l", .regex = rows[i].regex, .ip = rows[i].ip });
		rc = ask(&r, rows[i].host, 411, rows[i].from);
		if (rc != (rows[i].wanted ? 0 : -ENOENT))
			fail_msg("row %zu: %d", i, rc);
		prdcr_listen_run(l, false);
		assert_int_equal(ask(&r, "other", 411, rows[i].from), -ENOENT);
		rig_close(&r);
	}
}

static void test_first(void **state)
{
	struct prdcr_listen *a;
	struct rig r;

	rig_open(&r);
	listen_on(&r, (struct prdcr_listen_conf){ .name = "b" });
	a = listen_on(&r, (struct prdcr_listen_conf){ .name = "a" });
	listen_on(&r, (struct prdcr_listen_conf){ .name = "c" });
	assert_int_equal(ask(&r, "n1", 411, "10.0.0.1"), 0);
	assert_string_equal(prdcr_conf(r.p)->listen, "a");
	prdcr_listen_run(a, false);
	assert_int_equal(ask(&r, "n2", 411, "10.0.0.1"), 0);
	assert_string_equal(prdcr_conf(r.p)->listen, "b");
	rig_close(&r);
}

static void test_names(void **state)
{
	static const char *const bad[] = { "", " ", "a b", "a/b", "a:b", "a\nb", "\x80", "{}", "\"", "a,b" };
	static const char *const good[] = { "n1", "n1.site.example", "rack-3_n1", "N", "1" };
	char name[256];
	struct rig r;

	rig_open(&r);
	listen_on(&r, (struct prdcr_listen_conf){ .name = "l" });
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(ask(&r, bad[i], 411, "10.0.0.1"), -EINVAL);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(ask(&r, good[i], 411, "10.0.0.1"), 0);
	memset(name, 'n', 254);
	name[254] = '\0';
	assert_int_equal(ask(&r, name, 411, "10.0.0.1"), -EINVAL);
	name[253] = '\0';
	assert_int_equal(ask(&r, name, 65535, "10.0.0.1"), 0);
	rig_close(&r);
}

static void test_producer(void **state)
{
	const struct prdcr_listen_conf conf = { .name = "l", .uid = 7, .gid = 8, .perm = 0700 };
	const struct updtr_conf uc = { .name = "u", .interval_us = SEC_US };
	const struct prdcr_conf *pc;
	struct prdcr_listen *l;
	struct prdcr_listen_stats st;
	struct updtr *u;
	struct rig r;

	rig_open(&r);
	u = updtr_new(r.d, &uc, NULL);
	node_add(&r.d->updtrs, (struct node *)u);
	assert_int_equal(updtr_prdcr_add(u, "^n1:", NULL), 0);
	assert_int_equal(updtr_start(u, NULL), 0);
	l = listen_on(&r, conf);
	assert_int_equal(ask(&r, "n1", 10411, "10.0.0.1"), 0);
	assert_true(r.take);
	pc = prdcr_conf(r.p);
	assert_string_equal(pc->name, "n1:10411");
	assert_string_equal(pc->host, "n1");
	assert_string_equal(pc->listen, "l");
	assert_int_equal(pc->type, PRDCR_ADVERTISED);
	assert_int_equal(pc->port, 10411);
	assert_int_equal(pc->uid, 7);
	assert_int_equal(pc->gid, 8);
	assert_int_equal(pc->perm, 0700);
	assert_int_equal(prdcr_state(r.p), PRDCR_DISCONNECTED); /* started: it waits */
	assert_ptr_equal(node_find(r.d->prdcrs, "n1:10411"), r.p);
	/* it has no connection yet: the same again may have it */
	assert_int_equal(ask(&r, "n1", 10411, "10.0.0.1"), 0);
	assert_true(r.take);
	prdcr_listen_stats(l, &st);
	assert_int_equal(st.prdcrs, 1);
	assert_int_equal(st.taken, 2);
	rig_close(&r);
}

static void test_somebody_elses_name(void **state)
{
	const struct prdcr_conf conf = {
		.name = "n1:411", .xprt = "sock", .host = "n1", .auth = "none", .reconnect_us = SEC_US
	};
	struct prdcr_listen_stats st;
	struct prdcr_listen *l;
	struct rig r;

	rig_open(&r);
	l = listen_on(&r, (struct prdcr_listen_conf){ .name = "l" });
	node_add(&r.d->prdcrs, (struct node *)prdcr_new(r.d, &conf, NULL)); /* an operator's */
	assert_int_equal(ask(&r, "n1", 411, "10.0.0.1"), -EBUSY);
	prdcr_listen_stats(l, &st);
	assert_int_equal(st.prdcrs, 0);
	assert_int_equal(st.refused, 1);
	rig_close(&r);
}

static void test_ceiling(void **state)
{
	struct prdcr_listen *l, *again;
	struct prdcr_listen_stats st;
	struct rig r;

	rig_open(&r);
	l = listen_on(&r, (struct prdcr_listen_conf){ .name = "l", .max = 2, .disable_start = true });
	assert_int_equal(ask(&r, "n1", 411, "10.0.0.1"), 0);
	assert_int_equal(prdcr_state(r.p), PRDCR_STOPPED);
	assert_int_equal(ask(&r, "n2", 411, "10.0.0.1"), 0);
	assert_int_equal(ask(&r, "n3", 411, "10.0.0.1"), -ENOSPC);
	assert_non_null(strstr(r.err.msg, "max="));
	assert_int_equal(ask(&r, "n1", 411, "10.0.0.1"), 0); /* who is known may come back */
	/* one of its name that comes later counts them as well */
	node_del(&r.d->prdcr_listens, (struct node *)l);
	prdcr_listen_free(l);
	again = listen_on(&r, (struct prdcr_listen_conf){ .name = "l", .max = 2 });
	assert_int_equal(ask(&r, "n3", 411, "10.0.0.1"), -ENOSPC);
	prdcr_listen_left(r.d, prdcr_conf(node_find(r.d->prdcrs, "n1:411")));
	prdcr_listen_stats(again, &st);
	assert_int_equal(st.prdcrs, 1);
	assert_int_equal(ask(&r, "n3", 411, "10.0.0.1"), 0);
	rig_close(&r);
}

static void test_active(void **state)
{
	const struct prdcr_listen_conf conf = { .name = "l",
						.active = true,
						.disable_start = true,
						.xprt = "sock",
						.port = 10500,
						.reconnect = "5s",
						.reconnect_us = 5 * SEC_US,
						.rail = 2 };
	const struct prdcr_conf *pc;
	struct rig r;

	rig_open(&r);
	listen_on(&r, conf);
	assert_int_equal(ask(&r, "n1", 411, "10.0.0.1"), 0);
	assert_false(r.take);
	pc = prdcr_conf(r.p);
	assert_string_equal(pc->name, "n1:10500");
	assert_int_equal(pc->type, PRDCR_ADVERTISED_ACTIVE);
	assert_int_equal(pc->port, 10500);
	assert_int_equal(pc->rail, 2);
	assert_int_equal(pc->reconnect_us, 5 * SEC_US);
	assert_int_equal(ask(&r, "n1", 411, "10.0.0.1"), 0); /* it came again: we connect anyhow */
	assert_false(r.take);
	rig_close(&r);
}

static void test_bad(void **state)
{
	struct rig r;

	rig_open(&r);
	assert_null(prdcr_listen_new(r.d, &(struct prdcr_listen_conf){ .name = "l", .ip = "10.0.0.0/33" }, &r.err));
	assert_null(prdcr_listen_new(r.d, &(struct prdcr_listen_conf){ .name = "l", .regex = "[" }, &r.err));
	prdcr_listen_free(NULL);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_producer),
		cmocka_unit_test(test_somebody_elses_name),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_active),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
