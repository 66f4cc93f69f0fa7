/* cluster_fault.c - `ldms cluster fault`: something is wrong in a cluster, on purpose */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cluster_fault.h"
#include "core/base/hostlist.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/cluster/daemon_rec.h"

struct fault_opts {
	struct cluster_opts common;
	const char *from, *jitter;
	bool json;
};

#define AT(field) offsetof(struct fault_opts, field)
static const struct opt opts[] = {
	{ 0, "from", OPT_TEXT, "NODES", AT(from), "cut: from these only, else from all" },
	{ 0, "jitter", OPT_TEXT, "TIME", AT(jitter), "delay: more or less by up to this" },
	{ 0, "json", OPT_FLAG, NULL, AT(json), "ls: one JSON object, for programs" },
	CLUSTER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_cluster_fault = {
	.synopsis = "ldms cluster fault cut NODES [--from NODES]\n"
		    "ldms cluster fault loss NODES PERCENT | bandwidth NODES RATE | delay NODES TIME [--jitter TIME]\n"
		    "ldms cluster fault heal NODES\n"
		    "ldms cluster fault kill|pause|resume NODES[/DAEMON]\n"
		    "ldms cluster fault clock NODES +TIME|-TIME|0\n"
		    "ldms cluster fault ls [--json]",
	.brief = "let something go wrong in a virtual cluster",
	.about = "cut: no packets. loss, bandwidth and delay: of what comes to the nodes, and of what goes. heal ends "
		 "these. kill, pause and resume: all processes of the nodes, or the daemon of that name. clock: the "
		 "time of day, against the machine's, in clusters that were made with --clock. NODES is a list: "
		 "node1,node[3-5].",
	.opts = opts,
	.examples = "ldms cluster fault cut node1\n"
		    "ldms cluster fault cut 'node[1-2]' --from 'node[3-9]'    a partition of the network\n"
		    "ldms cluster fault loss node2 30%\n"
		    "ldms cluster fault bandwidth node2 1mbit\n"
		    "ldms cluster fault heal node1,node2\n"
		    "ldms cluster fault clock node3 +1h",
};

struct act {
	const struct cluster *c;
	const struct fault_opts *o;
	struct faults was, f;
	bool *which;        /* nodes that are meant */
	const char *daemon; /* NULL: all that runs there */
	const char *arg;
};

static int nodes_parse(const struct cluster *c, const char *text, bool *which, struct err *err)
{
	struct hostlist hl = { 0 };
	size_t i;
	int rc = hostlist_parse(text, &hl, err);

	if (!rc && !hl.n)
		rc = err_set(err, -EINVAL, "which nodes? Write node1,node[3-5]");
	for (size_t k = 0; k < hl.n && !rc; k++) {
		rc = cluster_node_find(c, hl.names[k], &i, err);
		if (!rc)
			which[i] = true;
	}
	hostlist_fini(&hl);
	return rc;
}

/* -- wires --------------------------------------------------------------------------------------------------------- */

static int act_cut(struct act *a, struct err *err)
{
	bool *from;
	int rc = 0;

	if (a->o->from) {
		from = xcalloc(a->f.n + 1, sizeof(*from));
		rc = nodes_parse(a->c, a->o->from, from, err);
		if (!rc)
			rc = faults_split(&a->f, a->c, a->which, from, err);
		free(from);
		return rc;
	}
	for (size_t i = 0; i < a->f.n; i++)
		a->f.nodes[i].cut |= a->which[i];
	return 0;
}

static int act_heal(struct act *a, struct err *err)
{
	(void)err;
	faults_heal(&a->f, a->which);
	return 0;
}

static int act_loss(struct act *a, struct err *err)
{
	uint32_t ppm;
	int rc = fault_loss_parse(a->arg, &ppm, err);

	for (size_t i = 0; i < a->f.n && !rc; i++)
		if (a->which[i])
			a->f.nodes[i].loss_ppm = ppm;
	return rc;
}

static int act_bandwidth(struct act *a, struct err *err)
{
	uint64_t bits;
	int rc = fault_rate_parse(a->arg, &bits, err);

	for (size_t i = 0; i < a->f.n && !rc; i++)
		if (a->which[i])
			a->f.nodes[i].bits = bits;
	return rc;
}

static int act_delay(struct act *a, struct err *err)
{
	int64_t us, jitter_us = 0;
	int rc = unit_time_us(a->arg, &us, err);

	if (!rc && a->o->jitter)
		rc = unit_time_us(a->o->jitter, &jitter_us, err);
	if (!rc && (us < 0 || jitter_us < 0))
		rc = err_set(err, -EINVAL, "packets cannot be delayed by less than nothing");
	for (size_t i = 0; i < a->f.n && !rc; i++)
		if (a->which[i]) {
			a->f.nodes[i].delay_us = us;
			a->f.nodes[i].jitter_us = us ? jitter_us : 0;
		}
	return rc;
}

static int wires_apply(struct act *a, struct err *err)
{
	int rc = fault_net_apply(a->c, &a->was, &a->f, a->which, err);

	if (rc) /* back to what it was, as far as that goes */
		fault_net_apply(a->c, &a->f, &a->was, a->which, NULL);
	return rc;
}

/* -- processes ----------------------------------------------------------------------------------------------------- */

static int signal_daemon(struct act *a, size_t node, int sig, struct err *err)
{
	const char *name = a->c->nodes[node].name;
	size_t n;
	struct daemon_rec *recs = daemon_rec_list(a->c, node, &n);
	int rc = err_set(err, -ENOENT, "node %s has no daemon '%s'; `ldms cluster ls --name %s` lists them", name,
			 a->daemon, a->c->name);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(recs[i].name, a->daemon)) {
			rc = daemon_rec_alive(&recs[i]) && !kill(recs[i].pid, sig)
				     ? 0
				     : err_set(err, -ESRCH, "daemon %s of node %s does not run", a->daemon, name);
			break;
		}
	daemon_rec_free(recs, n);
	return rc;
}

static int signal_all(struct act *a, int sig, struct err *err)
{
	size_t n;
	int rc = 0;

	for (size_t i = 0; i < a->f.n && !rc; i++) {
		if (!a->which[i])
			continue;
		rc = a->daemon ? signal_daemon(a, i, sig, err) : fault_proc_signal(a->c, i, sig, &n, err);
		if (!rc && !a->daemon && sig != SIGKILL)
			a->f.nodes[i].paused = sig == SIGSTOP;
	}
	return rc;
}

static int act_kill(struct act *a, struct err *err)
{
	return signal_all(a, SIGKILL, err);
}

static int act_pause(struct act *a, struct err *err)
{
	return signal_all(a, SIGSTOP, err);
}

static int act_resume(struct act *a, struct err *err)
{
	return signal_all(a, SIGCONT, err);
}

/* -- clocks -------------------------------------------------------------------------------------------------------- */

static int act_clock(struct act *a, struct err *err)
{
	int64_t s;
	int rc;

	if (!a->c->clock)
		return err_set(err, -EINVAL, "cluster %s was made without --clock; its clocks are the machine's",
			       a->c->name);
	rc = fault_clock_parse(a->arg, &s, err);
	for (size_t i = 0; i < a->f.n && !rc; i++)
		if (a->which[i]) {
			rc = fault_clock_set(a->c, i, s, err);
			if (!rc)
				a->f.nodes[i].clock_s = s;
		}
	return rc;
}

/* -- which --------------------------------------------------------------------------------------------------------- */

static const struct kind {
	const char *name;
	int (*act)(struct act *a, struct err *err);   /* changes a->f */
	int (*apply)(struct act *a, struct err *err); /* what act() did not do itself; NULL: it did all */
	const char *arg;                              /* what must follow the nodes, NULL: nothing */
	bool daemons;                                 /* NODES/DAEMON may be said */
} kinds[] = {
	{ "bandwidth", act_bandwidth, wires_apply, "a rate, as 1mbit", false },
	{ "clock", act_clock, NULL, "a time, as +1h", false },
	{ "cut", act_cut, wires_apply, NULL, false },
	{ "delay", act_delay, wires_apply, "a time, as 50ms", false },
	{ "heal", act_heal, wires_apply, NULL, false },
	{ "kill", act_kill, NULL, NULL, true },
	{ "loss", act_loss, wires_apply, "a percentage, as 30%", false },
	{ "pause", act_pause, NULL, NULL, true },
	{ "resume", act_resume, NULL, NULL, true },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static const struct kind *kind_find(const char *name, struct err *err)
{
	const char *names[KINDS + 2] = { [KINDS] = "ls" }, *near;

	for (size_t i = 0; i < KINDS; i++) {
		names[i] = kinds[i].name;
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	}
	near = nearest(name, names);
	err_set(err, -EINVAL, "no fault '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
	return NULL;
}

static int act(const struct kind *k, struct act *a, char *nodes, struct err *err)
{
	char *slash = strchr(nodes, '/');
	int rc;

	if (slash && !k->daemons)
		return err_set(err, -EINVAL, "'%s': a daemon can be killed, paused and resumed; %s is for nodes", nodes,
			       k->name);
	if (slash)
		*slash = '\0';
	a->daemon = slash ? slash + 1 : NULL;
	rc = nodes_parse(a->c, nodes, a->which, err);
	if (!rc)
		rc = k->act(a, err);
	if (!rc && k->apply)
		rc = k->apply(a, err);
	return rc;
}

static int change(const struct fault_opts *o, const struct kind *k, char *nodes, const char *arg, struct err *err)
{
	struct act a = { .o = o, .arg = arg };
	struct cluster *c;
	int rc = cluster_find(&o->common, &c, err);

	if (rc)
		return rc;
	a.c = c;
	a.which = xcalloc(c->n + 1, sizeof(*a.which));
	rc = cluster_lock(c, err);
	if (!rc)
		rc = faults_read(c, &a.was, err);
	if (!rc)
		rc = faults_read(c, &a.f, err);
	if (!rc)
		rc = act(k, &a, nodes, err);
	if (!rc)
		rc = faults_write(c, &a.f, err);
	faults_fini(&a.was);
	faults_fini(&a.f);
	free(a.which);
	cluster_close(c);
	return rc;
}

/* -- the verb -------------------------------------------------------------------------------------------------------- */

static int ls(const struct fault_opts *o, struct err *err)
{
	struct cluster *c;
	struct faults f = { 0 };
	struct buf b = { 0 };
	int rc = cluster_find(&o->common, &c, err);

	if (rc)
		return rc;
	rc = faults_read(c, &f, err);
	if (!rc)
		o->json ? fault_json(c, &f, &b) : fault_text(c, &f, &b);
	fputs(buf_str(&b), stdout);
	buf_fini(&b);
	faults_fini(&f);
	cluster_close(c);
	return rc;
}

/* "-1h" is an operand here: taken out before options are looked for.  NULL: there is none. */
static const char *minus_take(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++)
		if (argv[i][0] == '-' && isdigit((unsigned char)argv[i][1])) {
			const char *ret = argv[i];

			memmove(argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof(*argv));
			--*argc;
			return ret;
		}
	return NULL;
}

static int fault(const struct fault_opts *o, int n, char **argv, const char *minus, struct err *err)
{
	const char *arg = n > 2 ? argv[3] : minus;
	const struct kind *k;

	if (!strcmp(argv[1], "ls"))
		return n > 1 || minus ? err_set(err, -EINVAL, "'%s' is left over", n > 1 ? argv[2] : minus)
				      : ls(o, err);
	k = kind_find(argv[1], err);
	if (!k)
		return -EINVAL;
	if (n < 2)
		return err_set(err, -EINVAL, "which nodes? Write node1,node[3-5] behind %s", k->name);
	if (k->arg && !arg)
		return err_set(err, -EINVAL, "%s wants %s behind the nodes", k->name, k->arg);
	if ((!k->arg && arg) || (n > 2 && minus))
		return err_set(err, -EINVAL, "'%s' is left over", n > 2 && minus ? minus : arg);
	if (o->from && strcmp(k->name, "cut"))
		return err_set(err, -EINVAL, "--from is for cut");
	if (o->jitter && strcmp(k->name, "delay"))
		return err_set(err, -EINVAL, "--jitter is for delay");
	return change(o, k, argv[2], arg, err);
}

int cluster_verb_fault(const struct subcmd *v, int argc, char **argv)
{
	struct fault_opts o = { 0 };
	struct err err = { "" };
	const char *minus = minus_take(&argc, argv);
	int status = 0, n = subcmd_parse(v, argc, argv, &o, &o.common.help, 1, 3, &status);

	if (n < 0)
		return status;
	return fault(&o, n, argv, minus, &err) ? subcmd_complain(v, &err) : 0;
}
