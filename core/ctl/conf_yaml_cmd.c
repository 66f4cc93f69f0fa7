/* conf_yaml_cmd.c - what is made of a cluster file: complaints, and commands word by word, each in its place. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

#define WORK_MAX 5000000 /* names and members looked at; aliases of aliases make more of a small file */

/* -- complaints -- */

void ygen_bad(struct ygen *g, ynode n, const char *fmt, ...)
{
	char *words;
	va_list ap;

	if (g->stop || g->mute)
		return;
	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	conf_error(g->cf, -EINVAL, g->file, ynode_pos(n), "%s", words);
	g->cf->holes = g->line_bad = true;
	free(words);
}

void ygen_doubt(struct ygen *g, ynode n, const char *fmt, ...)
{
	char *words;
	va_list ap;

	if (g->stop || g->mute)
		return;
	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	conf_warn(g->cf, g->file, ynode_pos(n), "%s", words);
	free(words);
}

bool ygen_works(struct ygen *g, ynode n, size_t amount)
{
	if (g->stop)
		return false;
	g->work += amount < WORK_MAX ? (unsigned int)amount + 1 : WORK_MAX;
	if (g->work <= WORK_MAX)
		return true;
	ygen_bad(g, n, "the file makes too much of its aliases: more than %d names", WORK_MAX);
	g->stop = true;
	return false;
}

/* -- words and commands -- */

/* A word of the command language has no blanks. */
static bool is_word(struct ygen *g, ynode n, const char *text)
{
	for (const char *p = text; *p; p++)
		if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p)) {
			ygen_bad(g, n, "'%.64s': blanks cannot stand in a value", text);
			return false;
		}
	return true;
}

/* Words of a line of text are put behind each other. */
static void line_word(struct ygen *g, const char *name, const char *text)
{
	if (g->line_begun)
		buf_u8(g->lines, ' ');
	if (name) {
		buf_add(g->lines, name, strlen(name));
		buf_u8(g->lines, '=');
	}
	buf_add(g->lines, text, strlen(text));
	g->line_begun = true;
}

void ygen_word(struct ygen *g, ynode n, const char *text)
{
	if (!is_word(g, n, text))
		return;
	if (g->lines)
		line_word(g, NULL, text);
	else
		conf_word(g->cf, conf_text_keep(g->cf, xstrdup(text)), ynode_pos(n));
}

void ygen_verb(struct ygen *g, ynode n, const char *name)
{
	g->cf->words_n = 0;
	g->line_begun = g->line_bad = false;
	ygen_word(g, n, name);
}

void ygen_attr(struct ygen *g, ynode n, const char *name, const char *value)
{
	if (!is_word(g, n, value))
		return;
	if (g->lines)
		line_word(g, name, value);
	else
		conf_word(g->cf, conf_text_keep(g->cf, xasprintf("%s=%s", name, value)), ynode_pos(n));
}

/* Carried out while it is read: by the daemon, not by who only looks at its part. */
static bool is_now(const struct ygen *g)
{
	const char *verb = g->cf->words_n ? g->cf->words[0].text : "";

	return !strcmp(verb, "env") || !strcmp(verb, "include");
}

/* What is wrong with it was said; who refers to what it would have made is not to blame. */
static void line_drop(struct ygen *g)
{
	const char *name = NULL;

	for (size_t i = 1; i < g->cf->words_n && !name; i++)
		if (!strncmp(g->cf->words[i].text, "name=", 5))
			name = g->cf->words[i].text + 5;
	conf_cmd_failed(g->cf, g->cf->words_n ? g->cf->words[0].text : NULL, name);
	g->cf->words_n = 0;
}

void ygen_end(struct ygen *g)
{
	if (g->lines)
		buf_u8(g->lines, '\n');
	else if (g->line_bad)
		line_drop(g);
	else if (g->skip_now && is_now(g))
		g->cf->words_n = 0;
	else
		conf_command(g->cf, g->file);
}

/* -- attributes from the value of a key -- */

void ygen_attr_if(struct ygen *g, ynode map, const char *key, const char *as)
{
	ynode n = NULL;
	const char *text = ygen_text(g, map, key, &n);

	if (text && *text)
		ygen_attr(g, n, as, text);
}

/* A time: microseconds, a unit in either case, or a variable. */
void ygen_attr_time(struct ygen *g, ynode map, const char *key)
{
	ynode n = NULL;
	const char *text = ygen_text(g, map, key, &n);
	struct err err = { "" };
	char low[64], us[32];
	int64_t v;
	size_t k = 0;

	if (!text)
		return;
	if (strstr(text, "${")) {
		ygen_attr(g, n, key, text);
		return;
	}
	if (*text == '$') {
		char *var = xasprintf("${%s}", text + 1);

		ygen_attr(g, n, key, var);
		free(var);
		return;
	}
	for (; text[k] && k < sizeof(low) - 1; k++)
		low[k] = (char)tolower((unsigned char)text[k]);
	low[k] = '\0';
	if (text[k] || unit_time_us(low, &v, &err)) {
		ygen_bad(g, n, "%s: %s", key, text[k] ? "is no time" : err.msg);
		return;
	}
	snprintf(us, sizeof(us), "%lld", (long long)v);
	ygen_attr(g, n, key, us);
}

/* A permission: "rw-r-----", or octal. */
void ygen_attr_perm(struct ygen *g, ynode map)
{
	static const char letters[] = "rw-rw-rw-";
	ynode n = NULL;
	const char *text = ygen_text(g, map, "perm", &n);
	unsigned int bits = 0;
	char octal[16];

	if (!text)
		return;
	if (strlen(text) == 9) {
		for (size_t i = 0; i < 9; i++) {
			if (text[i] != '-' && text[i] != letters[i]) {
				ygen_bad(g, n, "perm: '%s' is neither as rw-r----- nor octal", text);
				return;
			}
			bits = bits << 1 | (text[i] != '-');
		}
	} else {
		char *end_;

		bits = (unsigned int)strtoul(text, &end_, 8);
		if (!*text || *end_ || strlen(text) > 4 || bits > 0777) {
			ygen_bad(g, n, "perm: '%s' is neither as rw-r----- nor octal", text);
			return;
		}
	}
	snprintf(octal, sizeof(octal), "0%o", bits);
	ygen_attr(g, n, "perm", octal);
}
