/* lustre_target.c - see lustre_target.h */
#include "plugins/lustre_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/dirscan.h"
#include "plugins/sysnum.h"

enum { NAMES = 3, SPACE = 5 };

static const char *const space_files[SPACE] = { "filesfree", "filestotal", "kbytesavail", "kbytesfree", "kbytestotal" };

struct target {
	const struct lustre_targets *lt;
	char *name;
	struct set *set;
	uint64_t *slots;
	struct lustre_stats stats;
	struct lustre_jobs jobs;
	struct sysnum space[SPACE]; /* .path NULL: not found so far */
};

/* Is the target's file system below root/place, in osd-ldiskfs, osd-zfs or the like?  Then into `path`. */
static bool space_look(const char *root, const char *place, const char *target, char path[PATH_MAX])
{
	struct dirscan d;
	bool found = false;
	int fd;

	snprintf(path, PATH_MAX, "%s%s", root, place);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	for (dirscan_begin(&d, fd); !found && dirscan_next(&d);) {
		if (strncmp(d.name, "osd-", 4))
			continue;
		snprintf(path, PATH_MAX, "%s%s/%.64s/%.255s/%s", root, place, d.name, target, space_files[0]);
		found = !access(path, R_OK);
	}
	close(fd);
	return found;
}

static void space_find(struct target *t, const char *root)
{
	char path[PATH_MAX];

	if (!space_look(root, "/proc/fs/lustre", t->name, path) && !space_look(root, "/sys/fs/lustre", t->name, path))
		return;
	for (int i = 0; i < SPACE; i++)
		t->space[i] = (struct sysnum){
			.fd = -1,
			.path = xasprintf("%.*s/%s", (int)(strrchr(path, '/') - path), path, space_files[i]),
		};
}

static int space_sample(struct target *t, struct samp *sp, struct err *err)
{
	uint64_t *slots = t->slots + t->lt->type->counters;
	int first = 0;

	if (!t->space[0].path)
		space_find(t, samp_root(sp));
	for (int i = 0; i < SPACE && t->space[0].path; i++) {
		uint64_t v = 0;
		int rc = sysnum_u64(&t->space[i], &v, first ? NULL : err);

		slots[i] = htole64(v);
		first = first ? first : rc;
	}
	return first;
}

static int target_set_make(struct target *t, struct samp *sp, struct err *err)
{
	const struct lustre_target_type *type = t->lt->type;
	char *set_name = xasprintf("%s/%s", samp_producer(sp), t->name);
	int first = samp_set_make(sp, samp_schema_bare(sp, type->schema, err), type->metrics,
				  NAMES + type->counters + SPACE, set_name, &t->set, err);

	free(set_name);
	if (first < 0)
		return first;
	set_meta_text(t->set, first + 1, t->name, lustre_fs_name(t->name, strlen(t->name)));
	set_meta_text(t->set, first + 2, t->name, strlen(t->name));
	t->slots = set_slot(t->set, first + NAMES);
	return 0;
}

void lustre_target_end(struct samp *sp, void *item)
{
	struct target *t = item;

	samp_set_drop(sp, t->set);
	lustre_stats_close(&t->stats);
	lustre_jobs_close(&t->jobs, sp);
	for (int i = 0; i < SPACE; i++)
		sysnum_close(&t->space[i]);
	free(t->name);
	free(t);
}

int lustre_target_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct target *t = xcalloc(1, sizeof(*t));
	char *file;
	int rc;

	t->lt = owner;
	t->name = xstrdup(name);
	file = xasprintf("%s/%s", path, t->lt->type->stats);
	rc = lustre_stats_open(&t->stats, file, err);
	free(file);
	file = xasprintf("%s/job_stats", path);
	lustre_jobs_init(&t->jobs, &t->lt->type->jobs, file, t->name);
	free(file);
	if (!rc)
		rc = target_set_make(t, sp, err);
	if (rc)
		lustre_target_end(sp, t);
	else
		*ret = t;
	return rc;
}

static int target_sample(struct samp *sp, void *item, struct err *err)
{
	struct target *t = item;
	int rc, jobs;

	samp_begin(sp, t->set);
	rc = lustre_stats_read(&t->stats, &t->lt->keys, t->slots, err);
	if (rc) {
		samp_cancel(sp, t->set);
	} else {
		rc = space_sample(t, sp, err); /* the counters are good without */
		samp_end(sp, t->set);
	}
	jobs = lustre_jobs_sample(&t->jobs, sp, rc ? NULL : err);
	return rc ? rc : jobs;
}

int lustre_targets_open(struct samp *sp, const struct lustre_target_type *type, struct err *err)
{
	struct lustre_targets *lt = samp_state(sp);
	int rc;

	lt->type = type;
	folder_init(&lt->folder, &type->folder, samp_root(sp), NULL, lt);
	for (size_t i = 0; i < type->counters; i++)
		lustre_keys_add(&lt->keys, type->metrics[NAMES + i].name);
	rc = folder_look(&lt->folder, sp, err);
	if (!rc)
		folder_each(&lt->folder, sp, NULL, NULL); /* what cannot be read is said by the first sample */
	return rc;
}

int lustre_targets_sample(struct samp *sp, struct err *err)
{
	struct lustre_targets *lt = samp_state(sp);
	int rc = folder_look(&lt->folder, sp, err);

	return rc ? rc : folder_each(&lt->folder, sp, target_sample, err);
}

void lustre_targets_close(struct samp *sp)
{
	struct lustre_targets *lt = samp_state(sp);

	folder_close(&lt->folder, sp);
	lustre_keys_fini(&lt->keys);
}
