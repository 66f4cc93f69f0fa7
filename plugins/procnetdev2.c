/* procnetdev2.c - the network interfaces of /proc/net/dev, a record each, as many as there are at that moment */
#include <errno.h>

#include "plugins/namelist.h"
#include "plugins/netdev.h"
#include "plugins/rows.h"
#include "plugins/samp.h"

#define NETDEVS_DFLT 256 /* room for so many interfaces: as ldmsd makes it */

struct netdev_row { /* a record's values in the set */
	char name[NETDEV_NAME];
	uint64_t counters[NETDEV_COUNTERS];
};

static const struct samp_attr attrs[] = {
	{ "ifaces", "all", "only these interfaces, separated by commas" },
	{ "exclude", "none", "all interfaces but these; not looked at when ifaces= is given" },
	{ NULL, NULL, NULL },
};

struct procnetdev2 {
	struct proc_file file;
	struct rows rows;
	const char *ifaces, *exclude; /* lists of names, or NULL */
};

/* As netdev_next(), of those that are wanted. */
static const char *next_wanted(const struct procnetdev2 *nd, const char *p, const char **name, size_t *len)
{
	for (; (p = netdev_next(p, name, len)); p = proc_next_line(p))
		if (nd->ifaces ? namelist_has(nd->ifaces, *name, *len)
			       : !nd->exclude || !namelist_has(nd->exclude, *name, *len))
			return p;
	return NULL;
}

static size_t netdevs_count(const struct procnetdev2 *nd)
{
	const char *p = nd->file.buf, *name;
	size_t n = 0, len;

	while ((p = next_wanted(nd, p, &name, &len)))
		n++;
	return n;
}

static const struct rows_type list = { "netdev", "netdev_list", NULL, netdev_members, 1 + NETDEV_COUNTERS };

static int procnetdev2_open(struct samp *sp, struct err *err)
{
	struct procnetdev2 *nd = samp_state(sp);
	int rc;

	nd->ifaces = samp_attr(sp, "ifaces");
	nd->exclude = samp_attr(sp, "exclude");
	rc = proc_open(&nd->file, samp_root(sp), NETDEV_SOURCE, err);
	if (!rc)
		rc = proc_read(&nd->file, err);
	return rc ? rc : rows_set_new(&nd->rows, sp, "procnetdev2", "", &list, netdevs_count(nd), NETDEVS_DFLT, err);
}

static int procnetdev2_sample(struct samp *sp, struct err *err)
{
	struct procnetdev2 *nd = samp_state(sp);
	int rc = proc_read(&nd->file, err);
	size_t n, len;

	if (rc)
		return rc;
	samp_begin(sp, nd->rows.set);
	do {
		const char *p = nd->file.buf, *name;

		for (n = 0; (p = next_wanted(nd, p, &name, &len)); n++) {
			struct netdev_row *row = rows_at(&nd->rows, n);

			if (!row)
				goto full;
			memset(row->name, 0, sizeof(row->name));
			memcpy(row->name, name, len < sizeof(row->name) ? len : sizeof(row->name) - 1);
			netdev_counters(&p, row->counters);
		}
	} while (rows_cut(&nd->rows, n));
	samp_end(sp, nd->rows.set);
	return 0;
full:
	samp_cancel(sp, nd->rows.set);
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
	.source = NETDEV_SOURCE,
	.attrs = attrs,
	.metrics = netdev_members,
	.state_size = sizeof(struct procnetdev2),
	.open = procnetdev2_open,
	.sample = procnetdev2_sample,
	.close = procnetdev2_close,
};
