/* help_verbs.c - the table of verbs as mdoc: what stands between two marks in ldms.conf(5) and ldms-wire(7).  `make
 * man` puts it there, and a test sees that it is there, so that the manuals never say anything else than the table. */
#include "cmd/help_verbs.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/help_samplers.h"
#include "cmd/help_stores.h"
#include "cmd/mdoc.h"
#include "core/base/xalloc.h"
#include "core/ctl/verb.h"

#define ALIAS "another name of " /* how the help of such a row begins */

/* As ldms.conf(5) calls them under "Values"; NULL: written in a way of their own. */
static const char *const type_names[] = {
	[AT_TEXT] = "text",       [AT_TIME] = "time",   [AT_SIZE] = "size", [AT_NUM] = "number",  [AT_PORT] = "port",
	[AT_PERM] = "permission", [AT_OCTAL] = "octal", [AT_USER] = "user", [AT_GROUP] = "group", [AT_BOOL] = "boolean",
	[AT_REGEX] = "regex",     [AT_WORD] = NULL,     [AT_FLAG] = NULL,   [AT_REST] = NULL,
};

static void put_attr(struct buf *b, const struct attr_use *u)
{
	if (u->type == AT_REST) {
		buf_addf(b, ".It Ar name Ns = Ns Ar value ...");
	} else {
		buf_addf(b, ".It Cm %s", u->name);
		if (u->type == AT_WORD) {
			buf_addf(b, " Ns =");
			buf_addf(b, " Ns");
			mdoc_put_words(b, u->words);
		} else if (type_names[u->type]) {
			buf_addf(b, " Ns = Ns Ar %s", type_names[u->type]);
		}
	}
	buf_addf(b, "\n");
	mdoc_put_text(b, u->help);
	if (u->type == AT_REST && u->words) {
		buf_addf(b, ":\n.Cm");
		for (const char *w = u->words; *w;) {
			int n = (int)strcspn(w, "|");

			buf_addf(b, "%s %.*s", w == u->words ? "" : " ,", n, w);
			w += n + (w[n] == '|');
		}
		buf_addf(b, " .\n");
		return;
	}
	if (u->required)
		buf_addf(b, "; required");
	else if (u->dflt)
		buf_addf(b, " (%s)", u->dflt);
	buf_addf(b, ".\n");
}

static void put_verb(struct buf *b, const struct verb *v)
{
	const bool here = !(v->flags & VERB_UNSUPPORTED);

	buf_addf(b, ".It Ic %s\n", v->name);
	if (!here)
		buf_addf(b, "Not supported: ");
	mdoc_put_text(b, v->help);
	buf_addf(b, ".\n");
	if (v->flags & VERB_FILE_ONLY)
		buf_addf(b, "Only in files.\n");
	if (v->flags & VERB_ALL)
		buf_addf(b, "For all peers.\n");
	if (!here || !v->attrs || !v->attrs->name || !strncmp(v->help, ALIAS, strlen(ALIAS)))
		return;
	buf_addf(b, ".Bl -tag -width \"exclusive_thread\" -compact\n");
	for (const struct attr_use *u = v->attrs; u->name; u++)
		put_attr(b, u);
	buf_addf(b, ".El\n");
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct verb *const *)a)->name, (*(const struct verb *const *)b)->name);
}

static int by_number(const void *a, const void *b)
{
	const struct verb *v = *(const struct verb *const *)a, *w = *(const struct verb *const *)b;

	return v->id != w->id ? v->id - w->id : by_name(a, b);
}

static size_t sorted(const struct verb ***ret, int (*cmp)(const void *a, const void *b))
{
	const struct verb **list;
	size_t n = 0;

	while (verbs[n].name)
		n++;
	list = xcalloc(n, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = &verbs[i];
	qsort(list, n, sizeof(*list), cmp);
	*ret = list;
	return n;
}

static void put_conf(struct buf *b)
{
	const struct verb **list;
	size_t n = sorted(&list, by_name);

	buf_addf(b, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < n; i++)
		put_verb(b, list[i]);
	buf_addf(b, ".El\n");
	free(list);
}

static void put_wire(struct buf *b)
{
	const struct verb **list;
	size_t n = sorted(&list, by_number), half = (n + 1) / 2;

	buf_addf(b, ".Bl -column -compact \"mmmmm\" \"mmmmmmmmmmmmmmmmmmmmmm\" \"mmmmm\" \"mmmmmmmmmmmmmmmmmmmmmm\"\n"
		    ".It Em \"number\" Ta Em \"verb\" Ta Em \"number\" Ta Em \"verb\"\n");
	for (size_t i = 0; i < half; i++) {
		buf_addf(b, ".It \"0x%x\" Ta \"%s\"", list[i]->id, list[i]->name);
		if (i + half < n)
			buf_addf(b, " Ta \"0x%x\" Ta \"%s\"\n", list[i + half]->id, list[i + half]->name);
		else
			buf_addf(b, " Ta \\& Ta \\&\n");
	}
	buf_addf(b, ".El\n");
	free(list);
}

bool help_verbs(FILE *to, const char *option, const char *arg)
{
	static const struct {
		const char *option;
		void (*put)(struct buf *b);
	} kinds[] = { { "--conf", put_conf }, { "--samplers", help_samplers }, { "--wire", put_wire } };
	struct buf b = { 0 };

	if (!strcmp(option, "--store") && arg && help_store(&b, arg)) {
		fputs(buf_str(&b), to);
		buf_fini(&b);
		return true;
	}

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(option, kinds[i].option))
			continue;
		kinds[i].put(&b);
		fputs(buf_str(&b), to);
		buf_fini(&b);
		return true;
	}
	return false;
}
