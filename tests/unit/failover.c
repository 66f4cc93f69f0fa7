/* failover.c - what a peer says that it has, and what is made of it; that it does not mix with what is our own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/log.h"
#include "core/ctl/failover_keep.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/updtr.h"

static const struct daemon_conf draft = { .name = "d", .draft = true };

static int setup(void **state)
{
	struct daemon *d;

	log_level_set(LOG_QUIET_);
	assert_int_equal(daemon_new(&draft, &d, NULL), 0);
	failover_keep_open(d);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct daemon *d = *state;
	struct failover_keeper *k = failover_keeper(d->failover);

	daemon_free(d, 0);
	failover_keep_free(k);
	return 0;
}

#define TEXT(id, text)                                                                                                 \
	{                                                                                                              \
		id, text, sizeof(text)                                                                                 \
	}
#define TOLD(d, code, err, ...)                                                                                        \
	failover_keep_take(d, code, (const struct record_attr[]){ __VA_ARGS__ },                                       \
			   sizeof((const struct record_attr[]){ __VA_ARGS__ }) / sizeof(struct record_attr), err)
#define NAME(text) TEXT(ATTR_NAME, text)
#define PRDCR(name)                                                                                                    \
	NAME(name), TEXT(ATTR_TYPE, "active"), TEXT(ATTR_XPRT, "sock"), TEXT(ATTR_HOST, "h"), TEXT(ATTR_PORT, "7"),    \
		TEXT(ATTR_INTERVAL, "3000000"), TEXT(ATTR_PERM, "01640")

static void test_a_producer(void **state)
{
	struct daemon *d = *state;
	const struct prdcr_conf *conf;
	struct err err = { "" };

	assert_int_equal(TOLD(d, FAILOVER_CFGPRDCR, &err, PRDCR("#p"), TEXT(ATTR_RAIL, "2"), TEXT(ATTR_QUOTA, "4096"),
			      TEXT(ATTR_RX_RATE, "-1"), TEXT(ATTR_UID, "0"), TEXT(ATTR_CACHE_IP, "1")),
			 0);
	conf = prdcr_conf(node_find(d->prdcrs, "#p"));
	assert_string_equal(conf->host, "h");
	assert_int_equal(conf->port, 7);
	assert_int_equal(conf->reconnect_us, 3000000);
	assert_int_equal(conf->perm, 0640);
	assert_int_equal(conf->rail, 2);
	assert_int_equal(conf->quota.recv_quota, 4096);
	assert_int_equal(TOLD(d, FAILOVER_CFGPRDCR, &err, NAME("#p"), TEXT(ATTR_STREAM, "s")), 0);
	failover_keeper(d->failover)->forget(failover_keeper(d->failover));
	assert_null(d->prdcrs);
}

static void takes(const struct daemon *d, const char *updtr, const char *prdcr, bool want)
{
	assert_int_equal(updtr_takes_prdcr(node_find(d->updtrs, updtr), prdcr), want);
}

static void test_updaters(void **state)
{
	struct daemon *d = *state;
	struct failover_keeper *k = failover_keeper(d->failover);
	const struct updtr_conf own = { .name = "own", .interval_us = 1000000 }, *conf;
	struct updtr *u = updtr_new(d, &own, NULL);
	struct err err = { "" };

	node_add(&d->updtrs, (struct node *)u);
	assert_int_equal(updtr_prdcr_add(u, ".*", &err), 0);
	TOLD(d, FAILOVER_CFGPRDCR, &err, PRDCR("#p.1"));
	TOLD(d, FAILOVER_CFGPRDCR, &err, PRDCR("#p21"));
	/* an ldmsd says the offset a tenth of a second too early, and once more in place of "true" */
	assert_int_equal(TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#one"), TEXT(ATTR_INTERVAL, "100000"),
			      TEXT(ATTR_OFFSET, "-80000"), TEXT(ATTR_AUTO_INTERVAL, "-80000"), TEXT(ATTR_PERM, "0770")),
			 0);
	assert_int_equal(TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#one"), TEXT(ATTR_PRODUCER, "#p.1")), 0);
	assert_int_equal(
		TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#one"), TEXT(ATTR_MATCH, "schema"), TEXT(ATTR_REGEX, "^m")), 0);
	assert_int_equal(TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#all"), TEXT(ATTR_INTERVAL, "1000000"),
			      TEXT(ATTR_PUSH, "onpush")),
			 0);
	TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#all"), TEXT(ATTR_PRODUCER, "#p.1"));
	TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#all"), TEXT(ATTR_PRODUCER, "#p21"));
	assert_int_equal(
		failover_config(d->failover, &(struct failover_conf){ "h", "sock", "peer", 7, 1000000, 2, true }, &err),
		0);
	k->told(k);
	conf = updtr_conf(node_find(d->updtrs, "#one"));
	assert_int_equal(conf->offset_us, 20000);
	assert_true(conf->auto_interval);
	conf = updtr_conf(node_find(d->updtrs, "#all"));
	assert_int_equal(conf->push, RSET_PUSH_REQUEST);
	takes(d, "#one", "#p.1", true);
	takes(d, "#one", "#p21", false);
	takes(d, "#one", "p.1", false);
	takes(d, "#all", "#p21", true);
	takes(d, "#all", "p21", false);
	takes(d, "own", "p21", true);
	takes(d, "own", "#p21", false);
	k->forget(k);
	assert_null(d->prdcrs);
	assert_ptr_equal(d->updtrs, u);
	assert_null(d->updtrs->hh.next);
}

/* Answers that come after so many microseconds each. */
static struct pings pings_of(const int64_t *took, size_t n)
{
	struct pings p = { 0 };
	int64_t now = 5;

	for (size_t i = 0; i < n; i++) {
		assert_true(pings_send(&p, now));
		assert_false(pings_send(&p, now + 1)); /* it is out */
		now += took[i];
		pings_answered(&p, now);
	}
	return p;
}

static void test_pings(void **state)
{
	static const int64_t even[] = { 100, 100, 100 }, slow[] = { 1, 1, 1, 1, 1, 1, 1, 1, 4000, 8000 };
	struct pings none = { 0 }, p = pings_of(even, 3);
	struct pings_sum sum;

	(void)state;
	pings_sum(&none, &sum);
	assert_int_equal(sum.max_us, 0);
	assert_int_equal(pings_patience_us(&none, 7), 7);
	pings_sum(&p, &sum);
	assert_int_equal(sum.max_us, 100);
	assert_int_equal(sum.avg_us, 100);
	assert_true(sum.sd_us == 0);
	assert_int_equal(p.skipped, 3);
	assert_int_equal(pings_patience_us(&p, 1000), 1000);
	assert_int_equal(pings_patience_us(&p, 50), 100);
	/* six of 1, and 4000 and 8000: the older ones are forgotten */
	p = pings_of(slow, 10);
	pings_sum(&p, &sum);
	assert_int_equal(sum.max_us, 8000);
	assert_int_equal(sum.avg_us, 1500);
	assert_true(sum.sd_us > 2970 && sum.sd_us < 2980);
	assert_true(pings_patience_us(&p, 1000) > 8000 + 4 * 2970);
}

static void test_what_cannot_be_kept(void **state)
{
	struct daemon *d = *state;
	struct err err = { "" };

	assert_int_equal(TOLD(d, FAILOVER_CFGPRDCR, &err, PRDCR("p")), -EINVAL); /* it is not marked */
	assert_int_equal(TOLD(d, FAILOVER_CFGPRDCR, &err, TEXT(ATTR_HOST, "h")), -EINVAL);
	assert_int_equal(TOLD(d, FAILOVER_CFGPRDCR, &err, NAME("#p"), TEXT(ATTR_HOST, "h")), -EINVAL);
	assert_int_equal(TOLD(d, FAILOVER_CFGPRDCR, &err, PRDCR("#p"), TEXT(ATTR_AUTH, "nosuch")), -ENOENT);
	assert_int_equal(TOLD(d, FAILOVER_CFGPRDCR, &err, NAME("#p"), TEXT(ATTR_STREAM, "s")), -ENOENT);
	assert_int_equal(TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#u"), TEXT(ATTR_INTERVAL, "often")), -EINVAL);
	assert_int_equal(TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#u"), TEXT(ATTR_INTERVAL, "-1")), -EINVAL);
	assert_int_equal(TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#u"), TEXT(ATTR_INTERVAL, "0"), TEXT(ATTR_OFFSET, "1")),
			 -EINVAL);
	assert_int_equal(TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#u"), TEXT(ATTR_PRODUCER, "#p")), -ENOENT);
	assert_int_equal(TOLD(d, FAILOVER_CFGUPDTR, &err, NAME("#u"), TEXT(ATTR_MATCH, "inst"), TEXT(ATTR_REGEX, "m")),
			 -ENOENT);
	assert_int_equal(TOLD(d, FAILOVER_CFGSTRGP, &err, NAME("#s"), TEXT(ATTR_PLUGIN, "csv"), TEXT(ATTR_SCHEMA, "m")),
			 -ENOENT);
	assert_string_equal(err.msg, "The plugin csv does not exist. Forgot load?\n");
	assert_int_equal(TOLD(d, FAILOVER_CFGSTRGP, &err, NAME("#s"), TEXT(ATTR_METRIC, "m")), -ENOENT);
	assert_int_equal(TOLD(d, FAILOVER_PING, &err, NAME("#s")), -ENOSYS);
	assert_null(d->prdcrs);
	assert_null(d->updtrs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_producer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_updaters, setup, teardown),
		cmocka_unit_test(test_pings),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_kept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
