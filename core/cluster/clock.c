/* clock.c - a node with another time of day: libfaketime, preloaded into what runs there, reads how much from a file */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/cluster/fault.h"
#include "core/cluster/impl.h"

#define CLOCK_FILE "/run/ldms/clock" /* in the node */

static const char *const places[] = {
	"/usr/lib/*/faketime/libfaketimeMT.so.1",
	"/usr/lib64/faketime/libfaketimeMT.so.1",
	"/usr/lib/faketime/libfaketimeMT.so.1",
	"/usr/local/lib/faketime/libfaketimeMT.so.1",
};

static char *library(void)
{
	char *ret = NULL;
	glob_t g;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && !ret; i++)
		if (!glob(places[i], 0, NULL, &g)) {
			ret = xstrdup(g.gl_pathv[0]);
			globfree(&g);
		}
	return ret;
}

int fault_clock_env(char ***ret, struct err *err)
{
	char *lib = library(), **env;
	size_t n = 0;

	if (!lib)
		return err_set(err, -ENOENT, "clocks cannot be set without libfaketime; install the package faketime");
	env = xcalloc(8, sizeof(*env));
	env[n++] = xasprintf("LD_PRELOAD=%s", lib);
	env[n++] = xstrdup("FAKETIME_TIMESTAMP_FILE=" CLOCK_FILE);
	env[n++] = xstrdup("FAKETIME_NO_CACHE=1");   /* a step is seen at once */
	env[n++] = xstrdup("DONT_FAKE_MONOTONIC=1"); /* a machine's uptime does not step */
	/* a cure for older C libraries: with ours, waits until a monotonic time would come back at once */
	env[n++] = xstrdup("FAKETIME_FORCE_MONOTONIC_FIX=0");
	env[n++] = xstrdup("NO_FAKE_STAT=1"); /* times of files stay those of their file system */
	free(lib);
	*ret = env;
	return 0;
}

int fault_clock_set(const struct cluster *c, size_t node, int64_t s, struct err *err)
{
	char *path = cluster_node_path(c, &c->nodes[node], "run/ldms/clock");
	struct buf b = { 0 };
	int rc;

	buf_addf(&b, "%+lld\n", (long long)s);
	rc = cluster_file_write(path, &b, err);
	buf_fini(&b);
	free(path);
	return rc;
}
