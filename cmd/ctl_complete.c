/* ctl_complete.c - what may follow in a command that is being typed; see ctl.h */
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cmd/ctl.h"
#include "core/base/xalloc.h"

#define BLANKS " \t"

/* Where names of objects come from, by verb and attribute; the first row that fits counts. */
static const struct {
	const char *verbs; /* those that begin so; with '$' behind it, this one */
	enum attr_id attr;
	const char *status;
} sources[] = {
	{ "strgp_add$", ATTR_PLUGIN, "plugn_status" },
	{ "prdcr_set_status$", ATTR_PRODUCER, "prdcr_status" },
	{ "prdcr_set_status$", ATTR_INSTANCE, NULL },
	{ "prdcr_add$", ATTR_NAME, NULL }, /* a new name */
	{ "bridge_add$", ATTR_NAME, NULL },
	{ "advertiser_add$", ATTR_NAME, NULL },
	{ "prdcr_listen_add$", ATTR_NAME, NULL },
	{ "updtr_add$", ATTR_NAME, NULL },
	{ "strgp_add$", ATTR_NAME, NULL },
	{ "prdcr_listen_", ATTR_NAME, "prdcr_listen_status" },
	{ "prdcr_", ATTR_NAME, "prdcr_status" },
	{ "bridge_", ATTR_NAME, "prdcr_status" },
	{ "advertiser_", ATTR_NAME, "prdcr_status" },
	{ "updtr_", ATTR_NAME, "updtr_status" },
	{ "update_time_stats$", ATTR_NAME, "updtr_status" },
	{ "strgp_", ATTR_NAME, "strgp_status" },
	{ "store_time_stats$", ATTR_NAME, "strgp_status" },
	{ "config$", ATTR_NAME, "plugn_status" },
	{ "start$", ATTR_NAME, "plugn_status" },
	{ "stop$", ATTR_NAME, "plugn_status" },
	{ "term$", ATTR_NAME, "plugn_status" },
	{ "usage$", ATTR_NAME, "plugn_status" },
	{ "plugn_", ATTR_NAME, "plugn_status" },
	{ "log_", ATTR_NAME, "log_status" },
};

static const char *source_of(const struct verb *v, enum attr_id attr)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		size_t n = strcspn(sources[i].verbs, "$");

		if (sources[i].attr == attr && !strncmp(v->name, sources[i].verbs, n) &&
		    (!sources[i].verbs[n] || !v->name[n]))
			return sources[i].status;
	}
	return NULL;
}

static void add(struct ctl_list *l, char *word)
{
	l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
	l->v[l->n++] = word;
}

void ctl_list_fini(struct ctl_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct ctl_list){ 0 };
}

void ctl_list_names(struct ctl_list *to, const char *json, size_t len)
{
	json_t *all = json_loadb(json, len, 0, NULL), *one;
	const char *name;
	size_t i;

	json_array_foreach(all, i, one)
	{
		name = json_string_value(json_object_get(one, "name"));
		if (name && *name)
			add(to, xstrdup(name));
	}
	json_decref(all);
}

static bool begins(const char *word, const char *with, size_t n)
{
	return !strncmp(word, with, n);
}

static void verbs_add(struct ctl_list *ret, const char *word, bool ours)
{
	size_t n = strlen(word);

	for (const struct ctl_word *w = ctl_words; ours && w->name; w++)
		if (begins(w->name, word, n))
			add(ret, xasprintf("%s ", w->name));
	for (const struct verb *v = verbs; v->name; v++)
		if (begins(v->name, word, n) && !(v->flags & VERB_FILE_ONLY))
			add(ret, xasprintf("%s ", v->name));
}

/* The attributes that are not there yet. */
static void attrs_add(struct ctl_list *ret, const struct verb *v, const char *line, const char *word)
{
	size_t n = strlen(word);

	for (const struct attr_use *u = v->attrs; u && u->name; u++) {
		char *given = xasprintf(" %s=", u->name);

		if (*u->name && begins(u->name, word, n) && !strstr(line, given))
			add(ret, xasprintf(u->type == AT_FLAG ? "%s " : "%s=", u->name));
		free(given);
	}
}

static void values_add(struct ctl_list *ret, const struct attr_use *u, const char *values, const char *word)
{
	size_t n = strlen(word);

	while (*values) {
		size_t len = strcspn(values, "|");

		if (len >= n && begins(values, word, n))
			add(ret, xasprintf("%s=%.*s ", u->name, (int)len, values));
		values += len + (values[len] == '|');
	}
}

static void value_add(struct ctl_list *ret, const struct verb *v, const char *word, const char *eq,
		      void (*names)(void *arg, const char *status_verb, struct ctl_list *to), void *arg)
{
	const struct attr_use *u = v->attrs;
	struct ctl_list known = { 0 };
	const char *status;

	while (u && u->name && (strncmp(u->name, word, (size_t)(eq - word)) || u->name[eq - word]))
		u++;
	if (!u || !u->name)
		return;
	status = source_of(v, u->id);
	if (u->type == AT_WORD && u->words)
		values_add(ret, u, u->words, eq + 1);
	else if (u->type == AT_BOOL)
		values_add(ret, u, "true|false", eq + 1);
	else if (status)
		names(arg, status, &known);
	for (size_t i = 0; i < known.n; i++)
		if (begins(known.v[i], eq + 1, strlen(eq + 1)))
			add(ret, xasprintf("%s=%s ", u->name, known.v[i]));
	ctl_list_fini(&known);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t ctl_complete(const char *line, void (*names)(void *arg, const char *status_verb, struct ctl_list *to), void *arg,
		    struct ctl_list *ret)
{
	const char *first = line + strspn(line, BLANKS), *word = line + strlen(line), *eq;
	size_t n = strcspn(first, BLANKS);
	char *verb = xstrndup(first, n);
	const struct verb *v;

	while (word > first && !strchr(BLANKS, word[-1]))
		word--;
	eq = strchr(word, '=');
	v = verb_find(verb);
	if (word == first)
		verbs_add(ret, word, true);
	else if (!strcmp(verb, "help"))
		verbs_add(ret, word, false);
	else if (v && eq)
		value_add(ret, v, word, eq, names, arg);
	else if (v)
		attrs_add(ret, v, line, word);
	free(verb);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare);
	return strlen(word);
}
