/* ctl_help.c - `help` and `help VERB`: what the table of verbs says */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ctl.h"
#include "core/base/xalloc.h"

/* How values of a type are written. */
static const char *const types[] = {
	[AT_TEXT] = "TEXT", [AT_WORD] = "WORD",   [AT_TIME] = "TIME",   [AT_SIZE] = "SIZE", [AT_NUM] = "NUMBER",
	[AT_PORT] = "PORT", [AT_PERM] = "PERM",   [AT_OCTAL] = "OCTAL", [AT_USER] = "USER", [AT_GROUP] = "GROUP",
	[AT_BOOL] = "BOOL", [AT_REGEX] = "REGEX", [AT_FLAG] = "",       [AT_REST] = "...",
};

static const struct {
	enum attr_type type;
	const char *units;
} units[] = {
	{ AT_TIME, "TIME: 1s, 200ms, 1.5m; a number without unit is microseconds" },
	{ AT_SIZE, "SIZE: bytes, or 64k, 128M, 2G; -1 is no limit" },
	{ AT_PERM, "PERM: 0770 is octal, 770 is not" },
	{ AT_OCTAL, "OCTAL: a permission, as 0440" },
	{ AT_USER, "USER: a name or a number" },
	{ AT_GROUP, "GROUP: a name or a number" },
	{ AT_BOOL, "BOOL: true or false" },
	{ AT_REGEX, "REGEX: a POSIX extended regular expression, which may match anywhere" },
};

static char *form_of(const struct attr_use *u)
{
	if (u->type == AT_REST)
		return xstrdup("...");
	return xasprintf(u->type == AT_FLAG ? "%s%s" : "%s=%s", u->name, types[u->type]);
}

static void attr_put(const struct attr_use *u, int width)
{
	char *form = form_of(u);

	printf("  %-*s  %s", width, form, u->help);
	if (u->words)
		printf(": %s", u->words);
	if (u->required)
		printf(" (required)");
	else if (u->dflt)
		printf(" (%s)", u->dflt);
	putchar('\n');
	free(form);
}

static void verb_put(const struct verb *v)
{
	int width = 0;

	printf("%s - %s\n", v->name, v->help);
	if (!(v->flags & VERB_ALL))
		printf("  for root, and the owner and the group of the daemon\n");
	for (const struct attr_use *u = v->attrs; u && u->name; u++) {
		char *form = form_of(u);

		width = (int)strlen(form) > width ? (int)strlen(form) : width;
		free(form);
	}
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		attr_put(u, width);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		for (const struct attr_use *u = v->attrs; u && u->name; u++)
			if (u->type == units[i].type) {
				printf("  %s\n", units[i].units);
				break;
			}
}

static void all_put(void)
{
	for (const struct ctl_word *w = ctl_words; w->name; w++)
		printf("%-24s %s\n", w->name, w->help);
	putchar('\n');
	for (const struct verb *v = verbs; v->name; v++)
		if (!(v->flags & VERB_FILE_ONLY))
			printf("%-24s %s\n", v->name, v->help);
	printf("\n`help VERB` says what it takes.\n");
}

enum exit_status ctl_help(struct ctl_session *s, const char *arg, const char *where)
{
	const struct verb *v = *arg ? verb_find(arg) : NULL;
	const char *near;

	if (!*arg) {
		all_put();
	} else if (v) {
		verb_put(v);
	} else {
		for (const struct ctl_word *w = ctl_words; w->name; w++)
			if (!strcmp(w->name, arg)) {
				printf("%s - %s\n", w->name, w->help);
				return EXIT_ALL;
			}
		near = verb_nearest(arg);
		fprintf(stderr, "%s: %sno verb '%s'%s%s%s; `help` lists them\n", s->self, where, arg,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		return EXIT_USAGE;
	}
	fflush(stdout);
	return EXIT_ALL;
}
