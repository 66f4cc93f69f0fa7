/* book_diff.c - see book_diff.h
 *
 * An object whose own line has changed is made anew, and with it those that name it (book_refs); who only has another
 * schedule is stopped and started; all others are not touched.
 */
#include <stdlib.h>

#include "core/base/secret_hide.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_diff_impl.h"
#include "core/ctl/book_line.h"

static const struct setting settings[] = {
	{ "default_quota", NULL }, { "log_file", NULL },
	{ "log_level", NULL },     { "metric_sets_default_authz", NULL },
	{ "msg", "msg_disable" },  { "stream", "stream_disable" },
};

const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

bool book_setting_is_live(const char *name)
{
	return setting_find(name);
}

/* -- finding it ------------------------------------------------------------------------------------------------------
 */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool item_has_part(const struct book_item *it, const char *part)
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

/* `anew`: those that only start, stop or stay are in it already. */
static void kind_compare(struct book_diff *df, enum book_kind kind, bool anew)
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
		if (anew && ch.was && ch.what != ANEW)
			continue;
		if (ch.what)
			change_add(df, ch);
	}
	for (const struct book_item *was = df->from->items[kind]; was; was = was->hh.next)
		if (!book_find(df->to, kind, was->name) && !is_unset(kind, was))
			change_add(df, (struct change){ .kind = kind, .what = REMOVED, .was = was });
}

/* Which producer makes an updater of an ldmsd be made anew; NULL: none. */
static const struct book_item *prdcr_moved(const struct book_diff *df)
{
	for (size_t i = 0; i < df->n; i++) {
		const struct change *ch = &df->v[i];

		if (ch->kind == BOOK_PRDCR && ch->what != START && ch->what != STOP)
			return ch->now ? ch->now : ch->was;
	}
	return NULL;
}

static void updtrs_anew(struct book_diff *df)
{
	const struct book_item *because = prdcr_moved(df);

	for (const struct book_item *now = because ? df->to->items[BOOK_UPDTR] : NULL; now; now = now->hh.next) {
		const struct book_item *was = book_find(df->from, BOOK_UPDTR, now->name);

		if (was && compare(BOOK_UPDTR, was, now) != ANEW)
			change_add(df, (struct change){ BOOK_UPDTR, USER, was, now, because });
	}
}

static struct book_diff *diff_new(struct book *from, struct book *to, bool ldmsd)
{
	struct book_diff *df = xcalloc(1, sizeof(*df));

	df->from = from;
	df->to = to;
	book_sort(from);
	book_sort(to);
	for (int k = 0; k < BOOK_KINDS; k++) {
		bool anew = ldmsd && k == BOOK_UPDTR && prdcr_moved(df);

		if (anew)
			updtrs_anew(df);
		kind_compare(df, (enum book_kind)k, anew);
	}
	return df;
}

struct book_diff *book_diff_new(struct book *from, struct book *to)
{
	return diff_new(from, to, false);
}

struct book_diff *book_diff_new_ldmsd(struct book *from, struct book *to)
{
	return diff_new(from, to, true);
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
		if (!item_has_part(now, was->parts[i]))
			put_part(out, '-', was->parts[i]);
	for (unsigned int i = 0; i < now->n_parts; i++)
		if (!item_has_part(was, now->parts[i]))
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
	size_t from = out->len;

	for (size_t i = 0; i < df->n; i++)
		put_change(out, &df->v[i]);
	secrets_hide(out, from);
}
