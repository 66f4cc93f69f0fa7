/* coretemp.c - the temperatures of Intel's processors, by package and core, a record each
 *
 * A core that does not answer is left out.  For all that a machine can measure, see hwmon.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/folder.h"
#include "plugins/hwmon.h"
#include "plugins/rows.h"
#include "plugins/sysnum.h"

#define SOURCE     "/sys/devices/platform"
#define LABEL_SIZE 32 /* ldmsd's */

static const struct metric_def members[] = {
	{ "package_no", V_U32, "", METRIC_GAUGE, "processor package", 1 },
	{ "sensor_no", V_U32, "", METRIC_GAUGE, "number of the sensor", 1 },
	{ "label", V_CHAR_ARRAY, "", METRIC_GAUGE, "what it measures", LABEL_SIZE },
	{ "max_temp", V_F32, "C", METRIC_GAUGE, "where cooling should be full", 1 },
	{ "critical_temp", V_F32, "C", METRIC_GAUGE, "where the processor slows down or stops", 1 },
	{ "critical_alarm_temp", V_F32, "C", METRIC_GAUGE, "1: it is beyond the critical temperature", 1 },
	{ "current_temp", V_F32, "C", METRIC_GAUGE, "temperature", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct rows_type list = { "core_temps", "core_list", "", members, 7 };

struct row { /* a record's values in the set: four bytes each, and four of padding */
	uint64_t package_no, sensor_no;
	char label[LABEL_SIZE];
	uint64_t max, critical, alarm, current;
};

struct sensor {
	struct sysnum input, alarm;
	struct row row;
};

struct package {
	struct sensor *v;
	size_t n;
	bool answered; /* has any, since it was made? */
};

struct coretemp {
	struct folder folder;
	struct rows rows;
};

static uint64_t f32_slot(double v)
{
	float f = (float)v;
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return htole64(bits);
}

static void package_end(struct samp *sp, void *item)
{
	struct package *pk = item;

	(void)sp;
	for (size_t i = 0; i < pk->n; i++) {
		sysnum_close(&pk->v[i].input);
		sysnum_close(&pk->v[i].alarm);
	}
	free(pk->v);
	free(pk);
}

static void sensor_add(void *owner, const char *dir, const struct hwmon_kind *kind, unsigned int no)
{
	struct package *pk = owner;
	struct sensor *s;
	char path[512];

	if (strcmp(kind->name, "temp"))
		return;
	pk->v = xrealloc(pk->v, (pk->n + 1) * sizeof(*pk->v));
	s = &pk->v[pk->n++];
	*s = (struct sensor){
		.input = { .fd = -1, .path = xasprintf("%s/temp%u_input", dir, no) },
		.alarm = { .fd = -1, .path = xasprintf("%s/temp%u_crit_alarm", dir, no) },
		.row.sensor_no = htole64(no),
	};
	snprintf(path, sizeof(path), "%s/temp%u_label", dir, no);
	sysnum_text(path, s->row.label, sizeof(s->row.label));
	snprintf(path, sizeof(path), "%s/temp%u_max", dir, no);
	s->row.max = f32_slot((double)sysnum_once(path, 0) / 1000);
	snprintf(path, sizeof(path), "%s/temp%u_crit", dir, no);
	s->row.critical = f32_slot((double)sysnum_once(path, 0) / 1000);
}

/* PATH/hwmon/hwmonN: the only one. */
static int package_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct package *pk = xcalloc(1, sizeof(*pk));
	char *dir = hwmon_below(path);
	int rc = dir ? hwmon_sensors(dir, sensor_add, pk, err)
		     : err_set(err, -ENOENT, "%s: has no folder hwmon; is the driver coretemp loaded?", path);

	(void)owner;
	free(dir);
	for (size_t i = 0; i < pk->n; i++)
		pk->v[i].row.package_no = htole64((uint32_t)atoi(strchr(name, '.') + 1));
	if (rc)
		package_end(sp, pk);
	else
		*ret = pk;
	return rc;
}

static int package_sample(struct samp *sp, void *item, struct err *err)
{
	struct coretemp *ct = samp_state(sp);
	struct package *pk = item;
	bool any = false;

	(void)err;
	for (size_t i = 0; i < pk->n; i++) {
		struct sensor *s = &pk->v[i];
		struct row *row;
		int64_t v;

		if (sysnum_s64(&s->input, &v, NULL))
			continue; /* a processor that is offline */
		any = true;
		s->row.current = f32_slot((double)v / 1000);
		s->row.alarm = f32_slot(sysnum_s64(&s->alarm, &v, NULL) ? 0 : (double)v);
		row = rows_next(&ct->rows);
		if (!row)
			return -ENOSPC;
		*row = s->row;
	}
	if (!any && pk->answered)
		return -ENODEV; /* the driver was loaded anew */
	pk->answered |= any;
	return 0;
}

static const struct folder_type packages = {
	.places = (const char *const[]){ SOURCE, NULL },
	.prefix = "coretemp.",
	.hint = "is sysfs mounted?",
	.make = package_make,
	.end = package_end,
};

static int none(const struct coretemp *ct, struct err *err)
{
	return err_set(err, -ENOENT,
		       "%s" SOURCE ": has no coretemp.N; is it a processor of Intel's, and the driver "
		       "coretemp loaded?",
		       ct->folder.root);
}

static int coretemp_open(struct samp *sp, struct err *err)
{
	struct coretemp *ct = samp_state(sp);
	size_t sensors = 0;
	int rc;

	folder_init(&ct->folder, &packages, samp_root(sp), NULL, ct);
	rc = folder_look(&ct->folder, sp, err);
	if (!rc && !ct->folder.names.n)
		rc = none(ct, err);
	if (!rc)
		rc = folder_each(&ct->folder, sp, NULL, err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < ct->folder.names.n; i++)
		sensors += ct->folder.items[i].p ? ((struct package *)ct->folder.items[i].p)->n : 0;
	return rows_set_new(&ct->rows, sp, "coretemp", "", &list, sensors, 8, err);
}

static int coretemp_sample(struct samp *sp, struct err *err)
{
	struct coretemp *ct = samp_state(sp);
	int rc = folder_look(&ct->folder, sp, err);

	if (!rc && !ct->folder.names.n)
		rc = none(ct, err);
	if (rc)
		return rc;
	samp_begin(sp, ct->rows.set);
	rc = folder_rows(&ct->folder, sp, &ct->rows, package_sample, err);
	if (rc == -ESTALE)
		samp_cancel(sp, ct->rows.set);
	else
		samp_end(sp, ct->rows.set);
	return rc;
}

static void coretemp_close(struct samp *sp)
{
	struct coretemp *ct = samp_state(sp);

	folder_close(&ct->folder, sp);
	rows_fini(&ct->rows);
}

static int coretemp_probe(const char *root, struct err *err)
{
	char *path = xasprintf("%s" SOURCE "/coretemp.0", root), *dir = hwmon_below(path);
	bool there = dir;

	free(path);
	free(dir);
	return there ? err_set(err, -EEXIST, "hwmon tells the same, and more")
		     : err_set(err, -ENOENT, "no processor of Intel's, or the driver coretemp is not loaded");
}

const struct samp_type samp_coretemp = {
	.name = "coretemp",
	.brief = "temperatures of processors, a record for each core",
	.source = SOURCE "/coretemp.N",
	.metrics = members,
	.state_size = sizeof(struct coretemp),
	.probe = coretemp_probe,
	.open = coretemp_open,
	.sample = coretemp_sample,
	.close = coretemp_close,
};
