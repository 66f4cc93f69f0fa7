/* cluster_hosts.h - the hosts and mounts of a cluster that is to be made, from a number or from a specification. */
#ifndef CMD_CLUSTER_HOSTS_H
#define CMD_CLUSTER_HOSTS_H

#include "core/cluster/cluster.h"
#include "core/cluster/spec.h"

struct hosts {
	struct cluster_host *v;
	size_t n;
};

/* PREFIX1 to PREFIXn. */
void hosts_count(struct hosts *h, const char *prefix, size_t n);
/* Those of a specification, with their aliases and environment; it is borrowed. */
void hosts_of_spec(struct hosts *h, const struct spec *s);
void hosts_fini(struct hosts *h);

struct mounts {
	struct spec_words texts; /* SRC:DST[:ro|rw], SRC from the root */
	struct cluster_mount *v; /* texts.n of them */
};

/* Add one as it was written.  -EINVAL with words. */
int mounts_add(struct mounts *m, const char *text, struct err *err);
void mounts_fini(struct mounts *m);

#endif
