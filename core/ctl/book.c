/* book.c - see book.h */
#include "core/ctl/book.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/kv.h"
#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"

const struct book_verb *book_verb_find(const char *verb)
{
	for (const struct book_verb *v = book_verbs; v->verb; v++)
		if (!strcmp(v->verb, verb))
			return v;
	return NULL;
}

/* -- the items -------------------------------------------------------------------------------------------------------
 */

struct book *book_new(void)
{
	return xcalloc(1, sizeof(struct book));
}

static void item_free(struct book_item *it)
{
	for (unsigned int i = 0; i < it->n_parts; i++)
		free(it->parts[i]);
	free(it->parts);
	free(it->line);
	free(it->run);
	free(it);
}

void book_del(struct book *b, enum book_kind kind, struct book_item *it)
{
	HASH_DEL(b->items[kind], it);
	item_free(it);
}

void book_free(struct book *b)
{
	if (!b)
		return;
	for (int k = 0; k < BOOK_KINDS; k++)
		while (b->items[k])
			book_del(b, (enum book_kind)k, b->items[k]);
	free(b);
}

/* Takes `line`. */
static struct book_item *item_add(struct book *b, enum book_kind kind, const char *name, char *line)
{
	struct book_item *it = xcalloc(1, sizeof(*it) + strlen(name) + 1);

	strcpy(it->name, name);
	it->line = line;
	HASH_ADD_STR(b->items[kind], name, it);
	return it;
}

/* Takes `line`. */
static void part_add(struct book_item *it, char *line)
{
	it->parts = xrealloc(it->parts, (it->n_parts + 1) * sizeof(*it->parts));
	it->parts[it->n_parts++] = line;
}

static void item_copy(struct book *to, enum book_kind kind, const struct book_item *it)
{
	struct book_item *copy = item_add(to, kind, it->name, xstrdup(it->line));

	copy->run = xstrdup(it->run);
	copy->on = it->on;
	for (unsigned int i = 0; i < it->n_parts; i++)
		part_add(copy, xstrdup(it->parts[i]));
}

void book_put_item(struct book *b, enum book_kind kind, const struct book_item *it)
{
	struct book_item *old = book_find(b, kind, it->name);

	if (old)
		book_del(b, kind, old);
	item_copy(b, kind, it);
}

struct book *book_copy(const struct book *b)
{
	struct book *to = book_new();

	for (int k = 0; k < BOOK_KINDS; k++)
		for (const struct book_item *it = b->items[k]; it; it = it->hh.next)
			item_copy(to, (enum book_kind)k, it);
	return to;
}

struct book_item *book_find(const struct book *b, enum book_kind kind, const char *name)
{
	struct book_item *it;

	HASH_FIND_STR(b->items[kind], name, it);
	return it;
}

static int by_name(const struct book_item *a, const struct book_item *b)
{
	return strcmp(a->name, b->name);
}

void book_sort(struct book *b)
{
	for (int k = 0; k < BOOK_KINDS; k++)
		HASH_SORT(b->items[k], by_name);
}

/* -- noting ----------------------------------------------------------------------------------------------------------
 */

/* The name of the object that the command is about; yours. */
static char *name_of(const struct book_verb *bv, const struct fields *f)
{
	const struct book_kind_row *k = &book_kinds[bv->kind];
	struct buf b = { 0 };
	char *ret;

	if (!k->key[0] && bv->act == BOOK_SET && !bv->of && f->v[ATTR_STRING])
		buf_addf(&b, "%s %s", bv->verb, f->v[ATTR_STRING]); /* each such line is a thing of its own */
	else if (!k->key[0])
		buf_addf(&b, "%s", bv->of ? bv->of : bv->verb);
	for (size_t i = 0; i < sizeof(k->key) / sizeof(*k->key) && k->key[i]; i++)
		buf_addf(&b, "%s%s", i ? ":" : "", fields_get(f, k->key[i]));
	while (k->key[0] && b.len && b.p[b.len - 1] == ':')
		b.len--;
	ret = xstrdup(buf_str(&b));
	buf_fini(&b);
	return ret;
}

/* Change what it was made with.  `all`: what is not given is not the case any more. */
static void item_change(struct book_item *it, const struct fields *f, bool all)
{
	struct fields was;
	bool any = all;

	for (size_t id = 0; id < ATTR_IDS; id++)
		any |= f->v[id] && id != ATTR_NAME;
	if (!any)
		return;
	fields_parse(&was, it->line);
	for (const struct attr_use *u = f->verb->attrs; u && u->name; u++) {
		if (u->id == ATTR_NAME || !attr_name_of(was.verb, u->id))
			continue;
		if (f->v[u->id])
			fields_set(&was, u->id, f->v[u->id]);
		else if (all)
			fields_set(&was, u->id, NULL);
	}
	free(it->line);
	it->line = fields_line(&was);
	fields_fini(&was);
}

static bool is_verb_of(const struct book_item *it, const struct verb *v)
{
	size_t n = strlen(v->name);

	return !strncmp(it->line, v->name, n) && (!it->line[n] || it->line[n] == LINE_SEP);
}

/* Another verb takes the place of the first: stream_disable that of stream_enable. */
static void item_set(struct book_item *it, const struct fields *f)
{
	if (!is_verb_of(it, f->verb)) {
		free(it->line);
		it->line = fields_line(f);
	} else {
		item_change(it, f, false);
	}
}

static void words_note(struct book *b, enum book_kind kind, const struct fields *f)
{
	struct kv kv = { 0 };

	kv_parse(&kv, fields_get(f, ATTR_STRING));
	for (size_t i = 0; i < kv.n; i++) {
		struct book_item *it = book_find(b, kind, kv.v[i].key);
		char *line = xasprintf("%s%c=%s=%s", f->verb->name, LINE_SEP, kv.v[i].key,
				       kv.v[i].value ? kv.v[i].value : "");

		if (it) {
			free(it->line);
			it->line = line;
		} else {
			item_add(b, kind, kv.v[i].key, line);
		}
	}
	kv_fini(&kv);
}

/* A comma list of members is as many lines. */
static void part_note(struct book_item *it, const struct fields *f, const char *of)
{
	char *list = xstrdup(f->v[ATTR_INSTANCE] ? f->v[ATTR_INSTANCE] : ""), *at = list, *member;
	struct fields one = { .verb = of ? verb_find(of) : f->verb };

	for (size_t id = 0; id < ATTR_IDS; id++)
		fields_set(&one, (enum attr_id)id, f->v[id]);
	while ((member = strsep(&at, ","))) {
		bool had = false;
		char *line;

		if (*member)
			fields_set(&one, ATTR_INSTANCE, member);
		line = fields_line(&one);
		for (unsigned int i = 0; i < it->n_parts && !had; i++) {
			had = !strcmp(it->parts[i], line);
			if (!had || !of)
				continue;
			free(it->parts[i]);
			it->n_parts--;
			memmove(&it->parts[i], &it->parts[i + 1], (it->n_parts - i) * sizeof(*it->parts));
		}
		if (of || had)
			free(line);
		else
			part_add(it, line);
	}
	fields_fini(&one);
	free(list);
}

static void run_note(struct book_item *it, const struct book_verb *bv, const struct fields *f)
{
	bool was = it->on;

	it->on = bv->act == BOOK_RUN;
	if (!it->on || was)
		return; /* what runs already is left as it is */
	if (book_kinds[bv->kind].own_run) {
		free(it->run);
		it->run = fields_line(f);
	} else if (it->line) {
		item_change(it, f, false);
	}
}

/* All that match. */
static int regex_note(struct book *b, const struct book_verb *bv, const struct fields *f, struct err *err)
{
	struct rx rx = { 0 };
	struct fields but = *f;
	int rc = rx_init(&rx, fields_get(f, ATTR_REGEX), err);

	if (rc)
		return rc;
	but.v[ATTR_REGEX] = NULL;
	for (struct book_item *it = b->items[bv->kind]; it; it = it->hh.next)
		if (rx_match(&rx, it->name))
			run_note(it, bv, &but);
	rx_fini(&rx);
	return 0;
}

/* advertiser_start may make what it starts. */
static struct book_item *item_make(struct book *b, const struct book_verb *bv, const struct fields *f, const char *name)
{
	struct fields add = *f;
	char *line;

	if (bv->kind == BOOK_QGROUP) { /* it is there without being made */
		line = xstrdup("qgroup_config");
	} else if (bv->kind == BOOK_ADVERTISER && f->v[ATTR_HOST]) {
		add.verb = verb_find("advertiser_add");
		line = fields_line(&add);
	} else {
		return NULL;
	}
	return item_add(b, bv->kind, name, line);
}

static int item_note(struct book *b, const struct book_verb *bv, const struct fields *f, const char *name,
		     struct err *err)
{
	struct book_item *it = book_find(b, bv->kind, name);

	if (!it && bv->act == BOOK_RUN)
		it = item_make(b, bv, f, name);
	if (it && bv->act == BOOK_ADD)
		return err_set(err, -EEXIST, "%s %s exists already", book_kinds[bv->kind].word, name);
	if (!it && bv->act != BOOK_ADD && bv->act != BOOK_SET && bv->act != BOOK_FIRST)
		return err_set(err, -ENOENT, "%s: there is no %s %s", bv->verb, book_kinds[bv->kind].word, name);
	switch (bv->act) {
	case BOOK_ADD:
	case BOOK_SET:
	case BOOK_FIRST:
		if (!it)
			item_add(b, bv->kind, name, fields_line(f));
		else if (bv->act == BOOK_SET)
			item_set(it, f);
		break;
	case BOOK_DEL:
		book_del(b, bv->kind, it);
		break;
	case BOOK_MOD:
		item_change(it, f, true);
		break;
	case BOOK_PART:
	case BOOK_UNPART:
		part_note(it, f, bv->act == BOOK_UNPART ? bv->of : NULL);
		break;
	case BOOK_RUN:
	case BOOK_HALT:
		run_note(it, bv, f);
		break;
	case BOOK_WORDS:
		break;
	}
	return 0;
}

/* Names only what it is asked about: sets nothing. */
static bool is_question(const struct book_verb *bv, const struct fields *f)
{
	if (bv->act != BOOK_SET || !f->verb->attrs)
		return false;
	for (size_t id = 0; id < ATTR_IDS; id++)
		if (f->v[id])
			return false;
	return true;
}

int book_note(struct book *b, const struct ctl *c, struct err *err)
{
	const struct book_verb *bv = book_verb_find(c->verb->name);
	struct fields f;
	char *name;
	int rc = 0;

	if (!bv)
		return 0;
	fields_of(&f, c);
	fields_set(&f, ATTR_TEST, NULL); /* belongs to the one time */
	if (bv->act == BOOK_WORDS) {
		words_note(b, bv->kind, &f);
	} else if (f.v[ATTR_REGEX] && (bv->act == BOOK_RUN || bv->act == BOOK_HALT)) {
		rc = regex_note(b, bv, &f, err);
	} else if (!is_question(bv, &f)) {
		name = name_of(bv, &f);
		rc = item_note(b, bv, &f, name, err);
		free(name);
	}
	fields_fini(&f);
	return rc;
}

int book_note_line(struct book *b, const char *line, struct err *err)
{
	const struct book_verb *bv;
	struct fields f;
	char *name;
	int rc;

	fields_parse(&f, line);
	bv = book_verb_find(f.verb->name);
	name = name_of(bv, &f);
	rc = item_note(b, bv, &f, name, err);
	free(name);
	fields_fini(&f);
	return rc;
}

/* -- writing ---------------------------------------------------------------------------------------------------------
 */

static void line_out(struct buf *out, const char *line)
{
	book_line_put(out, line);
	buf_u8(out, '\n');
}

/* The verb with what names the object, as in "prdcr_start name=n1". */
char *book_call(enum book_kind kind, const struct book_item *it, const char *verb)
{
	const struct book_kind_row *k = &book_kinds[kind];
	struct fields f, call = { .verb = verb_find(verb) };
	char *line;

	fields_parse(&f, it->line);
	for (size_t i = 0; i < sizeof(k->key) / sizeof(*k->key) && k->key[i]; i++)
		if (f.v[k->key[i]])
			fields_set(&call, k->key[i], f.v[k->key[i]]);
	line = fields_line(&call);
	fields_fini(&f);
	fields_fini(&call);
	return line;
}

char *book_run_line(enum book_kind kind, const struct book_item *it)
{
	return it->run ? xstrdup(it->run) : book_call(kind, it, book_kinds[kind].run);
}

void book_put(struct buf *out, struct book *b)
{
	book_sort(b);
	for (int k = 0; k < BOOK_KINDS; k++) {
		for (const struct book_item *it = b->items[k]; it; it = it->hh.next) {
			line_out(out, it->line);
			for (unsigned int i = 0; i < it->n_parts; i++)
				line_out(out, it->parts[i]);
			if (it->on) {
				char *run = book_run_line((enum book_kind)k, it);

				line_out(out, run);
				free(run);
			}
		}
	}
}
