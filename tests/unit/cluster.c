/* cluster.c - virtual clusters: what is read from operators and from state files, and addresses */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/fault.h"
#include "core/cluster/impl.h"
#include "core/cluster/net.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static void test_addresses(void **state)
{
	static const struct {
		size_t i; /* from 0 */
		const char *v4, *v6;
	} rows[] = {
		{ 0, "10.77.1.2", "fd77::1:2" },       { 1, "10.77.1.3", "fd77::1:3" },
		{ 248, "10.77.1.250", "fd77::1:250" }, { 249, "10.77.2.1", "fd77::2:1" },
		{ 999, "10.77.5.1", "fd77::5:1" },
	};
	char out[32];

	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_string_equal(net_addr(rows[i].i, out), rows[i].v4);
		assert_string_equal(net_addr6(rows[i].i, out), rows[i].v6);
	}
}

static void test_names(void **state)
{
	static const char *const good[] = { "a", "node1", "n-1_2.x", "0" };
	static const char *const bad[] = {
		"",     ".",        "..",
		"-a",   "a b",      "a/b",
		"a\nb", "\xc3\xa4", "a23456789012345678901234567890123456789012345678901234567890abcd"
	};
	struct err err;

	for (size_t i = 0; i < ROWS(good); i++)
		assert_int_equal(cluster_name_check("node", good[i], NULL), 0);
	for (size_t i = 0; i < ROWS(bad); i++) {
		assert_int_equal(cluster_name_check("node", bad[i], &err), -EINVAL);
		assert_non_null(strstr(err.msg, "node '"));
	}
}

static void test_mounts(void **state)
{
	static const struct {
		const char *text, *src, *dst;
		bool ro;
	} rows[] = {
		{ "/a:/b", "/a", "/b", false },    { "a/b:/tmp/x:ro", "a/b", "/tmp/x", true },
		{ "/a:/b:rw", "/a", "/b", false }, { "", NULL, NULL, false },
		{ "/a", NULL, NULL, false },       { "/a:", NULL, NULL, false },
		{ ":/b", NULL, NULL, false },      { "/a:b", NULL, NULL, false },
		{ "/a:/", NULL, NULL, false },     { "/a:/b:", NULL, NULL, false },
		{ "/a:/b:rx", NULL, NULL, false }, { "/a:/b:ro:ro", NULL, NULL, false },
	};
	struct cluster_mount m;
	struct err err;
	char *copy;

	for (size_t i = 0; i < ROWS(rows); i++) {
		int rc = cluster_mount_parse(rows[i].text, &m, &copy, &err);

		assert_int_equal(rc, rows[i].src ? 0 : -EINVAL);
		if (!rc) {
			assert_string_equal(m.src, rows[i].src);
			assert_string_equal(m.dst, rows[i].dst);
			assert_int_equal(m.ro, rows[i].ro);
		}
		free(copy);
	}
}

static void test_losses(void **state)
{
	static const struct {
		const char *text;
		int64_t ppm; /* -1: none */
	} rows[] = {
		{ "0", 0 },   { "30%", 300000 }, { "0.5%", 5000 }, { "100", 1000000 }, { "0.0001", 1 }, { "101%", -1 },
		{ "-1", -1 }, { "", -1 },        { "%", -1 },      { "3%%", -1 },      { "nan", -1 },   { "x", -1 },
	};
	uint32_t ppm;

	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(fault_loss_parse(rows[i].text, &ppm, NULL), rows[i].ppm < 0 ? -EINVAL : 0);
		if (rows[i].ppm >= 0)
			assert_int_equal(ppm, rows[i].ppm);
	}
}

static void test_rates(void **state)
{
	static const struct {
		const char *text;
		int64_t bits; /* -1: none */
	} rows[] = {
		{ "0", 0 },
		{ "1mbit", 1000000 },
		{ "500k", 500000 },
		{ "2G", 2000000000 },
		{ "9600", 9600 },
		{ "8bit", 8 },
		{ "1Tbit", 1000000000000 },
		{ "1mbps", -1 },
		{ "7", -1 },
		{ "", -1 },
		{ "m", -1 },
		{ "-1m", -1 },
		{ "1 m", -1 },
		{ "99999999999999999999", -1 },
		{ "18446744073709551615k", -1 },
	};
	uint64_t bits;

	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(fault_rate_parse(rows[i].text, &bits, NULL), rows[i].bits < 0 ? -EINVAL : 0);
		if (rows[i].bits >= 0)
			assert_int_equal(bits, rows[i].bits);
	}
}

static void test_clocks(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t s;
	} rows[] = {
		{ "0", 0, 0 },        { "+1h", 0, 3600 },      { "-90s", 0, -90 },     { "+1d", 0, 86400 },
		{ "1h", -EINVAL, 0 }, { "+0.5s", -EINVAL, 0 }, { "+1ms", -EINVAL, 0 }, { "", -EINVAL, 0 },
		{ "+", -EINVAL, 0 },  { "+-1h", -EINVAL, 0 },  { "now", -EINVAL, 0 },  { "+99999999d", -EINVAL, 0 },
	};
	int64_t s;

	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(fault_clock_parse(rows[i].text, &s, NULL), rows[i].rc);
		if (!rows[i].rc)
			assert_int_equal(s, rows[i].s);
	}
}

/* -- files --------------------------------------------------------------------------------------------------------- */

static struct cluster *cluster_of(size_t n)
{
	struct cluster *c = cluster_new("/base", "c");
	char addr[32];

	for (size_t i = 0; i < n; i++) {
		char *name = xasprintf("n%zu", i + 1);

		cluster_node_add(c, name, net_addr(i, addr), NULL);
		free(name);
	}
	return c;
}

static int state_of(const char *text, struct cluster **ret)
{
	char *copy = xstrdup(text);
	int rc;

	*ret = cluster_new("/base", "c");
	rc = cluster_state_parse(*ret, copy);
	free(copy);
	return rc;
}

static void test_state(void **state)
{
	static const char *const bad[] = {
		"",
		"node a 5 6 10.77.1.2\n",
		"keeper 1 7\n",
		"keeper 5\n",
		"keeper 5 6\nnode a 5 6\n",
		"keeper 5 6\nnode ../a 5 6 10.77.1.2\n",
		"keeper 5 6\nnode a -5 6 10.77.1.2\n",
		"keeper 5 6\nnodes a\n",
	};
	struct cluster *c;

	assert_int_equal(
		state_of("keeper 5 600\nwith user clock\nnode a 7 8 10.77.1.2\nnode b 9 10 10.77.1.3 fd77::1:3\n", &c),
		0);
	assert_int_equal(c->keeper, 5);
	assert_int_equal(c->born, 600);
	assert_true(c->user && c->clock && !c->ipv6 && !c->pidns);
	assert_int_equal(c->n, 2);
	assert_string_equal(c->nodes[1].addr6, "fd77::1:3");
	assert_null(c->nodes[0].addr6);
	cluster_close(c);
	for (size_t i = 0; i < ROWS(bad); i++) {
		assert_int_equal(state_of(bad[i], &c), -EINVAL);
		cluster_close(c);
	}
}

static int faults_of(const struct cluster *c, const char *text, struct faults *f, struct err *err)
{
	char *copy = xstrdup(text);
	int rc = faults_parse(c, copy, f, err);

	free(copy);
	return rc;
}

static void test_faults(void **state)
{
	static const char text[] = "cut n1\nloss n1 300000\nbandwidth n1 1000000\npause n2\ndelay n2 50000 10000\n"
				   "clock n3 -3600\nsplit n1,n2 n3,n4\nsplit n4 n1\n";
	static const char healed[] = "pause n2\ndelay n2 50000 10000\nclock n3 -3600\nsplit n2 n3,n4\n";
	static const char *const bad[] = {
		"cut",           "cut n9\n",   "cut n1\nlose n1 3\n", "loss n1\n",     "loss n1 1000001\n",
		"delay n1 -5\n", "split n1\n", "split n1 n1\n",       "split n1 n9\n",
	};
	static const bool n1[4] = { true };
	struct cluster *c = cluster_of(4);
	struct faults f;
	struct buf b = { 0 };
	struct err err;

	assert_int_equal(faults_of(c, text, &f, NULL), 0);
	faults_put(c, &f, &b);
	assert_string_equal(buf_str(&b), text);
	faults_heal(&f, n1);
	buf_reset(&b);
	faults_put(c, &f, &b);
	assert_string_equal(buf_str(&b), healed);
	faults_fini(&f);
	for (size_t i = 0; i < ROWS(bad); i++) {
		assert_int_equal(faults_of(c, bad[i], &f, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "is broken"));
	}
	buf_fini(&b);
	cluster_close(c);
}

static void test_processes(void **state)
{
	uint64_t born = proc_born(getpid());

	assert_true(born);
	assert_int_equal(proc_state(getpid(), born), 'R');
	assert_int_equal(proc_state(getpid(), born + 1), '\0');
	assert_int_equal(proc_pidfd(getpid(), born + 1), -ESRCH);
	assert_int_equal(proc_born(-1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_names),  cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_losses),    cmocka_unit_test(test_rates),  cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_state),     cmocka_unit_test(test_faults), cmocka_unit_test(test_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
