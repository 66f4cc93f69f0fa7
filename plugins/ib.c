/* ib.c - see ib.h */
#include "plugins/ib.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/namelist.h"

#define PORTS_MAX 64 /* an adapter has one or two, a switch's more */

static struct sysnum counter_find(const char *path, unsigned int no, const struct ib_counter *c)
{
	struct sysnum sn = { .fd = -1 };

	if (c->wide)
		sn.path = xasprintf("%s/ports/%u/counters_ext/%s", path, no, c->wide);
	if (sn.path && !access(sn.path, F_OK))
		return sn;
	free(sn.path);
	sn.path = c->file ? xasprintf("%s/ports/%u/counters/%s", path, no, c->file) : NULL;
	if (sn.path && access(sn.path, F_OK)) {
		free(sn.path);
		sn.path = NULL;
	}
	return sn;
}

static struct ib_port *port_new(const char *path, const char *ca, unsigned int no, const struct ib_counter *counters,
				size_t n)
{
	struct ib_port *p = xcalloc(1, sizeof(*p));

	snprintf(p->ca, sizeof(p->ca), "%.*s", IB_NAME - 1, ca);
	p->no = no;
	p->n = n;
	p->files = xcalloc(n, sizeof(*p->files));
	for (size_t i = 0; i < n; i++)
		p->files[i] = counter_find(path, no, &counters[i]);
	return p;
}

int ib_ports(const char *path, const char *ca, const char *wanted, const struct ib_counter *counters, size_t n,
	     void (*fn)(void *owner, struct ib_port *port), void *owner, struct err *err)
{
	unsigned int found = 0;

	for (unsigned int no = 1; no <= PORTS_MAX; no++) {
		char *dir = xasprintf("%s/ports/%u/counters", path, no), name[IB_NAME + 16];
		bool there = !access(dir, F_OK);

		free(dir);
		if (!there)
			continue;
		found++;
		snprintf(name, sizeof(name), "%.*s.%u", IB_NAME - 1, ca, no);
		if (!wanted || !strcmp(wanted, "*") || namelist_has(wanted, name, strlen(name)))
			fn(owner, port_new(path, ca, no, counters, n));
	}
	return found ? 0 : err_set(err, -ENOENT, "%s: has no port with counters; is its driver whole?", path);
}

int ib_port_read(struct ib_port *port, uint64_t *slots, struct err *err)
{
	for (size_t i = 0; i < port->n; i++) {
		uint64_t v = 0;
		int rc = port->files[i].path ? sysnum_u64(&port->files[i], &v, err) : 0;

		if (rc)
			return rc;
		slots[i] = htole64(v);
	}
	return 0;
}

void ib_port_free(struct ib_port *port)
{
	for (size_t i = 0; i < port->n; i++)
		sysnum_close(&port->files[i]);
	free(port->files);
	free(port);
}
