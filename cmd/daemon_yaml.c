/* daemon_yaml.c - see daemon_yaml.h */
#include "cmd/daemon_yaml.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf.h"
#include "core/ctl/reload.h"

#define LOOK_S  5.0 /* where the kernel does not tell of changes (network file systems) */
#define QUIET_S 0.5 /* who writes a file does so in several steps */

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

struct follow {
	struct daemon *d;
	ev_stat *stats;
	size_t n;
	ev_timer quiet;
};

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
}

static void on_change(struct ev_loop *ev, ev_stat *w, int events)
{
	struct follow *f = w->data;

	(void)events;
	if (!w->attr.st_nlink)
		return; /* gone: it may be on its way back under its name */
	log_info("config", "%s has changed", w->path);
	ev_timer_again(ev, &f->quiet);
}

struct follow *follow_new(struct daemon *d, const struct daemon_opts *o)
{
	struct follow *f = o->yaml.n ? xcalloc(1, sizeof(*f)) : NULL;

	if (!f)
		return NULL;
	f->d = d;
	f->stats = xcalloc(o->yaml.n, sizeof(*f->stats));
	ev_timer_init(&f->quiet, on_quiet, 0, QUIET_S);
	f->quiet.data = f;
	for (size_t i = 0; i < o->yaml.n; i++) {
		ev_stat *s = &f->stats[f->n];

		if (!is_file(o->yaml.v[i]))
			continue;
		ev_stat_init(s, on_change, o->yaml.v[i], LOOK_S);
		s->data = f;
		ev_stat_start(loop_ev(d->main), s);
		f->n++;
	}
	return f;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++)
		ev_stat_stop(loop_ev(f->d->main), &f->stats[i]);
	ev_timer_stop(loop_ev(f->d->main), &f->quiet);
	free(f->stats);
	free(f);
}
