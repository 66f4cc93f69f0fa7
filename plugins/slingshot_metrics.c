/* slingshot_metrics.c - the counters of Slingshot's network interfaces, a record for each
 *
 * ldmsd asks libcxi; here they come from sysfs, which has the same.  The library's groups are known by how their
 * counters' names begin.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/xalloc.h"
#include "plugins/cxi.h"
#include "plugins/namelist.h"

#define GROUP "group:"

static const struct metric_def metrics[] = {
	{ "name", V_CHAR_ARRAY, "", METRIC_GAUGE, "interface; further members are called as the counters", CXI_NAME },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct samp_attr attrs[] = {
	{ "counters", "group:all",
	  "names of counters, and group:GROUP (all, cq, hni, lpe, mb, pi_ipd), separated by "
	  "commas" },
	{ "counters_file", NULL, "a file with these, one in a line, when counters is not given" },
	{ "refresh_interval_sec", "0", "accepted: interfaces that come and go are seen at once" },
	{ NULL, NULL, NULL },
};

static const struct group {
	const char *name, *pattern;
} groups[] = {
	{ "all", ".*" },     { "cq", "cq_.*" }, { "hni", "hni_.*" },
	{ "lpe", "lpe_.*" }, { "mb", "mb_.*" }, { "pi_ipd", "(pi|ipd)_.*" },
};

struct slingshot_metrics {
	struct cxi_list nics;
	struct set *set;
};

static const char *group_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (strlen(groups[i].name) == len && !memcmp(groups[i].name, name, len))
			return groups[i].pattern;
	return NULL;
}

/* Names and groups to expressions; yours, or NULL with words. */
static char *patterns_of(const char *counters, struct err *err)
{
	struct buf to = { 0 };
	const char *name, *pattern;
	char *ret = NULL;
	size_t len, prefix = strlen(GROUP);

	while ((len = namelist_next(&counters, &name))) {
		bool is_group = len > prefix && !memcmp(name, GROUP, prefix);

		pattern = is_group ? group_find(name + prefix, len - prefix) : NULL;
		if (is_group && !pattern) {
			err_set(err, -EINVAL,
				"counters=%.*s: sysfs does not tell this group; it is one of all, cq, hni, lpe, mb, "
				"pi_ipd, or name its counters",
				(int)len, name);
			goto out;
		}
		buf_addf(&to, "%s%.*s", to.len ? "," : "", pattern ? (int)strlen(pattern) : (int)len,
			 pattern ? pattern : name);
	}
	ret = xstrdup(buf_str(&to));
out:
	buf_fini(&to);
	return ret;
}

static int counters_find(struct slingshot_metrics *sm, struct samp *sp, struct err *err)
{
	char *counters = NULL, *patterns = NULL;
	int rc = cxi_patterns(sp, "counters", &counters, err);

	if (!rc)
		patterns = patterns_of(counters ? counters : attrs[0].dflt, err);
	if (!rc)
		rc = patterns ? cxi_list_find(&sm->nics, patterns, err) : -EINVAL;
	if (!rc && !sm->nics.n)
		rc = err_set(err, -ENOENT,
			     "counters=%s: no interface has them; `ls " CXI_SOURCE
			     "/cxi0/device/telemetry` shows those that there are",
			     counters ? counters : attrs[0].dflt);
	free(counters);
	free(patterns);
	return rc;
}

static int slingshot_metrics_open(struct samp *sp, struct err *err)
{
	struct slingshot_metrics *sm = samp_state(sp);
	struct schema *s;
	int rc;

	cxi_list_init(&sm->nics, sp, CXI_SOURCE, "/device/telemetry",
		      "has this node Slingshot, and is its driver loaded?");
	rc = folder_look(&sm->nics.folder, sp, err);
	if (!rc)
		rc = counters_find(sm, sp, err);
	if (rc)
		return rc;
	s = samp_schema_new(sp, "slingshot_metrics", err);
	rc = s ? cxi_list_add(&sm->nics, s, "slingshot_nic", "nics", "", "name", err) : -EINVAL;
	if (rc) {
		schema_free(s);
		return rc;
	}
	sm->nics.rows.set = sm->set = samp_set_new(sp, s, "", err);
	return sm->set ? 0 : -ENOMEM;
}

static int slingshot_metrics_sample(struct samp *sp, struct err *err)
{
	struct slingshot_metrics *sm = samp_state(sp);
	int rc;

	samp_begin(sp, sm->set);
	rc = cxi_list_sample(&sm->nics, sp, err);
	if (rc == -ESTALE)
		samp_cancel(sp, sm->set);
	else
		samp_end(sp, sm->set);
	return rc;
}

static void slingshot_metrics_close(struct samp *sp)
{
	struct slingshot_metrics *sm = samp_state(sp);

	cxi_list_close(&sm->nics, sp);
}

const struct samp_type samp_slingshot_metrics = {
	.name = "slingshot_metrics",
	.brief = "counters of Slingshot's interfaces, a record each",
	.source = CXI_SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct slingshot_metrics),
	.reads = "counters_file",
	.open = slingshot_metrics_open,
	.sample = slingshot_metrics_sample,
	.close = slingshot_metrics_close,
};
