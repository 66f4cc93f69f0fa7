/* folder.c - see folder.h */
#include "plugins/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/dirscan.h"

int folder_probe(const struct folder_type *type, const char *root, struct err *err)
{
	char path[PATH_MAX];

	for (const char *const *place = type->places; *place; place++) {
		snprintf(path, sizeof(path), "%s%s", root, *place);
		if (!access(path, R_OK | X_OK))
			return 0;
	}
	return err_set(err, -ENOENT, "%s%s: %s", root, type->places[0], err_name(ENOENT));
}

void folder_init(struct folder *f, const struct folder_type *type, const char *root, const char *const *places,
		 void *owner)
{
	*f = (struct folder){
		.type = type,
		.owner = owner,
		.root = xstrdup(root),
		.places = places ? places : type->places,
		.fd = -1,
	};
}

void folder_init_at(struct folder *f, const struct folder_type *type, const char *path, void *owner)
{
	folder_init(f, type, "", f->only, owner);
	f->own = xstrdup(path);
	f->only[0] = f->own;
}

static void folder_shut(struct folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->path = NULL;
}

static int folder_open(struct folder *f, struct err *err)
{
	int rc = -ENOENT;

	for (const char *const *place = f->places; *place && f->fd < 0; place++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s%s", f->root, *place);
		f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		f->path = *place;
		if (f->fd < 0 && errno != ENOENT)
			rc = -errno;
	}
	if (f->fd >= 0)
		return 0;
	f->path = NULL;
	return err_set(err, rc, "%s%s%s%s: cannot be opened: %s; %s", f->root, f->places[0],
		       f->places[1] ? " and " : "", f->places[1] ? f->places[1] : "", err_name(rc), f->type->hint);
}

static bool entry_counts(const struct folder_type *type, const struct dirscan *d)
{
	size_t n = type->prefix ? strlen(type->prefix) : 0;

	if (d->type == DT_UNKNOWN || (d->type == DT_REG) == type->files)
		return !strncmp(d->name, type->prefix ? type->prefix : "", n);
	return false;
}

static void entry_seen(struct folder *f, const char *name, size_t len)
{
	int i = names_find(&f->names, name, len);

	if (i < 0) {
		i = (int)names_add(&f->names, name, len);
		if (f->names.n > f->cap) {
			f->cap = f->cap ? 2 * f->cap : 8;
			f->items = xrealloc(f->items, f->cap * sizeof(*f->items));
		}
		f->items[i] = (struct folder_item){ NULL, true, false };
	}
	f->items[i].seen = true;
}

/* False: the folder is gone from where it was. */
static bool folder_scan(struct folder *f)
{
	char name[NAME_MAX + 1 + PROC_SLACK] = { 0 };
	struct dirscan d;

	for (uint32_t i = 0; i < f->names.n; i++)
		f->items[i].seen = false;
	names_rewind(&f->names);
	for (dirscan_begin(&d, f->fd); dirscan_next(&d);) {
		size_t len = strlen(d.name);

		if (len > NAME_MAX || !entry_counts(f->type, &d))
			continue;
		memcpy(name, d.name, len);
		memset(name + len, 0, PROC_SLACK);
		entry_seen(f, name, len);
	}
	return d.len >= 0;
}

static void folder_sweep(struct folder *f, struct samp *sp)
{
	struct names kept = { 0 };

	for (uint32_t i = 0; i < f->names.n; i++) {
		size_t len;
		const char *name = names_text(&f->names, i, &len);

		if (f->items[i].seen)
			f->items[names_add(&kept, name, len)] = f->items[i];
		else if (f->items[i].p)
			f->type->end(sp, f->items[i].p);
	}
	names_fini(&f->names);
	f->names = kept;
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct names *nm = arg;
	char x[NAME_MAX + 1], y[NAME_MAX + 1];
	const char *const text[] = { (const char *)nm->text.p + nm->v[*(const uint32_t *)a].at,
				     (const char *)nm->text.p + nm->v[*(const uint32_t *)b].at };

	snprintf(x, sizeof(x), "%.*s", (int)nm->v[*(const uint32_t *)a].len, text[0]);
	snprintf(y, sizeof(y), "%.*s", (int)nm->v[*(const uint32_t *)b].len, text[1]);
	return strverscmp(x, y);
}

static void folder_sort(struct folder *f)
{
	f->order = xrealloc(f->order, (f->names.n + 1) * sizeof(*f->order));
	for (uint32_t i = 0; i < f->names.n; i++)
		f->order[i] = i;
	qsort_r(f->order, f->names.n, sizeof(*f->order), by_name, &f->names);
}

int folder_look(struct folder *f, struct samp *sp, struct err *err)
{
	uint32_t was = f->names.n;
	bool gone = false;
	int rc = 0;

	if (f->fd >= 0 && !folder_scan(f))
		folder_shut(f);
	if (f->fd < 0) {
		rc = folder_open(f, err);
		if (!rc)
			folder_scan(f);
	}
	for (uint32_t i = 0; i < f->names.n; i++) {
		f->items[i].seen &= !rc;
		gone |= !f->items[i].seen;
	}
	if (gone)
		folder_sweep(f, sp);
	if (gone || f->names.n != was || !f->order)
		folder_sort(f);
	return rc;
}

static void name_get(const struct folder *f, uint32_t i, char name[NAME_MAX + 1])
{
	size_t len;
	const char *text = names_text(&f->names, i, &len);

	memcpy(name, text, len);
	name[len] = 0;
}

static int item_make(struct folder *f, struct samp *sp, uint32_t i, struct err *err)
{
	char name[NAME_MAX + 1], *path;
	int rc;

	name_get(f, i, name);
	path = xasprintf("%s%s/%s", f->root, f->path, name);
	rc = f->type->make(sp, f->owner, path, name, &f->items[i].p, err);
	free(path);
	return rc;
}

bool folder_has(const struct folder *f, uint32_t i)
{
	char name[NAME_MAX + 1];

	name_get(f, i, name);
	return !faccessat(f->fd, name, F_OK, 0);
}

static int item_turn(struct folder *f, struct samp *sp, uint32_t i,
		     int (*fn)(struct samp *sp, void *item, struct err *err), struct err *err)
{
	struct folder_item *item = &f->items[i];
	int rc = item->p ? 0 : item_make(f, sp, i, err);

	if (!rc && fn)
		rc = fn(sp, item->p, err);
	if (rc == -ENODEV && item->good) { /* it is another one now */
		f->type->end(sp, item->p);
		*item = (struct folder_item){ NULL, true, false };
		rc = item_make(f, sp, i, err);
		if (!rc)
			rc = fn(sp, item->p, err);
	}
	item->good |= !rc && fn;
	return rc;
}

int folder_each(struct folder *f, struct samp *sp, int (*fn)(struct samp *sp, void *item, struct err *err),
		struct err *err)
{
	int first = 0;

	for (uint32_t k = 0; k < f->names.n; k++) {
		uint32_t i = f->order[k];
		int rc = item_turn(f, sp, i, fn, first ? NULL : err);

		if (rc && !first && folder_has(f, i))
			first = rc;
	}
	return first;
}

int folder_rows(struct folder *f, struct samp *sp, struct rows *rows,
		int (*fn)(struct samp *sp, void *item, struct err *err), struct err *err)
{
	int rc;

	do {
		rows->at = 0;
		rc = folder_each(f, sp, fn, err);
	} while (rc != -ENOSPC && rows_cut(rows, rows->at));
	return rc == -ENOSPC
		       ? err_set(err, -ESTALE, "%s: more has come than the %zu records that fit", f->path, rows->n)
		       : rc;
}

void folder_close(struct folder *f, struct samp *sp)
{
	if (!f->type)
		return;
	for (uint32_t i = 0; i < f->names.n; i++)
		if (f->items[i].p)
			f->type->end(sp, f->items[i].p);
	folder_shut(f);
	names_fini(&f->names);
	free(f->items);
	free(f->order);
	free(f->root);
	free(f->own);
	*f = (struct folder){ .fd = -1 };
}
