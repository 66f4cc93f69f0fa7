/* nodes.h - a list of nodes, as sites have them: names in words and lists of hosts, or a host map in JSON. */
#ifndef CORE_MAESTRO_NODES_H
#define CORE_MAESTRO_NODES_H

#include <stddef.h>

#include "core/base/err.h"

struct node_name {
	char *name, *host; /* the host is where it is reached */
};

struct nodes {
	struct node_name *v;
	size_t n;
};

/* Words are lists of hosts, parted by blanks, commas and newlines; lines begun by # are comments.  A JSON list of objects
 * has "hostname", and "hostaddr" or "ip_address": nodes whose name has "nid", "service", "workflow" or "login" are
 * reached at their hostaddr, "ncn-" ones by their name, others at their ip_address.  In the order of writing; one that
 * comes twice counts once.  -EINVAL with words that begin with `origin`. */
int nodes_parse(const char *origin, const char *text, size_t len, struct nodes *ret, struct err *err);
void nodes_fini(struct nodes *nodes);

#endif
