/* dir_json.c - see dir_json.h
 *
 * Reading: dir_scan.h goes through the text as it came, and the strings of one set are in its arena, which the next set
 * uses again; while it may still move, they are known by their offsets.
 */
#include "xprt/dir_json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/json_put.h"
#include "core/set/perm.h"
#include "xprt/dir_scan.h"

/* -- writing ------------------------------------------------------------------------------------------------------- */

void dir_json_put(struct buf *to, const struct set *s, const struct set_stat *st)
{
	const struct set_meta *meta = (const struct set_meta *)s->image;
	char hex[2 * DIGEST_LEN + 1], perm[11];

	digest_hex(image_digest(meta), hex);
	perm_text(st->perm, perm);
	buf_addf(to, "{\"name\":");
	json_put_str(to, s->name);
	buf_addf(to, ",\"schema\":");
	json_put_str(to, image_schema(meta));
	buf_addf(to,
		 ",\"digest\":\"%s\",\"flags\":\"%c%c%c\",\"meta_size\":%" PRIu32 ",\"data_size\":%" PRIu32
		 ",\"heap_size\":%" PRIu32 ",\"uid\":%" PRIu32 ",\"gid\":%" PRIu32 ",\"perm\":\"%s\",\"card\":%" PRIu32
		 ",\"array_card\":%" PRIu32 ",\"meta_gn\":%" PRIu64 ",\"data_gn\":%" PRIu64
		 ",\"timestamp\":{\"sec\":%" PRIu32 ",\"usec\":%" PRIu32 "},\"duration\":{\"sec\":%" PRIu32
		 ",\"usec\":%" PRIu32 "},\"info\":[",
		 hex, st->consistent ? 'C' : ' ', s->local ? 'L' : 'R', s->pushed ? 'P' : ' ', st->meta_sz, st->data_sz,
		 st->heap_sz, st->uid, st->gid, perm, st->card, st->array_card, st->meta_gn, st->gn, st->ts_sec,
		 st->ts_usec, st->dur_sec, st->dur_usec);
	for (uint16_t i = 0; i < s->info_n; i++) {
		buf_addf(to, "%s{\"key\":", i ? "," : "");
		json_put_str(to, s->info[i].key);
		buf_addf(to, ",\"value\":");
		json_put_str(to, s->info[i].value);
		buf_addf(to, "}");
	}
	buf_addf(to, "]}");
}

void dir_json_put_hidden(struct buf *to, const struct dir_hidden *h)
{
	if (h->sets)
		buf_addf(to, ", \"hidden\":{\"sets\":%" PRIu64 ",\"uid\":%" PRIu32 ",\"gid\":%" PRIu32 "}", h->sets,
			 h->uid, h->gid);
}

/* -- one set ------------------------------------------------------------------------------------------------------- */

enum key_type { KEY_TEXT, KEY_U64, KEY_U32, KEY_TIME, KEY_INFO };

#define AT(field) offsetof(struct dir_set, field)

static const struct key {
	const char *name;
	enum key_type type;
	size_t at;     /* in struct dir_set; KEY_TIME: seconds, microseconds behind */
	bool optional; /* old peers do not have it */
} keys[] = {
	{ "name", KEY_TEXT, AT(name), false },
	{ "schema", KEY_TEXT, AT(schema), false },
	{ "digest", KEY_TEXT, AT(digest), true },
	{ "flags", KEY_TEXT, AT(flags), false },
	{ "meta_size", KEY_U64, AT(meta_size), false },
	{ "data_size", KEY_U64, AT(data_size), false },
	{ "heap_size", KEY_U64, AT(heap_size), true },
	{ "uid", KEY_U32, AT(uid), false },
	{ "gid", KEY_U32, AT(gid), false },
	{ "perm", KEY_TEXT, AT(perm), false },
	{ "card", KEY_U32, AT(card), false },
	{ "array_card", KEY_U32, AT(array_card), false },
	{ "meta_gn", KEY_U64, AT(meta_gn), false },
	{ "data_gn", KEY_U64, AT(data_gn), false },
	{ "timestamp", KEY_TIME, AT(ts_sec), false },
	{ "duration", KEY_TIME, AT(dur_sec), false },
	{ "info", KEY_INFO, AT(info), true },
};

#define KEYS (sizeof(keys) / sizeof(*keys))

struct one { /* the set that is being read */
	struct dir_set set;
	size_t texts[KEYS]; /* offsets in the arena */
	bool have[KEYS];
};

struct pair {
	size_t key, value; /* offsets in the arena */
};

static bool time_member(struct dir_scan *s, const char *key, size_t key_len, void *arg)
{
	uint32_t *at = arg;
	uint64_t v;

	if (strcmp(key, "sec") && strcmp(key, "usec"))
		return dir_scan_skip(s);
	if (!dir_scan_number(s, &v))
		return false;
	at[key[0] == 'u'] = (uint32_t)v;
	return true;
}

struct pair_scan {
	struct pair pair;
	bool key, value;
};

static bool pair_member(struct dir_scan *s, const char *key, size_t key_len, void *arg)
{
	struct pair_scan *ps = arg;

	if (dir_scan_peek(s) == '"' && !strcmp(key, "key")) {
		ps->key = true;
		return dir_scan_string(s, &ps->pair.key);
	}
	if (dir_scan_peek(s) == '"' && !strcmp(key, "value")) {
		ps->value = true;
		return dir_scan_string(s, &ps->pair.value);
	}
	return dir_scan_skip(s);
}

static bool scan_info(struct dir_scan *s)
{
	if (!dir_scan_eat(s, '['))
		return dir_scan_fail(s, "'['");
	if (dir_scan_eat(s, ']'))
		return true;
	do {
		struct pair_scan ps = { 0 };

		if (!dir_scan_object(s, pair_member, &ps))
			return false;
		if (ps.key && ps.value)
			buf_add(&s->pairs, &ps.pair, sizeof(ps.pair));
	} while (dir_scan_eat(s, ','));
	return dir_scan_eat(s, ']') || dir_scan_fail(s, "',' or ']'");
}

static bool set_member(struct dir_scan *s, const char *key, size_t key_len, void *arg)
{
	struct one *o = arg;
	uint64_t v;
	size_t i;

	for (i = 0; i < KEYS && strcmp(keys[i].name, key); i++)
		;
	if (i == KEYS || o->have[i])
		return dir_scan_skip(s);
	switch (keys[i].type) {
	case KEY_TEXT:
		o->have[i] = dir_scan_peek(s) == '"';
		return o->have[i] ? dir_scan_string(s, &o->texts[i]) : dir_scan_skip(s);
	case KEY_TIME:
		o->have[i] = dir_scan_peek(s) == '{';
		return o->have[i] ? dir_scan_object(s, time_member, (char *)&o->set + keys[i].at) : dir_scan_skip(s);
	case KEY_INFO:
		o->have[i] = dir_scan_peek(s) == '[';
		return o->have[i] ? scan_info(s) : dir_scan_skip(s);
	default:
		break;
	}
	if (dir_scan_peek(s) != '-' && (dir_scan_peek(s) < '0' || dir_scan_peek(s) > '9'))
		return dir_scan_skip(s);
	o->have[i] = true;
	if (!dir_scan_number(s, &v))
		return false;
	if (keys[i].type == KEY_U64)
		memcpy((char *)&o->set + keys[i].at, &v, sizeof(v));
	else
		memcpy((char *)&o->set + keys[i].at, &(uint32_t){ (uint32_t)v }, sizeof(uint32_t));
	return true;
}

static bool name_is_sane(const char *name)
{
	size_t len = strlen(name);

	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false; /* it would forge lines of logs and listings */
	return len && len <= SET_NAME_MAX;
}

/* Offsets become pointers, now that the arena stays where it is.  False: the set is not usable. */
static bool finish(struct dir_scan *s, struct one *o, bool names_only, struct buf *info)
{
	const struct pair *pairs = (const struct pair *)s->pairs.p;

	for (size_t i = 0; i < KEYS; i++) {
		const char *text = o->have[i] ? (const char *)s->arena.p + o->texts[i] : "";

		if (!o->have[i] && !keys[i].optional && (!names_only || keys[i].at == AT(name)))
			return false;
		if (keys[i].type == KEY_TEXT)
			memcpy((char *)&o->set + keys[i].at, &text, sizeof(text));
	}
	buf_reset(info);
	for (size_t i = 0; i < s->pairs.len / sizeof(*pairs); i++) {
		struct info_pair p = { (char *)s->arena.p + pairs[i].key, (char *)s->arena.p + pairs[i].value };

		buf_add(info, &p, sizeof(p));
		o->set.info_n++;
	}
	o->set.info = (const struct info_pair *)info->p;
	return name_is_sane(o->set.name);
}

/* -- the list ------------------------------------------------------------------------------------------------------ */

struct list {
	bool names_only, stopped;
	dir_json_fn fn;
	void *arg;
	struct dir_notes *notes;
	struct buf info; /* struct info_pair: the current set's */
};

static bool scan_list(struct dir_scan *s, struct list *l)
{
	if (!dir_scan_eat(s, '['))
		return dir_scan_fail(s, "'['");
	dir_scan_eat(s, ','); /* real peers leave it when they suppress the first set */
	if (dir_scan_eat(s, ']'))
		return true;
	do {
		struct one o = { 0 };

		buf_reset(&s->arena);
		buf_reset(&s->pairs);
		if (!dir_scan_object(s, set_member, &o))
			return false;
		if (!finish(s, &o, l->names_only, &l->info))
			l->notes->skipped++;
		else if (!l->fn(&o.set, l->arg))
			l->stopped = true;
	} while (!l->stopped && dir_scan_eat(s, ','));
	return l->stopped || dir_scan_eat(s, ']') || dir_scan_fail(s, "',' or ']'");
}

static bool hidden_member(struct dir_scan *s, const char *key, size_t key_len, void *arg)
{
	struct dir_hidden *h = arg;
	uint64_t v;

	if (strcmp(key, "sets") && strcmp(key, "uid") && strcmp(key, "gid"))
		return dir_scan_skip(s);
	if (!dir_scan_number(s, &v))
		return false;
	if (*key == 's')
		h->sets = v;
	else if (*key == 'u')
		h->uid = (uint32_t)v;
	else
		h->gid = (uint32_t)v;
	return true;
}

static bool top_member(struct dir_scan *s, const char *key, size_t key_len, void *arg)
{
	struct list *l = arg;

	if (!strcmp(key, "hidden") && dir_scan_peek(s) == '{')
		return dir_scan_object(s, hidden_member, &l->notes->hidden);
	if (strcmp(key, "directory"))
		return dir_scan_skip(s);
	return scan_list(s, l) && !l->stopped;
}

int dir_json_get(const char *text, size_t len, bool names_only, dir_json_fn fn, void *arg, struct dir_notes *notes,
		 struct err *err)
{
	struct dir_scan s = { .start = text, .p = text, .end = text + len };
	struct list l = { .names_only = names_only, .fn = fn, .arg = arg, .notes = notes };
	int rc = 0;

	while (s.end > s.start && !s.end[-1])
		s.end--;
	if (!dir_scan_object(&s, top_member, &l) && !l.stopped)
		rc = err_set(err, -EPROTO, "the directory is no JSON: byte %zu of %zu: expected %s",
			     (size_t)(s.p - s.start), len, s.wrong);
	buf_fini(&s.arena);
	buf_fini(&s.pairs);
	buf_fini(&l.info);
	return rc;
}
