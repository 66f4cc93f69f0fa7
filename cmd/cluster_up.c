/* cluster_up.c - `ldms cluster up` */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cluster.h"
#include "cmd/old.h"
#include "core/base/xalloc.h"

#define PREFIX_DFLT "node"

struct up_opts {
	struct cluster_opts common;
	uint64_t n;
	const char *prefix;
	struct opt_list mounts;
	bool ipv6, pidns, clock;
};

#define AT(field) offsetof(struct up_opts, field)
static const struct opt opts[] = {
	{ 'n', "nodes", OPT_NUM, "N", AT(n), "that many hosts, node1 to nodeN" },
	{ 0, "prefix", OPT_TEXT, "WORD", AT(prefix), "what their names begin with (" PREFIX_DFLT ")" },
	{ 0, "mount", OPT_LIST, "SRC:DST[:ro]", AT(mounts),
	  "make a folder or file of this machine visible in all hosts" },
	{ 0, "ipv6", OPT_FLAG, NULL, AT(ipv6), "IPv6 addresses, too" },
	{ 0, "pidns", OPT_FLAG, NULL, AT(pidns), "each host sees its own processes only" },
	{ 0, "clock", OPT_FLAG, NULL, AT(clock), "the hosts' clocks can be set: `ldms cluster fault clock`" },
	CLUSTER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_cluster_up = {
	.synopsis = "ldms cluster up -n N [--prefix WORD] [--mount SRC:DST[:ro]] [--ipv6] [--pidns] [--clock] [--name "
		    "NAME] "
		    "[--dir DIR]",
	.brief = "make a virtual cluster",
	.about = "Makes N hosts that see each other by name. Each has a network, a host name, and /run, /tmp and "
		 "/var/log of "
		 "its own; these are DIR/NAME/nodes/NODE/{run,tmp,log} here. In each, ldms is found first in PATH, "
		 "also by the "
		 "names of LDMS's programs.",
	.opts = opts,
	.examples =
		"ldms cluster up -n 3\nldms cluster up -n 200 --name big --prefix nid --mount /srv/data:/srv/data:ro",
};

/* An interruption is an error like others: what was made is taken back. */
static void on_signal(int sig)
{
	(void)sig;
}

static void signals_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &sa, NULL);
}

static int up(const struct cluster_conf *conf, struct err *err)
{
	struct cluster *c;
	int rc;

	signals_catch();
	rc = cluster_up(conf, &c, err);
	if (rc)
		return rc;
	rc = cluster_settle(c, err);
	if (rc)
		cluster_undo(c);
	else
		cluster_close(c);
	return rc;
}

static const char **programs(void)
{
	const char **names;
	size_t n = 0;

	while (old_programs[n].name)
		n++;
	names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = old_programs[i].name;
	return names;
}

static int up_n(const struct up_opts *o, struct err *err)
{
	struct cluster_host *hosts;
	struct cluster_mount *mounts = xcalloc(o->mounts.n + 1, sizeof(*mounts));
	char **copies = xcalloc(o->mounts.n + 1, sizeof(*copies));
	const char **names = programs();
	char *base = cluster_base(o->common.dir);
	size_t n = o->n > CLUSTER_NODES_MAX ? CLUSTER_NODES_MAX + 1 : (size_t)o->n;
	struct cluster_conf conf = {
		.name = o->common.name ? o->common.name : CLUSTER_DFLT,
		.base = base,
		.n_hosts = n,
		.mounts = mounts,
		.n_mounts = o->mounts.n,
		.programs = names,
		.ipv6 = o->ipv6,
		.pidns = o->pidns,
		.clock = o->clock,
	};
	int rc = 0;

	hosts = xcalloc(n + 1, sizeof(*hosts));
	for (size_t i = 0; i < n; i++)
		hosts[i].name = xasprintf("%s%zu", o->prefix ? o->prefix : PREFIX_DFLT, i + 1);
	conf.hosts = hosts;
	for (size_t i = 0; i < o->mounts.n && !rc; i++)
		rc = cluster_mount_parse(o->mounts.v[i], &mounts[i], &copies[i], err);
	if (!rc)
		rc = up(&conf, err);
	for (size_t i = 0; i < o->mounts.n; i++)
		free(copies[i]);
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)hosts[i].name);
	free(hosts);
	free(mounts);
	free(copies);
	free(names);
	free(base);
	return rc;
}

int cluster_verb_up(const struct cluster_verb *v, int argc, char **argv)
{
	struct up_opts o = { 0 };
	struct err err = { "" };
	int status = 0, n = cluster_parse(v, argc, argv, &o, &o.common, 0, 0, &status);

	if (n >= 0 && !o.n)
		n = err_set(&err, -EINVAL, "how many hosts? Write -n N");
	else if (n >= 0)
		n = up_n(&o, &err);
	if (n < 0 && *err.msg)
		status = cluster_complain(v, &err);
	opt_list_fini(&o.mounts);
	return status;
}
