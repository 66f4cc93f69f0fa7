/* procnet.c - a set for each network interface that is in use: NAME/eth0
 *
 * A set comes with the first byte of its interface, is written when a counter has changed, and goes with the interface.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/cells.h"
#include "plugins/namelist.h"
#include "plugins/names.h"
#include "plugins/netdev.h"
#include "plugins/samp.h"

#define DEVICE_SIZE 20 /* bytes of the metric `device`; ldmsd's */

static const struct metric_def metrics[] = {
	{ "device", V_CHAR_ARRAY, "", METRIC_GAUGE, "interface", DEVICE_SIZE },
	{ "update", V_U64, "", METRIC_COUNTER, "how often this set has been written", 1 },
	{ "rx_bytes", V_U64, "", METRIC_COUNTER, "received bytes; further counters as in procnetdev", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { OWN = 2 };

static const struct samp_attr attrs[] = {
	{ "exclude_ports", "none", "all interfaces but these, separated by commas" },
	{ NULL, NULL, NULL },
};

struct port {
	struct set *set;                    /* NULL: not in use so far */
	uint64_t *slots;                    /* update, and the counters */
	uint64_t counters[NETDEV_COUNTERS]; /* little endian */
	uint64_t sum;                       /* of those in the set */
	size_t line;                        /* of the cells */
	bool seen;                          /* in the last full scan */
};

struct procnet {
	struct proc_file file;
	struct cells cells;
	const char *excluded; /* list of names, or NULL */
	struct names names;
	struct port **ports; /* of the names */
};

static int procnet_open(struct samp *sp, struct err *err)
{
	struct procnet *pn = samp_state(sp);

	pn->excluded = samp_attr(sp, "exclude_ports");
	return proc_open(&pn->file, samp_root(sp), NETDEV_SOURCE, err);
}

static int port_set_make(struct port *pt, struct samp *sp, const char *name, size_t len, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "procnet", err);
	char suffix[NETDEV_NAME + 2];
	int device, rc;

	rc = device = s ? schema_add_defs(s, metrics, OWN, err) : -EINVAL;
	for (int i = 0; i < NETDEV_COUNTERS && rc >= 0; i++) {
		struct metric_def def = netdev_members[1 + i];

		def.unit = "";
		rc = schema_add_defs(s, &def, 1, err);
	}
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	snprintf(suffix, sizeof(suffix), "/%.*s", (int)len, name);
	pt->set = samp_set_new(sp, s, suffix, err);
	if (!pt->set)
		return -ENOMEM;
	set_text(pt->set, device, name, len);
	pt->slots = set_slot(pt->set, device + 1);
	return 0;
}

static struct port *port_get(struct procnet *pn, const char *name, size_t len)
{
	int i = names_find(&pn->names, name, len);

	if (i >= 0)
		return pn->ports[i];
	i = (int)names_add(&pn->names, name, len);
	pn->ports = xrealloc(pn->ports, pn->names.cap * sizeof(struct port *));
	pn->ports[i] = xcalloc(1, sizeof(**pn->ports));
	return pn->ports[i];
}

/* Interfaces that were not seen are gone. */
static void ports_sweep(struct procnet *pn, struct samp *sp)
{
	struct names kept = { 0 };

	for (uint32_t i = 0; i < pn->names.n; i++) {
		struct port *pt = pn->ports[i];
		size_t len;
		const char *name = names_text(&pn->names, i, &len);

		if (pt->seen) {
			pn->ports[names_add(&kept, name, len)] = pt;
			continue;
		}
		samp_set_drop(sp, pt->set);
		free(pt);
	}
	names_fini(&pn->names);
	pn->names = kept;
}

/* The line at p, when it is of an interface that is wanted; false: it has too few counters, and is passed over. */
static bool port_learn(struct procnet *pn, const char *p)
{
	size_t line = cells_line(&pn->cells, p), len;
	const char *name, *counters = netdev_line(p, &name, &len), *all = counters;
	uint64_t trial[NETDEV_COUNTERS];
	struct port *pt;

	if (!counters)
		return true;
	if (len >= NETDEV_NAME || (pn->excluded && namelist_has(pn->excluded, name, len))) {
		cells_loose(&pn->cells, counters);
		return true;
	}
	pt = port_get(pn, name, len);
	pt->seen = true;
	pt->line = line;
	if (!netdev_counters(&all, trial))
		return false;
	for (int i = 0; i < NETDEV_COUNTERS; i++)
		cells_number(&pn->cells, &counters, &pt->counters[i]);
	return true;
}

/* All interfaces, anew. */
static void ports_learn(struct procnet *pn, struct samp *sp)
{
	bool whole = true;

	for (uint32_t i = 0; i < pn->names.n; i++)
		pn->ports[i]->seen = false;
	cells_begin(&pn->cells);
	names_rewind(&pn->names);
	for (const char *p = pn->file.buf; *p; p = proc_next_line(p))
		whole &= port_learn(pn, p);
	ports_sweep(pn, sp);
	if (whole)
		cells_end(&pn->cells, &pn->file);
}

static int port_sample(struct port *pt, struct samp *sp, const char *name, size_t len, struct err *err)
{
	uint64_t sum = 0;
	int rc;

	for (int i = 0; i < NETDEV_COUNTERS; i++)
		sum += le64toh(pt->counters[i]);
	if (sum == pt->sum)
		return 0;
	rc = pt->set ? 0 : port_set_make(pt, sp, name, len, err);
	if (rc)
		return rc;
	samp_begin(sp, pt->set);
	pt->slots[0] = htole64(le64toh(pt->slots[0]) + 1);
	memcpy(pt->slots + 1, pt->counters, sizeof(pt->counters));
	samp_end(sp, pt->set);
	pt->sum = sum;
	return 0;
}

static int procnet_sample(struct samp *sp, struct err *err)
{
	struct procnet *pn = samp_state(sp);
	int rc = proc_read(&pn->file, err);

	if (rc)
		return rc;
	if (!cells_update(&pn->cells, &pn->file))
		ports_learn(pn, sp);
	for (uint32_t i = 0; i < pn->names.n; i++) {
		struct port *pt = pn->ports[i];
		const char *name;
		size_t len;
		int failed;

		if (!cells_moved(&pn->cells, pt->line))
			continue;
		name = names_text(&pn->names, i, &len);
		failed = port_sample(pt, sp, name, len, rc ? NULL : err);
		rc = rc ? rc : failed; /* the others go on */
	}
	if (rc)
		cells_begin(&pn->cells); /* try again with the next sample, whether it has changed or not */
	return rc;
}

static void procnet_close(struct samp *sp)
{
	struct procnet *pn = samp_state(sp);

	proc_close(&pn->file);
	cells_fini(&pn->cells);
	for (uint32_t i = 0; i < pn->names.n; i++)
		free(pn->ports[i]);
	names_fini(&pn->names);
	free(pn->ports);
}

const struct samp_type samp_procnet = {
	.name = "procnet",
	.brief = "a set for each network interface in use",
	.source = NETDEV_SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct procnet),
	.open = procnet_open,
	.sample = procnet_sample,
	.close = procnet_close,
};
