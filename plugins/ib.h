/* ib.h - the counters of InfiniBand's and Omni-Path's ports: /sys/class/infiniband/CA/ports/N/counters/NAME */
#ifndef PLUGINS_IB_H
#define PLUGINS_IB_H

#include "plugins/sysnum.h"

#define IB_SOURCE "/sys/class/infiniband"
enum { IB_NAME = 64 };

struct ib_counter {
	const char *file;        /* in counters/, or NULL: the kernel does not tell */
	const char *wide;        /* in counters_ext/, looked for first: of 64 bits on old adapters; or NULL */
	const char *name, *help; /* of the metric */
};

struct ib_port {
	char ca[IB_NAME];
	unsigned int no;
	struct sysnum *files; /* of the counters; .path NULL: it does not have that one */
	size_t n;
};

/* fn for each port of the adapter in the folder `path`, by number, whose CA.PORT is in `wanted`; NULL and "*": all. */
int ib_ports(const char *path, const char *ca, const char *wanted, const struct ib_counter *counters, size_t n,
	     void (*fn)(void *owner, struct ib_port *port), void *owner, struct err *err);
/* All counters, little endian; those that it does not have are 0. */
int ib_port_read(struct ib_port *port, uint64_t *slots, struct err *err);
void ib_port_free(struct ib_port *port);

#endif
