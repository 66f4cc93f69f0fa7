/* daemons_impl.h - what the files of the daemons share: daemons.c starts, awaits and stops; daemons_type.c has what is
 * special to each type, daemons_slurm.c of it what belongs to Slurm; daemons_file.c knows the files of nodes. */
#ifndef CORE_CLUSTER_DAEMONS_IMPL_H
#define CORE_CLUSTER_DAEMONS_IMPL_H

#include "core/cluster/daemons.h"
#include "core/cluster/node.h"

struct daemons {
	const struct cluster *c;
	const struct spec *spec;
	struct spec *own; /* to be freed; NULL: the spec is another's */
	struct spec_words mounts;
	char *slurm_states; /* of this moment: "NODE STATE" lines of sinfo; NULL: not asked yet */
};

/* One daemon that is being started or stopped. */
struct job {
	const struct spec_node *sn;
	const struct spec_daemon *d;
	size_t node; /* in the cluster */
	pid_t pid;   /* 0: not started */
	uint64_t born;
	int64_t patience_until_us;
	char *log;      /* as the host sees it; and */
	off_t log_from; /* where this run of the daemon began in it */
	bool up;
};

/* What is special to a type. */
struct daemon_type {
	const char *package; /* of Debian, which brings the program; NULL: it is this one */
	int64_t grace_us;    /* from SIGTERM to SIGKILL */
	int64_t patience_us; /* until it is up, on a machine that has much else to do */
	/* Write its files. */
	int (*prepare)(struct daemons *ds, const struct job *j, struct err *err);
	/* Its command line, and variables that the specification's come after. */
	void (*command)(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env);
	/* Does it do its work?  If not, *ret_what says what is missing, in words as "to listen on port 411"; yours. */
	bool (*is_up)(struct daemons *ds, const struct job *j, char **ret_what);
};
extern const struct daemon_type daemon_types[SPEC_TYPES];

int slurm_prepare(struct daemons *ds, const struct job *j, struct err *err);
void slurmctld_command(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env);
void slurmd_command(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env);
bool slurmctld_is_up(struct daemons *ds, const struct job *j, char **ret_what);
bool slurmd_is_up(struct daemons *ds, const struct job *j, char **ret_what);

/* Does the process listen on every one of these ports of the node?  *ret_missing: the first on which it does not. */
bool ports_listen(const struct cluster *c, size_t node, pid_t pid, const unsigned short *ports, size_t n,
		  unsigned short *ret_missing);
/* Run a command in a node to its end: its exit status, or -errno when it cannot be run; its output, if asked for. */
int node_ask(const struct daemons *ds, size_t node, char *const *argv, struct buf *ret_output, struct err *err);

/* -- files (daemons_file.c) -- */

/* A path in a node as the host sees it; yours. */
char *daemon_file(const struct daemons *ds, size_t node, const char *path);
/* Write one in a node, with the folders above it. */
int daemon_file_write(const struct daemons *ds, size_t node, const char *path, mode_t mode, const struct buf *text,
		      struct err *err);
int daemon_dir_make(const struct daemons *ds, size_t node, const char *path, mode_t mode, struct err *err);
/* Open a log for its daemon to write at its end; a descriptor. */
int daemon_log_open(const struct daemons *ds, size_t node, const char *path, struct err *err);
/* The last lines of a log (of the host), not more than a screenful and none before `from`. */
void daemon_log_end(const char *host, off_t from, struct buf *to);
/* The key of all munged that have none of their own: made once. */
int munge_key(const struct daemons *ds, struct buf *ret, struct err *err);

#endif
