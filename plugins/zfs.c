/* zfs.c - OpenZFS as its kernel statistics tell it: the cache, NAME/arc, and the pools, a record each in NAME/pools
 *
 *	arcstats:               objset-0x36 (one for each dataset that is mounted):
 *	13 1 0x01 123 ...       24 1 0x01 7 ...
 *	name  type  data        name          type  data
 *	hits  4     12345       dataset_name  7     tank/home
 *	misses  4   67          writes        4     12
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/cells.h"
#include "plugins/folder.h"
#include "plugins/rows.h"
#include "plugins/scalars.h"
#include "plugins/sysnum.h"

#define SOURCE   "/proc/spl/kstat/zfs"
#define ARCSTATS SOURCE "/arcstats"
#define TYPES    "34" /* of numbers: signed and unsigned, of 64 bits */
enum { NAME_SIZE = 64, STATE_SIZE = 16, POOLS_MIN = 4, COUNTERS = 4, KEPT_MAX = 256, TEXT_ROOM = 4096 };

static const struct metric_def members[] = {
	{ "pool", V_CHAR_ARRAY, "", METRIC_GAUGE, "name of the pool", NAME_SIZE },
	{ "state", V_CHAR_ARRAY, "", METRIC_GAUGE, "ONLINE, DEGRADED, FAULTED, SUSPENDED ...", STATE_SIZE },
	{ "reads", V_U64, "", METRIC_COUNTER, "reads of its mounted datasets", 1 },
	{ "nread", V_U64, "bytes", METRIC_COUNTER, "bytes that they read", 1 },
	{ "writes", V_U64, "", METRIC_COUNTER, "writes to its mounted datasets", 1 },
	{ "nwritten", V_U64, "bytes", METRIC_COUNTER, "bytes that they wrote", 1 },
	{ "datasets", V_U64, "", METRIC_GAUGE, "datasets that are mounted", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
static const struct rows_type list = { "zfs_pool", "pool_list", "", members, 7 };
static const char *const words[COUNTERS] = { "reads ", "nread ", "writes ", "nwritten " };

struct row { /* a record's values in the set */
	char pool[NAME_SIZE], state[STATE_SIZE];
	uint64_t counters[COUNTERS], datasets;
};

struct pool_item {
	struct zfs *zfs;
	struct sysnum state;
	struct folder objsets;
	uint64_t sums[COUNTERS], datasets;
	struct row row;
};

struct objset {
	struct pool_item *pool;
	struct sysnum file;
};

struct zfs {
	struct proc_file arc;
	struct cells cells;
	struct names names;
	struct set *arc_set;
	uint64_t *slots;
	struct folder pools;
	struct rows rows;
	size_t kept;               /* descriptors of objsets */
	uint64_t values[COUNTERS]; /* of the objset that was read last */
	struct scalar scalars[COUNTERS];
	char text[TEXT_ROOM];
};

/* -- the cache ----------------------------------------------------------------------------------------------------- */

/* The line at p, if it is one of a number: its name, and the number is at *at. */
static const char *arc_line(const char *p, size_t *len, const char **at)
{
	const char *type;

	*len = proc_word(p, 0);
	type = proc_blanks(p + *len);
	if (!*len || !*type || !strchr(TYPES, *type) || type[1] != ' ')
		return NULL;
	*at = type + 1;
	return proc_is_digit(*proc_blanks(*at)) ? p : NULL;
}

static int arc_set_make(struct zfs *z, struct samp *sp, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "zfs_arc", err);
	int first = s ? (int)schema_card(s) : 0, rc = s ? 0 : -EINVAL;
	const char *at;
	size_t len;

	for (const char *p = z->arc.buf; *p && rc >= 0; p = proc_next_line(p)) {
		char name[METRIC_NAME_MAX + 1];

		if (!arc_line(p, &len, &at) || len > METRIC_NAME_MAX || names_find(&z->names, p, len) >= 0)
			continue;
		names_add(&z->names, p, len);
		snprintf(name, sizeof(name), "%.*s", (int)len, p);
		rc = schema_add(s, name, V_U64, "", err);
		if (rc >= 0)
			schema_about_set(s, rc, METRIC_GAUGE, "as arcstats of OpenZFS calls it");
	}
	if (rc >= 0 && !z->names.n)
		rc = err_set(err, -EPROTO, "%s: has no line `name type number`; is it OpenZFS's?", z->arc.path);
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	z->arc_set = samp_set_new(sp, s, "/arc", err);
	if (!z->arc_set)
		return -ENOMEM;
	z->slots = set_slot(z->arc_set, first);
	return 0;
}

/* False: lines have come or gone. */
static bool arc_learn(struct zfs *z)
{
	uint32_t found = 0;
	const char *at;
	size_t len;

	cells_begin(&z->cells);
	names_rewind(&z->names);
	for (const char *p = z->arc.buf; *p; p = proc_next_line(p)) {
		int i;

		cells_line(&z->cells, p);
		if (!arc_line(p, &len, &at)) {
			cells_loose(&z->cells, p + proc_word(p, ' ') * (p != z->arc.buf)); /* times, in the first */
			continue;
		}
		i = names_find(&z->names, p, len);
		if (i < 0)
			return false;
		found++;
		cells_number(&z->cells, &at, &z->slots[i]);
	}
	cells_end(&z->cells, &z->arc);
	return found >= z->names.n;
}

static int arc_sample(struct zfs *z, struct samp *sp, struct err *err)
{
	int rc = proc_read(&z->arc, err);

	if (rc)
		return rc;
	samp_begin(sp, z->arc_set);
	if (cells_update(&z->cells, &z->arc) || arc_learn(z)) {
		samp_end(sp, z->arc_set);
		return 0;
	}
	samp_cancel(sp, z->arc_set);
	cells_begin(&z->cells);
	return err_set(err, -ESTALE, "%s: lines have come or gone", z->arc.path);
}

/* -- the pools ----------------------------------------------------------------------------------------------------- */

static int objset_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct objset *os = xcalloc(1, sizeof(*os));

	(void)sp;
	(void)name;
	(void)err;
	os->pool = owner;
	os->file = (struct sysnum){
		.fd = -1,
		.path = xstrdup(path),
		.fleeting = os->pool->zfs->kept >= KEPT_MAX,
	};
	os->pool->zfs->kept += !os->file.fleeting;
	*ret = os;
	return 0;
}

static void objset_end(struct samp *sp, void *item)
{
	struct objset *os = item;

	(void)sp;
	os->pool->zfs->kept -= !os->file.fleeting;
	sysnum_close(&os->file);
	free(os);
}

static int objset_read(struct samp *sp, void *item, struct err *err)
{
	struct zfs *z = samp_state(sp);
	struct objset *os = item;
	int rc = sysnum_read(&os->file, z->text, sizeof(z->text), err);
	const char *type;

	if (rc)
		return rc;
	memset(z->values, 0, sizeof(z->values));
	for (const char *p = z->text; *p; p = proc_next_line(p))
		for (int i = 0; i < COUNTERS; i++) {
			if (!proc_starts(p, z->scalars[i].word, z->scalars[i].len))
				continue;
			type = proc_behind_word(proc_blanks(p + z->scalars[i].len));
			z->values[i] = proc_u64(&type);
		}
	for (int i = 0; i < COUNTERS; i++)
		os->pool->sums[i] += z->values[i];
	os->pool->datasets++;
	return 0;
}

static const struct folder_type objsets = {
	.prefix = "objset-",
	.files = true,
	.hint = "was the pool exported?",
	.make = objset_make,
	.end = objset_end,
};

static void pool_end(struct samp *sp, void *item)
{
	struct pool_item *po = item;

	folder_close(&po->objsets, sp);
	sysnum_close(&po->state);
	free(po);
}

static int pool_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct pool_item *po = xcalloc(1, sizeof(*po));

	(void)sp;
	(void)err;
	po->zfs = owner;
	po->state = (struct sysnum){ .fd = -1, .path = xasprintf("%s/state", path) };
	snprintf(po->row.pool, sizeof(po->row.pool), "%.*s", NAME_SIZE - 1, name);
	folder_init_at(&po->objsets, &objsets, path, po);
	*ret = po;
	return 0;
}

static int pool_read(struct samp *sp, void *item, struct err *err)
{
	struct pool_item *po = item;
	char text[SYSNUM_TEXT];
	int rc = folder_look(&po->objsets, sp, err);

	memset(po->row.state, 0, sizeof(po->row.state));
	if (!sysnum_read(&po->state, text, sizeof(text), NULL))
		snprintf(po->row.state, sizeof(po->row.state), "%.*s", (int)proc_word(text, 0), text);
	memset(po->sums, 0, sizeof(po->sums));
	po->datasets = 0;
	if (!rc)
		rc = folder_each(&po->objsets, sp, objset_read, err);
	for (int i = 0; i < COUNTERS; i++)
		po->row.counters[i] = htole64(po->sums[i]);
	po->row.datasets = htole64(po->datasets);
	return rc;
}

static int pool_write(struct samp *sp, void *item, struct err *err)
{
	struct zfs *z = samp_state(sp);
	const struct pool_item *po = item;
	struct row *row = rows_next(&z->rows);

	(void)err;
	if (!row)
		return -ENOSPC;
	*row = po->row;
	return 0;
}

static const struct folder_type pools = {
	.places = (const char *const[]){ SOURCE, NULL },
	.hint = "is the module zfs loaded?",
	.make = pool_make,
	.end = pool_end,
};

static int pools_sample(struct zfs *z, struct samp *sp, struct err *err)
{
	int rc = folder_look(&z->pools, sp, err), full;

	if (rc)
		return rc;
	samp_begin(sp, z->rows.set);
	rc = folder_each(&z->pools, sp, pool_read, err);
	full = folder_rows(&z->pools, sp, &z->rows, pool_write, err);
	if (full) {
		samp_cancel(sp, z->rows.set);
		return full;
	}
	samp_end(sp, z->rows.set);
	return rc;
}

/* -- both ---------------------------------------------------------------------------------------------------------- */

static int zfs_open(struct samp *sp, struct err *err)
{
	struct zfs *z = samp_state(sp);
	int rc;

	for (int i = 0; i < COUNTERS; i++)
		scalar_set(&z->scalars[i], words[i], &z->values[i]);
	folder_init(&z->pools, &pools, samp_root(sp), NULL, z);
	rc = folder_look(&z->pools, sp, err);
	if (!rc)
		rc = proc_open(&z->arc, samp_root(sp), ARCSTATS, err);
	if (!rc)
		rc = proc_read(&z->arc, err);
	if (!rc)
		rc = arc_set_make(z, sp, err);
	return rc ? rc : rows_set_new(&z->rows, sp, "zfs_pools", "/pools", &list, z->pools.names.n, POOLS_MIN, err);
}

static int zfs_sample(struct samp *sp, struct err *err)
{
	struct zfs *z = samp_state(sp);
	int rc = arc_sample(z, sp, err), of_pools;

	if (rc == -ESTALE)
		return rc;
	of_pools = pools_sample(z, sp, rc ? NULL : err);
	return rc && of_pools != -ESTALE ? rc : of_pools;
}

static void zfs_close(struct samp *sp)
{
	struct zfs *z = samp_state(sp);

	folder_close(&z->pools, sp);
	proc_close(&z->arc);
	cells_fini(&z->cells);
	names_fini(&z->names);
	rows_fini(&z->rows);
}

const struct samp_type samp_zfs = {
	.name = "zfs",
	.brief = "OpenZFS: its cache, and its pools, a record each",
	.source = ARCSTATS,
	.metrics = members,
	.state_size = sizeof(struct zfs),
	.open = zfs_open,
	.sample = zfs_sample,
	.close = zfs_close,
};
