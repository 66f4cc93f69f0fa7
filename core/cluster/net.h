/* net.h - links and addresses of a cluster's network, over rtnetlink: in the namespace of the calling process. */
#ifndef CORE_CLUSTER_NET_H
#define CORE_CLUSTER_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define NET_BRIDGE  "br0"  /* where all nodes' wires end */
#define NET_ETH     "eth0" /* what a node has */
#define NET_PREFIX  16
#define NET_PREFIX6 64

struct net {
	int fd;
	unsigned int seq;
	struct buf msg;
};

/* Node i, from 0: 10.77.1.2 and so on, fd77::1:2 and so on, into out (at least 32 bytes); the keeper's end of its wire. */
const char *net_addr(size_t i, char *out);
const char *net_addr6(size_t i, char *out);
const char *net_port(size_t i, char *out);

int net_open(struct net *n, struct err *err);
void net_close(struct net *n);
/* A bridge, and up. */
int net_bridge_add(struct net *n, const char *name, struct err *err);
/* A wire between the bridge (`port`, up) and NET_ETH, which the process's network namespace gets. */
int net_wire_add(struct net *n, const char *port, const char *bridge, pid_t to, struct err *err);
int net_link_set(struct net *n, const char *name, bool up, struct err *err);
/* A bridge's port that is off drops all packets, at once and without a word: neither side sees its link go. */
int net_port_set(struct net *n, const char *port, bool on, struct err *err);
int net_addr_add(struct net *n, const char *name, const char *addr, unsigned int prefix, struct err *err);

#endif
