/* procnetdev.c - the counters of chosen network interfaces, as metrics rx_bytes#lo ...
 *
 * An interface that is not there keeps what it had, at first 0, until it comes (back).  procnetdev2 has all interfaces,
 * as records.
 */
#include <errno.h>
#include <stdio.h>

#include "plugins/attr.h"
#include "plugins/namelist.h"
#include "plugins/names.h"
#include "plugins/netdev.h"

static const struct samp_attr attrs[] = {
	{ "ifaces", NULL, "these interfaces, separated by commas; must be given" },
	{ NULL, NULL, NULL },
};

struct procnetdev {
	struct proc_file file;
	struct set *set;
	struct names names;
	uint64_t *slots; /* NETDEV_COUNTERS for each name */
};

static int ifaces_parse(struct samp *sp, struct names *nm, struct err *err)
{
	const char *list, *name;
	int rc = attr_needed(sp, "ifaces", "ifaces=eth0,ib0", &list, err);
	size_t n;

	while (!rc && (n = namelist_next(&list, &name))) {
		if (n >= NETDEV_NAME)
			rc = err_set(err, -EINVAL, "ifaces=: %.*s: names of interfaces have at most %d bytes", (int)n,
				     name, NETDEV_NAME - 1);
		else if (namelist_has(list, name, n))
			rc = err_set(err, -EINVAL, "ifaces=: %.*s is there twice", (int)n, name);
		else
			names_add(nm, name, n);
	}
	if (!rc && !nm->n)
		rc = err_set(err, -EINVAL, "ifaces=: has no name");
	return rc;
}

static int procnetdev_check(struct samp *sp, struct err *err)
{
	struct names nm = { 0 };
	int rc = ifaces_parse(sp, &nm, err);

	names_fini(&nm);
	return rc;
}

static int iface_add(struct schema *s, const char *iface, size_t len, struct err *err)
{
	int rc = 0;

	for (int i = 0; i < NETDEV_COUNTERS && rc >= 0; i++) {
		struct metric_def def = netdev_members[1 + i];
		char name[64];

		snprintf(name, sizeof(name), "%s#%.*s", def.name, (int)len, iface);
		def.name = name;
		def.unit = "";
		rc = schema_add_defs(s, &def, 1, err);
	}
	return rc;
}

static int procnetdev_open(struct samp *sp, struct err *err)
{
	struct procnetdev *nd = samp_state(sp);
	struct schema *s;
	int first, rc = ifaces_parse(sp, &nd->names, err);

	if (!rc)
		rc = proc_open(&nd->file, samp_root(sp), NETDEV_SOURCE, err);
	if (rc)
		return rc;
	s = samp_schema_new(sp, "procnetdev", err);
	if (!s)
		return -EINVAL;
	first = (int)schema_card(s);
	for (uint32_t i = 0; i < nd->names.n && rc >= 0; i++) {
		size_t len;
		const char *iface = names_text(&nd->names, i, &len);

		rc = iface_add(s, iface, len, err);
	}
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	nd->set = samp_set_new(sp, s, "", err);
	if (!nd->set)
		return -ENOMEM;
	nd->slots = set_slot(nd->set, first);
	return 0;
}

static int procnetdev_sample(struct samp *sp, struct err *err)
{
	struct procnetdev *nd = samp_state(sp);
	int rc = proc_read(&nd->file, err);
	const char *p = nd->file.buf, *name;
	uint64_t counters[NETDEV_COUNTERS];
	size_t len;

	if (rc)
		return rc;
	names_rewind(&nd->names);
	samp_begin(sp, nd->set);
	while ((p = netdev_next(p, &name, &len))) {
		int i = names_find(&nd->names, name, len);

		if (i >= 0 && netdev_counters(&p, counters))
			memcpy(nd->slots + (size_t)i * NETDEV_COUNTERS, counters, sizeof(counters));
		p = proc_next_line(p);
	}
	samp_end(sp, nd->set);
	return 0;
}

static void procnetdev_close(struct samp *sp)
{
	struct procnetdev *nd = samp_state(sp);

	proc_close(&nd->file);
	names_fini(&nd->names);
}

const struct samp_type samp_procnetdev = {
	.name = "procnetdev",
	.brief = "chosen network interfaces",
	.source = NETDEV_SOURCE,
	.attrs = attrs,
	.metrics = netdev_members + 1,
	.state_size = sizeof(struct procnetdev),
	.check = procnetdev_check,
	.open = procnetdev_open,
	.sample = procnetdev_sample,
	.close = procnetdev_close,
};
