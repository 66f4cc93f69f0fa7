/* rapl.c - the energy that processors and memory use, by zone of the kernel's power capping, a record each
 *
 * The hardware's counters are small: one of a busy socket is back at zero after minutes.  `energy` goes on from there:
 * it begins with what the counter says at first, and what has been added since is added, across every zero.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "plugins/folder.h"
#include "plugins/rows.h"
#include "plugins/sysnum.h"

#define SOURCE "/sys/class/powercap"
enum { NAME_SIZE = 32, ZONES_MIN = 8 };

static const struct metric_def members[] = {
	{ "zone", V_CHAR_ARRAY, "", METRIC_GAUGE, "intel-rapl:0 is the first package, intel-rapl:0:1 a part of it",
	  NAME_SIZE },
	{ "name", V_CHAR_ARRAY, "", METRIC_GAUGE, "package-0, core, uncore, dram, psys", NAME_SIZE },
	{ "package", V_CHAR_ARRAY, "", METRIC_GAUGE, "name of the package that it is, or is part of", NAME_SIZE },
	{ "energy", V_U64, "uJ", METRIC_COUNTER, "energy used", 1 },
	{ "power", V_D64, "W", METRIC_GAUGE, "its mean since the last sample", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
static const struct rows_type list = { "rapl", "rapl_list", "", members, 5 };

struct row { /* a record's values in the set */
	char zone[NAME_SIZE], name[NAME_SIZE], package[NAME_SIZE];
	uint64_t energy, power;
};

struct zone {
	struct sysnum energy; /* .path NULL: not a zone but what they are below */
	uint64_t range;       /* the counter's highest value */
	uint64_t was, total;
	int64_t at_us; /* 0: never read */
	struct row row;
};

struct rapl {
	struct folder folder;
	struct rows rows;
};

static void zone_end(struct samp *sp, void *item)
{
	struct zone *z = item;

	(void)sp;
	sysnum_close(&z->energy);
	free(z);
}

/* The name of the zone at `path` without its last `parts` numbers. */
static void name_get(const char *path, int parts, char text[NAME_SIZE])
{
	char *file, *end;

	end = strchr(strrchr(path, '/'), ':');
	end += 1 + strcspn(end + 1, ":");
	file = parts ? xasprintf("%.*s/name", (int)(end - path), path) : xasprintf("%s/name", path);
	sysnum_text(file, text, NAME_SIZE);
	free(file);
}

static int zone_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct zone *z = xcalloc(1, sizeof(*z));
	char *file;
	int rc;

	(void)owner;
	z->energy.fd = -1;
	*ret = z;
	if (!strchr(name, ':'))
		return 0;
	file = xasprintf("%s/max_energy_range_uj", path);
	z->range = (uint64_t)sysnum_once(file, 0);
	free(file);
	snprintf(z->row.zone, sizeof(z->row.zone), "%.*s", NAME_SIZE - 1, name);
	name_get(path, 0, z->row.name);
	name_get(path, 1, z->row.package);
	rc = sysnum_open(&z->energy, xasprintf("%s/energy_uj", path), err);
	if (!rc)
		return 0;
	zone_end(sp, z);
	*ret = NULL;
	return rc;
}

static int zone_read(struct samp *sp, void *item, struct err *err)
{
	struct zone *z = item;
	uint64_t now, used;
	int64_t now_us = mono_us();
	double power;
	int rc;

	(void)sp;
	if (!z->energy.path)
		return 0;
	rc = sysnum_u64(&z->energy, &now, err);
	if (rc)
		return rc;
	used = !z->at_us ? now : now >= z->was ? now - z->was : z->range - z->was + now;
	z->total += used;
	power = z->at_us && now_us > z->at_us ? (double)used / (double)(now_us - z->at_us) : 0;
	z->was = now;
	z->at_us = now_us;
	z->row.energy = htole64(z->total);
	memcpy(&z->row.power, &power, sizeof(power));
	z->row.power = htole64(z->row.power);
	return 0;
}

static int zone_write(struct samp *sp, void *item, struct err *err)
{
	struct rapl *r = samp_state(sp);
	const struct zone *z = item;
	struct row *row;

	(void)err;
	if (!z->energy.path || !z->at_us)
		return 0;
	row = rows_next(&r->rows);
	if (!row)
		return -ENOSPC;
	*row = z->row;
	return 0;
}

static const struct folder_type zones = {
	.places = (const char *const[]){ SOURCE, NULL },
	.prefix = "intel-rapl",
	.hint = "does this processor count energy, and is the driver intel_rapl_msr loaded?",
	.make = zone_make,
	.end = zone_end,
};

static int rapl_probe(const char *root, struct err *err)
{
	char *path = xasprintf("%s" SOURCE "/intel-rapl:0/energy_uj", root);
	struct sysnum sn = { .fd = -1, .path = path, .fleeting = true };
	uint64_t v;
	int rc = sysnum_u64(&sn, &v, err);

	free(path);
	return rc;
}

static int rapl_open(struct samp *sp, struct err *err)
{
	struct rapl *r = samp_state(sp);
	int rc;

	folder_init(&r->folder, &zones, samp_root(sp), NULL, r);
	rc = folder_look(&r->folder, sp, err);
	if (!rc && !r->folder.names.n)
		rc = err_set(err, -ENOENT, "%s" SOURCE ": has no intel-rapl:N; %s", samp_root(sp), zones.hint);
	if (!rc)
		rc = folder_each(&r->folder, sp, NULL, err);
	if (rc)
		return rc;
	return rows_set_new(&r->rows, sp, "rapl", "", &list, r->folder.names.n, ZONES_MIN, err);
}

static int rapl_sample(struct samp *sp, struct err *err)
{
	struct rapl *r = samp_state(sp);
	int rc = folder_look(&r->folder, sp, err), full;

	if (rc)
		return rc;
	samp_begin(sp, r->rows.set);
	rc = folder_each(&r->folder, sp, zone_read, err);
	full = folder_rows(&r->folder, sp, &r->rows, zone_write, err);
	if (full) {
		samp_cancel(sp, r->rows.set);
		return full;
	}
	samp_end(sp, r->rows.set);
	return rc;
}

static void rapl_close(struct samp *sp)
{
	struct rapl *r = samp_state(sp);

	folder_close(&r->folder, sp);
	rows_fini(&r->rows);
}

const struct samp_type samp_rapl = {
	.name = "rapl",
	.brief = "energy and power of processors and memory, a record each",
	.source = SOURCE,
	.metrics = members,
	.state_size = sizeof(struct rapl),
	.caps = "dac_read_search",
	.probe = rapl_probe,
	.open = rapl_open,
	.sample = rapl_sample,
	.close = rapl_close,
};
