/* sysclassib.c - the counters of InfiniBand's ports, and how fast they grow: ib.port_xmit_data#mlx5_0.1
 *
 * Data are counted in words of four bytes, as the hardware does.  The set is made anew when an adapter comes or goes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/folder.h"
#include "plugins/ib.h"

static const struct ib_counter counters[] = {
	{ "symbol_error", NULL, "symbol_error", "errors on the line" },
	{ "link_error_recovery", NULL, "link_error_recovery", "times that the link recovered from errors" },
	{ "link_downed", NULL, "link_downed", "times that it did not" },
	{ "port_rcv_errors", NULL, "port_rcv_errors", "packets received with an error" },
	{ "port_rcv_remote_physical_errors", NULL, "port_rcv_remote_physical_errors", "those marked bad elsewhere" },
	{ "port_rcv_switch_relay_errors", NULL, "port_rcv_switch_relay_errors", "those that could not be forwarded" },
	{ "port_xmit_discards", NULL, "port_xmit_discards", "packets that could not be sent" },
	{ "port_xmit_constraint_errors", NULL, "port_xmit_constraint_errors",
	  "those that were not allowed to be sent" },
	{ "port_rcv_constraint_errors", NULL, "port_rcv_constraint_errors", "those not allowed to be received" },
	{ NULL, NULL, "COUNTER_SELECT2_F", "0: the kernel does not tell" },
	{ "local_link_integrity_errors", NULL, "local_link_integrity_errors", "local errors beyond the threshold" },
	{ "excessive_buffer_overrun_errors", NULL, "excessive_buffer_overrun_errors", "buffers overrun" },
	{ "VL15_dropped", NULL, "VL15_dropped", "packets of management dropped" },
	{ "port_xmit_data", "port_xmit_data_64", "port_xmit_data", "words of four bytes sent" },
	{ "port_rcv_data", "port_rcv_data_64", "port_rcv_data", "words of four bytes received" },
	{ "port_xmit_packets", "port_xmit_packets_64", "port_xmit_packets", "packets sent" },
	{ "port_rcv_packets", "port_rcv_packets_64", "port_rcv_packets", "packets received" },
	{ "port_xmit_wait", NULL, "port_xmit_wait", "ticks with data and no credit to send them" },
	{ "unicast_xmit_packets", "port_unicast_xmit_packets", "port_unicast_xmit_packets", "packets sent to one" },
	{ "unicast_rcv_packets", "port_unicast_rcv_packets", "port_unicast_rcv_packets", "packets received alone" },
	{ "multicast_xmit_packets", "port_multicast_xmit_packets", "port_multicast_xmit_packets",
	  "packets sent to many" },
	{ "multicast_rcv_packets", "port_multicast_rcv_packets", "port_multicast_rcv_packets",
	  "packets received with others" },
};
enum { COUNTERS = sizeof(counters) / sizeof(*counters) };

static const struct metric_def metrics[] = {
	{ "ib.COUNTER#CA.PORT", V_U64, "", METRIC_COUNTER, "a counter of the port, as the kernel calls it", 1 },
	{ "ib.COUNTER.rate#CA.PORT", V_F32, "", METRIC_GAUGE, "per second", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct samp_attr attrs[] = {
	{ "ports", "*", "CA.PORT, separated by commas (mlx5_0.1); *: all" },
	{ "metrics_type", "0", "0: counters and rates, 1: counters, 2: rates" },
	{ NULL, NULL, NULL },
};
enum metrics_type { BOTH, COUNTS, RATES };

struct port {
	struct ib_port *ib;
	uint64_t now[COUNTERS], was[COUNTERS]; /* little endian */
	int64_t at_us;                         /* 0: never read */
	uint64_t *counts, *rates;              /* in the set; or NULL */
};

struct sysclassib {
	struct folder folder;
	const char *wanted;
	uint64_t type;
	struct port **ports;
	size_t n;
	struct set *set;
	bool made, stale; /* is the set made; are the adapters others now? */
};

static int conf_read(struct samp *sp, struct sysclassib *ib, struct err *err)
{
	return attr_range(sp, "metrics_type", BOTH, BOTH, RATES, &ib->type, err);
}

static int sysclassib_check(struct samp *sp, struct err *err)
{
	struct sysclassib ib;

	return conf_read(sp, &ib, err);
}

static void port_add(void *owner, struct ib_port *port)
{
	struct sysclassib *ib = owner;

	ib->ports = xrealloc(ib->ports, (ib->n + 1) * sizeof(struct port *));
	ib->ports[ib->n] = xcalloc(1, sizeof(struct port));
	ib->ports[ib->n++]->ib = port;
}

/* An adapter's item is the sampler itself: its ports are in one list. */
static int adapter_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct sysclassib *ib = owner;
	int rc = 0;

	(void)sp;
	if (!ib->made)
		rc = ib_ports(path, name, ib->wanted, counters, COUNTERS, port_add, ib, err);
	ib->stale = ib->made;
	*ret = rc ? NULL : ib;
	return rc;
}

static void adapter_end(struct samp *sp, void *item)
{
	struct sysclassib *ib = item;

	(void)sp;
	ib->stale = true;
}

static const struct folder_type adapters = {
	.places = (const char *const[]){ IB_SOURCE, NULL },
	.hint = "has this node InfiniBand, and is its driver loaded?",
	.make = adapter_make,
	.end = adapter_end,
};

static int port_metrics_add(const struct sysclassib *ib, struct schema *s, const struct ib_port *port, bool rates,
			    struct err *err)
{
	int rc = 0;

	if (ib->type == (rates ? COUNTS : RATES))
		return 0;
	for (int i = 0; i < COUNTERS && rc >= 0; i++) {
		char name[METRIC_NAME_MAX];
		struct metric_def def = metrics[rates];

		snprintf(name, sizeof(name), "ib.%s%s#%s.%u", counters[i].name, rates ? ".rate" : "", port->ca,
			 port->no);
		def.name = name;
		def.help = counters[i].help;
		rc = schema_add_defs(s, &def, 1, err);
	}
	return rc < 0 ? rc : 0;
}

static int set_make(struct sysclassib *ib, struct samp *sp, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "sysclassib", err);
	uint64_t *slots;
	int first, rc = s ? 0 : -EINVAL;

	first = s ? (int)schema_card(s) : 0;
	for (size_t i = 0; i < ib->n && !rc; i++) {
		rc = port_metrics_add(ib, s, ib->ports[i]->ib, false, err);
		if (!rc)
			rc = port_metrics_add(ib, s, ib->ports[i]->ib, true, err);
	}
	if (rc) {
		schema_free(s);
		return rc;
	}
	ib->set = samp_set_new(sp, s, "", err);
	if (!ib->set)
		return -ENOMEM;
	slots = set_slot(ib->set, first);
	for (size_t i = 0; i < ib->n; i++) {
		if (ib->type != RATES) {
			ib->ports[i]->counts = slots;
			slots += COUNTERS;
		}
		if (ib->type != COUNTS) {
			ib->ports[i]->rates = slots;
			slots += COUNTERS;
		}
	}
	ib->made = true;
	return 0;
}

static int sysclassib_open(struct samp *sp, struct err *err)
{
	struct sysclassib *ib = samp_state(sp);
	int rc = conf_read(sp, ib, err);

	if (rc)
		return rc;
	ib->wanted = samp_attr(sp, "ports");
	folder_init(&ib->folder, &adapters, samp_root(sp), NULL, ib);
	rc = folder_look(&ib->folder, sp, err);
	if (!rc)
		rc = folder_each(&ib->folder, sp, NULL, err);
	if (!rc && !ib->n)
		rc = err_set(err, -ENOENT, "ports=%s: no port of that name; %s", ib->wanted ? ib->wanted : "*",
			     adapters.hint);
	return rc ? rc : set_make(ib, sp, err);
}

static void rates_put(struct port *p, int64_t now_us)
{
	for (int i = 0; i < COUNTERS && p->rates; i++) {
		uint64_t now = le64toh(p->now[i]), was = le64toh(p->was[i]);
		float rate = p->at_us && now >= was && now_us > p->at_us
				     ? (float)((double)(now - was) * SEC_US / (double)(now_us - p->at_us))
				     : 0;
		uint32_t bits;

		memcpy(&bits, &rate, sizeof(bits));
		p->rates[i] = htole64(bits);
	}
	memcpy(p->was, p->now, sizeof(p->was));
	p->at_us = now_us;
}

static int sysclassib_sample(struct samp *sp, struct err *err)
{
	struct sysclassib *ib = samp_state(sp);
	int first = folder_look(&ib->folder, sp, err);

	if (first)
		return first;
	folder_each(&ib->folder, sp, NULL, NULL);
	if (ib->stale)
		return err_set(err, -ESTALE, "adapters have come or gone");
	samp_begin(sp, ib->set);
	for (size_t i = 0; i < ib->n; i++) {
		struct port *p = ib->ports[i];
		int rc = ib_port_read(p->ib, p->now, first ? NULL : err);

		first = first ? first : rc;
		if (rc)
			continue;
		if (p->counts)
			memcpy(p->counts, p->now, sizeof(p->now));
		rates_put(p, mono_us());
	}
	samp_end(sp, ib->set);
	return first;
}

static void sysclassib_close(struct samp *sp)
{
	struct sysclassib *ib = samp_state(sp);

	folder_close(&ib->folder, sp);
	for (size_t i = 0; i < ib->n; i++) {
		ib_port_free(ib->ports[i]->ib);
		free(ib->ports[i]);
	}
	free(ib->ports);
}

static int sysclassib_probe(const char *root, struct err *err)
{
	return folder_probe(&adapters, root, err);
}

const struct samp_type samp_sysclassib = {
	.name = "sysclassib",
	.brief = "ports of InfiniBand",
	.source = IB_SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct sysclassib),
	.probe = sysclassib_probe,
	.check = sysclassib_check,
	.open = sysclassib_open,
	.sample = sysclassib_sample,
	.close = sysclassib_close,
};
