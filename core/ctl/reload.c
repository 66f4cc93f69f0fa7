/* reload.c - see reload.h */
#include "core/ctl/reload.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_diff.h"
#include "core/daemon/failover.h"
#include "core/daemon/spool_strays.h"

#define DRAFT_MEM (64ull << 20) /* of a draft's sets, which are groups alone */

extern char **environ;

struct reload {
	struct reload_conf conf;
	char **env; /* as it was before any configuration; NAME=VALUE, ended by NULL */
	char *once; /* the configuration came from there, and is not to be had again */
};

struct reload *reload_new(const struct reload_conf *conf)
{
	struct reload *r = xcalloc(1, sizeof(*r));
	size_t n = 0;

	r->conf = *conf;
	while (environ[n])
		n++;
	r->env = xcalloc(n + 1, sizeof(*r->env));
	while (n--)
		r->env[n] = xstrdup(environ[n]);
	return r;
}

void reload_free(struct reload *r)
{
	if (!r)
		return;
	for (char **e = r->env; *e; e++)
		free(*e);
	free(r->env);
	free(r->once);
	free(r);
}

void reload_began(struct reload *r, const struct conf *cf)
{
	free(r->once);
	r->once = xstrdup(conf_once(cf));
}

/* -- variables: they are set while files are read, so they are put back by hand
 * ---------------------------------------- */

static const char *env_before(const struct reload *r, const char *name)
{
	size_t n = strlen(name);

	for (char **e = r->env; *e; e++)
		if (!strncmp(*e, name, n) && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

/* Those that this configuration sets are as they were before any did. */
static void env_forget(const struct reload *r, const struct book *b)
{
	for (const struct book_item *it = b->items[BOOK_ENV]; it; it = it->hh.next) {
		const char *value = env_before(r, it->name);

		if (value)
			setenv(it->name, value, 1);
		else
			unsetenv(it->name);
	}
}

/* ... and as it sets them.  A line is "env", a separator, "=NAME=VALUE". */
static void env_set(const struct book *b)
{
	for (const struct book_item *it = b->items[BOOK_ENV]; it; it = it->hh.next)
		setenv(it->name, strchr(strchr(it->line, '=') + 1, '=') + 1, 1);
}

/* -- reading
 * ----------------------------------------------------------------------------------------------------------- */

static void complain(void *arg, const char *words)
{
	buf_addf(arg, "%s\n", words);
}

static int draft_new(const struct daemon *d, struct daemon **ret, struct err *err)
{
	const struct daemon_conf dc = {
		.name = d->name,
		.name_fixed = true,
		.mem = DRAFT_MEM,
		.mem_fixed = true,
		.component_id = d->samp.component_id,
		.sysroot = d->samp.sysroot,
		.confine = d->confine,
		.draft = true,
	};
	int rc = daemon_new(&dc, ret, err);

	if (rc)
		return rc;
	(*ret)->book = book_new();
	(*ret)->draft_of = d;
	return 0;
}

static void draft_free(struct daemon *draft)
{
	struct book *b = draft ? draft->book : NULL;

	daemon_free(draft, 0);
	book_free(b);
}

/* A policy's decomposition is a file of its own: one that was edited makes it another policy. */
static void decomps_compare(struct daemon *draft, const struct daemon *d)
{
	NODE_EACH(n, draft->strgps) {
		const struct strgp_node *was = node_find(d->strgps, n->name);
		const struct decomp *a = was ? strgp_conf(was->strgp)->decomp : NULL;
		const struct decomp *b = strgp_conf(((struct strgp_node *)n)->strgp)->decomp;
		struct book_item *it =
			a && b && !decomp_same(a, b) ? book_find(draft->book, BOOK_STRGP, n->name) : NULL;

		if (it)
			it->anew = "its decomposition was edited";
	}
}

/* Read all of it and try it; *ret is what the files say. */
static int draft_read(const struct reload *r, struct daemon *d, struct book **ret, struct buf *said, struct err *err)
{
	struct conf *cf = conf_new(complain, said);
	struct daemon *draft = NULL;
	int rc = r->conf.gather(r->conf.arg, cf, err);

	if (!rc && conf_once(cf)) /* it is new among the files */
		rc = err_set(err, -EINVAL, "%s can be read only once; name a file", conf_once(cf));
	if (!rc && !conf_errors(cf))
		rc = draft_new(d, &draft, err);
	if (!rc && draft)
		rc = conf_run(cf, draft);
	if (!rc && conf_errors(cf))
		rc = err_set(err, -EINVAL, "%u error%s in the configuration; nothing was changed", conf_errors(cf),
			     conf_errors(cf) == 1 ? "" : "s");
	if (!rc) {
		decomps_compare(draft, d);
		*ret = draft->book;
		draft->book = NULL;
	}
	draft_free(draft);
	conf_free(cf);
	if (rc == -EACCES && d->confine)
		err_prefix(
			err, rc,
			"a daemon with --user or --sandbox reads with the rights that it has kept; make it readable, "
			"and give its folder to --sandbox-allow, for a file that was replaced is another one: ");
	return rc;
}

/* -- carrying it out
 * --------------------------------------------------------------------------------------------------- */

/* It failed in the middle: back to what was. */
static void take_back(struct daemon *d, struct book *was)
{
	struct book_diff *back = book_diff_new(d->book, was);
	struct err err = { "" };

	if (book_diff_apply(back, d, &err))
		log_critical("config",
			     "reload: what was done could not be taken back: %s; `dump_cfg` shows what runs, a "
			     "restart of the daemon helps",
			     err.msg);
	book_diff_free(back);
}

static int carry_out(struct daemon *d, const struct book_diff *df, struct err *err)
{
	struct book *was = book_copy(d->book);
	int rc = book_diff_apply(df, d, err);

	if (rc) {
		err_prefix(err, rc, "all is as before, for this failed: ");
		take_back(d, was);
		book_free(d->book);
		d->book = was;
		return rc;
	}
	book_free(was);
	return 0;
}

static int compare(struct daemon *d, struct book *now, bool test, struct buf *said, struct err *err)
{
	struct book_diff *df = book_diff_new(d->book, now);
	struct buf fixed = { 0 };
	int rc = 0;

	book_diff_put(said, df);
	if (book_diff_fixed(&fixed, df))
		rc = err_set(err, -EBUSY, "this needs a restart of the daemon: %s; nothing was changed",
			     buf_str(&fixed));
	if (!rc && book_diff_n(df) && !test && failover_state(d->failover) != FAILOVER_STOP)
		rc = err_set(err, -EBUSY,
			     "the failover peer was told what this daemon has; `failover_stop` first, the "
			     "reload starts it again; nothing was changed");
	if (!rc)
		rc = book_diff_try(df, err);
	if (rc == -EACCES)
		confine_blame(d->confine, rc, err);
	if (!rc && !test)
		rc = carry_out(d, df, err);
	if (!rc && !test)
		spool_strays_say(d);
	if (!rc)
		buf_addf(said, "%zu difference%s%s\n", book_diff_n(df), book_diff_n(df) == 1 ? "" : "s",
			 !book_diff_n(df) ? "; all is as the files say"
			 : test           ? "; nothing was changed"
					  : "; all is now as the files say");
	book_diff_free(df);
	buf_fini(&fixed);
	return rc;
}

int reload_run(struct daemon *d, bool test, struct buf *said, struct err *err)
{
	struct reload *r = d->reload;
	struct book *now = NULL;
	int rc;

	if (!r || !d->book || !d->ready)
		return err_set(err, -EAGAIN, "the daemon is not up yet; try again");
	if (r->once)
		return err_set(err, -EINVAL,
			       "the configuration came from %s, which can be read only once; start the daemon with -c "
			       "FILE",
			       r->once);
	env_forget(r, d->book);
	rc = draft_read(r, d, &now, said, err);
	if (!rc)
		rc = compare(d, now, test, said, err);
	if (rc || test) {
		if (now)
			env_forget(r, now);
		env_set(d->book);
		book_free(now);
		return rc;
	}
	book_free(d->book);
	d->book = now;
	return 0;
}

int reload_say(struct daemon *d, bool test, struct buf *said, struct err *err)
{
	int rc = reload_run(d, test, said, err);
	char *copy = xstrdup(buf_str(said)), *at = copy, *line;

	while (!test && (line = strsep(&at, "\n")))
		if (*line)
			log_at(rc ? LOG_ERROR_ : LOG_INFO_, "config", "reload: %s", line);
	free(copy);
	return rc;
}
