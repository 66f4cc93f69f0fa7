/* plan.c - `ldms plan`: from a list of nodes to a cluster file, with the numbers that justify it */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/samp_tool.h"
#include "cmd/to_store.h"
#include "cmd/tool.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/line.h"
#include "core/maestro/draft.h"

#define LIST_MAX      (64u << 20) /* bytes of a list of nodes */
#define GUESSED_DATA  480         /* of a sampler that does not run here: 50 numbers */
#define GUESSED_IMAGE 2700
#define PORT_DFLT     "411"
#define SAMP_DFLT     "meminfo"
#define UNSET         UINT64_MAX

extern char **environ;

struct plan_opts {
	const char *nodes, *file, *command, *slurm, *agg_hosts, *store_hosts, *port, *agg_port, *store_port, *auth, *to;
	struct opt_list samp, auth_arg;
	uint64_t aggs, rate, stores;
	int64_t interval_us;
	bool help;
};

#define AT(field) offsetof(struct plan_opts, field)
static const struct opt opts[] = {
	{ 0, "nodes", OPT_TEXT, "LIST", AT(nodes), "the nodes: \"n[001-128] login[1-2]\"" },
	{ 'f', "file", OPT_TEXT, "FILE", AT(file), "... from a file (-: standard input), also a host map in JSON" },
	{ 0, "run", OPT_TEXT, "COMMAND", AT(command), "... as this command prints them" },
	{ 0, "slurm", OPT_MAYBE, "LIST", AT(slurm),
	  "... as `scontrol show hostnames LIST` does ($SLURM_JOB_NODELIST)" },
	{ 0, "aggs", OPT_NUM, "N", AT(aggs), "so many aggregators (1)" },
	{ 0, "rate", OPT_NUM, "N", AT(rate), "... as it takes for none to get more than N sets a second" },
	{ 0, "stores", OPT_NUM, "N", AT(stores), "so many storage daemons for each aggregator (0: it stores itself)" },
	{ 0, "agg-hosts", OPT_TEXT, "LIST", AT(agg_hosts), "where aggregators run (hosts of their names)" },
	{ 0, "store-hosts", OPT_TEXT, "LIST", AT(store_hosts), "where storage daemons run (hosts of their names)" },
	{ 0, "samp", OPT_LIST, "LIST", AT(samp), "samplers of each node (" SAMP_DFLT ")" },
	{ 0, "interval", OPT_TIME, "TIME", AT(interval_us), "between samples (1s)" },
	{ 0, "port", OPT_TEXT, "PORT", AT(port), "of samplers (" PORT_DFLT ")" },
	{ 0, "agg-port", OPT_TEXT, "PORT", AT(agg_port),
	  "of aggregators; of several on a host the first one's (" PORT_DFLT ")" },
	{ 0, "store-port", OPT_TEXT, "PORT", AT(store_port), "of storage daemons, likewise (" PORT_DFLT ")" },
	{ 'a', "auth", OPT_TEXT, "NAME", AT(auth), "authentication (none)" },
	{ 'A', "auth-arg", OPT_LIST, "K=V", AT(auth_arg), "argument of the authentication; repeatable" },
	{ 0, "to", OPT_TEXT, "WHERE", AT(to), "where rows go, as `ldms store --to`: csv:DIR, sqlite:FILE (nowhere)" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_plan = {
	.synopsis =
		"ldms plan --nodes LIST | -f FILE | --run COMMAND | --slurm[=LIST] [--aggs N | --rate N] [option ...]",
	.brief = "split nodes over aggregators: a cluster file, with its numbers",
	.about = "Prints a cluster file for `ldms maestro`: a sampler daemon on each node, aggregators that share "
		 "them, and "
		 "storage daemons that share the rows of each aggregator.  Comments at its head say what each has to "
		 "do; the "
		 "sizes of sets are those that the samplers have on this machine.",
	.opts = opts,
	.examples = "ldms plan --nodes 'n[001-128]' --aggs 4 --agg-hosts 'head[1-2]' > ldms_cfg.yaml\n"
		    "ldms plan --slurm --samp 'meminfo vmstat' --rate 10000 --to csv:/var/lib/ldms\n"
		    "ldms plan -f host_map.json --aggs 2 --stores 2 --agg-port 6001 --port 6002 -a munge",
};

/* -- the nodes ----------------------------------------------------------------------------------------------------- */

static int fd_read(int fd, struct buf *to)
{
	ssize_t n;

	do {
		n = read(fd, buf_reserve(to, 65536), 65536);
		if (n > 0)
			to->len += (size_t)n;
	} while ((n > 0 || (n < 0 && errno == EINTR)) && to->len <= LIST_MAX);
	return n < 0 ? -errno : to->len > LIST_MAX ? -EFBIG : 0;
}

static int file_read(const char *path, struct buf *to, struct err *err)
{
	bool in = !strcmp(path, "-");
	int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, err_name(errno));
	rc = fd_read(fd, to);
	if (!in)
		close(fd);
	return rc ? err_set(err, rc, "%s: cannot be read: %s", path, err_name(rc)) : 0;
}

/* What a program prints; what it says on standard error is for the user. */
static int output_of(const char *const *argv, struct buf *to, struct err *err)
{
	posix_spawn_file_actions_t acts;
	int fds[2], status = 0, rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, "%s: %s", argv[0], err_name(errno));
	posix_spawn_file_actions_init(&acts);
	posix_spawn_file_actions_adddup2(&acts, fds[1], STDOUT_FILENO);
	rc = posix_spawnp(&pid, argv[0], &acts, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&acts);
	close(fds[1]);
	if (rc) {
		close(fds[0]);
		return err_set(err, -rc, "%s: cannot be run: %s", argv[0], err_name(rc));
	}
	rc = fd_read(fds[0], to);
	close(fds[0]); /* who goes on writing ends */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc)
		return err_set(err, rc, "%s: what it prints cannot be read: %s", argv[0], err_name(rc));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(err, -ECHILD, "%s: failed with status %d", argv[0],
			       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

static int nodes_take(const struct plan_opts *o, struct nodes *ret, struct err *err)
{
	const char *shell[] = { "sh", "-c", o->command, NULL };
	const char *slurm[] = { "scontrol", "show", "hostnames", o->slurm && *o->slurm ? o->slurm : NULL, NULL };
	struct buf b = { 0 };
	int given = !!o->nodes + !!o->file + !!o->command + !!o->slurm, rc = 0;

	if (given != 1)
		return err_set(err, -EINVAL, "%s: --nodes LIST, -f FILE, --run COMMAND or --slurm",
			       given ? "the nodes come from one place" : "which nodes?");
	if (o->nodes)
		buf_add(&b, o->nodes, strlen(o->nodes));
	else if (o->file)
		rc = file_read(o->file, &b, err);
	else
		rc = output_of(o->command ? shell : slurm, &b, err);
	if (!rc)
		rc = nodes_parse(o->nodes     ? "--nodes"
				 : o->file    ? o->file
				 : o->command ? o->command
					      : "scontrol show hostnames",
				 buf_str(&b), b.len, ret, err);
	buf_fini(&b);
	return rc;
}

/* -- the rest of the draft ----------------------------------------------------------------------------------------- */

/* In YAML between double quotes, and one word of the configuration language. */
static int word_check(const char *option, const char *text, struct err *err)
{
	if (text && strpbrk(text, "\"\\" LINE_BLANKS))
		return err_set(err, -EINVAL,
			       "%s: \"%s\": blanks, quotes and backslashes cannot stand in a cluster file", option,
			       text);
	return 0;
}

static void samp_take(struct draft *d, const char *name)
{
	struct draft_samp s = { .name = name, .sets = 1, .data = GUESSED_DATA, .image = GUESSED_IMAGE };
	struct samp_sizes sizes;

	if (samp_tool_sizes(name, &sizes, NULL))
		s.guessed = true;
	else
		s = (struct draft_samp){ .name = name, .sets = sizes.n, .data = sizes.data, .image = sizes.image };
	d->samps = xrealloc(d->samps, (d->n_samps + 1) * sizeof(*d->samps));
	d->samps[d->n_samps++] = s;
}

static int samps_take(const struct plan_opts *o, struct draft *d, char **copy, struct err *err)
{
	struct buf b = { 0 };
	char *at;

	for (size_t i = 0; i < o->samp.n; i++)
		buf_addf(&b, "%s ", o->samp.v[i]);
	*copy = xstrdup(o->samp.n ? buf_str(&b) : SAMP_DFLT);
	buf_fini(&b);
	at = *copy;
	for (char *w; (w = strtok_r(at, LINE_BLANKS ",", &at));) {
		if (word_check("--samp", w, err))
			return -EINVAL;
		if (!samp_tool_is(w)) /* the nodes may run those of another maker */
			fprintf(stderr,
				"ldms plan: there is no sampler '%s' in this program; `ldms samp -l` lists them\n", w);
		samp_take(d, w);
	}
	return 0;
}

static int hosts_take(const char *option, const char *list, struct nodes *ret, struct err *err)
{
	return list ? nodes_parse(option, list, strlen(list), ret, err) : 0;
}

static int port_take(const char *option, const char *text, unsigned short *ret, struct err *err)
{
	uint64_t v;

	if (unit_u64(text ? text : PORT_DFLT, &v, NULL) || v < 1 || v > 65535)
		return err_set(err, -EINVAL, "%s: \"%s\" is no port; write a number from 1 to 65535", option, text);
	*ret = (unsigned short)v;
	return 0;
}

/* As daemons take it. */
static int to_take(const char *text, struct draft *d, struct to_store *t, struct err *err)
{
	int rc = word_check("--to", text, err);

	if (!text || rc)
		return rc;
	if (!to_store_is(text))
		return err_set(err, -EINVAL, "--to: '%s' is not STORE:PATH; `ldms store --help` says what there is",
			       text);
	rc = to_store_read(text, t, err);
	if (rc)
		return rc;
	d->store = t->type ? t->type->name : NULL;
	d->store_path = t->path;
	d->store_conf = t->conf;
	d->container = t->container;
	return 0;
}

static int auth_take(const struct plan_opts *o, struct draft *d, char **conf, struct err *err)
{
	struct buf b = { 0 };
	int rc = word_check("-a", o->auth, err);

	if (!o->auth && o->auth_arg.n)
		return err_set(err, -EINVAL, "-A %s: say which authentication it is for, too: -a METHOD",
			       o->auth_arg.v[0]);
	for (size_t i = 0; i < o->auth_arg.n && !rc; i++) {
		rc = word_check("-A", o->auth_arg.v[i], err);
		buf_addf(&b, "%s%s", i ? " " : "", o->auth_arg.v[i]);
	}
	d->auth = o->auth;
	if (b.len)
		d->auth_conf = *conf = xstrdup(buf_str(&b));
	buf_fini(&b);
	return rc;
}

static char *said(int argc, char *const *was)
{
	struct buf b = { 0 };

	buf_addf(&b, "ldms plan");
	for (int i = 1; i < argc; i++) {
		bool plain = !was[i][strcspn(was[i], " \t\n'\"$*?[]{}|&;<>()`\\")];

		buf_addf(&b, plain ? " %s" : " '%s'", was[i]);
	}
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == '\n' || b.p[i] == '\r')
			b.p[i] = ' '; /* it is one line of a comment */
	buf_str(&b);
	return (char *)b.p;
}

struct kept { /* what the draft points into */
	char *samps, *auth;
	struct to_store store;
};

static int draft_take(const struct plan_opts *o, struct draft *d, struct kept *k, struct err *err)
{
	int rc = nodes_take(o, &d->nodes, err);

	if (!rc && o->interval_us <= 0)
		rc = err_set(err, -EINVAL, "--interval: is not more than nothing");
	if (!rc && o->aggs != UNSET && o->rate != UNSET)
		rc = err_set(err, -EINVAL, "--aggs and --rate: one of them says how many aggregators there are");
	if (!rc && !o->rate)
		rc = err_set(err, -EINVAL, "--rate 0: an aggregator that may get nothing");
	rc = rc ? rc : samps_take(o, d, &k->samps, err);
	rc = rc ? rc : hosts_take("--agg-hosts", o->agg_hosts, &d->aggs.hosts, err);
	rc = rc ? rc : hosts_take("--store-hosts", o->store_hosts, &d->stores.hosts, err);
	rc = rc ? rc : port_take("--port", o->port, &d->port, err);
	rc = rc ? rc : port_take("--agg-port", o->agg_port, &d->aggs.port, err);
	rc = rc ? rc : port_take("--store-port", o->store_port, &d->stores.port, err);
	rc = rc ? rc : auth_take(o, d, &k->auth, err);
	rc = rc ? rc : to_take(o->to, d, &k->store, err);
	if (rc)
		return rc;
	d->interval_us = o->interval_us;
	d->aggs.n = o->rate != UNSET ? draft_aggs(d, (double)o->rate) : o->aggs != UNSET ? (size_t)o->aggs : 1;
	d->stores.n = (size_t)o->stores;
	return draft_check(d, err);
}

int cmd_plan(int argc, char **argv)
{
	struct plan_opts o = { .aggs = UNSET, .rate = UNSET, .interval_us = SEC_US };
	char *asked = said(argc, argv); /* opt_parse() moves words */
	struct draft d = { .asked = asked };
	struct kept k = { 0 };
	struct err err = { "" };
	struct buf b = { 0 };
	int n = opt_parse(opts, argc, argv, &o, &err), rc = n < 0 ? n : 0;

	if (!rc && o.help) {
		opt_help(stdout, &usage_plan);
		goto out;
	}
	if (n > 0)
		rc = err_set(&err, -EINVAL, "'%s' is left over; nodes are given with --nodes", argv[1]);
	if (!rc)
		rc = draft_take(&o, &d, &k, &err);
	if (!rc) {
		draft_put(&d, &b);
		fwrite(b.p, 1, b.len, stdout);
		if (fflush(stdout))
			rc = err_set(&err, -errno, "standard output: %s", err_name(errno));
	}
out:
	if (rc)
		fprintf(stderr, "ldms plan: %s\n", err.msg);
	nodes_fini(&d.nodes);
	nodes_fini(&d.aggs.hosts);
	nodes_fini(&d.stores.hosts);
	free(d.samps);
	free(k.samps);
	to_store_fini(&k.store);
	free(k.auth);
	free(asked);
	opt_list_fini(&o.samp);
	opt_list_fini(&o.auth_arg);
	buf_fini(&b);
	return rc ? EXIT_USAGE : 0;
}
