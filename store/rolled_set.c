/* rolled_set.c - the files of all streams of one store; see rolled.h */
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "store/dirs.h"
#include "store/rolled.h"

void rolled_set_add(struct rolled_set *rs, const char *name, void *arg)
{
	rs->v = xrealloc(rs->v, (rs->n + 1) * sizeof(*rs->v));
	rs->v[rs->n++] = (struct rolled_one){ .name = name, .arg = arg };
}

int rolled_set_open(struct rolled_set *rs, struct err *err)
{
	int rc = dirs_make(rs->conf.dir, ROLLED_DIR_PERM, (uid_t)-1, (gid_t)-1, err);

	for (size_t i = 0; !rc && i < rs->n; i++)
		rolled_init(&rs->v[i].files, &rs->conf, rs->v[i].name, rs->v[i].arg);
	rs->open = !rc;
	return rc;
}

struct rolled *rolled_set_find(struct rolled_set *rs, const char *name)
{
	for (size_t i = 0; i < rs->n; i++)
		if (!strcmp(rs->v[i].name, name))
			return &rs->v[i].files;
	return NULL;
}

int rolled_set_flush(struct rolled_set *rs, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < rs->n; i++)
		rc = rolled_flush(&rs->v[i].files, err);
	return rc;
}

int64_t rolled_set_tick(struct rolled_set *rs)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < rs->n; i++) {
		int64_t at = rolled_tick(&rs->v[i].files);

		due = at < due ? at : due;
	}
	return due;
}

void rolled_set_close(struct rolled_set *rs)
{
	for (size_t i = 0; rs->open && i < rs->n; i++)
		rolled_fini(&rs->v[i].files);
	rs->open = false;
}

void rolled_set_fini(struct rolled_set *rs)
{
	free(rs->v);
	free(rs->conf.dir);
}
