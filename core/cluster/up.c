/* up.c - a cluster made and ended */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/impl.h"
#include "core/cluster/net.h"

static int conf_check(const struct cluster_conf *conf, struct err *err)
{
	int rc = cluster_name_check("cluster", conf->name, err);

	if (!rc && !conf->n_hosts)
		rc = err_set(err, -EINVAL, "cluster %s: it has no nodes", conf->name);
	if (!rc && conf->n_hosts > CLUSTER_NODES_MAX)
		rc = err_set(err, -E2BIG,
			     "cluster %s: %zu nodes; a cluster has at most %d, since a bridge has no more ports",
			     conf->name, conf->n_hosts, CLUSTER_NODES_MAX);
	for (size_t i = 0; i < conf->n_hosts && !rc; i++) {
		rc = cluster_name_check("node", conf->hosts[i].name, err);
		for (size_t j = 0; j < i && !rc; j++)
			if (!strcmp(conf->hosts[i].name, conf->hosts[j].name))
				rc = err_set(err, -EEXIST, "node %s: there are two of that name", conf->hosts[i].name);
	}
	return rc;
}

int cluster_up(const struct cluster_conf *conf, struct cluster **ret, struct err *err)
{
	char *base, addr[32], addr6[32];
	struct cluster *c;
	int rc = conf_check(conf, err);

	if (rc)
		return rc;
	rc = folder_path(conf->base, geteuid() ? 0700 : 0755);
	base = rc ? NULL : realpath(conf->base, NULL); /* nodes have other working folders */
	if (!base)
		return err_set(err, rc ? rc : -errno, "%s cannot be made: %s; say another folder with --dir",
			       conf->base, err_name(rc ? rc : errno));
	c = cluster_new(base, conf->name);
	c->ipv6 = conf->ipv6;
	c->pidns = conf->pidns;
	c->clock = conf->clock;
	for (size_t i = 0; i < conf->n_hosts; i++)
		cluster_node_add(c, conf->hosts[i].name, net_addr(i, addr), conf->ipv6 ? net_addr6(i, addr6) : NULL);
	rc = folder_make(c, base, err);
	free(base);
	if (rc)
		goto out;
	rc = folder_fill(c, conf, err);
	if (!rc)
		rc = keeper_start(c, conf, err);
	if (!rc)
		rc = cluster_state_write(c, err);
	if (rc) {
		cluster_undo(c);
		return rc;
	}
	*ret = c;
	return 0;
out:
	cluster_close(c);
	return rc;
}

void cluster_undo(struct cluster *c)
{
	keeper_kill(c, NULL);
	folder_remove(c->dir, NULL);
	cluster_close(c);
}

int cluster_down(const char *base, const char *name, bool *ret_was, struct err *err)
{
	struct cluster *held, *c = NULL;
	int rc = cluster_name_check("cluster", name, err);

	*ret_was = false;
	if (rc)
		return rc;
	held = cluster_new(base, name);
	if (access(held->dir, F_OK))
		goto out; /* there is none */
	rc = cluster_lock(held, err);
	if (rc) {
		rc = rc == -ENOENT ? 0 : rc; /* not any more */
		goto out;
	}
	if (!folder_is_cluster(held->dir)) {
		rc = folder_remove(held->dir, err); /* says what it is not */
		goto out;
	}
	*ret_was = true;
	/* without a state file it was never complete, and who made it is dead, or we would not have the lock */
	if (!cluster_open(base, name, &c, NULL))
		rc = keeper_kill(c, err);
	if (!rc)
		rc = folder_remove(held->dir, err);
out:
	cluster_close(c);
	cluster_close(held);
	return rc;
}
