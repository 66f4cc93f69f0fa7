/* procnetdev2.c - the network interfaces of /proc/net/dev, a record each, as many as there are at that moment */
#include <errno.h>

#include "plugins/proc.h"
#include "plugins/rows.h"
#include "plugins/samp.h"

#define SOURCE       "/proc/net/dev"
#define NETDEVS_DFLT 256 /* room for so many interfaces: as ldmsd makes it */
#define NAME_SIZE    16  /* of the kernel: IFNAMSIZ */

static const struct metric_def netdev[] = {
	{ "name", V_CHAR_ARRAY, "", METRIC_GAUGE, "interface", NAME_SIZE },
	{ "rx_bytes", V_U64, "bytes", METRIC_COUNTER, "received bytes", 1 },
	{ "rx_packets", V_U64, "packets", METRIC_COUNTER, "received packets", 1 },
	{ "rx_errs", V_U64, "packets", METRIC_COUNTER, "receive errors", 1 },
	{ "rx_drop", V_U64, "packets", METRIC_COUNTER, "received packets dropped", 1 },
	{ "rx_fifo", V_U64, "events", METRIC_COUNTER, "overruns of the receive queue", 1 },
	{ "rx_frame", V_U64, "events", METRIC_COUNTER, "framing errors", 1 },
	{ "rx_compressed", V_U64, "packets", METRIC_COUNTER, "compressed packets received", 1 },
	{ "rx_multicast", V_U64, "packets", METRIC_COUNTER, "multicast packets received", 1 },
	{ "tx_bytes", V_U64, "bytes", METRIC_COUNTER, "sent bytes", 1 },
	{ "tx_packets", V_U64, "packets", METRIC_COUNTER, "sent packets", 1 },
	{ "tx_errs", V_U64, "packets", METRIC_COUNTER, "send errors", 1 },
	{ "tx_drop", V_U64, "packets", METRIC_COUNTER, "packets dropped instead of sent", 1 },
	{ "tx_fifo", V_U64, "events", METRIC_COUNTER, "overruns of the send queue", 1 },
	{ "tx_colls", V_U64, "events", METRIC_COUNTER, "collisions", 1 },
	{ "tx_carrier", V_U64, "events", METRIC_COUNTER, "losses of the carrier", 1 },
	{ "tx_compressed", V_U64, "packets", METRIC_COUNTER, "compressed packets sent", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
#define MEMBERS  (sizeof(netdev) / sizeof(*netdev) - 1)
#define COUNTERS (MEMBERS - 1)

struct netdev_row { /* a record's values in the set */
	char name[NAME_SIZE];
	uint64_t counters[COUNTERS];
};

static const struct samp_attr attrs[] = {
	{ "ifaces", "all", "only these interfaces, separated by commas" },
	{ "exclude", "none", "all interfaces but these; not looked at when ifaces= is given" },
	{ NULL, NULL, NULL },
};

struct procnetdev2 {
	struct proc_file file;
	struct set *set;
	struct rows rows;
	const char *ifaces, *exclude; /* lists of names, or NULL */
};

/* Is there a word of n bytes in the comma-separated list? */
static bool list_has(const char *list, const char *word, size_t n)
{
	size_t k;

	for (; *list; list += k + (list[k] == ',')) {
		k = strcspn(list, ",");
		if (k == n && !memcmp(list, word, n))
			return true;
	}
	return false;
}

/* The next interface's line at or behind p that is wanted: its counters, and its name; NULL behind the last one. */
static const char *next_netdev(const struct procnetdev2 *nd, const char *p, const char **name, size_t *len)
{
	for (; *p; p = proc_next_line(p)) {
		p = proc_blanks(p);
		*len = proc_word(p, ':');
		if (p[*len] != ':' || !*len)
			continue; /* the two lines of headings */
		*name = p;
		if (nd->ifaces ? list_has(nd->ifaces, p, *len) : !nd->exclude || !list_has(nd->exclude, p, *len))
			return p + *len + 1;
	}
	return NULL;
}

static size_t netdevs_count(const struct procnetdev2 *nd)
{
	const char *p = nd->file.buf, *name;
	size_t n = 0, len;

	while ((p = next_netdev(nd, p, &name, &len)))
		n++;
	return n;
}

static int procnetdev2_open(struct samp *sp, struct err *err)
{
	struct procnetdev2 *nd = samp_state(sp);
	struct schema *s;
	size_t room;
	int rc, record, list = -1;

	nd->ifaces = samp_attr(sp, "ifaces");
	nd->exclude = samp_attr(sp, "exclude");
	rc = proc_open(&nd->file, samp_root(sp), SOURCE, err);
	if (!rc)
		rc = proc_read(&nd->file, err);
	if (rc)
		return rc;
	room = 2 * netdevs_count(nd);
	s = samp_schema_new(sp, "procnetdev2", err);
	if (!s)
		return -EINVAL;
	record = schema_add_record(s, "netdev", netdev, MEMBERS, err);
	if (record >= 0)
		list = schema_add_list(
			s, "netdev_list", NULL,
			(uint32_t)schema_record_heap(s, record, room > NETDEVS_DFLT ? room : NETDEVS_DFLT), err);
	if (list < 0) {
		schema_free(s);
		return record < 0 ? record : list;
	}
	nd->set = samp_set_new(sp, s, "", err);
	if (!nd->set)
		return -ENOMEM;
	nd->rows = (struct rows){ .set = nd->set, .list = list, .record = record };
	return 0;
}

static int procnetdev2_sample(struct samp *sp, struct err *err)
{
	struct procnetdev2 *nd = samp_state(sp);
	int rc = proc_read(&nd->file, err);
	size_t n, len;

	if (rc)
		return rc;
	samp_begin(sp, nd->set);
	do {
		const char *p = nd->file.buf, *name;

		for (n = 0; (p = next_netdev(nd, p, &name, &len)); n++) {
			struct netdev_row *row = rows_at(&nd->rows, n);

			if (!row)
				goto full;
			memset(row->name, 0, sizeof(row->name));
			memcpy(row->name, name, len < sizeof(row->name) ? len : sizeof(row->name) - 1);
			for (size_t i = 0; i < COUNTERS; i++)
				row->counters[i] = htole64(proc_u64(&p));
		}
	} while (rows_cut(&nd->rows, n));
	samp_end(sp, nd->set);
	return 0;
full:
	samp_cancel(sp, nd->set);
	return err_set(err, -ESTALE, "%s: has more than the %zu interfaces that fit", nd->file.path, n);
}

static void procnetdev2_close(struct samp *sp)
{
	struct procnetdev2 *nd = samp_state(sp);

	proc_close(&nd->file);
	rows_fini(&nd->rows);
}

const struct samp_type samp_procnetdev2 = {
	.name = "procnetdev2",
	.brief = "network interfaces, a record each",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = netdev,
	.state_size = sizeof(struct procnetdev2),
	.open = procnetdev2_open,
	.sample = procnetdev2_sample,
	.close = procnetdev2_close,
};
