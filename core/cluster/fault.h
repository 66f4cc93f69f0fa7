/* fault.h - what is wrong in a cluster, on purpose: wires, processes and clocks.
 *
 * What was done to wires and clocks is kept in DIR/NAME/faults, a line each:
 *
 *	cut NODE                   from all others
 *	split NODE,... NODE,...    those of the first list and those of the second
 *	loss NODE PPM              of the packets that come, and of those that go
 *	bandwidth NODE BITS        a second, in each direction
 *	delay NODE US JITTER_US    in each direction
 *	clock NODE SECONDS         more than the machine's
 *	pause NODE                 all its processes are stopped
 */
#ifndef CORE_CLUSTER_FAULT_H
#define CORE_CLUSTER_FAULT_H

#include "core/base/buf.h"
#include "core/cluster/cluster.h"

#define FAULT_PPM 1000000 /* loss of everything */

struct fault_node {
	bool cut, paused;
	uint32_t loss_ppm;
	uint64_t bits;
	int64_t delay_us, jitter_us;
	int64_t clock_s;
};

enum fault_side { SIDE_NONE, SIDE_A, SIDE_B };

struct faults {
	struct fault_node *nodes; /* as many as the cluster has */
	uint8_t **splits;         /* each: a side for every node */
	size_t n_splits;
	size_t n; /* nodes */
};

/* -- as text (fault.c) -- */

int faults_read(const struct cluster *c, struct faults *ret, struct err *err);
int faults_write(const struct cluster *c, const struct faults *f, struct err *err);
/* The lines of the file. */
int faults_parse(const struct cluster *c, char *text, struct faults *ret, struct err *err);
void faults_put(const struct cluster *c, const struct faults *f, struct buf *to);
void faults_fini(struct faults *f);
/* Nodes in both lists: -EINVAL. */
int faults_split(struct faults *f, const struct cluster *c, const bool *a, const bool *b, struct err *err);
/* Nothing is wrong with these nodes' wires any more. */
void faults_heal(struct faults *f, const bool *nodes);

/* "30%", "0.5%" to parts in a million; "1mbit", "500k", "2G" to bits a second (0: no limit); "+1h", "-90s", "0" to
 * seconds. */
int fault_loss_parse(const char *text, uint32_t *ret_ppm, struct err *err);
int fault_rate_parse(const char *text, uint64_t *ret_bits, struct err *err);
int fault_clock_parse(const char *text, int64_t *ret_s, struct err *err);

/* -- carried out -- */

/* Make the wires of `which` nodes, and who may reach whom, as `f` says; they are as `was` says (fault_net.c). */
int fault_net_apply(const struct cluster *c, const struct faults *was, const struct faults *f, const bool *which,
		    struct err *err);
/* Send a signal to all that runs in a node; *ret_n: to how many processes (fault_proc.c). */
int fault_proc_signal(const struct cluster *c, size_t node, int sig, size_t *ret_n, struct err *err);
/* Set a node's clock, in a cluster whose nodes have the environment of fault_clock_env() (clock.c). */
int fault_clock_set(const struct cluster *c, size_t node, int64_t s, struct err *err);
/* What is to stand in a node's environment so that its clock can be set; -ENOENT with words when that is not possible
 * here.  Yours, ended by NULL. */
int fault_clock_env(char ***ret, struct err *err);

#endif
