/* watch.c - see watch.h */
#include "core/maestro/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define MISSES 4 /* looks; who replaces a file needs less */

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void watch_init(struct watch *w, const char *path)
{
	memset(w, 0, sizeof(*w));
	w->path = path;
	stat(path, &w->read); /* one that is not there is missed when it is read */
	w->found = w->read;
}

enum watch_news watch_saw(struct watch *w, int rc, const struct stat *st)
{
	bool settled;

	if (rc) {
		w->missed = rc;
		memset(&w->found, 0, sizeof(w->found));
		return ++w->misses == MISSES ? WATCH_GONE : WATCH_NOTHING;
	}
	w->misses = 0;
	settled = is_same(st, &w->found);
	w->found = *st;
	if (!settled || is_same(st, &w->read))
		return WATCH_NOTHING;
	w->read = *st;
	return WATCH_CHANGED;
}

enum watch_news watch_look(struct watch *w, struct err *err)
{
	struct stat st;
	enum watch_news news = watch_saw(w, stat(w->path, &st) ? errno : 0, &st);

	if (news == WATCH_GONE)
		err_set(err, 0, "%s: %s", w->path, err_name(w->missed));
	return news;
}
