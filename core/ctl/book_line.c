/* book_line.c - see book_line.h */
#include "core/ctl/book_line.h"

#include <stdlib.h>

#include "core/base/kv.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book.h"

const char *attr_name_of(const struct verb *v, enum attr_id id)
{
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (u->id == id)
			return u->name;
	return NULL;
}

static const struct attr_use *use_of(const struct verb *v, enum attr_id id)
{
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (u->id == id)
			return u;
	return NULL;
}

/* The words, with one blank between them. */
static char *rest_text(const char *text)
{
	struct buf b = { 0 };
	struct kv kv = { 0 };
	char *ret;

	kv_parse(&kv, text);
	for (size_t i = 0; i < kv.n; i++)
		buf_addf(&b, "%s%s%s%s", i ? " " : "", kv.v[i].key, kv.v[i].value ? "=" : "",
			 kv.v[i].value ? kv.v[i].value : "");
	ret = xstrdup(buf_str(&b));
	kv_fini(&kv);
	buf_fini(&b);
	return ret;
}

/* Yours. */
static char *one_spelling(const struct attr_use *u, const char *text, int64_t num)
{
	char word[32];

	if (strstr(text, "${"))
		return xstrdup(text); /* known only where it is carried out */
	switch (u->type) {
	case AT_TIME:
		return xstrdup(unit_time_text(num, word));
	case AT_SIZE:
		return xstrdup(num < 0 ? "-1" : unit_size_text((uint64_t)num, word));
	case AT_NUM:
	case AT_PORT:
	case AT_USER:
	case AT_GROUP:
		return xasprintf("%lld", (long long)num);
	case AT_PERM:
	case AT_OCTAL:
		return xasprintf("0%llo", (unsigned long long)num);
	case AT_BOOL:
		return xstrdup(num ? "true" : "false");
	case AT_REST:
		return rest_text(text);
	case AT_TEXT:
	case AT_WORD:
	case AT_REGEX:
	case AT_FLAG:
		break;
	}
	return xstrdup(text);
}

/* A default may be the value of another attribute. */
char *fields_default(const struct fields *f, enum attr_id id)
{
	const struct attr_use *u = use_of(f->verb, id);
	int64_t num = 0;

	if (!u || !u->dflt || u->type == AT_REST)
		return NULL;
	if (u->type == AT_TEXT && !strcmp(u->dflt, "name"))
		return xstrdup(f->v[ATTR_NAME]);
	if (ctl_value(f->verb, u, u->dflt, &num, NULL))
		return NULL;
	return one_spelling(u, u->dflt, num);
}

static bool is_default(const struct fields *f, enum attr_id id)
{
	char *dflt = fields_default(f, id);
	bool same = dflt && !strcmp(dflt, f->v[id]);

	free(dflt);
	return same;
}

void fields_of(struct fields *f, const struct ctl *c)
{
	*f = (struct fields){ .verb = verb_by_id(c->verb->id) }; /* the first of several names */
	for (const struct attr_use *u = f->verb->attrs; u && u->name; u++) {
		if (c->text[u->id] && use_of(f->verb, u->id) == u)
			f->v[u->id] = one_spelling(u, c->text[u->id], c->num[u->id]);
	}
}

void fields_set(struct fields *f, enum attr_id id, const char *value)
{
	char *copy = xstrdup(value);

	free(f->v[id]);
	f->v[id] = copy;
}

void fields_parse(struct fields *f, const char *line)
{
	char *copy = xstrdup(line), *at = copy, *word;
	const char sep[] = { LINE_SEP, 0 };

	*f = (struct fields){ .verb = verb_find(strsep(&at, sep)) };
	while ((word = strsep(&at, sep))) {
		char *eq = strchr(word, '=');

		if (eq)
			*eq = '\0';
		for (const struct attr_use *u = f->verb->attrs; u && u->name; u++)
			if (!strcmp(u->name, word) && !f->v[u->id])
				f->v[u->id] = xstrdup(eq ? eq + 1 : "");
	}
	free(copy);
}

char *fields_line(const struct fields *f)
{
	struct buf b = { 0 };
	char *ret;

	buf_addf(&b, "%s", f->verb->name);
	for (const struct attr_use *u = f->verb->attrs; u && u->name; u++) {
		if (!f->v[u->id] || use_of(f->verb, u->id) != u || is_default(f, u->id))
			continue;
		buf_addf(&b, "%c%s", LINE_SEP, u->name);
		if (u->type != AT_FLAG)
			buf_addf(&b, "=%s", f->v[u->id]);
	}
	ret = xstrdup(buf_str(&b));
	buf_fini(&b);
	return ret;
}

void fields_fini(struct fields *f)
{
	for (size_t i = 0; i < ATTR_IDS; i++)
		free(f->v[i]);
}

const char *fields_get(const struct fields *f, enum attr_id id)
{
	const struct attr_use *u = use_of(f->verb, id);

	return f->v[id] ? f->v[id] : u && u->dflt ? u->dflt : "";
}

int book_line_run(struct daemon *d, const char *line, struct err *err)
{
	struct ctl c = { .d = d, .uid = d->uid, .gid = d->gid, .itself = true };
	struct ctl_arg args[ATTR_IDS];
	struct fields f;
	size_t n = 0;
	int rc;

	fields_parse(&f, line);
	for (size_t id = 0; id < ATTR_IDS; id++)
		if (f.v[id])
			args[n++] = (struct ctl_arg){ .id = (enum attr_id)id, .value = f.v[id] };
	rc = ctl_run(&c, f.verb, args, n, err);
	fields_fini(&f);
	ctl_fini(&c);
	return rc;
}

/* A peer may give as the rest what a file would take for an attribute of the verb. */
static bool rest_is_taken(const struct verb *v, const char *rest)
{
	struct kv kv = { 0 };
	bool taken = false;

	kv_parse(&kv, rest);
	for (size_t i = 0; i < kv.n && !taken; i++)
		for (const struct attr_use *u = v->attrs; u && u->name && !taken; u++)
			taken = u->type != AT_REST && !strcmp(u->name, kv.v[i].key);
	kv_fini(&kv);
	return taken;
}

/* The language has no quoting. */
static bool can_be_written(const struct verb *v, const struct attr_use *u, const char *value)
{
	size_t n = strlen(value);

	if (u->type == AT_REST && rest_is_taken(v, value))
		return false;

	if (n && value[n - 1] == '\\')
		return false; /* it would join the next line */
	return !value[strcspn(value, u->type == AT_REST ? "\r\n" : " \t\r\n")];
}

static void field_put(struct buf *out, const struct attr_use *u, const char *value)
{
	buf_addf(out, "%s%s%s", u->name, u->type == AT_FLAG || u->type == AT_REST ? "" : "=", value);
}

void book_line_put_attrs(struct buf *out, const char *line, const enum attr_id *but, size_t n)
{
	struct fields f;

	fields_parse(&f, line);
	for (const struct attr_use *u = f.verb->attrs; u && u->name; u++) {
		bool skip = !f.v[u->id] || use_of(f.verb, u->id) != u;

		for (size_t i = 0; i < n; i++)
			skip |= but[i] == u->id;
		if (skip)
			continue;
		buf_u8(out, ' ');
		field_put(out, u, f.v[u->id]);
	}
	fields_fini(&f);
}

void fields_spell(struct fields *f)
{
	/* ldmsd has no defaults for these */
	static const enum attr_id ids[] = { ATTR_XPRT, ATTR_PORT, ATTR_INTERVAL };

	const struct book_verb *bv = book_verb_find(f->verb->name);
	int64_t us;

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids) && bv && bv->act == BOOK_ADD; i++)
		if (!f->v[ids[i]])
			f->v[ids[i]] = fields_default(f, ids[i]);
	/* and takes nothing but digits for those of groups and of failover */
	for (enum attr_id id = ATTR_INTERVAL;
	     id <= ATTR_OFFSET && bv && (bv->kind == BOOK_SETGROUP || bv->kind == BOOK_FAILOVER); id++)
		if (f->v[id] && !unit_time_us(f->v[id], &us, NULL)) {
			free(f->v[id]);
			f->v[id] = xasprintf("%lld", (long long)us);
		}
}

void book_line_put(struct buf *out, const char *line)
{
	struct fields f;
	bool can = true;

	fields_parse(&f, line);
	fields_spell(&f);
	for (const struct attr_use *u = f.verb->attrs; u && u->name; u++)
		can &= !f.v[u->id] || can_be_written(f.verb, u, f.v[u->id]);
	if (!can)
		buf_addf(out, "# a file cannot say this, for blanks in a value, or an attribute within the rest: ");
	buf_addf(out, "%s", f.verb->name);
	for (const struct attr_use *u = f.verb->attrs; u && u->name; u++) {
		if (!f.v[u->id] || use_of(f.verb, u->id) != u)
			continue;
		buf_u8(out, ' ');
		for (const char *p = f.v[u->id]; !can && *p; p++)
			if (*p == '\n' || *p == '\r')
				f.v[u->id][p - f.v[u->id]] = ' ';
		field_put(out, u, f.v[u->id]);
	}
	fields_fini(&f);
}
