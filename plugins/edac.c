/* edac.c - errors of the memory, as its controllers count them, from /sys/devices/system/edac/mc
 *
 * A metric for each file of each controller and each of its chip-select rows.  ldmsd has the first channel of a row
 * only; max_channel= adds the others.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/samp.h"
#include "plugins/sysnum.h"

#define SOURCE "/sys/devices/system/edac/mc"
#define ALL    1024 /* of controllers, rows or channels: more than any machine has */

/* i: controller, j: row, k: channel.  In this order, but for the last one, which comes behind the rows. */
static const struct metric_def metrics[] = {
	{ "mcI_ce_count", V_U64, "", METRIC_COUNTER, "corrected errors of controller I", 1 },
	{ "mcI_ce_noinfo_count", V_U64, "", METRIC_COUNTER, "those of which nobody knows the row", 1 },
	{ "mcI_ue_count", V_U64, "", METRIC_COUNTER, "errors that could not be corrected", 1 },
	{ "mcI_ue_noinfo_count", V_U64, "", METRIC_COUNTER, "those of which nobody knows the row", 1 },
	{ "mcI_csrowJ_ce_count", V_U64, "", METRIC_COUNTER, "corrected errors of row J", 1 },
	{ "mcI_csrowJ_ue_count", V_U64, "", METRIC_COUNTER, "errors that could not be corrected, of row J", 1 },
	{ "mcI_csrowJ_chK_ce_count", V_U64, "", METRIC_COUNTER, "corrected errors of channel K of the row", 1 },
	{ "mcI_seconds_since_reset", V_U64, "", METRIC_GAUGE, "age of the counters", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { OF_MC = 0, OF_ROW = 4, OF_CHANNEL = 6, OF_AGE = 7 };

static const struct samp_attr attrs[] = {
	{ "max_mc", "as many as there are", "so many controllers, which must be there" },
	{ "max_csrow", "as many as there are", "so many rows of each, which must be there" },
	{ "max_channel", "1", "so many channels of each row, where they are there" },
	{ NULL, NULL, NULL },
};

struct edac {
	struct set *set;
	uint64_t *slots;
	struct sysnum *files; /* of the metrics */
	size_t n;
	uint64_t mcs, rows, channels; /* at most */
	bool mcs_given, rows_given;
};

static int conf_read(struct samp *sp, struct edac *e, struct err *err)
{
	int rc = attr_range(sp, "max_mc", ALL, 1, ALL, &e->mcs, err);

	if (!rc)
		rc = attr_range(sp, "max_csrow", ALL, 1, ALL, &e->rows, err);
	if (!rc)
		rc = attr_range(sp, "max_channel", 1, 0, ALL, &e->channels, err);
	e->mcs_given = samp_attr(sp, "max_mc");
	e->rows_given = samp_attr(sp, "max_csrow");
	return rc;
}

static int edac_probe(const char *root, struct err *err)
{
	char *path = xasprintf("%s" SOURCE "/mc0", root);
	bool there = !access(path, F_OK);

	free(path);
	return there ? 0 : err_set(err, -ENOENT, "no memory controller tells of errors");
}

static int edac_check(struct samp *sp, struct err *err)
{
	struct edac e;

	return conf_read(sp, &e, err);
}

/* The metric of that file, and the file. */
static int file_add(struct edac *e, struct schema *s, const struct metric_def *def, const char *name, char *path,
		    struct err *err)
{
	struct metric_def named = *def;
	int rc;

	named.name = name;
	rc = schema_add_defs(s, &named, 1, err);
	if (rc < 0) {
		free(path);
		return rc;
	}
	e->files = xrealloc(e->files, (e->n + 1) * sizeof(*e->files));
	rc = sysnum_open(&e->files[e->n++], path, err);
	return rc ? err_prefix(err, rc, "max_mc=, max_csrow=: ") : 0;
}

/* A metric for each of the `n` files of a folder: they are called as their metrics are behind the folder's part. */
static int folder_add(struct edac *e, struct schema *s, const char *dir, const char *prefix, int first, int n,
		      struct err *err)
{
	int rc = 0;

	for (int i = first; i < first + n && !rc; i++) {
		const char *file = strchr(metrics[i].name, '_') + 1;
		char name[96];

		if (first == OF_ROW)
			file = strchr(file, '_') + 1;
		snprintf(name, sizeof(name), "%s_%s", prefix, file);
		rc = file_add(e, s, &metrics[i], name, xasprintf("%s/%s", dir, file), err);
	}
	return rc;
}

static int channels_add(struct edac *e, struct schema *s, const char *dir, const char *prefix, struct err *err)
{
	int rc = 0;

	for (uint64_t k = 0; k < e->channels && !rc; k++) {
		char name[96], *path = xasprintf("%s/ch%llu_ce_count", dir, (unsigned long long)k);

		if (access(path, F_OK)) {
			free(path);
			continue;
		}
		snprintf(name, sizeof(name), "%s_ch%llu_ce_count", prefix, (unsigned long long)k);
		rc = file_add(e, s, &metrics[OF_CHANNEL], name, path, err);
	}
	return rc;
}

static int rows_add(struct edac *e, struct schema *s, const char *mc, unsigned long long i, struct err *err)
{
	int rc = 0;

	for (unsigned long long j = 0; j < e->rows && !rc; j++) {
		char prefix[64], *dir = xasprintf("%s/csrow%llu", mc, j);
		bool there = e->rows_given || !access(dir, F_OK);

		snprintf(prefix, sizeof(prefix), "mc%llu_csrow%llu", i, j);
		if (there)
			rc = folder_add(e, s, dir, prefix, OF_ROW, OF_CHANNEL - OF_ROW, err);
		if (there && !rc)
			rc = channels_add(e, s, dir, prefix, err);
		free(dir);
	}
	return rc;
}

static int mcs_add(struct edac *e, struct samp *sp, struct schema *s, struct err *err)
{
	int rc = 0;

	for (unsigned long long i = 0; i < e->mcs && !rc; i++) {
		char prefix[64], *dir = xasprintf("%s" SOURCE "/mc%llu", samp_root(sp), i);
		bool there = e->mcs_given || !access(dir, F_OK);

		snprintf(prefix, sizeof(prefix), "mc%llu", i);
		if (there)
			rc = folder_add(e, s, dir, prefix, OF_MC, OF_ROW - OF_MC, err);
		if (there && !rc)
			rc = rows_add(e, s, dir, i, err);
		if (there && !rc)
			rc = folder_add(e, s, dir, prefix, OF_AGE, 1, err);
		free(dir);
	}
	if (!rc && !e->n)
		rc = err_set(err, -ENOENT, "%s" SOURCE ": has no controller; is a driver for it loaded (edac)?",
			     samp_root(sp));
	return rc;
}

static int edac_open(struct samp *sp, struct err *err)
{
	struct edac *e = samp_state(sp);
	int first, rc = conf_read(sp, e, err);
	struct schema *s;

	if (rc)
		return rc;
	s = samp_schema_new(sp, "edac", err);
	if (!s)
		return -EINVAL;
	first = (int)schema_card(s);
	rc = mcs_add(e, sp, s, err);
	if (rc) {
		schema_free(s);
		return rc;
	}
	e->set = samp_set_new(sp, s, "", err);
	if (!e->set)
		return -ENOMEM;
	e->slots = set_slot(e->set, first);
	return 0;
}

static int edac_sample(struct samp *sp, struct err *err)
{
	struct edac *e = samp_state(sp);
	int rc = 0;

	samp_begin(sp, e->set);
	for (size_t i = 0; i < e->n && !rc; i++) {
		uint64_t v = 0;

		rc = sysnum_u64(&e->files[i], &v, err);
		e->slots[i] = htole64(v);
	}
	if (rc)
		samp_cancel(sp, e->set);
	else
		samp_end(sp, e->set);
	return rc;
}

static void edac_close(struct samp *sp)
{
	struct edac *e = samp_state(sp);

	for (size_t i = 0; i < e->n; i++)
		sysnum_close(&e->files[i]);
	free(e->files);
}

const struct samp_type samp_edac = {
	.name = "edac",
	.brief = "errors of the memory, by controller and row",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct edac),
	.probe = edac_probe,
	.check = edac_check,
	.open = edac_open,
	.sample = edac_sample,
	.close = edac_close,
};
