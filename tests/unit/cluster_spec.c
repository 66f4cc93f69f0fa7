/* cluster_spec.c - specifications of virtual clusters: what is read of them, what is written for ldmsd and Slurm */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/cluster/spec.h"

static struct spec *parse(const char *text)
{
	struct err err = { "" };
	struct spec *s = NULL;

	if (spec_parse("t", text, strlen(text), &s, &err))
		fail_msg("%s", err.msg);
	return s;
}

/* The complaint holds all of `words` (separated by '|'). */
static void refuse(const char *text, const char *words)
{
	struct err err = { "" };
	struct spec *s = NULL;
	char copy[512], *save, *w;

	if (!spec_parse("t", text, strlen(text), &s, &err))
		fail_msg("taken, but wanted: %s", words);
	assert_null(s);
	snprintf(copy, sizeof(copy), "%s", words);
	for (w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
		if (!strstr(err.msg, w))
			fail_msg("'%s' is not in: %s", w, err.msg);
}

static const struct spec_daemon *daemon_at(const struct spec *s, const char *node, const char *name)
{
	const struct spec_node *n = spec_node_find(s, node);
	const struct spec_daemon *d = n ? spec_daemon_find(n, name) : NULL;

	assert_non_null(d);
	return d;
}

static void test_two_levels(void **state)
{
	const struct spec_daemon *d;
	struct err err = { "" };
	struct spec *s = NULL;

	(void)state;
	if (spec_read("tests/data/cluster/two-levels.json", &s, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(s->name, "demo");
	assert_int_equal(s->n_nodes, 4);
	assert_int_equal(s->warnings.n, 0);
	d = daemon_at(s, "node-2", "s");
	assert_int_equal(d->type, SPEC_LDMSD);
	assert_int_equal(d->n_ports, 1);
	assert_int_equal(d->ports[0], 10000);
	assert_string_equal(d->auth, "none");
	assert_string_equal(d->log_level, "INFO");
	assert_null(d->xprt);
	assert_string_equal(d->conf_path, "/run/ldms/s.conf");
	assert_string_equal(d->log, "/var/log/ldmsd.log");
	assert_string_equal(d->conf, "listen xprt=sock port=10000\n"
				     "load name=meminfo\n"
				     "config name=meminfo component_id=2 instance=node-2/meminfo producer=node-2\n"
				     "start name=meminfo interval=1000000 offset=0\n");
	d = daemon_at(s, "agg-1", "a");
	assert_string_equal(d->conf,
			    "listen xprt=sock port=10000\n"
			    "prdcr_add name=node-1 host=node-1 port=10000 xprt=sock type=active interval=1000000\n"
			    "prdcr_add name=node-2 host=node-2 port=10000 xprt=sock type=active interval=1000000\n"
			    "prdcr_start_regex regex=.*\n"
			    "updtr_add name=all interval=1000000 offset=200000\n"
			    "updtr_prdcr_add name=all regex=.*\n"
			    "updtr_start name=all\n");
	assert_ptr_equal(spec_node_find(s, "head"), &s->nodes[3]);
	assert_null(spec_node_find(s, "node-3"));
	spec_free(s);
}

/* All of an ldmsd, in the order of the file; YAML. */
static void test_ldmsd(void **state)
{
	struct spec *s = parse("nodes:\n"
			       "- hostname: n1\n"
			       "  daemons:\n"
			       "  - name: l\n"
			       "    type: ldmsd\n"
			       "    config: [\"echo 100%%\", \"a 50% b\"]\n"
			       "    prdcrs: [{type: active, name: p, start: true, gone: null}]\n"
			       "    prdcr_listen: {name: pl, regex: x.*, start: yes}\n"
			       "    advertisers: [{name: ad, host: n2}]\n"
			       "    samplers:\n"
			       "    - {plugin: vmstat, start: true, exclusive_thread: 1}\n"
			       "    - {plugin: meminfo, name: m2, config: [a=1, b=2]}\n"
			       "    listen: [{port: 411, xprt: sock, auth: d, host: n1}, {port: 412, xprt: rdma}]\n"
			       "    auth: [{plugin: munge, name: d, socket: /run/munge/d.sock}]\n"
			       "    quota: 4096\n"
			       "    listen_port: 413\n"
			       "    listen_auth: ovis\n"
			       "    config_file: /tmp/l.conf\n"
			       "    log_file: /tmp/l.log\n"
			       "    log_level: DEBUG\n");
	const struct spec_daemon *d = daemon_at(s, "n1", "l");

	(void)state;
	assert_string_equal(d->conf, "default_quota quota=4096\n"
				     "auth_add name=d plugin=munge socket=/run/munge/d.sock\n"
				     "listen xprt=sock port=411 auth=d host=n1\n"
				     "listen xprt=rdma port=412\n"
				     "load name=vmstat\nconfig name=vmstat\n"
				     "start name=vmstat interval=2000000 exclusive_thread=1\n"
				     "load name=m2 plugin=meminfo\nconfig name=m2 a=1 b=2\n"
				     "advertiser_add name=ad host=n2\n"
				     "prdcr_listen_add name=pl regex=x.*\nprdcr_listen_start name=pl\n"
				     "prdcr_add name=p type=active\nprdcr_start name=p\n"
				     "echo 100%\na 50% b\n");
	assert_int_equal(d->n_ports, 2);
	assert_int_equal(d->ports[0], 413);
	assert_int_equal(d->ports[1], 411);
	assert_string_equal(d->xprt, "sock:413");
	assert_string_equal(d->auth, "ovis");
	assert_string_equal(d->conf_path, "/tmp/l.conf");
	assert_string_equal(d->log, "/tmp/l.log");
	assert_string_equal(d->log_level, "DEBUG");
	spec_free(s);
}

static void test_templates(void **state)
{
	struct spec *s = parse(
		"{\"templates\": {\n"
		"\"a\": {\"type\": \"ldms\", \"env\": {\"A\": \"1\"}, \"command\": [\"samp\", \"-n\", \"%me%\"]},\n"
		"\"b\": {\"!extends\": \"a\", \"env\": {\"B\": \"%name%\"}, \"me\": \"%hostname%-%name%\"},\n"
		"\"node\": {\"hostname\": \"n%i%\", \"daemons\": [{\"name\": \"d\", \"!extends\": \"b\"}]}},\n"
		"\"nodes\": [{\"i\": 1, \"!extends\": \"node\"},\n"
		"{\"i\": 2, \"!extends\": \"node\", \"env\": {\"B\": \"of the node\", \"C\": \"%i%%i%\"}}]}");
	const struct spec_daemon *d = daemon_at(s, "n2", "d");

	(void)state;
	assert_int_equal(s->warnings.n, 0);
	assert_string_equal(d->command.v[2], "n2-d");
	assert_string_equal(kv_get(&d->env, "B"), "d"); /* its own before the node's */
	assert_string_equal(kv_get(&d->env, "C"), "22");
	assert_null(kv_get(&d->env, "A")); /* own members win whole */
	assert_string_equal(kv_get(&spec_node_find(s, "n2")->env, "B"), "of the node");
	assert_int_equal(spec_node_find(s, "n1")->env.n, 0);
	spec_free(s);
}

static void test_others(void **state)
{
	struct spec *s = parse(
		"{name: x, ipv6: true, mounts: [\"/a:/b:ro\", \"/c:/d\"], ovis_prefix: /opt/a, image: i, env: {E: top, "
		"F: top},\n"
		"nodes: [{hostname: a, ovis_prefix: /opt/b, env: {F: node}, daemons: [\n"
		"  {name: m, type: munged}, {name: m2, type: munged, dom: two, key: k}, {name: e, type: etcd, "
		"log_file: /d/e.log},\n"
		"  {name: c, type: slurmctld, config: [\"Prolog=/p\"]},\n"
		"  {name: l, type: ldmsd}, {name: l2, type: ldmsd, ovis_prefix: /opt/c}]},\n"
		" {hostname: b, daemons: [{name: m, type: munged}, {name: l, type: ldmsd},\n"
		"  {name: d, type: slurmd, plugstack: [{required: true, path: /s.so, args: [x, 1]}, {path: /t.so}]},\n"
		"  {name: o, type: ldms, command: [agg, -x, \"sock:5\", --xprt=sock:6, -xsock:7, -x, \"rdma:8\"]},\n"
		"  {name: p, type: ldms, command: [agg, -x, \"sock:5\"], ports: [9]}]}]}");
	const struct spec_daemon *d;
	struct buf b = { 0 };

	(void)state;
	assert_true(s->ipv6);
	assert_int_equal(s->mounts.n, 2);
	assert_string_equal(daemon_at(s, "a", "l")->prefix, "/opt/b");
	assert_string_equal(daemon_at(s, "a", "l2")->prefix, "/opt/c");
	assert_string_equal(daemon_at(s, "b", "l")->prefix, "/opt/a");
	assert_string_equal(kv_get(&daemon_at(s, "a", "e")->env, "F"), "node");
	assert_string_equal(kv_get(&daemon_at(s, "a", "e")->env, "E"), "top");
	assert_string_equal(kv_get(&daemon_at(s, "a", "e")->env, "SLURM_CONF"), SPEC_SLURM_CONF);
	assert_string_equal(daemon_at(s, "a", "m2")->dom, "two");
	assert_string_equal(daemon_at(s, "a", "m")->log, "/var/log/munged.log");
	assert_string_equal(daemon_at(s, "a", "m2")->log, "/var/log/m2.log");
	d = daemon_at(s, "b", "d");
	assert_string_equal(d->plugstack, "required /s.so x 1\noptional /t.so\n");
	d = daemon_at(s, "b", "o");
	assert_int_equal(d->n_ports, 3);
	assert_int_equal(d->ports[2], 7);
	assert_int_equal(daemon_at(s, "b", "p")->n_ports, 1);
	assert_int_equal(daemon_at(s, "b", "p")->ports[0], 9);
	assert_string_equal(spec_slurm_head(s)->name, "a");
	spec_slurm_conf(s, &b);
	assert_non_null(strstr(buf_str(&b), "\nSlurmctldHost=a\n"));
	assert_non_null(strstr(buf_str(&b), "\nProlog=/p\nNodeName=b CPUs="));
	assert_null(strstr(buf_str(&b), "NodeName=a"));
	buf_fini(&b);
	spec_free(s);
}

#define NODE(daemons) "nodes:\n- hostname: a\n  daemons:\n  - " daemons "\n"

static void test_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "t:1:1: |\"nodes\"" },
		{ "[1]", "t:1:1: " },
		{ "{\"a\": [1,\n }", "t:2:2: no YAML" },
		{ "{}", "no node" },
		{ "nodes: []", "no node" },
		{ "nodes: 3", "t:1:8: nodes: wants a list of objects" },
		{ "nodes: [{hostnam: a}]", "wants \"hostname\"" },
		{ "nodes: [{hostname: a/b}]", "t:1:20: hostname: 'a/b'" },
		{ "nodes: [{hostname: [a]}]", "wants a single value, no list" },
		{ "nodes: [{hostname: a, hostname: b}]", "t:1:23: 'hostname' stands twice" },
		{ "nodes: [{hostname: a}, {hostname: b, aliases: a}]", "line 1 has a node of that name" },
		{ "nodes: [{hostname: a, deamons: []}]", "t:1:23: node: 'deamons' means nothing here|'daemons'" },
		{ "mount: []\nnodes: [{hostname: a}]", "t:1:1: |did you mean 'mounts'" },
		{ "mounts: [a:b]\nnodes: [{hostname: a}]", "t:1:10: mounts: 'a:b'" },
		{ "mounts: [\"/a:/b:x\"]\nnodes: [{hostname: a}]", "mounts: '/a:/b:x'" },
		{ "env: [A]\nnodes: [{hostname: a}]", "env: wants an object" },
		{ "env: {\"A=B\": 1}\nnodes: [{hostname: a}]", "no name of a variable" },
		{ "ipv6: perhaps\nnodes: [{hostname: a}]", "t:1:7: ipv6: " },
		{ "nodes: [{!extends: a}]", "t:1:" },
		{ "nodes: [{\"!extends\": nod}]\ntemplates: {node: {}}", "t:1:22: !extends: no template 'nod'|'node'" },
		{ "nodes: [{\"!extends\": a}]\ntemplates: {a: {\"!extends\": b}, b: {\"!extends\": a}}",
		  "t:2:49: template 'a' extends itself" },
		{ "nodes: [{\"!extends\": a}]\ntemplates: {a: {x: {\"!extends\": a}}}",
		  "t:|does a template hold itself?" },
		{ "templates: []\nnodes: [{hostname: a}]", "t:1:12: templates: wants an object" },
		{ "nodes: [{hostname: \"%x%\"}]", "t:1:20: %x%: neither this object nor one around it" },
		{ "nodes: [{hostname: \"%hots%\", host: b}]", "did you mean 'host'" },
		{ "nodes: [{hostname: \"%hostname%\"}]", "%hostname%: refers to itself" },
		{ "nodes: [{hostname: \"%b%\", b: \"%c%\", c: \"%b%\"}]", "refers to itself" },
		{ NODE("{type: ldmsd}"), "t:4:5: daemon: wants \"name\"" },
		{ NODE("{name: x}"), "x: wants \"type\"" },
		{ NODE("{name: x, type: sshd}"), "sshd|ldms cluster exec" },
		{ NODE("{name: x, type: lmdsd}"), "t:4:21: x: no type 'lmdsd'|did you mean 'ldmsd'" },
		{ NODE("{name: x, type: munged}\n  - {name: x, type: etcd}"), "t:5:5: node a: two daemons 'x'" },
		{ NODE("{name: x, type: munged}\n  - {name: y, type: munged}"), "same domain" },
		{ NODE("{name: x, type: etcd}\n  - {name: y, type: etcd}"), "both etcd" },
		{ NODE("{name: x, type: ldmsd}\n  - {name: y, type: ldmsd, log_file: /var/log/ldmsd.log}"),
		  "same log_file" },
		{ NODE("{name: x, type: slurmd}"), "slurmd wants a slurmctld" },
		{ NODE("{name: x, type: slurmctld}"), "wants a munged" },
		{ NODE("{name: x, type: slurmctld}\n  - {name: m, type: munged}"), "wants a slurmd" },
		{ NODE("{name: x, type: ldmsd, listen: [{xprt: sock}]}"), "t:4:37: listen: wants \"port\"" },
		{ NODE("{name: x, type: ldmsd, listen: [{xprt: sock, port: 70000}]}"), "'70000' is no port" },
		{ NODE("{name: x, type: ldmsd, listen_xprt: sock}"), "\"listen_port\"" },
		{ NODE("{name: x, type: ldmsd, samplers: [{plugin: a, intervall: 1}]}"),
		  "t:4:51: sampler: |'interval'" },
		{ NODE("{name: x, type: ldmsd, samplers: [{plugin: a, interval: soon}]}"), "t:4:61: interval: " },
		{ NODE("{name: x, type: ldmsd, prdcrs: [{name: p, host: a b}]}"), "t:4:53: host: 'a b' has blanks" },
		{ NODE("{name: x, type: ldmsd, prdcrs: [{name: p, host: [a]}]}"), "host: wants a single value" },
		{ NODE("{name: x, type: ldmsd, config_file: /etc/ldmsd.conf}"), "config_file: '/etc/ldmsd.conf'" },
		{ NODE("{name: x, type: ldmsd, config_file: /tmp/../etc/ldmsd.conf}"), "config_file: " },
		{ NODE("{name: x, type: etcd, log_file: log}"), "t:4:37: log_file: 'log' is no file" },
		{ "mounts: [\"/a:/data/x:ro\"]\n" NODE("{name: x, type: etcd, log_file: /data/x/log}"), "log_file: " },
		{ NODE("{name: x, type: ldms}"), "wants \"command\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refuse(bad[i].text, bad[i].words);
}

/* A chain of templates may be 64 long, no longer. */
static void test_chain(void **state)
{
	struct buf b = { 0 };
	struct spec *s;

	(void)state;
	for (int n = 64; n <= 65; n++) {
		buf_reset(&b);
		buf_addf(&b, "nodes: [{\"!extends\": t1}]\ntemplates:\n  t%d: {hostname: a}\n", n);
		for (int i = 1; i < n; i++)
			buf_addf(&b, "  t%d: {\"!extends\": t%d}\n", i, i + 1);
		if (n == 64) {
			s = parse(buf_str(&b));
			assert_string_equal(s->nodes[0].name, "a");
			spec_free(s);
		} else {
			refuse(buf_str(&b), "more than 64 templates");
		}
	}
	buf_fini(&b);
}

/* What grows without end is stopped. */
static void test_masses(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_addf(&b, "nodes: [{hostname: a}]\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 8; i++)
		buf_addf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
			 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	refuse(buf_str(&b), "values");
	buf_reset(&b);
	buf_addf(&b, "nodes: [{hostname: a}]\nb0: xxxxxxxxxx\n");
	for (int i = 1; i < 8; i++)
		buf_addf(&b, "b%d: \"%%b%d%%%%b%d%%%%b%d%%%%b%d%%%%b%d%%%%b%d%%%%b%d%%%%b%d%%%%b%d%%%%b%d%%\"\n", i,
			 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	refuse(buf_str(&b), "bytes with what it refers to");
	buf_reset(&b);
	buf_addf(&b, "&a\nx: *a\nnodes: [{hostname: a}]\n"); /* holds itself */
	refuse(buf_str(&b), "within each other");
	buf_fini(&b);
}

static void test_warned(void **state)
{
	struct spec *s = parse("color: red\nsize: 3\nnodes: [{hostname: \"a%size%\", weight: 1}]\n");

	(void)state;
	assert_int_equal(s->warnings.n, 2);
	assert_non_null(strstr(s->warnings.v[0], "t:3:31: node: 'weight' means nothing here"));
	assert_non_null(strstr(s->warnings.v[1], "t:1:1: specification: 'color' means nothing here"));
	spec_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_levels), cmocka_unit_test(test_ldmsd),   cmocka_unit_test(test_templates),
		cmocka_unit_test(test_others),     cmocka_unit_test(test_refused), cmocka_unit_test(test_chain),
		cmocka_unit_test(test_masses),     cmocka_unit_test(test_warned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
