/* opa2.c - the ports of Omni-Path's adapters, a set each: PRODUCER/hfi1_0/1 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/folder.h"
#include "plugins/ib.h"

static const struct ib_counter counters[] = {
	{ "port_xmit_data", NULL, "port_xmit_data", "words of four bytes sent" },
	{ "port_rcv_data", NULL, "port_rcv_data", "words of four bytes received" },
	{ "port_xmit_packets", NULL, "port_xmit_packets", "packets sent" },
	{ "port_rcv_packets", NULL, "port_rcv_packets", "packets received" },
	{ "unicast_xmit_packets", NULL, "port_unicast_xmit_packets", "packets sent to one" },
	{ "unicast_rcv_packets", NULL, "port_unicast_rcv_packets", "packets received alone" },
	{ "multicast_xmit_packets", NULL, "port_multicast_xmit_packets", "packets sent to many" },
	{ "multicast_rcv_packets", NULL, "port_multicast_rcv_packets", "packets received with others" },
};
enum { COUNTERS = sizeof(counters) / sizeof(*counters), NAMES = 2 };

static const struct metric_def metrics[] = {
	{ "ca_name", V_CHAR_ARRAY, "", METRIC_INFO, "adapter", IB_NAME },
	{ "port", V_U32, "", METRIC_INFO, "number of the port", 1 },
	{ "port_xmit_data", V_U64, "", METRIC_COUNTER, "words of four bytes sent; further counters as in sysclassib",
	  1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct samp_attr attrs[] = {
	{ "ports", "*", "HFI.PORT, separated by commas (hfi1_0.1); *: all" },
	{ NULL, NULL, NULL },
};

struct opa2 {
	struct folder folder;
	const char *wanted;
};

struct hfi {
	struct port {
		struct ib_port *ib;
		struct set *set; /* NULL: not made so far */
		uint64_t *slots;
	} * ports;
	size_t n;
};

static void port_add(void *owner, struct ib_port *port)
{
	struct hfi *h = owner;

	h->ports = xrealloc(h->ports, (h->n + 1) * sizeof(*h->ports));
	h->ports[h->n++] = (struct port){ .ib = port };
}

static void hfi_end(struct samp *sp, void *item)
{
	struct hfi *h = item;

	for (size_t i = 0; i < h->n; i++) {
		samp_set_drop(sp, h->ports[i].set);
		ib_port_free(h->ports[i].ib);
	}
	free(h->ports);
	free(h);
}

static int port_set_make(struct port *p, struct samp *sp, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "opa2", err);
	int first = s ? schema_add_defs(s, metrics, NAMES, err) : -EINVAL, rc = first;
	uint32_t no = htole32(p->ib->no);
	char *name;

	for (int i = 0; i < COUNTERS && rc >= 0; i++) {
		struct metric_def def = metrics[NAMES];

		def.name = counters[i].name;
		def.help = counters[i].help;
		rc = schema_add_defs(s, &def, 1, err);
	}
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	name = xasprintf("%s/%s/%u", samp_producer(sp), p->ib->ca, p->ib->no);
	p->set = samp_set_named(sp, s, name, err);
	free(name);
	if (!p->set)
		return -ENOMEM;
	set_meta_text(p->set, first, p->ib->ca, strlen(p->ib->ca));
	set_meta_put(p->set, first + 1, &no, sizeof(no));
	p->slots = set_slot(p->set, first + NAMES);
	return 0;
}

static int hfi_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	const struct opa2 *o = owner;
	struct hfi *h = xcalloc(1, sizeof(*h));
	int rc = ib_ports(path, name, o->wanted, counters, COUNTERS, port_add, h, err);

	for (size_t i = 0; i < h->n && !rc; i++)
		rc = port_set_make(&h->ports[i], sp, err);
	if (rc)
		hfi_end(sp, h);
	else
		*ret = h;
	return rc;
}

static int hfi_sample(struct samp *sp, void *item, struct err *err)
{
	struct hfi *h = item;
	int first = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct port *p = &h->ports[i];
		int rc;

		samp_begin(sp, p->set);
		rc = ib_port_read(p->ib, p->slots, first ? NULL : err);
		if (rc)
			samp_cancel(sp, p->set);
		else
			samp_end(sp, p->set);
		first = first ? first : rc;
	}
	return first;
}

static const struct folder_type hfis = {
	.places = (const char *const[]){ IB_SOURCE, NULL },
	.prefix = "hfi",
	.hint = "has this node Omni-Path, and is the driver hfi1 loaded?",
	.make = hfi_make,
	.end = hfi_end,
};

static int opa2_look(struct samp *sp, struct err *err)
{
	struct opa2 *o = samp_state(sp);
	int rc = folder_look(&o->folder, sp, err);

	if (!rc && !o->folder.names.n)
		rc = err_set(err, -ENOENT, "%s" IB_SOURCE ": has no hfi1_N; %s", samp_root(sp), hfis.hint);
	return rc;
}

static int opa2_open(struct samp *sp, struct err *err)
{
	struct opa2 *o = samp_state(sp);
	int rc;

	o->wanted = samp_attr(sp, "ports");
	folder_init(&o->folder, &hfis, samp_root(sp), NULL, o);
	rc = opa2_look(sp, err);
	if (!rc)
		folder_each(&o->folder, sp, NULL, NULL); /* what cannot be read is said by the first sample */
	return rc;
}

static int opa2_sample(struct samp *sp, struct err *err)
{
	struct opa2 *o = samp_state(sp);
	int rc = opa2_look(sp, err);

	return rc ? rc : folder_each(&o->folder, sp, hfi_sample, err);
}

static void opa2_close(struct samp *sp)
{
	struct opa2 *o = samp_state(sp);

	folder_close(&o->folder, sp);
}

static int opa2_probe(const char *root, struct err *err)
{
	char *path = xasprintf("%s" IB_SOURCE "/hfi1_0/ports", root);
	bool there = !access(path, F_OK);

	free(path);
	return there ? err_set(err, -EEXIST, "sysclassib tells the same, and more")
		     : err_set(err, -ENOENT, "no adapter of Omni-Path");
}

const struct samp_type samp_opa2 = {
	.name = "opa2",
	.brief = "ports of Omni-Path, a set each",
	.source = IB_SOURCE "/hfi1_N",
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct opa2),
	.probe = opa2_probe,
	.open = opa2_open,
	.sample = opa2_sample,
	.close = opa2_close,
};
