/* daemon_yaml.c - see daemon_yaml.h */
#include "cmd/daemon_yaml.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf.h"
#include "core/ctl/reload.h"

#define LOOK_S  10.0 /* where the kernel does not tell of changes (network file systems) */
#define QUIET_S 0.5  /* who writes a file does so in several steps */

/* A pipe is read once, for the configuration. */
static bool is_file(const char *path)
{
	struct stat st;

	return strcmp(path, "-") && !stat(path, &st) && S_ISREG(st.st_mode);
}

int daemon_yaml_self(struct daemon_opts *o, bool collects, struct err *err)
{
	char *name = NULL;
	int rc = 0;

	for (size_t i = 0; i < o->yaml.n && !o->name && !name && !rc; i++)
		if (is_file(o->yaml.v[i]))
			rc = conf_yaml_here(o->yaml.v[i], o->self, collects, &name, err);
	if (name) {
		free(o->self);
		o->self = name;
	}
	return rc;
}

/* -- changes ------------------------------------------------------------------------------------------------------- */

/* A file as it was when it was looked at last. */
struct seen {
	const char *path;
	struct timespec mtime;
	off_t size;
	ino_t ino;
};

struct follow {
	struct daemon *d;
	struct seen *files;
	size_t n;
	int notify; /* what the kernel tells of their folders: an editor puts another file in the place of the old one */
	ev_io told;
	ev_timer look, quiet;
};

/* A file of 30,000 nodes takes 13 MB while it is read, with what stays in between: a daemon gives that back. */
static void memory_return(void)
{
	malloc_trim(0);
}

static void on_quiet(struct ev_loop *ev, ev_timer *w, int events)
{
	struct follow *f = w->data;
	struct buf said = { 0 };
	struct err err = { "" };

	(void)events;
	ev_timer_stop(ev, w);
	if (reload_say(f->d, false, &said, &err))
		log_error("config", "reload: %s", err.msg);
	buf_fini(&said);
	memory_return();
}

/* One that is gone may be on its way back under its name. */
static bool has_changed(struct seen *s)
{
	struct stat st;

	if (stat(s->path, &st) || (st.st_ino == s->ino && st.st_size == s->size &&
				   st.st_mtim.tv_sec == s->mtime.tv_sec && st.st_mtim.tv_nsec == s->mtime.tv_nsec))
		return false;
	s->ino = st.st_ino;
	s->size = st.st_size;
	s->mtime = st.st_mtim;
	return true;
}

static void look(struct follow *f, struct ev_loop *ev)
{
	for (size_t i = 0; i < f->n; i++)
		if (has_changed(&f->files[i])) {
			log_info("config", "%s has changed", f->files[i].path);
			ev_timer_again(ev, &f->quiet);
		}
}

static void on_told(struct ev_loop *ev, ev_io *w, int events)
{
	char skipped[4096]; /* something happened there: that is enough */

	(void)events;
	while (read(w->fd, skipped, sizeof(skipped)) > 0)
		;
	look(w->data, ev);
}

static void on_look(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)events;
	look(w->data, ev);
}

/* The folder of a file; where it cannot be watched the timer has to do. */
static void folder_watch(struct follow *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");

	if (inotify_add_watch(f->notify, dir, IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO) < 0)
		log_info("config", "%s: changes are looked for every %.0f s: %s", path, LOOK_S, err_name(errno));
	free(dir);
}

struct follow *follow_new(const struct daemon_opts *o)
{
	struct follow *f = o->yaml.n ? xcalloc(1, sizeof(*f)) : NULL;

	if (!f)
		return NULL;
	f->notify = -1;
	f->files = xcalloc(o->yaml.n, sizeof(*f->files));
	for (size_t i = 0; i < o->yaml.n; i++) {
		if (!is_file(o->yaml.v[i]))
			continue;
		f->files[f->n].path = o->yaml.v[i];
		has_changed(&f->files[f->n++]);
	}
	return f;
}

void follow_start(struct follow *f, struct daemon *d)
{
	struct ev_loop *ev = loop_ev(d->main);

	if (!f)
		return;
	memory_return();
	f->d = d;
	f->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	for (size_t i = 0; i < f->n; i++)
		folder_watch(f, f->files[i].path);
	ev_timer_init(&f->quiet, on_quiet, 0, QUIET_S);
	ev_timer_init(&f->look, on_look, LOOK_S, LOOK_S);
	ev_io_init(&f->told, on_told, f->notify, EV_READ);
	f->quiet.data = f->look.data = f->told.data = f;
	if (f->n)
		ev_timer_start(ev, &f->look);
	if (f->n && f->notify >= 0)
		ev_io_start(ev, &f->told);
	look(f, ev); /* what was written since they were read */
}

void follow_stop(struct follow *f)
{
	struct ev_loop *ev = f && f->d ? loop_ev(f->d->main) : NULL;

	if (!ev)
		return;
	ev_timer_stop(ev, &f->look);
	ev_timer_stop(ev, &f->quiet);
	ev_io_stop(ev, &f->told);
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	if (f->notify >= 0)
		close(f->notify);
	free(f->files);
	free(f);
}
