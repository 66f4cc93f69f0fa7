/* spec_impl.h - what the files that read a specification share.
 *
 * spec.c reads the whole and its nodes, spec_daemon.c the daemons by their types; the larger types have files of their
 * own (spec_ldmsd.c, spec_slurm.c).  All take values from the tree by spec_value.c.  The first complaint ends it: it is
 * kept, and all that is read after it is as good as absent.
 */
#ifndef CORE_CLUSTER_SPEC_IMPL_H
#define CORE_CLUSTER_SPEC_IMPL_H

#include <stdint.h>

#include "core/cluster/spec.h"
#include "core/cluster/spec_tree.h"

typedef const struct snode *snode_t;

struct sread {
	struct spec_tree *tree;
	struct spec *spec;
	struct err *err;
	int rc; /* of the first complaint */
	const char *file;
	const char *prefix; /* ovis_prefix of the cluster, and of the node that is read */
};

/* -- values (spec_value.c) -- */
void sread_bad(struct sread *r, snode_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sread_warn(struct sread *r, unsigned int line, unsigned int col, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The text of a value; NULL when it is none, which is said. */
const char *snode_text(struct sread *r, snode_t n, const char *what);
/* A member's text; NULL when absent. */
const char *sread_text(struct sread *r, snode_t map, const char *key);
char *sread_dup(struct sread *r, snode_t map, const char *key, const char *dflt); /* yours */
/* One that has to be there. */
const char *sread_need(struct sread *r, snode_t map, const char *key, const char *what);
bool sread_bool(struct sread *r, snode_t map, const char *key);
/* 1 to 65535; 0 after a complaint. */
unsigned short snode_port(struct sread *r, snode_t n);
/* Call fn with each object of a member that is a list of them; a single one stands for itself. */
void sread_each(struct sread *r, snode_t map, const char *key, void (*fn)(struct sread *r, snode_t m, void *arg),
		void *arg);
/* The texts of a member that is a list of them; a single one stands for itself. */
void sread_words(struct sread *r, snode_t map, const char *key, struct spec_words *to);
/* Set names to values: those of the member `key`, an object of them, count before what is there. */
void sread_env(struct sread *r, snode_t map, const char *key, struct kv *to);
/* Complain of keys that are not among `known` (ended by NULL) and that no "%attr%" stands for. */
void sread_keys(struct sread *r, snode_t map, const char *what, const char *const *known);
/* A text for a line of a configuration: no blanks, for which that language has no quotes. */
const char *snode_word(struct sread *r, snode_t n, const char *what);
/* A member that is a path of a file that is written in the node: below its own /run, /tmp and /var/log, or a mount that
 * may be written to; everything else there is the machine's.  `dflt` when absent.  Yours. */
char *sread_file(struct sread *r, snode_t map, const char *key, const char *dflt);
/* A name for a file: letters, digits, '_', '-' and '.'. */
bool sread_name_is_good(struct sread *r, snode_t at, const char *what, const char *name);

void env_set(struct kv *env, const char *name, const char *value);
void port_add(struct spec_daemon *d, unsigned short port);

/* -- daemons -- */
void spec_daemon_read(struct sread *r, snode_t map, struct spec_node *node);
void spec_daemon_fini(struct spec_daemon *d);
/* All that wants to know the whole cluster. */
void spec_slurm_check(struct sread *r, snode_t nodes);

/* -- types (spec_ldmsd.c, spec_slurm.c); `d` has what all types have -- */
void spec_ldmsd_read(struct sread *r, snode_t map, struct spec_daemon *d);
void spec_slurmd_read(struct sread *r, snode_t map, struct spec_daemon *d);
void spec_slurmctld_read(struct sread *r, snode_t map, struct spec_daemon *d);

#endif
