/* cxi_sampler.c - Slingshot's network interfaces: telemetry of the hardware, and what the retry handler did; a record
 * for each interface in two lists
 *
 * The expressions of tel_counters= and rh_counters= match names of files as a whole.  Without any, records have the
 * interface's name alone, as ldmsd does it.
 */
#include <errno.h>
#include <stdlib.h>

#include "plugins/cxi.h"

#define RH_SOURCE "/var/run/cxi"

static const struct metric_def metrics[] = {
	{ "iface_name", V_CHAR_ARRAY, "", METRIC_GAUGE, "interface; further members are called as the files",
	  CXI_NAME },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct samp_attr attrs[] = {
	{ "tel_counters", "none",
	  "counters of the hardware: names or expressions, separated by commas; and "
	  "derived:link_restarts" },
	{ "tel_counters_file", NULL, "a file with these, one in a line, when tel_counters is not given" },
	{ "rh_counters", "none", "counters of the retry handler, likewise" },
	{ "rh_counters_file", NULL, "a file with these" },
	{ "tel_path", CXI_SOURCE, "where the first are" },
	{ "rh_path", RH_SOURCE, "where the second are" },
	{ NULL, NULL, NULL },
};

struct cxi_sampler {
	struct cxi_list tel, rh;
	struct set *set;
	bool no_rh; /* no retry handler runs here */
};

/* What is there, and which of its counters are wanted. */
static int list_find(struct cxi_list *cl, struct samp *sp, const char *key, struct err *err)
{
	char *patterns = NULL;
	int rc = cxi_patterns(sp, key, &patterns, err);

	if (!rc && patterns)
		rc = cxi_list_find(cl, patterns, err);
	free(patterns);
	return rc && rc == -EINVAL ? err_prefix(err, rc, "%s=: ", key) : rc;
}

static int set_make(struct cxi_sampler *cs, struct samp *sp, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "cxi_sampler", err);
	int rc = s ? cxi_list_add(&cs->tel, s, "tel_record", "tel_list", "tel_record", "iface_name", err) : -EINVAL;

	if (!rc)
		rc = cxi_list_add(&cs->rh, s, "rh_record", "rh_list", "rh_record", "iface_name", err);
	if (rc) {
		schema_free(s);
		return rc;
	}
	cs->set = samp_set_new(sp, s, "", err);
	cs->tel.rows.set = cs->rh.rows.set = cs->set;
	return cs->set ? 0 : -ENOMEM;
}

static int cxi_sampler_open(struct samp *sp, struct err *err)
{
	struct cxi_sampler *cs = samp_state(sp);
	const char *tel = samp_attr(sp, "tel_path"), *rh = samp_attr(sp, "rh_path");
	int rc;

	cxi_list_init(&cs->tel, sp, tel ? tel : CXI_SOURCE, "/device/telemetry",
		      "has this node Slingshot, and is its driver loaded?");
	cxi_list_init(&cs->rh, sp, rh ? rh : RH_SOURCE, "", "does the retry handler run?");
	rc = folder_look(&cs->tel.folder, sp, err);
	if (rc)
		return rc;
	cs->no_rh = folder_look(&cs->rh.folder, sp, NULL);
	rc = list_find(&cs->tel, sp, "tel_counters", err);
	if (!rc)
		rc = list_find(&cs->rh, sp, "rh_counters", err);
	return rc ? rc : set_make(cs, sp, err);
}

static int cxi_sampler_sample(struct samp *sp, struct err *err)
{
	struct cxi_sampler *cs = samp_state(sp);
	int rc, of_rh;

	if (cs->no_rh && !folder_look(&cs->rh.folder, sp, NULL))
		return err_set(err, -ESTALE, "the retry handler has come"); /* with counters of its own */
	samp_begin(sp, cs->set);
	rc = cxi_list_sample(&cs->tel, sp, err);
	of_rh = rc == -ESTALE || cs->no_rh ? 0 : cxi_list_sample(&cs->rh, sp, rc ? NULL : err);
	if (rc == -ESTALE || of_rh == -ESTALE) {
		samp_cancel(sp, cs->set);
		return -ESTALE;
	}
	samp_end(sp, cs->set);
	return rc ? rc : of_rh;
}

static void cxi_sampler_close(struct samp *sp)
{
	struct cxi_sampler *cs = samp_state(sp);

	cxi_list_close(&cs->tel, sp);
	cxi_list_close(&cs->rh, sp);
}

static int cxi_sampler_probe(const char *root, struct err *err)
{
	const struct folder_type nics = { .places = (const char *const[]){ CXI_SOURCE, NULL } };
	int rc = folder_probe(&nics, root, err);

	return rc ? rc : err_set(err, -EEXIST, "slingshot_metrics tells the same; this one wants to be told what");
}

const struct samp_type samp_cxi_sampler = {
	.name = "cxi_sampler",
	.brief = "interfaces of Slingshot: telemetry and retries, a record each",
	.source = CXI_SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct cxi_sampler),
	.reads = "tel_counters_file rh_counters_file tel_path rh_path",
	.probe = cxi_sampler_probe,
	.open = cxi_sampler_open,
	.sample = cxi_sampler_sample,
	.close = cxi_sampler_close,
};
