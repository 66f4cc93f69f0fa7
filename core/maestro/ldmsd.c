/* ldmsd.c - see ldmsd.h */
#include "core/maestro/ldmsd.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"
#include "core/ctl/book_text.h"

/* -- answers ------------------------------------------------------------------------------------------------------- */

/* A value that may stand in a command: ldmsd says "-" (and our "" ) for what there is not.  NULL: there is none. */
static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && *s && strcmp(s, "-") && !s[strcspn(s, " \t\r\n")] ? s : NULL;
}

static void put_text(struct buf *b, const json_t *o, const char *key, const char *name)
{
	const char *s = text_of(o, key);

	if (s)
		buf_addf(b, " %s=%s", name, s);
}

static bool is_word(const json_t *o, const char *key, const char *word)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && !strcmp(s, word);
}

/* Each object of a list (or of an answer that is one). */
static int each(struct book *seen, const char *answer, void (*put)(struct buf *b, const json_t *o), struct err *err)
{
	json_error_t why;
	json_t *all = json_loads(answer, 0, &why), *o;
	struct buf b = { 0 };
	size_t i;

	if (!json_is_array(all)) {
		json_decref(all);
		return err_set(err, -EPROTO, "its answer is no list: %s", why.text);
	}
	json_array_foreach(all, i, o) if (text_of(o, "name") || text_of(o, "plugin")) put(&b, o);
	book_take_all(seen, buf_str(&b));
	buf_fini(&b);
	json_decref(all);
	return 0;
}

static void put_plugin(struct buf *b, const json_t *o)
{
	const char *name = text_of(o, "name"), *plugin = text_of(o, "plugin");

	buf_addf(b, "load name=%s plugin=%s\n", name ? name : plugin, plugin ? plugin : name);
}

static int take_plugins(struct book *seen, const char *answer, struct err *err)
{
	return each(seen, answer, put_plugin, err);
}

/* Samplers that have no set yet were not configured (or are to be, once more). */
static int take_sets(struct book *seen, const char *answer, struct err *err)
{
	json_error_t why;
	json_t *all = json_loads(answer, 0, &why), *o;
	size_t i;

	if (!json_is_array(all)) {
		json_decref(all);
		return err_set(err, -EPROTO, "its answer is no list: %s", why.text);
	}
	json_array_foreach(all, i, o)
	{
		const char *name = text_of(o, "plugin");
		struct book_item *it = name ? book_find(seen, BOOK_PLUGIN, name) : NULL;

		if (it)
			it->anew = json_array_size(json_object_get(o, "sets")) ? NULL : "it has no set";
	}
	json_decref(all);
	return 0;
}

static void put_prdcr(struct buf *b, const json_t *o)
{
	const char *type = text_of(o, "type"), *name = text_of(o, "name");
	const char *verb = "prdcr";

	if (!type)
		return; /* "advertised, passive": it made itself */
	if (!strcmp(type, "bridge") || !strcmp(type, "advertiser"))
		verb = type;
	buf_addf(b, "%s_add name=%s", verb, name);
	if (!strcmp(verb, "prdcr"))
		put_text(b, o, "type", "type");
	put_text(b, o, "host", "host");
	buf_addf(b, " port=%lld", (long long)json_integer_value(json_object_get(o, "port")));
	put_text(b, o, "transport", "xprt");
	put_text(b, o, "auth", "auth");
	put_text(b, o, "rail", "rail");
	put_text(b, o, "quota", "quota");
	put_text(b, o, "rx_rate", "rx_rate");
	put_text(b, o, "reconnect_us", "reconnect");
	buf_addf(b, "\n");
	if (!is_word(o, "state", "STOPPED") && !is_word(o, "state", "STOPPING"))
		buf_addf(b, "%s_start name=%s\n", verb, name);
}

static int take_prdcrs(struct book *seen, const char *answer, struct err *err)
{
	return each(seen, answer, put_prdcr, err);
}

static void put_listen(struct buf *b, const json_t *o)
{
	buf_addf(b, "prdcr_listen_add name=%s", text_of(o, "name"));
	put_text(b, o, "regex", "regex");
	put_text(b, o, "IP range", "ip");
	put_text(b, o, "type", "type");
	put_text(b, o, "quota", "quota");
	put_text(b, o, "rx_rate", "rx_rate");
	put_text(b, o, "xprt", "advertiser_xprt");
	put_text(b, o, "port", "advertiser_port");
	put_text(b, o, "reconnect", "reconnect");
	buf_addf(b, "\n");
	if (is_word(o, "state", "running"))
		buf_addf(b, "prdcr_listen_start name=%s\n", text_of(o, "name"));
}

static int take_listens(struct book *seen, const char *answer, struct err *err)
{
	return each(seen, answer, put_listen, err);
}

static void put_updtr(struct buf *b, const json_t *o)
{
	buf_addf(b, "updtr_add name=%s", text_of(o, "name"));
	put_text(b, o, "interval", "interval");
	if (is_word(o, "sync", "true"))
		put_text(b, o, "offset", "offset");
	if (is_word(o, "mode", "Push on Change"))
		buf_addf(b, " push=onchange");
	else if (is_word(o, "mode", "Push on Request"))
		buf_addf(b, " push=true");
	if (is_word(o, "auto", "true"))
		buf_addf(b, " auto_interval=true");
	buf_addf(b, "\n");
	if (is_word(o, "state", "RUNNING"))
		buf_addf(b, "updtr_start name=%s\n", text_of(o, "name"));
}

static int take_updtrs(struct book *seen, const char *answer, struct err *err)
{
	return each(seen, answer, put_updtr, err);
}

static void put_matches(struct buf *b, const json_t *o)
{
	const json_t *m;
	size_t i;

	json_array_foreach(json_object_get(o, "match"), i, m)
	{
		buf_addf(b, "updtr_match_add name=%s", text_of(o, "name"));
		put_text(b, m, "regex", "regex");
		put_text(b, m, "selector", "match");
		buf_addf(b, "\n");
	}
}

static int take_matches(struct book *seen, const char *answer, struct err *err)
{
	return each(seen, answer, put_matches, err);
}

static void put_strgp(struct buf *b, const json_t *o)
{
	const char *flush = text_of(o, "flush");
	double flush_s = flush ? strtod(flush, NULL) : 0;
	const json_t *p;
	size_t i;

	buf_addf(b, "strgp_add name=%s", text_of(o, "name"));
	put_text(b, o, "plugin", "plugin");
	put_text(b, o, "container", "container");
	put_text(b, o, "schema", "schema");
	put_text(b, o, "regex", "regex");
	put_text(b, o, "decomp", "decomposition");
	if (flush_s > 0)
		buf_addf(b, " flush=%lldus", (long long)(flush_s * SEC_US + 0.5));
	buf_addf(b, "\n");
	json_array_foreach(json_object_get(o, "producers"), i, p) if (json_string_value(p))
		buf_addf(b, "strgp_prdcr_add name=%s regex=%s\n", text_of(o, "name"), json_string_value(p));
	if (is_word(o, "state", "RUNNING"))
		buf_addf(b, "strgp_start name=%s\n", text_of(o, "name"));
}

static int take_strgps(struct book *seen, const char *answer, struct err *err)
{
	return each(seen, answer, put_strgp, err);
}

const struct ldmsd_question ldmsd_questions[] = {
	{ "plugn_status", take_plugins }, { "plugn_sets", take_sets }, /* behind the plugins */
	{ "prdcr_status", take_prdcrs },  { "prdcr_listen_status", take_listens },
	{ "updtr_status", take_updtrs },  { "updtr_match_list", take_matches }, /* behind those that it is about */
	{ "strgp_status", take_strgps },  { .verb = NULL },
};

/* -- what it does not say ------------------------------------------------------------------------------------------ */

/* How much of an object its status shows, by kind. */
static const struct shown {
	bool is, on;
	const char *parts; /* lines of this verb alone; NULL: none */
} shown[BOOK_KINDS] = {
	[BOOK_PLUGIN] = { .is = true },
	[BOOK_PRDCR] = { .is = true, .on = true },
	[BOOK_ADVERTISER] = { .is = true, .on = true },
	[BOOK_PRDCR_LISTEN] = { .is = true, .on = true },
	[BOOK_UPDTR] = { .is = true, .on = true, .parts = "updtr_match_add" },
	[BOOK_STRGP] = { .is = true, .on = true, .parts = "strgp_prdcr_add" },
};

/* "quota=-1" is what it says where nobody set one; a policy names the plugin, and not its instance. */
static bool is_unsaid(const struct fields *base, enum attr_id id, const char *value)
{
	if (base->v[ATTR_PLUGIN] && id == ATTR_PLUGIN)
		return true;
	return !base->v[id] && (id == ATTR_QUOTA || id == ATTR_RX_RATE) && !strcmp(value, "-1");
}

/* What it shows over what it was made with. */
static char *line_over(const char *base, const char *seen)
{
	struct fields b, s;
	char *ret;

	fields_parse(&b, base);
	fields_parse(&s, seen);
	for (size_t id = 0; id < ATTR_IDS && b.verb == s.verb; id++)
		if (s.v[id] && !is_unsaid(&b, (enum attr_id)id, s.v[id]))
			fields_set(&b, (enum attr_id)id, s.v[id]);
	ret = b.verb == s.verb ? fields_line(&b) : xstrdup(seen);
	fields_fini(&b);
	fields_fini(&s);
	return ret;
}

static bool is_of(const char *line, const char *verb)
{
	size_t n = verb ? strlen(verb) : 0;

	return n && !strncmp(line, verb, n) && line[n] == LINE_SEP;
}

/* Its lines, in the order of `base`: those that can be seen as they are, the others as there. */
static void parts_over(struct book_item *it, const struct book_item *base, const char *verb)
{
	char **parts = xcalloc(it->n_parts + base->n_parts + 1, sizeof(*parts));
	unsigned int n = 0;

	for (unsigned int i = 0; i < base->n_parts; i++) {
		bool there = !is_of(base->parts[i], verb);

		for (unsigned int k = 0; k < it->n_parts && !there; k++)
			there = !strcmp(base->parts[i], it->parts[k]);
		if (there)
			parts[n++] = xstrdup(base->parts[i]);
	}
	for (unsigned int k = 0; k < it->n_parts; k++) {
		bool known = false;

		for (unsigned int i = 0; i < base->n_parts && !known; i++)
			known = !strcmp(base->parts[i], it->parts[k]);
		if (known)
			free(it->parts[k]);
		else
			parts[n++] = it->parts[k];
	}
	free(it->parts);
	it->parts = parts;
	it->n_parts = n;
}

static void item_fill(struct book_item *it, enum book_kind kind, const struct book_item *base, bool was_sent)
{
	char *line = line_over(base->line, it->line);

	free(it->line);
	it->line = line;
	/* one in the making may lack lines that cannot be seen */
	if (was_sent || (shown[kind].on ? it->on : !it->anew))
		parts_over(it, base, shown[kind].parts);
	if (shown[kind].on)
		return;
	/* Who samples cannot be seen: where nobody knows, the start is said again (compare.c). */
	it->on = base->on;
	if (it->on && base->run) {
		free(it->run);
		it->run = xstrdup(base->run);
	}
}

void ldmsd_fill(struct book *seen, const struct book *sent, const struct book *want)
{
	for (int k = 0; k < BOOK_KINDS; k++) {
		for (struct book_item *it = seen->items[k]; it; it = it->hh.next) {
			const struct book_item *was = sent ? book_find(sent, (enum book_kind)k, it->name) : NULL;
			const struct book_item *base = was ? was : book_find(want, (enum book_kind)k, it->name);

			if (base)
				item_fill(it, (enum book_kind)k, base, was);
		}
		for (const struct book_item *it = sent && !shown[k].is ? sent->items[k] : NULL; it; it = it->hh.next)
			book_put_item(seen, (enum book_kind)k, it);
	}
}
