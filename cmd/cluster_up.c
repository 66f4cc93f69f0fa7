/* cluster_up.c - `ldms cluster up` */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cluster.h"
#include "cmd/cluster_hosts.h"
#include "cmd/old.h"
#include "core/base/xalloc.h"
#include "core/cluster/daemons.h"

#define PREFIX_DFLT "node"

struct up_opts {
	struct cluster_opts common;
	uint64_t n;
	const char *prefix;
	struct opt_list mounts;
	bool no_start, ipv6, pidns, clock;
};

#define AT(field) offsetof(struct up_opts, field)
static const struct opt opts[] = {
	{ 'n', "nodes", OPT_NUM, "N", AT(n), "that many hosts, node1 to nodeN" },
	{ 0, "prefix", OPT_TEXT, "WORD", AT(prefix), "what their names begin with (" PREFIX_DFLT ")" },
	{ 0, "mount", OPT_LIST, "SRC:DST[:ro]", AT(mounts),
	  "make a folder or file of this machine visible in all hosts" },
	{ 0, "no-start", OPT_FLAG, NULL, AT(no_start), "leave the specification's daemons to `ldms cluster start`" },
	{ 0, "ipv6", OPT_FLAG, NULL, AT(ipv6), "IPv6 addresses, too" },
	{ 0, "pidns", OPT_FLAG, NULL, AT(pidns), "each host sees its own processes only" },
	{ 0, "clock", OPT_FLAG, NULL, AT(clock), "the hosts' clocks can be set: `ldms cluster fault clock`" },
	CLUSTER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_cluster_up = {
	.synopsis = "ldms cluster up -n N [--prefix WORD] [--mount SRC:DST[:ro]] [--ipv6] [--pidns] [--clock] [--name "
		    "NAME] [--dir DIR]\nldms cluster up SPEC [--no-start] [option ...]",
	.brief = "make a virtual cluster",
	.about = "Makes N hosts that see each other by name. Each has a network, a host name, and /run, /tmp and "
		 "/var/log of its own; these are DIR/NAME/nodes/NODE/{run,tmp,log} here. In each, ldms is found first "
		 "in PATH, also by the names of LDMS's programs. SPEC, in JSON or YAML, names the hosts and the "
		 "daemons on each, which are started and awaited; ldms-cluster(5) describes it.",
	.opts = opts,
	.examples = "ldms cluster up -n 3\nldms cluster up spec.json\nldms cluster up -n 200 --name big --prefix nid "
		    "--mount /srv/data:/srv/data:ro",
};

struct up_what {
	struct spec *spec; /* NULL: none */
	const char *path;
	struct hosts hosts;
	struct mounts mounts;
	struct buf *said; /* by a daemon that did not come up */
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

/* The daemons of the specification, all that are awaited before the cluster counts as made. */
static int start(const struct cluster *c, const struct up_opts *o, const struct up_what *w, struct err *err)
{
	struct daemons *d = NULL;
	size_t *nodes = xcalloc(c->n + 1, sizeof(*nodes));
	int rc = daemons_new(c, w->spec, w->path, &w->mounts.texts, &d, err);

	for (size_t i = 0; i < c->n; i++)
		nodes[i] = i;
	if (!rc && !o->no_start)
		rc = daemons_start(d, nodes, c->n, NULL, w->said, err);
	daemons_free(d);
	free(nodes);
	return rc;
}

static int up(const struct cluster_conf *conf, const struct up_opts *o, const struct up_what *w, struct err *err)
{
	struct cluster *c;
	int rc;

	signals_catch();
	rc = cluster_up(conf, &c, err);
	if (rc)
		return rc;
	if (w->spec)
		rc = start(c, o, w, err);
	if (!rc)
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

/* What is to be made, from the specification or from a number. */
static int what_read(const struct up_opts *o, const char *path, struct up_what *w, struct err *err)
{
	int rc = path ? spec_read(path, &w->spec, err) : 0;

	if (rc)
		return rc;
	w->path = path;
	for (size_t i = 0; path && i < w->spec->warnings.n; i++)
		fprintf(stderr, "ldms cluster up: warning: %s\n", w->spec->warnings.v[i]);
	if (path)
		hosts_of_spec(&w->hosts, w->spec);
	else
		hosts_count(&w->hosts, o->prefix ? o->prefix : PREFIX_DFLT,
			    o->n > CLUSTER_NODES_MAX ? CLUSTER_NODES_MAX + 1 : (size_t)o->n);
	for (size_t i = 0; path && i < w->spec->mounts.n && !rc; i++)
		rc = mounts_add(&w->mounts, w->spec->mounts.v[i], err);
	for (size_t i = 0; i < o->mounts.n && !rc; i++)
		rc = mounts_add(&w->mounts, o->mounts.v[i], err);
	return rc;
}

static int up_what(const struct up_opts *o, const char *path, struct buf *said, struct err *err)
{
	struct up_what w = { .said = said };
	const char **names = programs(), *spec_name;
	char *base = cluster_base(o->common.dir);
	int rc = what_read(o, path, &w, err);

	spec_name = w.spec && w.spec->name ? w.spec->name : CLUSTER_DFLT;
	if (!rc)
		rc = up(&(struct cluster_conf){ .name = o->common.name ? o->common.name : spec_name,
						.base = base,
						.hosts = w.hosts.v,
						.n_hosts = w.hosts.n,
						.mounts = w.mounts.v,
						.n_mounts = w.mounts.texts.n,
						.programs = names,
						.ipv6 = o->ipv6 || (w.spec && w.spec->ipv6),
						.pidns = o->pidns,
						.clock = o->clock },
			o, &w, err);
	mounts_fini(&w.mounts);
	hosts_fini(&w.hosts);
	spec_free(w.spec);
	free(names);
	free(base);
	return rc;
}

int cluster_verb_up(const struct subcmd *v, int argc, char **argv)
{
	struct up_opts o = { 0 };
	struct buf said = { 0 };
	struct err err = { "" };
	int status = 0, n = subcmd_parse(v, argc, argv, &o, &o.common.help, 0, 1, &status);

	if (!n && !o.n)
		n = err_set(&err, -EINVAL, "how many hosts? Write -n N, or the file of a specification");
	else if (n > 0 && (o.n || o.prefix))
		n = err_set(&err, -EINVAL, "the specification says which hosts there are; leave out -n and --prefix");
	else if (n >= 0)
		n = up_what(&o, n ? argv[1] : NULL, &said, &err);
	if (n < 0 && *err.msg)
		status = subcmd_complain(v, &err);
	fputs(buf_str(&said), stderr);
	buf_fini(&said);
	opt_list_fini(&o.mounts);
	return status;
}
