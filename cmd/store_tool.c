/* store_tool.c - see store_tool.h */
#include "cmd/store_tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "core/daemon/so_load.h"
#include "store/scribe.h"

#define NAMES_MAX 64 /* to look for a near one in */

/* What there is to say of a store: of rows, or of messages. */
struct about {
	const char *name, *brief, *needs;
	const struct store_attr *attrs;
	const struct store_to *to;
	bool messages;
};

static struct about about_store(const struct store_type *t)
{
	return (struct about){ t->name, t->brief, t->needs, t->attrs, t->to, false };
}

static struct about about_scribe(const struct scribe_type *t)
{
	return (struct about){ t->name, t->brief, NULL, t->attrs, NULL, true };
}

/* The i-th of this program; those of rows come first. */
static bool about_nth(size_t i, struct about *ret)
{
	size_t n = 0;

	while (store_types[n])
		n++;
	if (i < n)
		*ret = about_store(store_types[i]);
	else if (scribe_types[i - n])
		*ret = about_scribe(scribe_types[i - n]);
	else
		return false;
	return true;
}

/* -- the list ------------------------------------------------------------------------------------------------------ */

static void list_json(void)
{
	struct buf b = { 0 };
	struct about a;

	for (size_t i = 0; about_nth(i, &a); i++) {
		buf_addf(&b, "%s\n  {\"name\":\"%s\",\"brief\":", i ? "," : "[", a.name);
		json_put_str(&b, a.brief);
		buf_addf(&b, ",\"of\":\"%s\",\"here\":%s", a.messages ? "messages" : "rows",
			 a.needs ? "false" : "true");
		if (a.needs) {
			buf_addf(&b, ",\"needs\":");
			json_put_str(&b, a.needs);
		}
		buf_addf(&b, "}");
	}
	printf("%s\n]\n", buf_str(&b));
	buf_fini(&b);
}

static void list_text(void)
{
	struct about a;
	size_t width = 0;

	for (size_t i = 0; about_nth(i, &a); i++)
		if (width < strlen(a.name))
			width = strlen(a.name);
	for (size_t i = 0; about_nth(i, &a); i++) {
		printf("%-*s  %s", (int)width, a.name, a.brief);
		printf(a.needs ? " (not here: built without %s)\n" : "\n", a.needs);
	}
}

/* -- one of them --------------------------------------------------------------------------------------------------- */

static int unknown(const char *word, struct err *err)
{
	const char *names[NAMES_MAX + 1], *near;
	struct about a;
	size_t n;

	for (n = 0; n < NAMES_MAX && about_nth(n, &a); n++)
		names[n] = a.name;
	names[n] = NULL;
	near = nearest(word, names);
	return err_set(err, -ENOENT, "%s: there is no such store%s%s%s", word,
		       near ? "; did you mean '" : "; `-l` lists them", near ? near : "", near ? "'?" : "");
}

static int about_find(const char *word, struct about *ret, struct err *err)
{
	const struct scribe_type *sc = scribe_type_find(word);
	const struct store_type *t = store_type_find(word);
	const struct so *so;
	char *path;
	int rc = 0;

	if (strchr(word, '/')) {
		path = realpath(word, NULL);
		so = so_load(path ? path : word, &rc, err);
		free(path);
		if (so && !so->store)
			return err_set(err, -EINVAL, "%s: is a sampler, and here a store is wanted", word);
		t = so ? so->store : NULL;
	}
	if (t)
		*ret = about_store(t);
	else if (sc)
		*ret = about_scribe(sc);
	else
		rc = rc ? rc : unknown(word, err);
	return rc;
}

static void help_one(const struct about *about)
{
	printf("%s - %s\n", about->name, about->brief);
	if (about->needs)
		printf("not here: this ldms was built without %s\n", about->needs);
	for (const struct store_to *to = about->to; to && to->word; to++)
		printf("%s  --to %s:%s\n", to == about->to ? "\nin short:\n" : "", to->word, to->form);
	for (const struct store_attr *a = about->attrs; a && a->name; a++) {
		char *text =
			xasprintf("%s%s%s%s", a->help, a->dflt ? " (" : "", a->dflt ? a->dflt : "", a->dflt ? ")" : "");

		fputs(a == about->attrs ? "\nattributes:\n" : "", stdout);
		opt_help_row(stdout, a->name, text);
		free(text);
	}
}

static int help(char **words)
{
	int status = 0;

	if (!*words) {
		fprintf(stderr, "ldms store: help: of which store?  `ldms store -l` lists them\n");
		return 1;
	}
	for (char **w = words; *w; w++) {
		struct err err = { "" };
		struct about about = { 0 };
		bool found = !about_find(*w, &about, &err);

		fputs(w == words ? "" : "\n", stdout);
		if (found)
			help_one(&about);
		else
			fprintf(stderr, "ldms store: %s\n", err.msg);
		status |= !found;
	}
	return status;
}

bool store_tool(const struct daemon_opts *o, char **words, int *ret_status)
{
	*ret_status = 0;
	if (*words && !strcmp(*words, "help"))
		*ret_status = help(words + 1);
	else if (o->list)
		(o->json ? list_json : list_text)();
	else
		return false;
	return true;
}
