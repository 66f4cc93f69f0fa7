/* spec.h - the specification of a virtual cluster: its nodes, and the daemons on each.
 *
 * The structure is that of LDMS_Test's cluster specifications, in JSON or YAML; ldms-cluster(5) describes it.  Reading
 * it needs nothing of the machine, and changes nothing.
 */
#ifndef CORE_CLUSTER_SPEC_H
#define CORE_CLUSTER_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/kv.h"

#define SPEC_NODES_MAX  1000                    /* as many as a cluster can have */
#define SPEC_SLURM_CONF "/run/slurm/slurm.conf" /* in every node of a cluster that has a slurmctld */

/* In the order in which they are started. */
enum spec_type { SPEC_MUNGED, SPEC_ETCD, SPEC_SLURMCTLD, SPEC_SLURMD, SPEC_LDMSD, SPEC_LDMS };
#define SPEC_TYPES (SPEC_LDMS + 1)

struct spec_words {
	char **v;
	size_t n;
};

void words_add(struct spec_words *w, const char *text);
void words_fini(struct spec_words *w);

/* Only the members of its type (and the common ones above them) are set. */
struct spec_daemon {
	char *name;
	enum spec_type type;
	struct kv env;         /* of the cluster, the node and itself: each name once, the nearest's value */
	char *log;             /* file in the node */
	unsigned short *ports; /* on which it listens by TCP when it is up */
	size_t n_ports;

	char *dom, *key; /* munged; NULL: the node's default socket, the cluster's own key */

	char *plugstack;          /* slurmd: text of plugstack.conf, or NULL */
	struct spec_words config; /* slurmctld: more lines of slurm.conf */

	char *prefix;    /* ldmsd: where the one to be run is installed; NULL: this executable */
	char *conf_path; /* its configuration file in the node, */
	char *conf;      /* and what stands there */
	char *xprt;      /* -x, or NULL */
	char *auth;      /* -a */
	char *log_level; /* -v */

	struct spec_words command; /* ldms: behind "ldms" */
};

struct spec_node {
	char *name; /* the host name */
	struct spec_words aliases;
	struct kv env; /* of the cluster and itself */
	struct spec_daemon *daemons;
	size_t n_daemons;
};

struct spec {
	char *name;               /* NULL: none */
	bool ipv6;                /* nodes have IPv6 addresses, too */
	struct spec_words mounts; /* "SRC:DST[:ro|rw]" */
	struct spec_node *nodes;  /* the first one has the number 1 */
	size_t n_nodes;
	struct spec_words warnings; /* "FILE:LINE:COL: words", one each */
};

/* -EINVAL with "FILE:LINE:COL: words" for what is wrong with it. */
int spec_read(const char *path, struct spec **ret, struct err *err);
/* `file` is what complaints call it. */
int spec_parse(const char *file, const char *text, size_t len, struct spec **ret, struct err *err);
void spec_free(struct spec *s);

const struct spec_node *spec_node_find(const struct spec *s, const char *name); /* also by an alias */
const struct spec_daemon *spec_daemon_find(const struct spec_node *n, const char *name);
const char *spec_type_name(enum spec_type t);
/* The node with the cluster's slurmctld, or NULL. */
const struct spec_node *spec_slurm_head(const struct spec *s);
/* slurm.conf for all nodes of a cluster that has a slurmctld. */
void spec_slurm_conf(const struct spec *s, struct buf *to);

#endif
