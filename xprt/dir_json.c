/* dir_json.c - see dir_json.h
 *
 * Reading: a scanner over the text as it came.  The strings of one set are copied into an arena, NUL-terminated, which
 * the next set uses again; while it may still move, they are known by their offsets.
 */
#include "xprt/dir_json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/json_put.h"
#include "core/set/perm.h"

#define NEST_MAX 32 /* of what is skipped: values of unknown keys */

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

/* -- scanning ------------------------------------------------------------------------------------------------------ */

struct scan {
	const char *start, *p, *end;
	struct buf arena;  /* the current set's strings */
	struct buf pairs;  /* struct pair: its info */
	const char *wrong; /* what the text does not have here; NULL: all well */
};

struct pair {
	size_t key, value; /* offsets in the arena */
};

static bool fail(struct scan *s, const char *wanted)
{
	if (!s->wrong)
		s->wrong = wanted;
	return false;
}

/* The next character that is not white space; NUL at the end. */
static char peek(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
	return s->p < s->end ? *s->p : '\0';
}

static bool eat(struct scan *s, char c)
{
	if (peek(s) != c || s->p == s->end)
		return false;
	s->p++;
	return true;
}

static bool hex4(struct scan *s, uint32_t *ret)
{
	uint32_t v = 0;

	if (s->end - s->p < 4)
		return fail(s, "four hexadecimal digits");
	for (int i = 0; i < 4; i++) {
		char c = *s->p++;

		v = v << 4;
		if (c >= '0' && c <= '9')
			v |= (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v |= (uint32_t)((c | 32) - 'a' + 10);
		else
			return fail(s, "four hexadecimal digits");
	}
	*ret = v;
	return true;
}

static void put_utf8(struct buf *to, uint32_t c)
{
	if (c < 0x80) {
		buf_u8(to, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(to, (uint8_t)(0xc0 | c >> 6));
		buf_u8(to, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_u8(to, (uint8_t)(0xe0 | c >> 12));
		buf_u8(to, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(to, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_u8(to, (uint8_t)(0xf0 | c >> 18));
		buf_u8(to, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buf_u8(to, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(to, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

#define REPLACEMENT 0xfffd

static bool scan_u(struct scan *s)
{
	uint32_t c, low;

	if (!hex4(s, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u') {
		s->p += 2;
		if (!hex4(s, &low))
			return false;
		c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : REPLACEMENT;
	}
	if (!c || (c >= 0xd800 && c < 0xe000))
		c = REPLACEMENT; /* no text of ours holds a NUL */
	put_utf8(&s->arena, c);
	return true;
}

static bool scan_escape(struct scan *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char c;

	if (s->p == s->end)
		return fail(s, "the end of a string");
	c = *s->p++;
	if (c == 'u')
		return scan_u(s);
	at = memchr(from, c, sizeof(from) - 1);
	if (!at)
		return fail(s, "a known escape");
	buf_u8(&s->arena, (uint8_t)to[at - from]);
	return true;
}

/* A string into the arena. */
static bool scan_string(struct scan *s, size_t *ret_off)
{
	*ret_off = s->arena.len;
	if (!eat(s, '"'))
		return fail(s, "a string");
	for (;;) {
		const char *from = s->p;

		while (s->p < s->end && *s->p != '"' && *s->p != '\\' && *s->p)
			s->p++;
		buf_add(&s->arena, from, (size_t)(s->p - from));
		if (s->p == s->end || !*s->p)
			return fail(s, "the end of a string");
		if (*s->p++ == '"')
			break;
		if (!scan_escape(s))
			return false;
	}
	buf_u8(&s->arena, '\0');
	return true;
}

/* A whole number; what real peers print with a sign (-1) is meant as unsigned.  Fractions and exponents are passed
 * over. */
static bool scan_number(struct scan *s, uint64_t *ret)
{
	bool minus = eat(s, '-');
	uint64_t v = 0;

	if (s->p == s->end || *s->p < '0' || *s->p > '9')
		return fail(s, "a number");
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
		v = v * 10 + (uint64_t)(*s->p - '0');
	while (s->p < s->end && *s->p && strchr("0123456789.eE+-", *s->p))
		s->p++;
	*ret = minus ? 0 - v : v;
	return true;
}

static bool skip_value(struct scan *s, unsigned int depth);

static bool skip_members(struct scan *s, char close, unsigned int depth)
{
	size_t off;

	if (depth == NEST_MAX)
		return fail(s, "less nesting");
	if (eat(s, close))
		return true;
	do {
		if (close == '}' && (!scan_string(s, &off) || !(eat(s, ':') || fail(s, "':'"))))
			return false;
		if (!skip_value(s, depth + 1))
			return false;
	} while (eat(s, ','));
	return eat(s, close) || fail(s, "',' or the end of what is open");
}

static bool skip_value(struct scan *s, unsigned int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	uint64_t n;
	size_t off;

	switch (peek(s)) {
	case '"':
		return scan_string(s, &off);
	case '{':
		s->p++;
		return skip_members(s, '}', depth);
	case '[':
		s->p++;
		return skip_members(s, ']', depth);
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(s->end - s->p) < len || memcmp(s->p, words[i], len))
			continue;
		s->p += len;
		return true;
	}
	return scan_number(s, &n);
}

/* Go through an object: fn scans the value of each key. */
static bool scan_object(struct scan *s, bool (*fn)(struct scan *s, const char *key, size_t key_len, void *arg),
			void *arg)
{
	if (!eat(s, '{'))
		return fail(s, "'{'");
	if (eat(s, '}'))
		return true;
	do {
		char key[32] = "";
		size_t off, len;

		if (!scan_string(s, &off) || !(eat(s, ':') || fail(s, "':'")))
			return false;
		len = s->arena.len - off - 1;
		s->arena.len = off;
		if (len < sizeof(key)) /* a longer one is none that we know */
			memcpy(key, s->arena.p + off, len);
		if (!fn(s, key, len, arg))
			return false;
	} while (eat(s, ','));
	return eat(s, '}') || fail(s, "',' or '}'");
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

static bool time_member(struct scan *s, const char *key, size_t key_len, void *arg)
{
	uint32_t *at = arg;
	uint64_t v;

	if (strcmp(key, "sec") && strcmp(key, "usec"))
		return skip_value(s, 0);
	if (!scan_number(s, &v))
		return false;
	at[key[0] == 'u'] = (uint32_t)v;
	return true;
}

struct pair_scan {
	struct pair pair;
	bool key, value;
};

static bool pair_member(struct scan *s, const char *key, size_t key_len, void *arg)
{
	struct pair_scan *ps = arg;

	if (peek(s) == '"' && !strcmp(key, "key")) {
		ps->key = true;
		return scan_string(s, &ps->pair.key);
	}
	if (peek(s) == '"' && !strcmp(key, "value")) {
		ps->value = true;
		return scan_string(s, &ps->pair.value);
	}
	return skip_value(s, 0);
}

static bool scan_info(struct scan *s)
{
	if (!eat(s, '['))
		return fail(s, "'['");
	if (eat(s, ']'))
		return true;
	do {
		struct pair_scan ps = { 0 };

		if (!scan_object(s, pair_member, &ps))
			return false;
		if (ps.key && ps.value)
			buf_add(&s->pairs, &ps.pair, sizeof(ps.pair));
	} while (eat(s, ','));
	return eat(s, ']') || fail(s, "',' or ']'");
}

static bool set_member(struct scan *s, const char *key, size_t key_len, void *arg)
{
	struct one *o = arg;
	uint64_t v;
	size_t i;

	for (i = 0; i < KEYS && strcmp(keys[i].name, key); i++)
		;
	if (i == KEYS || o->have[i])
		return skip_value(s, 0);
	switch (keys[i].type) {
	case KEY_TEXT:
		o->have[i] = peek(s) == '"';
		return o->have[i] ? scan_string(s, &o->texts[i]) : skip_value(s, 0);
	case KEY_TIME:
		o->have[i] = peek(s) == '{';
		return o->have[i] ? scan_object(s, time_member, (char *)&o->set + keys[i].at) : skip_value(s, 0);
	case KEY_INFO:
		o->have[i] = peek(s) == '[';
		return o->have[i] ? scan_info(s) : skip_value(s, 0);
	default:
		break;
	}
	if (peek(s) != '-' && (peek(s) < '0' || peek(s) > '9'))
		return skip_value(s, 0);
	o->have[i] = true;
	if (!scan_number(s, &v))
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
static bool finish(struct scan *s, struct one *o, bool names_only, struct buf *info)
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

static bool scan_list(struct scan *s, struct list *l)
{
	if (!eat(s, '['))
		return fail(s, "'['");
	eat(s, ','); /* real peers leave it when they suppress the first set */
	if (eat(s, ']'))
		return true;
	do {
		struct one o = { 0 };

		buf_reset(&s->arena);
		buf_reset(&s->pairs);
		if (!scan_object(s, set_member, &o))
			return false;
		if (!finish(s, &o, l->names_only, &l->info))
			l->notes->skipped++;
		else if (!l->fn(&o.set, l->arg))
			l->stopped = true;
	} while (!l->stopped && eat(s, ','));
	return l->stopped || eat(s, ']') || fail(s, "',' or ']'");
}

static bool hidden_member(struct scan *s, const char *key, size_t key_len, void *arg)
{
	struct dir_hidden *h = arg;
	uint64_t v;

	if (strcmp(key, "sets") && strcmp(key, "uid") && strcmp(key, "gid"))
		return skip_value(s, 0);
	if (!scan_number(s, &v))
		return false;
	if (*key == 's')
		h->sets = v;
	else if (*key == 'u')
		h->uid = (uint32_t)v;
	else
		h->gid = (uint32_t)v;
	return true;
}

static bool top_member(struct scan *s, const char *key, size_t key_len, void *arg)
{
	struct list *l = arg;

	if (!strcmp(key, "hidden") && peek(s) == '{')
		return scan_object(s, hidden_member, &l->notes->hidden);
	if (strcmp(key, "directory"))
		return skip_value(s, 0);
	return scan_list(s, l) && !l->stopped;
}

int dir_json_get(const char *text, size_t len, bool names_only, dir_json_fn fn, void *arg, struct dir_notes *notes,
		 struct err *err)
{
	struct scan s = { .start = text, .p = text, .end = text + len };
	struct list l = { .names_only = names_only, .fn = fn, .arg = arg, .notes = notes };
	int rc = 0;

	while (s.end > s.start && !s.end[-1])
		s.end--;
	if (!scan_object(&s, top_member, &l) && !l.stopped)
		rc = err_set(err, -EPROTO, "the directory is no JSON: byte %zu of %zu: expected %s",
			     (size_t)(s.p - s.start), len, s.wrong);
	buf_fini(&s.arena);
	buf_fini(&s.pairs);
	buf_fini(&l.info);
	return rc;
}
