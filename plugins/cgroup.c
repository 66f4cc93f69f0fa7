/* cgroup.c - what control groups (version 2) use: systemd's units and slices, and the jobs of a resource manager; a
 * record each, as many as there are at that moment
 *
 * Members are called as the kernel calls them, behind the name of their file's controller.  What a group does not have,
 * because the controller is not enabled for it or the kernel is older, is 0; a limit that is not set is 2^64 - 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/dirscan.h"
#include "plugins/namelist.h"
#include "plugins/names.h"
#include "plugins/rows.h"
#include "plugins/samp.h"
#include "plugins/scalars.h"
#include "plugins/sysnum.h"

#define SOURCE     "/sys/fs/cgroup"
#define HYBRID     "/sys/fs/cgroup/unified" /* where systems that also have version 1 put it */
#define PATTERNS   "system.slice/*,user.slice/*,machine.slice/*,system.slice/slurmstepd.scope/job_*"
#define NAME_SIZE  256
#define PATH_ROOM  1024  /* bytes of a path below the root */
#define TEXT_ROOM  16384 /* of a file: memory.stat has 2,000 */
#define GROUPS_MIN 64    /* room for so many at first */
#define KEPT_MAX   256   /* descriptors; the files of further groups are opened for each read */

static const struct metric_def members[] = {
	{ "name", V_CHAR_ARRAY, "", METRIC_GAUGE, "path of the group below the root", NAME_SIZE },
	{ "cpu.usage_usec", V_U64, "us", METRIC_COUNTER, "processor time", 1 },
	{ "cpu.user_usec", V_U64, "us", METRIC_COUNTER, "of it, in programs", 1 },
	{ "cpu.system_usec", V_U64, "us", METRIC_COUNTER, "of it, in the kernel", 1 },
	{ "cpu.nr_periods", V_U64, "", METRIC_COUNTER, "periods of the bandwidth limit", 1 },
	{ "cpu.nr_throttled", V_U64, "", METRIC_COUNTER, "those in which it was throttled", 1 },
	{ "cpu.throttled_usec", V_U64, "us", METRIC_COUNTER, "time throttled", 1 },
	{ "memory.current", V_U64, "bytes", METRIC_GAUGE, "memory in use", 1 },
	{ "memory.peak", V_U64, "bytes", METRIC_GAUGE, "the most that it was", 1 },
	{ "memory.max", V_U64, "bytes", METRIC_GAUGE, "its limit", 1 },
	{ "memory.swap.current", V_U64, "bytes", METRIC_GAUGE, "swap in use", 1 },
	{ "memory.anon", V_U64, "bytes", METRIC_GAUGE, "memory without file", 1 },
	{ "memory.file", V_U64, "bytes", METRIC_GAUGE, "memory of files", 1 },
	{ "memory.kernel", V_U64, "bytes", METRIC_GAUGE, "memory of the kernel", 1 },
	{ "memory.shmem", V_U64, "bytes", METRIC_GAUGE, "of file: shared memory and tmpfs", 1 },
	{ "memory.slab", V_U64, "bytes", METRIC_GAUGE, "of kernel: its objects", 1 },
	{ "memory.pgfault", V_U64, "", METRIC_COUNTER, "page faults", 1 },
	{ "memory.pgmajfault", V_U64, "", METRIC_COUNTER, "those with I/O", 1 },
	{ "memory.events.high", V_U64, "", METRIC_COUNTER, "times above the soft limit", 1 },
	{ "memory.events.max", V_U64, "", METRIC_COUNTER, "times at the limit", 1 },
	{ "memory.events.oom", V_U64, "", METRIC_COUNTER, "times out of memory", 1 },
	{ "memory.events.oom_kill", V_U64, "", METRIC_COUNTER, "processes killed for that", 1 },
	{ "io.rbytes", V_U64, "bytes", METRIC_COUNTER, "read from disks", 1 },
	{ "io.wbytes", V_U64, "bytes", METRIC_COUNTER, "written to disks", 1 },
	{ "io.rios", V_U64, "", METRIC_COUNTER, "reads of disks", 1 },
	{ "io.wios", V_U64, "", METRIC_COUNTER, "writes to disks", 1 },
	{ "pids.current", V_U64, "", METRIC_GAUGE, "processes and threads", 1 },
	{ "pids.max", V_U64, "", METRIC_GAUGE, "their limit", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { VALUES = sizeof(members) / sizeof(*members) - 2 };

/* The files of a group, in the order of their values.  `keys`: lines `key number`; a file without is one number; io.stat
 * is a line `8:0 rbytes=1 wbytes=2 ...` for each disk. */
static const struct source {
	const char *file;
	int n;
	const char *keys[8];
} sources[] = {
	{ "cpu.stat",
	  6,
	  { "usage_usec ", "user_usec ", "system_usec ", "nr_periods ", "nr_throttled ", "throttled_usec " } },
	{ "memory.current", 1, { NULL } },
	{ "memory.peak", 1, { NULL } },
	{ "memory.max", 1, { NULL } },
	{ "memory.swap.current", 1, { NULL } },
	{ "memory.stat", 7, { "anon ", "file ", "kernel ", "shmem ", "slab ", "pgfault ", "pgmajfault " } },
	{ "memory.events", 4, { "high ", "max ", "oom ", "oom_kill " } },
	{ "io.stat", 4, { "rbytes=", "wbytes=", "rios=", "wios=" } },
	{ "pids.current", 1, { NULL } },
	{ "pids.max", 1, { NULL } },
};
enum { SOURCES = sizeof(sources) / sizeof(*sources), IO_STAT = 7 };

static const struct samp_attr attrs[] = {
	{ "cgroups", PATTERNS,
	  "paths of groups below the root, separated by commas; * stands for any characters but a slash" },
	{ "root", SOURCE " or " HYBRID, "where they are mounted" },
	{ NULL, NULL, NULL },
};

struct row { /* a record's values in the set */
	char name[NAME_SIZE];
	uint64_t values[VALUES];
};

struct group {
	struct sysnum files[SOURCES];
	bool seen; /* in this sample */
};

struct cgroup {
	char *root;
	const char *patterns;
	struct rows rows;
	struct names names;
	struct group *groups; /* of the names */
	size_t kept;          /* descriptors */
	uint64_t values[VALUES];
	struct scalar scalars[VALUES]; /* of the lines of a group's files; into `values` */
	char text[TEXT_ROOM];
};

/* -- which groups there are ---------------------------------------------------------------------------------------- */

static void group_add(struct cgroup *cg, const char *path, size_t len)
{
	uint32_t i = names_add(&cg->names, path, len);
	bool fleeting = cg->kept + SOURCES > KEPT_MAX;
	struct group *g;

	cg->groups = xrealloc(cg->groups, (i + 1) * sizeof(*cg->groups));
	g = &cg->groups[i];
	*g = (struct group){ .seen = true };
	for (int k = 0; k < SOURCES; k++)
		g->files[k] = (struct sysnum){
			.fd = -1,
			.path = xasprintf("%s/%.*s/%s", cg->root, (int)len, path, sources[k].file),
			.fleeting = fleeting,
		};
	cg->kept += fleeting ? 0 : SOURCES;
}

static void group_close(struct cgroup *cg, struct group *g)
{
	cg->kept -= g->files[0].fleeting ? 0 : SOURCES;
	for (int k = 0; k < SOURCES; k++)
		sysnum_close(&g->files[k]);
}

static void group_seen(struct cgroup *cg, const char *path, size_t len)
{
	int i = names_find(&cg->names, path, len);

	if (i < 0)
		group_add(cg, path, len);
	else
		cg->groups[i].seen = true;
}

/* All groups below the folder `dir`, of which the path is the `at` bytes in `path`, that match the pattern. */
static void groups_match(struct cgroup *cg, int dir, const char *pattern, char path[PATH_ROOM + PROC_SLACK], size_t at)
{
	size_t n = strcspn(pattern, "/,");
	bool last = pattern[n] != '/';
	char glob[NAME_SIZE];
	struct dirscan d;

	if (n >= sizeof(glob))
		return;
	memcpy(glob, pattern, n);
	glob[n] = 0;
	for (dirscan_begin(&d, dir); dirscan_next(&d);) {
		size_t len = strlen(d.name);
		int below;

		if ((d.type != DT_DIR && d.type != DT_UNKNOWN) || at + len + 2 > PATH_ROOM || fnmatch(glob, d.name, 0))
			continue;
		memcpy(path + at, d.name, len);
		memset(path + at + len, 0, PROC_SLACK);
		if (last) {
			group_seen(cg, path, at + len);
			continue;
		}
		below = openat(dir, d.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (below < 0)
			continue; /* it has just gone */
		path[at + len] = '/';
		groups_match(cg, below, pattern + n + 1, path, at + len + 1);
		close(below);
	}
}

/* Groups that were not seen are gone. */
static void groups_sweep(struct cgroup *cg)
{
	struct names kept = { 0 };

	for (uint32_t i = 0; i < cg->names.n; i++) {
		size_t len;
		const char *name = names_text(&cg->names, i, &len);

		if (cg->groups[i].seen)
			cg->groups[names_add(&kept, name, len)] = cg->groups[i];
		else
			group_close(cg, &cg->groups[i]);
	}
	names_fini(&cg->names);
	cg->names = kept;
}

static int groups_look(struct cgroup *cg, struct err *err)
{
	const char *patterns = cg->patterns, *pattern;
	char path[PATH_ROOM + PROC_SLACK];
	int dir = open(cg->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool gone = false;

	if (dir < 0)
		return err_set(err, -errno, "%s: cannot be opened: %s; are control groups mounted there?", cg->root,
			       err_name(errno));
	for (uint32_t i = 0; i < cg->names.n; i++)
		cg->groups[i].seen = false;
	names_rewind(&cg->names);
	while (namelist_next(&patterns, &pattern))
		groups_match(cg, dir, pattern, path, 0);
	close(dir);
	for (uint32_t i = 0; i < cg->names.n; i++)
		gone |= !cg->groups[i].seen;
	if (gone)
		groups_sweep(cg);
	return 0;
}

/* -- what they use ------------------------------------------------------------------------------------------------- */

static const char *behind(const char *p, const char *word)
{
	size_t n = strlen(word);

	return strncmp(p, word, n) ? NULL : p + n;
}

/* The sums of all lines "8:0 rbytes=1 wbytes=2 ...". */
static void io_scan(const struct source *src, const char *p, uint64_t *sums)
{
	for (; *p; p++) {
		if (*p != ' ')
			continue;
		for (int k = 0; k < src->n; k++) {
			const char *number = behind(p + 1, src->keys[k]);

			if (!number)
				continue;
			sums[k] += proc_digits(&number);
			break;
		}
	}
	for (int k = 0; k < src->n; k++)
		sums[k] = htole64(sums[k]);
}

static void source_scan(struct cgroup *cg, int k, int first)
{
	const struct source *src = &sources[k];
	const char *p = cg->text;
	uint64_t v;

	if (k == IO_STAT)
		io_scan(src, p, &cg->values[first]);
	else if (src->keys[0])
		scalars_scan(&cg->scalars[first], (size_t)src->n, p);
	else
		cg->values[first] = proc_number(&p, &v) ? htole64(v) : *p == 'm' ? UINT64_MAX : 0;
}

/* Into cg->values; false when the group has just gone. */
static bool group_read(struct cgroup *cg, struct group *g)
{
	int first = 0;

	memset(cg->values, 0, sizeof(cg->values));
	for (int k = 0; k < SOURCES; first += sources[k++].n) {
		if (!sysnum_read(&g->files[k], cg->text, sizeof(cg->text), NULL))
			source_scan(cg, k, first);
		else if (!k)
			return false; /* every group has cpu.stat */
	}
	return true;
}

static int cgroup_sample(struct samp *sp, struct err *err)
{
	struct cgroup *cg = samp_state(sp);
	int rc = groups_look(cg, err);
	size_t n;

	if (rc)
		return rc;
	samp_begin(sp, cg->rows.set);
	do {
		n = 0;
		for (uint32_t i = 0; i < cg->names.n; i++) {
			struct row *row;
			const char *name;
			size_t len;

			if (!group_read(cg, &cg->groups[i]))
				continue;
			row = rows_at(&cg->rows, n++);
			if (!row)
				goto full;
			name = names_text(&cg->names, i, &len);
			memset(row->name, 0, sizeof(row->name));
			memcpy(row->name, name, len < NAME_SIZE ? len : NAME_SIZE - 1);
			memcpy(row->values, cg->values, sizeof(row->values));
		}
	} while (rows_cut(&cg->rows, n));
	samp_end(sp, cg->rows.set);
	return 0;
full:
	samp_cancel(sp, cg->rows.set);
	return err_set(err, -ESTALE, "%s: has more than the %zu groups that fit", cg->root, n - 1);
}

/* -- open and close ------------------------------------------------------------------------------------------------ */

/* Is control groups' version 2 mounted there? */
static bool is_root(const char *root)
{
	char *path = xasprintf("%s/cgroup.controllers", root);
	bool is = !access(path, F_OK);

	free(path);
	return is;
}

static int cgroup_probe(const char *root, struct err *err)
{
	static const char *const places[] = { SOURCE, HYBRID };
	bool found = false;

	for (int i = 0; i < 2 && !found; i++) {
		char *path = xasprintf("%s%s", root, places[i]);

		found = is_root(path);
		free(path);
	}
	return found ? 0 : err_set(err, -ENOENT, "control groups of version 2 are not mounted");
}

static int root_find(struct cgroup *cg, struct samp *sp, struct err *err)
{
	const char *given = samp_attr(sp, "root");

	cg->root = xasprintf("%s%s", samp_root(sp), given ? given : SOURCE);
	if (!given && !is_root(cg->root)) {
		free(cg->root);
		cg->root = xasprintf("%s" HYBRID, samp_root(sp));
	}
	if (is_root(cg->root))
		return 0;
	return err_set(err, -ENOENT, "%s: has no cgroup.controllers; are control groups of version 2 mounted%s?",
		       given ? cg->root : SOURCE, given ? " there" : ", and where (root=)");
}

static const struct rows_type list = { "cgroup", "cgroup_list", "", members, 1 + VALUES };

static int cgroup_open(struct samp *sp, struct err *err)
{
	struct cgroup *cg = samp_state(sp);
	int rc = root_find(cg, sp, err), first = 0;

	cg->patterns = samp_attr(sp, "cgroups");
	if (!cg->patterns)
		cg->patterns = PATTERNS;
	for (int k = 0; k < SOURCES; first += sources[k++].n)
		for (int i = 0; i < sources[k].n; i++)
			if (sources[k].keys[i])
				scalar_set(&cg->scalars[first + i], sources[k].keys[i], &cg->values[first + i]);
	if (!rc)
		rc = groups_look(cg, err);
	return rc ? rc : rows_set_new(&cg->rows, sp, "cgroup", "", &list, cg->names.n, GROUPS_MIN, err);
}

static void cgroup_close(struct samp *sp)
{
	struct cgroup *cg = samp_state(sp);

	for (uint32_t i = 0; i < cg->names.n; i++)
		group_close(cg, &cg->groups[i]);
	free(cg->groups);
	names_fini(&cg->names);
	rows_fini(&cg->rows);
	free(cg->root);
}

const struct samp_type samp_cgroup = {
	.name = "cgroup",
	.brief = "control groups: units and jobs, a record each",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = members,
	.state_size = sizeof(struct cgroup),
	.probe = cgroup_probe,
	.open = cgroup_open,
	.sample = cgroup_sample,
	.close = cgroup_close,
};
