/* decomp_read.c - places in a file of JSON, and what is wrong there, with the line */
#include <stdarg.h>
#include <stdio.h>

#include "store/decomp_impl.h"

struct jat jat_get(const struct jat *up, const char *key)
{
	return (struct jat){ up->r, up, key, 0, json_object_get(up->v, key) };
}

struct jat jat_nth(const struct jat *up, size_t i)
{
	return (struct jat){ up->r, up, NULL, i, json_array_get(up->v, i) };
}

/* -- where is it? -------------------------------------------------------------------------------------------------- */

/* jansson does not say where a value stood, so the text, which it has found to be JSON, is walked once more. */
struct walk {
	const char *at, *end;
};

static void walk_blanks(struct walk *w)
{
	while (w->at < w->end && strchr(" \t\r\n", *w->at) && *w->at)
		w->at++;
}

static void walk_string(struct walk *w)
{
	for (w->at++; w->at < w->end && *w->at != '"'; w->at++)
		if (*w->at == '\\')
			w->at++;
	w->at++;
}

/* Behind a value: strings are skipped, brackets are counted. */
static void walk_value(struct walk *w)
{
	unsigned int depth = 0;

	walk_blanks(w);
	while (w->at < w->end) {
		char c = *w->at;

		if (c == '"') {
			walk_string(w);
			continue;
		}
		if (!depth && (c == ',' || c == '}' || c == ']'))
			return;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		w->at++;
	}
}

static bool walk_key_is(const struct walk *w, const char *key)
{
	json_t *name = json_loadb(w->at, (size_t)(w->end - w->at), JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
	bool is = name && !strcmp(json_string_value(name) ? json_string_value(name) : "", key);

	json_decref(name);
	return is;
}

/* To a member or an element of the value that begins here. */
static void walk_into(struct walk *w, const char *key, size_t i)
{
	walk_blanks(w);
	for (w->at++; w->at < w->end; w->at++) {
		bool here = !key && !i--;

		walk_blanks(w);
		if (key) {
			here = walk_key_is(w, key);
			walk_string(w);
			walk_blanks(w);
			w->at++; /* the colon */
		}
		walk_blanks(w);
		if (here)
			return;
		walk_value(w);
	}
}

static void walk_to(struct walk *w, const struct jat *at)
{
	if (!at->up)
		return walk_blanks(w);
	walk_to(w, at->up);
	walk_into(w, at->key, at->i);
}

static unsigned int line_of(const struct jat *at)
{
	struct walk w = { at->r->text, at->r->text + at->r->len };
	unsigned int line = 1;

	while (!at->v && at->up) /* what is missing is missing there */
		at = at->up;
	walk_to(&w, at);
	for (const char *p = at->r->text; p < w.at && p < w.end; p++)
		line += *p == '\n';
	return line;
}

int jat_err(const struct jat *at, int rc, struct err *err, const char *fmt, ...)
{
	char words[ERR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	if (!at->r->line)
		at->r->line = line_of(at);
	return err_set(err, rc, "%s", words);
}
