/* procdiskstats.c - disks and their partitions, from /proc/diskstats: a counter and its rate for each column
 *
 *	   8       0 sda 59645 10934 3748346 16618 34043 58939 7931936 34173 0 9208 52149 ...
 *
 * What is behind the eleventh number (discards, flushes) has no metric in ldmsd either.  The two metrics of bytes are
 * the sectors times 512, which is what the kernel counts in whatever the disk's own sectors are; ldmsd shows the bits of
 * a float there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "plugins/cells.h"
#include "plugins/namelist.h"
#include "plugins/names.h"
#include "plugins/samp.h"

#define SOURCE       "/proc/diskstats"
#define SECTOR_BYTES 512
#define RECORD_MAX   256 /* bytes of a line: 20 numbers */

/* Each of them twice for each disk: reads_comp#sda, and reads_comp.rate#sda (f32). */
static const struct metric_def metrics[] = {
	{ "reads_comp", V_U64, "", METRIC_COUNTER, "reads completed", 1 },
	{ "reads_merg", V_U64, "", METRIC_COUNTER, "reads merged", 1 },
	{ "sect_read", V_U64, "", METRIC_COUNTER, "sectors (of 512 bytes) read", 1 },
	{ "time_read", V_U64, "", METRIC_COUNTER, "milliseconds that reads took", 1 },
	{ "writes_comp", V_U64, "", METRIC_COUNTER, "writes completed", 1 },
	{ "writes_merg", V_U64, "", METRIC_COUNTER, "writes merged", 1 },
	{ "sect_written", V_U64, "", METRIC_COUNTER, "sectors written", 1 },
	{ "time_write", V_U64, "", METRIC_COUNTER, "milliseconds that writes took", 1 },
	{ "ios_in_progress", V_U64, "", METRIC_GAUGE, "reads and writes under way", 1 },
	{ "time_ios", V_U64, "", METRIC_COUNTER, "milliseconds with any under way", 1 },
	{ "weighted_time", V_U64, "", METRIC_COUNTER, "the same, each of those under way counted", 1 },
	{ "disk.byte_read", V_U64, "", METRIC_COUNTER, "bytes read", 1 },
	{ "disk.byte_written", V_U64, "", METRIC_COUNTER, "bytes written", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { COLUMNS = 11, SECT_READ = 2, SECT_WRITTEN = 6, VALUES = COLUMNS + 2 };

static const struct samp_attr attrs[] = {
	{ "device", "all", "these disks or partitions, separated by commas; those that are not there are left out" },
	{ NULL, NULL, NULL },
};

struct pair { /* as they stand in the set */
	uint64_t value;
	uint32_t rate, unused;
};

struct disk {
	struct pair *pairs;    /* VALUES of them */
	uint64_t now[COLUMNS]; /* as cells have them: little endian */
	uint64_t before[VALUES];
	size_t line; /* of the cells */
	bool rates;  /* are there any that are not 0? */
};

struct procdiskstats {
	struct proc_file file;
	struct cells cells;
	struct set *set;
	struct names names;
	struct disk *disks; /* of the names */
	const char *wanted; /* list of names, or NULL */
	size_t lines;       /* of the wanted ones */
	double ticks;       /* of the clock, a second */
	int64_t before_us;  /* the last sample; 0: none */
};

/* The disk's line at p: behind its name, and the name; NULL when it is none. */
static const char *disk_line(const char *p, const char **name, size_t *len)
{
	uint64_t number;

	if (!proc_number(&p, &number) || !proc_number(&p, &number))
		return NULL;
	*name = proc_blanks(p);
	*len = proc_word(*name, ' ');
	return *len ? *name + *len : NULL;
}

static int metric_add(struct schema *s, const struct metric_def *def, const char *fmt, int len, const char *disk,
		      struct err *err)
{
	char name[METRIC_NAME_MAX + 1];
	struct metric_def named = *def;

	snprintf(name, sizeof(name), fmt, def->name, len, disk);
	named.name = name;
	return schema_add_defs(s, &named, 1, err);
}

static int disk_add(struct procdiskstats *ds, struct schema *s, const char *disk, size_t len, struct err *err)
{
	int rc = 0;

	for (int i = 0; i < VALUES && rc >= 0; i++) {
		struct metric_def rate = metrics[i];

		rate.type = V_F32;
		rate.kind = METRIC_GAUGE;
		rc = metric_add(s, &metrics[i], "%s#%.*s", (int)len, disk, err);
		if (rc >= 0)
			rc = metric_add(s, &rate, "%s.rate#%.*s", (int)len, disk, err);
	}
	if (rc >= 0)
		names_add(&ds->names, disk, len);
	return rc;
}

static bool is_wanted(const struct procdiskstats *ds, const char *name, size_t len)
{
	return len < METRIC_NAME_MAX / 2 && (!ds->wanted || namelist_has(ds->wanted, name, len));
}

static int shape_read(struct procdiskstats *ds, struct schema *s, struct err *err)
{
	const char *p = ds->file.buf, *name;
	int rc = 0;
	size_t len;

	for (; rc >= 0 && *p; p = proc_next_line(p)) {
		if (!disk_line(p, &name, &len) || !is_wanted(ds, name, len))
			continue;
		ds->lines++;
		names_rewind(&ds->names);
		if (names_find(&ds->names, name, len) < 0)
			rc = disk_add(ds, s, name, len, err);
	}
	return rc < 0 ? rc : 0;
}

static int procdiskstats_open(struct samp *sp, struct err *err)
{
	struct procdiskstats *ds = samp_state(sp);
	int first, rc = proc_open(&ds->file, samp_root(sp), SOURCE, err);
	struct pair *pairs;
	struct schema *s;

	ds->wanted = samp_attr(sp, "device");
	ds->ticks = (double)sysconf(_SC_CLK_TCK);
	ds->file.record_max = RECORD_MAX;
	if (!rc)
		rc = proc_read(&ds->file, err);
	if (rc)
		return rc;
	s = samp_schema_new(sp, "procdiskstats", err);
	if (!s)
		return -EINVAL;
	first = (int)schema_card(s);
	rc = shape_read(ds, s, err);
	if (rc) {
		schema_free(s);
		return rc;
	}
	ds->set = samp_set_new(sp, s, "", err);
	if (!ds->set)
		return -ENOMEM;
	ds->disks = xcalloc(ds->names.n, sizeof(*ds->disks));
	pairs = ds->names.n ? set_slot(ds->set, first) : NULL;
	for (uint32_t i = 0; i < ds->names.n; i++)
		ds->disks[i].pairs = pairs + (size_t)i * VALUES;
	return 0;
}

/* A value and its rate; `factor` turns what it grew by into the rate. */
static inline void pair_put(struct pair *to, uint64_t *before, uint64_t v, double factor)
{
	float rate = v > *before ? (float)((double)(v - *before) * factor) : 0;
	uint32_t bits;

	memcpy(&bits, &rate, sizeof(bits));
	to->value = htole64(v);
	to->rate = htole32(bits);
	*before = v;
}

static void disk_sample(struct disk *d, double factor)
{
	uint64_t v[VALUES];

	for (int i = 0; i < COLUMNS; i++)
		v[i] = le64toh(d->now[i]);
	v[COLUMNS] = v[SECT_READ] * SECTOR_BYTES;
	v[COLUMNS + 1] = v[SECT_WRITTEN] * SECTOR_BYTES;
	for (int i = 0; i < VALUES; i++)
		pair_put(&d->pairs[i], &d->before[i], v[i], factor);
}

/* Read all disks' columns; false when they are not those that the set was made for. */
static bool disks_learn(struct procdiskstats *ds)
{
	const char *p = ds->file.buf, *name;
	size_t lines = 0, len;

	cells_begin(&ds->cells);
	names_rewind(&ds->names);
	for (; *p; p = proc_next_line(p)) {
		size_t line = cells_line(&ds->cells, p);
		const char *columns = disk_line(p, &name, &len);
		struct disk *d;
		int i;

		if (!columns)
			continue;
		i = names_find(&ds->names, name, len);
		if (i < 0 && is_wanted(ds, name, len))
			return false;
		if (i >= 0) {
			d = &ds->disks[i];
			d->line = line;
			for (int k = 0; k < COLUMNS; k++)
				if (!cells_number(&ds->cells, &columns, &d->now[k]))
					d->now[k] = 0;
			lines++;
		}
		cells_loose(&ds->cells, columns);
	}
	if (lines != ds->lines)
		return false;
	cells_end(&ds->cells, &ds->file);
	return true;
}

static int procdiskstats_sample(struct samp *sp, struct err *err)
{
	struct procdiskstats *ds = samp_state(sp);
	int64_t now_us = mono_us(), took_us = ds->before_us ? now_us - ds->before_us : 0;
	int rc = proc_read(&ds->file, err);
	double factor;

	if (rc)
		return rc;
	samp_begin(sp, ds->set);
	if (!cells_update(&ds->cells, &ds->file) && !disks_learn(ds)) {
		samp_cancel(sp, ds->set);
		return err_set(err, -ESTALE, "%s: disks have come or gone", ds->file.path);
	}
	/* ldmsd's: the growth a tick of the clock, as a percentage of a second */
	factor = took_us > 0 ? 100.0 / ds->ticks * 1e6 / (double)took_us : 0;
	for (uint32_t i = 0; i < ds->names.n; i++) {
		struct disk *d = &ds->disks[i];
		bool moved = cells_moved(&ds->cells, d->line);

		if (moved || d->rates)
			disk_sample(d, factor);
		d->rates = moved;
	}
	ds->before_us = now_us;
	samp_end(sp, ds->set);
	return 0;
}

static void procdiskstats_close(struct samp *sp)
{
	struct procdiskstats *ds = samp_state(sp);

	proc_close(&ds->file);
	cells_fini(&ds->cells);
	names_fini(&ds->names);
	free(ds->disks);
}

const struct samp_type samp_procdiskstats = {
	.name = "procdiskstats",
	.brief = "disks and partitions, with rates",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct procdiskstats),
	.open = procdiskstats_open,
	.sample = procdiskstats_sample,
	.close = procdiskstats_close,
};
