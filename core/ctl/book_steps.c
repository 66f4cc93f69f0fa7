/* book_steps.c - a difference as commands, in the order in which they can be carried out.  See book_diff.h
 *
 * What goes, goes first, users before what they use; then comes what is new, in the opposite order; starts are last, as
 * in files.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_diff_impl.h"
#include "core/ctl/book_line.h"
#include "core/daemon/listener.h"

/* -- what a running daemon cannot do
 * ----------------------------------------------------------------------------------- */

static char *limit_unset(const struct book_item *it)
{
	for (const struct xprt_limit *row = xprt_limit_rows; row->name; row++)
		if (!strcmp(row->name, it->name))
			return xasprintf("limits%c=%s=%llu%s", LINE_SEP, row->name,
					 (unsigned long long)xprt_limit_get(&xprt_limits_dflt, row),
					 row->unit == LIMIT_TIME ? "us" : "");
	return NULL;
}

/* A subsystem follows the default again; the default itself always stands on the command line (cmd/daemon.c). */
static char *log_unset(const struct book_item *it)
{
	struct fields f;
	char *ret = NULL;

	fields_parse(&f, it->line);
	fields_set(&f, ATTR_LEVEL, "default");
	if (*it->name)
		ret = fields_line(&f);
	fields_fini(&f);
	return ret;
}

/* The line that says the value anew; attributes that are gone get their default.  NULL: one has none. */
static char *say_line(const struct change *ch)
{
	struct buf b = { 0 };
	struct fields was, now;
	char *ret = NULL;
	bool can = true;

	fields_parse(&was, ch->was ? ch->was->line : ch->now->line);
	fields_parse(&now, ch->now->line);
	buf_addf(&b, "%s", ch->now->line);
	for (size_t id = 0; id < ATTR_IDS && was.verb == now.verb; id++) {
		char *dflt = was.v[id] && !now.v[id] ? fields_default(&now, (enum attr_id)id) : NULL;

		if (dflt)
			buf_addf(&b, "%c%s=%s", LINE_SEP, attr_name_of(now.verb, (enum attr_id)id), dflt);
		can &= !was.v[id] || now.v[id] || dflt;
		free(dflt);
	}
	if (can)
		ret = xstrdup(buf_str(&b));
	fields_fini(&was);
	fields_fini(&now);
	buf_fini(&b);
	return ret;
}

/* The line that makes it as if nobody had set it. */
static char *unset_line(const struct change *ch)
{
	const struct setting *s;

	if (ch->kind == BOOK_LIMIT)
		return limit_unset(ch->was);
	if (ch->kind == BOOK_LOG)
		return log_unset(ch->was);
	s = ch->kind == BOOK_SETTING ? setting_find(ch->was->name) : NULL;
	return s ? xstrdup(s->unset) : NULL;
}

static bool is_fixed(const struct change *ch)
{
	char *line = NULL;
	bool ret;

	if (ch->kind == BOOK_LISTEN && ch->was) /* a port that the system chose */
		return strlen(ch->was->name) > 2 && !strcmp(strrchr(ch->was->name, ':'), ":0");
	if (ch->kind == BOOK_SETTING && !setting_find((ch->now ? ch->now : ch->was)->name))
		return true;
	if (ch->what == SAY && ch->kind != BOOK_ENV)
		line = say_line(ch);
	else if (ch->what == REMOVED && (ch->kind == BOOK_SETTING || ch->kind == BOOK_LIMIT || ch->kind == BOOK_LOG))
		line = unset_line(ch);
	else
		return ch->what == REMOVED && (ch->kind == BOOK_SEC_MOD || ch->kind == BOOK_UDATA);
	ret = !line;
	free(line);
	return ret;
}

void book_diff_leave_fixed(struct book_diff *df)
{
	size_t n = 0;

	for (size_t i = 0; i < df->n; i++)
		if (!is_fixed(&df->v[i]))
			df->v[n++] = df->v[i];
	df->n = n;
}

size_t book_diff_fixed(struct buf *out, const struct book_diff *df)
{
	size_t n = 0;

	for (size_t i = 0; i < df->n; i++) {
		const struct change *ch = &df->v[i];

		if (!is_fixed(ch))
			continue;
		buf_addf(out, "%s%s%s%s", n++ ? ", " : "", ch->kind == BOOK_SETTING ? "" : book_kinds[ch->kind].word,
			 ch->kind == BOOK_SETTING ? "" : " ", (ch->now ? ch->now : ch->was)->name);
	}
	return n;
}

int book_diff_try(const struct book_diff *df, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < df->n && !rc; i++) {
		const struct change *ch = &df->v[i];
		struct fields f;

		if (ch->kind != BOOK_LISTEN || ch->what != ADDED)
			continue;
		fields_parse(&f, ch->now->line);
		rc = listener_try(f.v[ATTR_HOST], (unsigned short)strtoul(fields_get(&f, ATTR_PORT), NULL, 10), err);
		fields_fini(&f);
	}
	return rc;
}

/* -- the steps
 * --------------------------------------------------------------------------------------------------- */

struct walk {
	book_step_fn *fn;
	void *arg;
	const struct change *ch;
};

/* Takes `line`. */
static int step(const struct walk *w, enum book_step_kind what, char *line, struct err *err)
{
	const struct change *ch = w->ch;
	const struct book_step st = {
		.what = what,
		.kind = ch->kind,
		.name = (ch->now ? ch->now : ch->was)->name,
		.line = line,
	};
	int rc = line ? w->fn(w->arg, &st, err) : 0;

	free(line);
	return rc;
}

static bool goes(const struct change *ch)
{
	return ch->what == REMOVED || ch->what == ANEW || ch->what == USER;
}

static bool comes(const struct change *ch)
{
	return ch->what == ADDED || ch->what == ANEW || ch->what == USER;
}

static int change_stop(const struct walk *w, struct err *err)
{
	const struct change *ch = w->ch;
	const struct book_kind_row *k = &book_kinds[ch->kind];
	int rc = 0;

	if (!goes(ch) && ch->what != STOP && ch->what != RERUN)
		return 0;
	if (k->halt && ch->was->on)
		rc = step(w, BOOK_STEP_HALT, book_call(ch->kind, ch->was, k->halt), err);
	if (rc || !goes(ch))
		return rc;
	if (k->del)
		return step(w, BOOK_STEP_DEL, book_call(ch->kind, ch->was, k->del), err);
	return step(w, BOOK_STEP_UNSET, unset_line(ch), err);
}

static int change_parts(const struct walk *w, struct err *err)
{
	const struct change *ch = w->ch;
	const struct book_item *was = comes(ch) ? NULL : ch->was, *now = ch->now;
	int rc = 0;

	for (unsigned int i = 0; was && i < was->n_parts && !rc; i++) {
		struct fields f;

		if (item_has_part(now, was->parts[i]))
			continue;
		fields_parse(&f, was->parts[i]);
		f.verb = verb_find(book_kinds[ch->kind].unpart);
		rc = step(w, BOOK_STEP_PART, fields_line(&f), err);
		fields_fini(&f);
	}
	for (unsigned int i = 0; i < now->n_parts && !rc; i++)
		if (!was || !item_has_part(was, now->parts[i]))
			rc = step(w, BOOK_STEP_PART, xstrdup(now->parts[i]), err);
	return rc;
}

static int change_make(const struct walk *w, struct err *err)
{
	const struct change *ch = w->ch;
	int rc = 0;

	if (comes(ch))
		rc = step(w, BOOK_STEP_MAKE, xstrdup(ch->now->line), err);
	else if (ch->what == SAY)
		rc = step(w, BOOK_STEP_MAKE, say_line(ch), err);
	if (!rc && (comes(ch) || ch->what == PARTS))
		rc = change_parts(w, err);
	return rc;
}

/* Does it run when all is done, and not now? */
static bool starts(const struct change *ch)
{
	if (!ch->now || !ch->now->on)
		return false;
	return comes(ch) || ch->what == START || ch->what == RERUN || !ch->was->on;
}

static int change_start(const struct walk *w, struct err *err)
{
	if (!book_kinds[w->ch->kind].run || !starts(w->ch))
		return 0;
	return step(w, BOOK_STEP_RUN, book_run_line(w->ch->kind, w->ch->now), err);
}

/* A want that two subscriptions had in common went with the one. */
static int subs_again(const struct book_diff *df, struct walk *w, struct err *err)
{
	bool went = false;
	int rc = 0;

	for (size_t i = 0; i < df->n; i++)
		went |= df->v[i].kind == BOOK_SUB && goes(&df->v[i]);
	for (const struct book_item *it = df->to->items[BOOK_SUB]; went && it && !rc; it = it->hh.next) {
		w->ch = &(struct change){ .kind = BOOK_SUB, .now = it };
		rc = step(w, BOOK_STEP_MAKE, xstrdup(it->line), err);
	}
	return rc;
}

int book_diff_steps(const struct book_diff *df, book_step_fn *fn, void *arg, struct err *err)
{
	static const enum book_kind order[] = { BOOK_PLUGIN,     BOOK_STRGP,        BOOK_UPDTR,  BOOK_PRDCR,
						BOOK_ADVERTISER, BOOK_PRDCR_LISTEN, BOOK_QGROUP, BOOK_FAILOVER };
	struct walk w = { .fn = fn, .arg = arg };
	int rc = 0;

	for (size_t i = df->n; i-- && !rc;) {
		w.ch = &df->v[i];
		rc = change_stop(&w, err);
	}
	for (size_t i = 0; i < df->n && !rc; i++) {
		w.ch = &df->v[i];
		rc = change_make(&w, err);
	}
	if (!rc)
		rc = subs_again(df, &w, err);
	for (size_t k = 0; k < sizeof(order) / sizeof(*order); k++)
		for (size_t i = 0; i < df->n && !rc; i++)
			if (df->v[i].kind == order[k]) {
				w.ch = &df->v[i];
				rc = change_start(&w, err);
			}
	return rc;
}

/* -- carried out here
 * --------------------------------------------------------------------------------------------------- */

static void forget(struct book *b, enum book_kind kind, const char *name)
{
	struct book_item *it = book_find(b, kind, name);

	if (it)
		book_del(b, kind, it);
}

static int step_here(void *arg, const struct book_step *st, struct err *err)
{
	struct daemon *d = arg;
	int rc = book_line_run(d, st->line, err);

	if (!rc && st->what == BOOK_STEP_UNSET)
		forget(d->book, st->kind, st->name);
	return rc;
}

int book_diff_apply(const struct book_diff *df, struct daemon *d, struct err *err)
{
	return book_diff_steps(df, step_here, d, err);
}
