/* procnet.c - a set for each network interface that is in use: NAME/eth0
 *
 * A set comes with the first byte of its interface, is written when a counter has changed, and goes with the interface.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
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
	struct set *set; /* NULL: not in use so far */
	uint64_t *slots; /* update, and the counters */
	uint64_t sum;    /* of the counters */
	bool seen;       /* in this sample */
};

struct procnet {
	struct proc_file file;
	const char *excluded; /* list of names, or NULL */
	struct names names;
	struct port *ports; /* of the names */
	uint32_t cap;
	bool gone; /* was any not seen? */
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
		return &pn->ports[i];
	i = (int)names_add(&pn->names, name, len);
	if (pn->names.cap != pn->cap) {
		pn->cap = pn->names.cap;
		pn->ports = xrealloc(pn->ports, pn->cap * sizeof(*pn->ports));
	}
	pn->ports[i] = (struct port){ 0 };
	return &pn->ports[i];
}

static int port_sample(struct port *pt, struct samp *sp, const char *name, size_t len,
		       const uint64_t counters[NETDEV_COUNTERS], struct err *err)
{
	uint64_t sum = 0;
	int rc;

	pt->seen = true;
	for (int i = 0; i < NETDEV_COUNTERS; i++)
		sum += le64toh(counters[i]);
	if (sum == pt->sum)
		return 0;
	rc = pt->set ? 0 : port_set_make(pt, sp, name, len, err);
	if (rc)
		return rc;
	samp_begin(sp, pt->set);
	pt->slots[0] = htole64(le64toh(pt->slots[0]) + 1);
	memcpy(pt->slots + 1, counters, NETDEV_COUNTERS * sizeof(*counters));
	samp_end(sp, pt->set);
	pt->sum = sum;
	return 0;
}

/* Interfaces that were not seen are gone. */
static void ports_sweep(struct procnet *pn, struct samp *sp)
{
	struct names kept = { 0 };

	for (uint32_t i = 0; i < pn->names.n; i++) {
		size_t len;
		const char *name = names_text(&pn->names, i, &len);

		if (pn->ports[i].seen)
			pn->ports[names_add(&kept, name, len)] = pn->ports[i];
		else
			samp_set_drop(sp, pn->ports[i].set);
	}
	names_fini(&pn->names);
	pn->names = kept;
	pn->cap = 0; /* of the ports is at least that of the names, and follows it from now on */
}

static int procnet_sample(struct samp *sp, struct err *err)
{
	struct procnet *pn = samp_state(sp);
	int rc = proc_read(&pn->file, err);
	const char *p = pn->file.buf, *name;
	uint64_t counters[NETDEV_COUNTERS];
	uint32_t seen = 0;
	size_t len;

	if (rc)
		return rc;
	for (uint32_t i = 0; i < pn->names.n; i++)
		pn->ports[i].seen = false;
	names_rewind(&pn->names);
	for (; (p = netdev_next(p, &name, &len)); p = proc_next_line(p)) {
		struct port *pt;
		int failed;

		if (len >= NETDEV_NAME || (pn->excluded && namelist_has(pn->excluded, name, len)) ||
		    !netdev_counters(&p, counters))
			continue;
		pt = port_get(pn, name, len);
		seen += !pt->seen;
		failed = port_sample(pt, sp, name, len, counters, rc ? NULL : err);
		rc = rc ? rc : failed; /* the others go on */
	}
	if (seen < pn->names.n)
		ports_sweep(pn, sp);
	return rc;
}

static void procnet_close(struct samp *sp)
{
	struct procnet *pn = samp_state(sp);

	proc_close(&pn->file);
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
