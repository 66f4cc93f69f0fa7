/* spec_slurm.c - Slurm in a specification: one slurmctld, a slurmd on each node that computes, munged below them */
#include <string.h>

#include "core/base/xalloc.h"
#include "core/cluster/spec_impl.h"

#define NODE_CPUS   4 /* that a node says it has, so that jobs find room on a small machine */
#define NODE_MEM_MB 1000

void spec_slurmctld_read(struct sread *r, snode_t map, struct spec_daemon *d)
{
	sread_words(r, map, "config", &d->config);
}

static void on_plugin(struct sread *r, snode_t map, void *arg)
{
	static const char *const keys[] = { "required", "path", "args", NULL };
	struct buf *to = arg;
	const char *path = sread_need(r, map, "path", "plugstack");
	struct spec_words args = { .n = 0 };

	buf_addf(to, "%s %s", sread_bool(r, map, "required") ? "required" : "optional", path ? path : "");
	sread_words(r, map, "args", &args);
	for (size_t i = 0; i < args.n; i++)
		buf_addf(to, " %s", args.v[i]);
	buf_addf(to, "\n");
	words_fini(&args);
	sread_keys(r, map, "plugstack", keys);
}

void spec_slurmd_read(struct sread *r, snode_t map, struct spec_daemon *d)
{
	struct buf b = { 0 };

	sread_each(r, map, "plugstack", on_plugin, &b);
	if (b.len)
		d->plugstack = xstrndup(buf_str(&b), b.len);
	buf_fini(&b);
}

static const struct spec_daemon *daemon_of(const struct spec_node *n, enum spec_type type)
{
	for (size_t i = 0; i < n->n_daemons; i++)
		if (n->daemons[i].type == type && !n->daemons[i].dom)
			return &n->daemons[i];
	return NULL;
}

const struct spec_node *spec_slurm_head(const struct spec *s)
{
	for (size_t i = 0; i < s->n_nodes; i++)
		if (daemon_of(&s->nodes[i], SPEC_SLURMCTLD))
			return &s->nodes[i];
	return NULL;
}

/* They find each other, and trust each other by munge on its default socket. */
void spec_slurm_check(struct sread *r, snode_t nodes)
{
	const struct spec_node *head = spec_slurm_head(r->spec), *n = r->spec->nodes;
	size_t computing = 0;

	for (size_t i = 0; i < r->spec->n_nodes && !r->rc; i++, n++) {
		bool ctld = daemon_of(n, SPEC_SLURMCTLD), slurmd = daemon_of(n, SPEC_SLURMD);
		snode_t at = nodes->kind == YAML_LIST ? nodes->values[i] : nodes;

		computing += slurmd;
		if (ctld && n != head)
			sread_bad(r, at, "node %s: a second slurmctld; node %s has one, and a cluster has one at most",
				  n->name, head->name);
		else if (slurmd && !head)
			sread_bad(r, at, "node %s: slurmd wants a slurmctld on some node", n->name);
		else if ((ctld || slurmd) && !daemon_of(n, SPEC_MUNGED))
			sread_bad(r, at, "node %s: Slurm wants a munged without \"dom\" on this node", n->name);
	}
	if (head && !computing)
		sread_bad(r, nodes, "node %s: slurmctld wants a slurmd on some node", head->name);
}

/* What jobs need, and nothing that needs more than a namespace: no cgroups, no accounting. */
void spec_slurm_conf(const struct spec *s, struct buf *to)
{
	const struct spec_node *head = spec_slurm_head(s);
	const struct spec_daemon *ctld = daemon_of(head, SPEC_SLURMCTLD);

	buf_addf(to,
		 "ClusterName=%s\nSlurmctldHost=%s\nSlurmUser=root\nAuthType=auth/munge\nCryptoType=crypto/munge\n"
		 "StateSaveLocation=/run/slurm/ctld\nSlurmdSpoolDir=/run/slurm/d\n"
		 "SlurmctldPidFile=/run/slurm/slurmctld.pid\nSlurmdPidFile=/run/slurm/slurmd.pid\n"
		 "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/linux\n"
		 "AccountingStorageType=accounting_storage/none\nSelectType=select/cons_tres\n"
		 "SelectTypeParameters=CR_Core\nSwitchType=switch/none\nMpiDefault=none\nReturnToService=2\n"
		 "SlurmdParameters=config_overrides\nSchedulerParameters=batch_sched_delay=0,sched_interval=1\n"
		 "KillWait=5\n",
		 s->name ? s->name : "ldms", head->name);
	for (size_t i = 0; i < ctld->config.n; i++)
		buf_addf(to, "%s\n", ctld->config.v[i]);
	for (size_t i = 0; i < s->n_nodes; i++)
		if (daemon_of(&s->nodes[i], SPEC_SLURMD))
			buf_addf(to, "NodeName=%s CPUs=%d RealMemory=%d State=UNKNOWN\n", s->nodes[i].name, NODE_CPUS,
				 NODE_MEM_MB);
	buf_addf(to, "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n");
}
