/* agg.c - `ldms agg`: collect sets from other daemons, serve them on, and store them */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/daemon.h"
#include "cmd/daemon_to.h"
#include "cmd/store_tool.h"
#include "cmd/to_store.h"

static const struct opt opts[] = { DAEMON_OPTS_COMMON, DAEMON_OPTS_COLLECT, { 0 } };
static const struct opt store_opts[] = {
	{ 'l', "list", OPT_FLAG, NULL, DAEMON_OPT(list), "list the stores and end" },
	{ 0, "json", OPT_FLAG, NULL, DAEMON_OPT(json), "with -l: as JSON" },
	DAEMON_OPTS_COMMON,
	DAEMON_OPTS_COLLECT,
	{ 0 },
};

const struct cmd_usage usage_agg = {
	.synopsis = "ldms agg [-x XPRT:PORT] --prdcr LIST [--strgp LIST --to STORE:PATH] [option ...]\n"
		    "ldms agg [-x XPRT:PORT] --accept WHO [option ...]\n"
		    "ldms agg -c FILE [option ...]",
	.brief = "an aggregator: collects the sets of many daemons",
	.about = "Connects to every producer of the list, mirrors its sets, reads them every interval and serves them "
		 "on the same terms; with --to it also stores them.",
	.opts = opts,
	.examples = "ldms agg --prdcr \"samp-[01-20]\" --mem 128M\n"
		    "ldms agg --accept \"^samp-\" --accept 10.1.0.0/16\n"
		    "ldms agg --prdcr \"agg-[1-8]\" --push\n"
		    "ldms agg -x sock:412 --prdcr \"localhost:411\" --strgp \"meminfo loadavg\" --to csv:/var/tmp/ldms",
	.more = daemon_to_help,
};

const struct cmd_usage usage_store = {
	.synopsis = "ldms store [-x XPRT:PORT] --prdcr LIST [--strgp LIST] --to STORE:PATH [option ...]\n"
		    "ldms store -c FILE [option ...]\n"
		    "ldms store -l [--json]\n"
		    "ldms store help NAME ...",
	.brief = "a storage daemon: an aggregator whose work is to store",
	.about = "The same as `ldms agg`, for daemons that write down what an aggregator collects.",
	.opts = store_opts,
	.examples = "ldms store --prdcr agg-1 --strgp \"loadavg meminfo\" --to csv:/var/lib/ldms\n"
		    "ldms store --prdcr agg-1 --to sqlite:/var/lib/ldms/ldms.db --spool /var/spool/ldms\n"
		    "ldms store help csv",
	.more = daemon_to_help,
};

/* A storage daemon that is given only hosts would collect, and lose what it collects. */
static bool stores_nothing(const struct daemon_opts *o)
{
	for (size_t i = 0; i < o->to.n; i++)
		if (to_store_is(o->to.v[i]))
			return false;
	return !o->strgp.n && !o->shard && !o->spool && !o->conf.n && !o->yaml.n;
}

/* Common to both; `tool`: what a command does beside running a daemon, or NULL. */
static int run(const struct daemon_role *role, const struct cmd_usage *usage, int argc, char **argv,
	       bool (*tool)(const struct daemon_opts *o, char **words, int *ret_status))
{
	struct daemon_opts o;
	struct err err = { "" };
	int n;

	daemon_opts_init(&o);
	n = opt_parse(usage->opts, argc, argv, &o, &err);
	if (n >= 0 && !o.help && tool && tool(&o, argv + 1, &n)) {
		daemon_opts_fini(&o);
		return n;
	}
	if (!n && !o.help && !o.prdcr.n && !o.accept.n && !o.conf.n && !o.yaml.n && !o.samp.n)
		n = err_set(&err, -1, "nothing to collect: give --prdcr LIST, --accept WHO or -c FILE");
	else if (!n && !o.help && usage == &usage_store && stores_nothing(&o))
		n = err_set(&err, -1, "nothing is stored: give --to STORE:PATH, as csv:DIR, or -c FILE%s%s%s",
			    o.to.n ? "; '" : "", o.to.n ? o.to.v[0] : "", o.to.n ? "' names no store" : "");
	if (n > 0)
		n = err_set(&err, -1, "'%s' is left over; lists with blanks want quotes", argv[1]);
	if (n < 0) {
		fprintf(stderr, "ldms %s: %s; `ldms help %s` says more\n", role->name, err.msg, role->name);
		daemon_opts_fini(&o);
		return 1;
	}
	if (o.help) {
		opt_help(stdout, usage);
	} else {
		daemon_opts_defaults(&o);
		n = daemon_main(role, &o);
	}
	daemon_opts_fini(&o);
	return n;
}

int cmd_agg(int argc, char **argv)
{
	static const struct daemon_role role = { .name = "agg", .io_loops = true };

	return run(&role, &usage_agg, argc, argv, NULL);
}

int cmd_store(int argc, char **argv)
{
	static const struct daemon_role role = { .name = "store", .io_loops = true };

	return run(&role, &usage_store, argc, argv, store_tool);
}
