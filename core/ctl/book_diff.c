/* book_diff.c - see book_diff.h
 *
 * An object whose own line has changed is made anew, and with it those that name it (book_refs); who only has another
 * schedule is stopped and started; all others are not touched.  What goes, goes first, users before what they use; then
 * comes what is new, in the opposite order; starts are last, as in files.
 */
#include "core/ctl/book_diff.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/listener.h"

enum what {
	SAME,
	ADDED,
	REMOVED,
	ANEW,  /* its line or its parts differ */
	USER,  /* nothing of its own, but what it uses is made anew */
	SAY,   /* the line is said again */
	PARTS, /* lines are added and taken away while it runs */
	RERUN, /* stopped, and started with other attributes */
	START,
	STOP,
};

struct change {
	enum book_kind kind;
	enum what what;
	const struct book_item *was, *now; /* one may be NULL */
	const struct book_item *because;   /* USER: this one */
};

struct book_diff {
	struct book *from, *to;
	struct change *v;
	size_t n;
};

/* What a setting is when nobody sets it, and whether it may change while the daemon runs. */
static const struct setting {
	const char *name, *unset; /* unset: a line; NULL: it cannot be taken back */
} settings[] = {
	{ "default_quota", NULL }, { "log_file", NULL },
	{ "log_level", NULL },     { "metric_sets_default_authz", NULL },
	{ "msg", "msg_disable" },  { "stream", "stream_disable" },
};

static const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

/* -- finding it ------------------------------------------------------------------------------------------------------
 */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool has_part(const struct book_item *it, const char *part)
{
	for (unsigned int i = 0; i < it->n_parts; i++)
		if (!strcmp(it->parts[i], part))
			return true;
	return false;
}

static bool same_parts(const struct book_item *a, const struct book_item *b)
{
	bool same = a->n_parts == b->n_parts;

	for (unsigned int i = 0; i < a->n_parts && same; i++)
		same = !strcmp(a->parts[i], b->parts[i]);
	return same;
}

static enum what compare(enum book_kind kind, const struct book_item *was, const struct book_item *now)
{
	const struct book_kind_row *k = &book_kinds[kind];

	if (strcmp(was->line, now->line))
		return k->live ? SAY : ANEW;
	if (now->anew)
		return ANEW;
	if (!same_parts(was, now))
		return k->unpart ? PARTS : ANEW;
	if (was->on != now->on)
		return now->on ? START : STOP;
	return !was->on || same_text(was->run, now->run) ? SAME : RERUN;
}

/* A setting that is as it is when nobody sets it. */
static bool is_unset(enum book_kind kind, const struct book_item *it)
{
	const struct setting *s = kind == BOOK_SETTING ? setting_find(it->name) : NULL;

	return s && s->unset && !strcmp(s->unset, it->line);
}

static void change_add(struct book_diff *df, struct change ch)
{
	df->v = xrealloc(df->v, (df->n + 1) * sizeof(*df->v));
	df->v[df->n++] = ch;
}

static const struct change *change_of(const struct book_diff *df, enum book_kind kind, const char *name)
{
	for (size_t i = 0; i < df->n; i++) {
		const struct change *ch = &df->v[i];

		if (ch->kind == kind && !strcmp((ch->now ? ch->now : ch->was)->name, name))
			return ch;
	}
	return NULL;
}

/* What the object uses is made anew, or is now another thing of that name. */
static const struct book_item *cause_of(const struct book_diff *df, enum book_kind kind, const struct book_item *it)
{
	const struct book_item *ret = NULL;
	struct fields f;

	fields_parse(&f, it->line);
	for (const struct book_ref *r = book_refs; r->attr && !ret; r++) {
		const struct change *ch = r->from == kind ? change_of(df, r->to, fields_get(&f, r->attr)) : NULL;

		if (ch && (ch->what == ADDED || ch->what == REMOVED || ch->what == ANEW || ch->what == USER))
			ret = ch->now ? ch->now : ch->was;
	}
	fields_fini(&f);
	return ret;
}

/* Does anything that kind uses change at all?  So that ten thousand producers are not looked into for nothing. */
static bool has_causes(const struct book_diff *df, enum book_kind kind)
{
	for (const struct book_ref *r = book_refs; r->attr; r++)
		for (size_t i = 0; i < df->n && r->from == kind; i++)
			if (df->v[i].kind == r->to)
				return true;
	return false;
}

static void kind_compare(struct book_diff *df, enum book_kind kind)
{
	bool causes = has_causes(df, kind);

	for (const struct book_item *now = df->to->items[kind]; now; now = now->hh.next) {
		struct change ch = { .kind = kind, .was = book_find(df->from, kind, now->name), .now = now };

		if (!ch.was)
			ch.what = is_unset(kind, now) ? SAME : ADDED;
		else
			ch.what = compare(kind, ch.was, now);
		if (causes && ch.was && ch.what != ANEW && (ch.because = cause_of(df, kind, now)))
			ch.what = USER;
		if (ch.what)
			change_add(df, ch);
	}
	for (const struct book_item *was = df->from->items[kind]; was; was = was->hh.next)
		if (!book_find(df->to, kind, was->name) && !is_unset(kind, was))
			change_add(df, (struct change){ .kind = kind, .what = REMOVED, .was = was });
}

struct book_diff *book_diff_new(struct book *from, struct book *to)
{
	struct book_diff *df = xcalloc(1, sizeof(*df));

	df->from = from;
	df->to = to;
	book_sort(from);
	book_sort(to);
	for (int k = 0; k < BOOK_KINDS; k++)
		kind_compare(df, (enum book_kind)k);
	return df;
}

void book_diff_free(struct book_diff *df)
{
	if (df)
		free(df->v);
	free(df);
}

size_t book_diff_n(const struct book_diff *df)
{
	return df->n;
}

/* -- in words --------------------------------------------------------------------------------------------------------
 */

static void put_fields(struct buf *out, const char *was, const char *now)
{
	struct fields a, b;

	fields_parse(&a, was);
	fields_parse(&b, now);
	if (a.verb != b.verb)
		buf_addf(out, " %s -> %s", a.verb->name, b.verb->name);
	for (size_t id = 0; id < ATTR_IDS; id++) {
		const char *x = fields_get(&a, (enum attr_id)id), *y = fields_get(&b, (enum attr_id)id);
		const char *name = attr_name_of(b.verb, (enum attr_id)id);

		if (a.verb == b.verb && strcmp(x, y))
			buf_addf(out, " %s%s%s -> %s", name, *name ? " " : "", *x ? x : "-", *y ? y : "-");
	}
	fields_fini(&a);
	fields_fini(&b);
}

static void put_part(struct buf *out, char sign, const char *part)
{
	const enum attr_id but[] = { ATTR_NAME };
	size_t n = strcspn(part, (const char[]){ LINE_SEP, 0 });

	buf_addf(out, " %c%.*s", sign, (int)n, part);
	book_line_put_attrs(out, part, but, 1);
}

static void put_parts(struct buf *out, const struct book_item *was, const struct book_item *now)
{
	size_t len = out->len;

	for (unsigned int i = 0; i < was->n_parts; i++)
		if (!has_part(now, was->parts[i]))
			put_part(out, '-', was->parts[i]);
	for (unsigned int i = 0; i < now->n_parts; i++)
		if (!has_part(was, now->parts[i]))
			put_part(out, '+', now->parts[i]);
	if (out->len == len && !same_parts(was, now))
		buf_addf(out, " its lines in another order");
}

static void put_change(struct buf *out, const struct change *ch)
{
	const struct book_kind_row *k = &book_kinds[ch->kind];
	const struct book_item *was = ch->was, *now = ch->now;

	buf_addf(out, "%c %s%s%s",
		 !was   ? '+'
		 : !now ? '-'
			: '~',
		 k->word, *(now ? now : was)->name ? " " : "", (now ? now : was)->name);
	switch (ch->what) {
	case ADDED:
		if (!k->key[0])
			buf_u8(out, ':'), put_part(out, ' ', now->line);
		else
			book_line_put_attrs(out, now->line, k->key, sizeof(k->key) / sizeof(*k->key));
		for (unsigned int i = 0; i < now->n_parts; i++)
			put_part(out, '+', now->parts[i]);
		break;
	case ANEW:
	case SAY:
	case PARTS:
		put_fields(out, was->line, now->line);
		put_parts(out, was, now);
		if (ch->what == ANEW && now->anew)
			buf_addf(out, " %s", now->anew);
		break;
	case USER:
		buf_addf(out, " uses %s", ch->because->name);
		break;
	case RERUN:
		put_fields(out, was->run, now->run);
		break;
	case START:
		buf_addf(out, " is to be started");
		break;
	case STOP:
		buf_addf(out, " is to be stopped");
		break;
	case SAME:
	case REMOVED:
		break;
	}
	if (ch->what == ANEW || ch->what == USER || ch->what == RERUN)
		buf_addf(out, " (restart)");
	buf_u8(out, '\n');
}

void book_diff_put(struct buf *out, const struct book_diff *df)
{
	for (size_t i = 0; i < df->n; i++)
		put_change(out, &df->v[i]);
}

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

/* -- carrying it out
 * --------------------------------------------------------------------------------------------------- */

static int run(struct daemon *d, char *line, struct err *err)
{
	int rc = line ? book_line_run(d, line, err) : 0;

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

static void forget(struct book *b, enum book_kind kind, const char *name)
{
	struct book_item *it = book_find(b, kind, name);

	if (it)
		book_del(b, kind, it);
}

static int change_stop(const struct change *ch, struct daemon *d, struct err *err)
{
	const struct book_kind_row *k = &book_kinds[ch->kind];
	int rc = 0;

	if (!goes(ch) && ch->what != STOP && ch->what != RERUN)
		return 0;
	if (k->halt && ch->was->on)
		rc = run(d, book_call(ch->kind, ch->was, k->halt), err);
	if (rc || !goes(ch))
		return rc;
	if (k->del)
		return run(d, book_call(ch->kind, ch->was, k->del), err);
	if (ch->kind == BOOK_LISTEN)
		rc = listener_shut(d, ch->was->name, err);
	else
		rc = run(d, unset_line(ch), err);
	if (!rc)
		forget(d->book, ch->kind, ch->was->name);
	return rc;
}

static int change_parts(const struct change *ch, struct daemon *d, struct err *err)
{
	const struct book_item *was = comes(ch) ? NULL : ch->was, *now = ch->now;
	int rc = 0;

	for (unsigned int i = 0; was && i < was->n_parts && !rc; i++) {
		struct fields f;

		if (has_part(now, was->parts[i]))
			continue;
		fields_parse(&f, was->parts[i]);
		f.verb = verb_find(book_kinds[ch->kind].unpart);
		rc = run(d, fields_line(&f), err);
		fields_fini(&f);
	}
	for (unsigned int i = 0; i < now->n_parts && !rc; i++)
		if (!was || !has_part(was, now->parts[i]))
			rc = book_line_run(d, now->parts[i], err);
	return rc;
}

static int change_make(const struct change *ch, struct daemon *d, struct err *err)
{
	int rc = 0;

	if (comes(ch))
		rc = book_line_run(d, ch->now->line, err);
	else if (ch->what == SAY)
		rc = run(d, say_line(ch), err);
	if (!rc && (comes(ch) || ch->what == PARTS))
		rc = change_parts(ch, d, err);
	return rc;
}

/* Does it run when all is done, and not now? */
static bool starts(const struct change *ch)
{
	if (!ch->now || !ch->now->on)
		return false;
	return comes(ch) || ch->what == START || ch->what == RERUN || !ch->was->on;
}

static int change_start(const struct change *ch, struct daemon *d, struct err *err)
{
	if (!book_kinds[ch->kind].run || !starts(ch))
		return 0;
	return run(d, book_run_line(ch->kind, ch->now), err);
}

/* A want that two subscriptions had in common went with the one. */
static int subs_again(const struct book_diff *df, struct daemon *d, struct err *err)
{
	bool went = false;
	int rc = 0;

	for (size_t i = 0; i < df->n; i++)
		went |= df->v[i].kind == BOOK_SUB && goes(&df->v[i]);
	for (const struct book_item *it = df->to->items[BOOK_SUB]; went && it && !rc; it = it->hh.next)
		rc = book_line_run(d, it->line, err);
	return rc;
}

int book_diff_apply(const struct book_diff *df, struct daemon *d, struct err *err)
{
	static const enum book_kind order[] = { BOOK_PLUGIN,     BOOK_STRGP,        BOOK_UPDTR, BOOK_PRDCR,
						BOOK_ADVERTISER, BOOK_PRDCR_LISTEN, BOOK_QGROUP,
						BOOK_FAILOVER };
	int rc = 0;

	for (size_t i = df->n; i-- && !rc;)
		rc = change_stop(&df->v[i], d, err);
	for (size_t i = 0; i < df->n && !rc; i++)
		rc = change_make(&df->v[i], d, err);
	if (!rc)
		rc = subs_again(df, d, err);
	for (size_t k = 0; k < sizeof(order) / sizeof(*order); k++)
		for (size_t i = 0; i < df->n && !rc; i++)
			if (df->v[i].kind == order[k])
				rc = change_start(&df->v[i], d, err);
	return rc;
}
