/* samp.c - `ldms samp`: sample this node, and serve the sets; or tell of the samplers (samp_tool.h) */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/daemon.h"
#include "cmd/daemon_to.h"
#include "cmd/samp_tool.h"

static const struct opt opts[] = {
	{ 0, "auto", OPT_FLAG, NULL, DAEMON_OPT(autos), "every sampler that makes sense on this node" },
	{ 'l', "list", OPT_FLAG, NULL, DAEMON_OPT(list), "list the samplers and end" },
	{ 0, "once", OPT_FLAG, NULL, DAEMON_OPT(once), "print one sample of each NAME and end" },
	{ 0, "json", OPT_FLAG, NULL, DAEMON_OPT(json), "with --once or -l: as JSON" },
	DAEMON_OPTS_COMMON,
	{ 0 },
};

const struct cmd_usage usage_samp = {
	.synopsis = "ldms samp [-x XPRT:PORT] --samp LIST | --auto [option ...]\n"
		    "ldms samp -c FILE [option ...]\n"
		    "ldms samp -l [--json]\n"
		    "ldms samp help NAME ... [ATTRIBUTE=VALUE ...]\n"
		    "ldms samp --once NAME ... [--json] [ATTRIBUTE=VALUE ...]",
	.brief = "a sampler daemon: measures this node and serves the sets",
	.about =
		"Samples on multiples of the interval (plus the offset) of the wall clock, so that all nodes sample in "
		"step, and serves the sets to aggregators and to `ldms ls`.",
	.opts = opts,
	.more = daemon_to_help,
	.examples = "ldms samp -x sock:411 --samp \"loadavg meminfo\"\n"
		    "ldms samp --samp vmstat --interval 100ms --name n17\n"
		    "ldms samp --samp \"loadavg meminfo\" --to agg-1,agg-2:412\n"
		    "ldms samp -x sock:411 --samp meminfo --user ldms --sandbox\n"
		    "ldms samp --auto\n"
		    "ldms samp help procnetdev2\n"
		    "ldms samp --once procnetdev2 loadavg metrics=load1min",
};

/* What the operands are for. */
enum samp_job { JOB_DAEMON, JOB_LIST, JOB_ONCE, JOB_HELP };

static enum samp_job job_of(const struct daemon_opts *o, char **words)
{
	if (o->list)
		return JOB_LIST;
	if (o->once)
		return JOB_ONCE;
	return *words && !strcmp(*words, "help") ? JOB_HELP : JOB_DAEMON;
}

static int job_check(struct daemon_opts *o, enum samp_job job, char **words, struct err *err)
{
	switch (job) {
	case JOB_ONCE:
		return *words ? 0 : err_set(err, -EINVAL, "--once: which sampler?  `ldms samp -l` lists them");
	case JOB_HELP:
		return words[1] ? 0 : err_set(err, -EINVAL, "help: of which sampler?  `ldms samp -l` lists them");
	default:
		break;
	}
	if (*words)
		return err_set(err, -EINVAL, "'%s' is left over; lists with blanks want quotes", *words);
	if (job == JOB_LIST)
		return 0;
	if (!o->autos && !o->samp.n && !o->conf.n && !o->yaml.n)
		return err_set(err, -EINVAL, "nothing to sample: give --samp LIST, --auto or -c FILE");
	return o->autos ? samp_tool_auto(o, err) : 0;
}

int cmd_samp(int argc, char **argv)
{
	static const struct daemon_role role = { .name = "samp" };
	enum samp_job job = JOB_DAEMON;
	struct daemon_opts o;
	struct err err = { "" };
	int n;

	daemon_opts_init(&o);
	n = opt_parse(opts, argc, argv, &o, &err);
	if (n >= 0 && !o.help) {
		job = job_of(&o, argv + 1);
		n = job_check(&o, job, argv + 1, &err);
	}
	if (n < 0) {
		fprintf(stderr, "ldms samp: %s; `ldms help samp` says more\n", err.msg);
		daemon_opts_fini(&o);
		return 1;
	}
	daemon_opts_defaults(&o);
	if (o.help)
		opt_help(stdout, &usage_samp), n = 0;
	else if (job == JOB_LIST)
		n = samp_tool_list(o.sysroot, o.json);
	else if (job == JOB_ONCE)
		n = samp_tool_once(&o, argv + 1);
	else if (job == JOB_HELP)
		n = samp_tool_help(&o, argv + 2);
	else
		n = daemon_main(&role, &o);
	daemon_opts_fini(&o);
	return n;
}
