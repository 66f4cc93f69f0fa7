/* samplers.c - every sampler in this program.  To add one: write plugins/NAME.c, add X(NAME) here. */
#include "plugins/samp.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"

/* clang-format off */
#define SAMPLERS(X) \
	X(all_example) \
	X(app_sampler) \
	X(array_example) \
	X(cgroup) \
	X(clock) \
	X(coretemp) \
	X(cxi_sampler) \
	X(dstat) \
	X(edac) \
	X(exec) \
	X(file) \
	X(filesingle) \
	X(fptrans) \
	X(hello_ldms_msg) \
	X(hello_sampler) \
	X(hwmon) \
	X(jobid) \
	X(jobinfo) \
	X(json_stream_sampler) \
	X(linux_proc_sampler) \
	X(lnet_stats) \
	X(loadavg) \
	X(lustre2_client) \
	X(lustre_client) \
	X(lustre_mdc) \
	X(lustre_mdt) \
	X(lustre_ost) \
	X(meminfo) \
	X(nvml) \
	X(opa2) \
	X(perf) \
	X(procdiskstats) \
	X(procinterrupts) \
	X(procnet) \
	X(procnetdev) \
	X(procnetdev2) \
	X(procnfs) \
	X(procstat) \
	X(procstat2) \
	X(prom) \
	X(rapl) \
	X(record_sampler) \
	X(rocm) \
	X(self) \
	X(slingshot_info) \
	X(slingshot_metrics) \
	X(slurm_sampler) \
	X(slurm_sampler2) \
	X(synth) \
	X(synthetic) \
	X(sysclassib) \
	X(test_sampler) \
	X(variable) \
	X(vmstat) \
	X(zfs)

#define X(n) extern const struct samp_type samp_##n;
SAMPLERS(X)
#undef X

const struct samp_type *const samp_types[] = {
#define X(n) &samp_##n,
	SAMPLERS(X)
#undef X
	NULL,
};
/* clang-format on */

const struct samp_type *samp_type_find(const char *name)
{
	for (size_t i = 0; samp_types[i]; i++)
		if (!strcmp(samp_types[i]->name, name))
			return samp_types[i];
	return NULL;
}

int samp_type_here(const struct samp_type *type, const char *root, struct err *err)
{
	char path[PATH_MAX];

	if (type->needs)
		return err_set(err, -ENOSYS, "this ldms was built without %s", type->needs);
	if (type->probe)
		return type->probe(root, err);
	if (*type->source != '/')
		return 1;
	snprintf(path, sizeof(path), "%s%.*s", root, (int)strcspn(type->source, " ,"), type->source);
	return access(path, R_OK) ? err_set(err, -errno, "%s: %s", path, err_name(errno)) : 0;
}

const struct metric_def *samp_metric_find(const char *schema, const char *metric)
{
	const struct samp_type *type = samp_type_find(schema);

	for (const struct metric_def *m = type ? type->metrics : NULL; m && m->name; m++)
		if (!strcmp(m->name, metric))
			return m;
	return NULL;
}

int samp_type_unknown(const char *name, struct err *err)
{
	const char *names[sizeof(samp_types) / sizeof(*samp_types)], *near;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		names[i] = samp_types[i] ? samp_types[i]->name : NULL;
	near = nearest(name, names);
	return err_set(err, -ENOENT, "no sampler '%s'%s%s%s; `ldms samp -l` lists them", name,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}
