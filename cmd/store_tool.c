/* store_tool.c - see store_tool.h */
#include "cmd/store_tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "core/daemon/so_load.h"

#define NAMES_MAX 64 /* to look for a near one in */

/* -- the list ------------------------------------------------------------------------------------------------------ */

static void list_json(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; store_types[i]; i++) {
		const struct store_type *t = store_types[i];

		buf_addf(&b, "%s\n  {\"name\":\"%s\",\"brief\":", i ? "," : "[", t->name);
		json_put_str(&b, t->brief);
		buf_addf(&b, ",\"here\":%s", t->needs ? "false" : "true");
		if (t->needs) {
			buf_addf(&b, ",\"needs\":");
			json_put_str(&b, t->needs);
		}
		buf_addf(&b, "}");
	}
	printf("%s\n]\n", buf_str(&b));
	buf_fini(&b);
}

static void list_text(void)
{
	size_t width = 0;

	for (size_t i = 0; store_types[i]; i++)
		if (width < strlen(store_types[i]->name))
			width = strlen(store_types[i]->name);
	for (size_t i = 0; store_types[i]; i++) {
		const struct store_type *t = store_types[i];

		printf("%-*s  %s", (int)width, t->name, t->brief);
		printf(t->needs ? " (not here: built without %s)\n" : "\n", t->needs);
	}
}

/* -- one of them --------------------------------------------------------------------------------------------------- */

static const struct store_type *unknown(const char *word, struct err *err)
{
	const char *names[NAMES_MAX + 1], *near;
	size_t n = 0;

	while (n < NAMES_MAX && store_types[n]) {
		names[n] = store_types[n]->name;
		n++;
	}
	names[n] = NULL;
	near = nearest(word, names);
	err_set(err, -ENOENT, "%s: there is no such store%s%s%s", word, near ? "; did you mean '" : "; `-l` lists them",
		near ? near : "", near ? "'?" : "");
	return NULL;
}

static const struct store_type *type_find(const char *word, struct err *err)
{
	const struct store_type *t;
	const struct so *so;
	char *path;
	int rc;

	if (!strchr(word, '/')) {
		t = store_type_find(word);
		return t ? t : unknown(word, err);
	}
	path = realpath(word, NULL);
	so = so_load(path ? path : word, &rc, err);
	if (so && !so->store)
		err_set(err, -EINVAL, "%s: is a sampler, and here a store is wanted", word);
	free(path);
	return so ? so->store : NULL;
}

static void help_one(const struct store_type *t)
{
	printf("%s - %s\n", t->name, t->brief);
	if (t->needs)
		printf("not here: this ldms was built without %s\n", t->needs);
	for (const struct store_to *to = t->to; to && to->word; to++)
		printf("%s  --to %s:%s\n", to == t->to ? "\nin short:\n" : "", to->word, to->form);
	for (const struct store_attr *a = t->attrs; a && a->name; a++) {
		char *text =
			xasprintf("%s%s%s%s", a->help, a->dflt ? " (" : "", a->dflt ? a->dflt : "", a->dflt ? ")" : "");

		fputs(a == t->attrs ? "\nattributes:\n" : "", stdout);
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
		const struct store_type *t = type_find(*w, &err);

		fputs(w == words ? "" : "\n", stdout);
		if (t)
			help_one(t);
		else
			fprintf(stderr, "ldms store: %s\n", err.msg);
		status |= !t;
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
