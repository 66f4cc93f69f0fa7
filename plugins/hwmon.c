/* hwmon.c - every sensor that the machine has: temperatures, voltages, currents, powers, fans; a record each
 *
 * A sensor that does not answer, as those of a device that sleeps, is left out until it does.
 */
#include "plugins/hwmon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/folder.h"
#include "plugins/namelist.h"
#include "plugins/rows.h"
#include "plugins/sysnum.h"

#define SOURCE "/sys/class/hwmon"
enum { CHIP_SIZE = 32, SENSOR_SIZE = 16, UNIT_SIZE = 8, SENSORS_MIN = 16 };

static const struct metric_def members[] = {
	{ "chip", V_CHAR_ARRAY, "", METRIC_GAUGE, "driver's name of the chip", CHIP_SIZE },
	{ "device", V_CHAR_ARRAY, "", METRIC_GAUGE, "which one of them: hwmon0, hwmon1, ...", SENSOR_SIZE },
	{ "sensor", V_CHAR_ARRAY, "", METRIC_GAUGE, "file: temp1, fan2, ...", SENSOR_SIZE },
	{ "label", V_CHAR_ARRAY, "", METRIC_GAUGE, "what it measures, if the driver knows", CHIP_SIZE },
	{ "value", V_D64, "", METRIC_GAUGE, "in that unit", 1 },
	{ "unit", V_CHAR_ARRAY, "", METRIC_GAUGE, "C, V, A, W, J, RPM, % or Hz", UNIT_SIZE },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
static const struct rows_type list = { "hwmon", "hwmon_list", "", members, 6 };

static const struct samp_attr attrs[] = {
	{ "chips", "all", "only chips of these names (coretemp,nvme), separated by commas" },
	{ NULL, NULL, NULL },
};

struct row { /* a record's values in the set */
	char chip[CHIP_SIZE], device[SENSOR_SIZE], sensor[SENSOR_SIZE], label[CHIP_SIZE];
	uint64_t value;
	char unit[UNIT_SIZE];
};

struct sensor {
	struct sysnum file;
	double divisor;
	struct row row;
	bool answers;
};

struct chip {
	struct sensor *v;
	size_t n;
	bool answered; /* has any, since it was made? */
	char chip[CHIP_SIZE], device[SENSOR_SIZE];
};

struct hwmon {
	struct folder folder;
	const char *chips; /* list of names, or NULL */
	struct rows rows;
};

static void chip_end(struct samp *sp, void *item)
{
	struct chip *c = item;

	(void)sp;
	for (size_t i = 0; i < c->n; i++)
		sysnum_close(&c->v[i].file);
	free(c->v);
	free(c);
}

static void sensor_add(void *owner, const char *dir, const struct hwmon_kind *kind, unsigned int no)
{
	struct chip *c = owner;
	struct sensor *s;
	char *path = xasprintf("%s/%s%u_input", dir, kind->name, no), *label;

	c->v = xrealloc(c->v, (c->n + 1) * sizeof(*c->v));
	s = &c->v[c->n++];
	*s = (struct sensor){ .divisor = kind->divisor };
	if (access(path, F_OK)) {
		free(path);
		path = xasprintf("%s/%s%u_average", dir, kind->name, no);
	}
	s->file = (struct sysnum){ .fd = -1, .path = path };
	memcpy(s->row.chip, c->chip, sizeof(c->chip));
	memcpy(s->row.device, c->device, sizeof(c->device));
	snprintf(s->row.sensor, sizeof(s->row.sensor), "%s%u", kind->name, no);
	label = xasprintf("%s/%s%u_label", dir, kind->name, no);
	sysnum_text(label, s->row.label, sizeof(s->row.label));
	free(label);
	snprintf(s->row.unit, sizeof(s->row.unit), "%s", kind->unit);
}

static int chip_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	const struct hwmon *hw = owner;
	struct chip *c = xcalloc(1, sizeof(*c));
	char *file = xasprintf("%s/name", path);
	int rc = 0;

	sysnum_text(file, c->chip, sizeof(c->chip));
	free(file);
	snprintf(c->device, sizeof(c->device), "%.*s", SENSOR_SIZE - 1, name);
	if (!hw->chips || namelist_has(hw->chips, c->chip, strlen(c->chip)))
		rc = hwmon_sensors(path, sensor_add, c, err);
	if (rc)
		chip_end(sp, c);
	else
		*ret = c;
	return rc;
}

static int chip_read(struct samp *sp, void *item, struct err *err)
{
	struct chip *c = item;
	bool any = false;

	(void)sp;
	(void)err;
	for (size_t i = 0; i < c->n; i++) {
		struct sensor *s = &c->v[i];
		double value;
		int64_t v;

		s->answers = !sysnum_s64(&s->file, &v, NULL);
		any |= s->answers;
		if (!s->answers)
			continue;
		value = (double)v / s->divisor;
		memcpy(&s->row.value, &value, sizeof(value));
		s->row.value = htole64(s->row.value);
	}
	if (!any && c->answered)
		return -ENODEV; /* perhaps another one of the same name by now */
	c->answered |= any;
	return 0;
}

static int chip_write(struct samp *sp, void *item, struct err *err)
{
	struct hwmon *hw = samp_state(sp);
	const struct chip *c = item;

	(void)err;
	for (size_t i = 0; i < c->n; i++) {
		struct row *row = c->v[i].answers ? rows_next(&hw->rows) : NULL;

		if (row)
			*row = c->v[i].row;
		else if (c->v[i].answers)
			return -ENOSPC;
	}
	return 0;
}

static const struct folder_type chips = {
	.places = (const char *const[]){ SOURCE, NULL },
	.prefix = "hwmon",
	.hint = "is sysfs mounted?",
	.make = chip_make,
	.end = chip_end,
};

static int hwmon_probe(const char *root, struct err *err)
{
	return folder_probe(&chips, root, err);
}

static int hwmon_open(struct samp *sp, struct err *err)
{
	struct hwmon *hw = samp_state(sp);
	size_t sensors = 0;
	int rc;

	hw->chips = samp_attr(sp, "chips");
	folder_init(&hw->folder, &chips, samp_root(sp), NULL, hw);
	rc = folder_look(&hw->folder, sp, err);
	if (rc)
		return rc;
	folder_each(&hw->folder, sp, NULL, NULL);
	for (uint32_t i = 0; i < hw->folder.names.n; i++)
		sensors += hw->folder.items[i].p ? ((struct chip *)hw->folder.items[i].p)->n : 0;
	return rows_set_new(&hw->rows, sp, "hwmon", "", &list, sensors, SENSORS_MIN, err);
}

static int hwmon_sample(struct samp *sp, struct err *err)
{
	struct hwmon *hw = samp_state(sp);
	int rc = folder_look(&hw->folder, sp, err), full;

	if (rc)
		return rc;
	samp_begin(sp, hw->rows.set);
	rc = folder_each(&hw->folder, sp, chip_read, err);
	full = folder_rows(&hw->folder, sp, &hw->rows, chip_write, err);
	if (full) {
		samp_cancel(sp, hw->rows.set);
		return full;
	}
	samp_end(sp, hw->rows.set);
	return rc;
}

static void hwmon_close(struct samp *sp)
{
	struct hwmon *hw = samp_state(sp);

	folder_close(&hw->folder, sp);
	rows_fini(&hw->rows);
}

const struct samp_type samp_hwmon = {
	.name = "hwmon",
	.brief = "sensors: temperatures, voltages, powers, fans; a record each",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = members,
	.state_size = sizeof(struct hwmon),
	.probe = hwmon_probe,
	.open = hwmon_open,
	.sample = hwmon_sample,
	.close = hwmon_close,
};
