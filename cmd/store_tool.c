/* store_tool.c - see store_tool.h */
#include "cmd/store_tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/store_face.h"
#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "core/daemon/so_load.h"

#define NAMES_MAX 64 /* to look for a near one in */

/* -- the list ------------------------------------------------------------------------------------------------------ */

static void list_json(void)
{
	struct buf b = { 0 };
	struct store_face a;

	for (size_t i = 0; store_face_nth(i, &a); i++) {
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
	struct store_face a;
	size_t width = 0;

	for (size_t i = 0; store_face_nth(i, &a); i++)
		if (width < strlen(a.name))
			width = strlen(a.name);
	for (size_t i = 0; store_face_nth(i, &a); i++) {
		printf("%-*s  %s", (int)width, a.name, a.brief);
		printf(a.needs ? " (not here: built without %s)\n" : "\n", a.needs);
	}
}

/* -- one of them --------------------------------------------------------------------------------------------------- */

static int unknown(const char *word, struct err *err)
{
	const char *names[NAMES_MAX + 1], *near;
	struct store_face a;
	size_t n;

	for (n = 0; n < NAMES_MAX && store_face_nth(n, &a); n++)
		names[n] = a.name;
	names[n] = NULL;
	near = nearest(word, names);
	return err_set(err, -ENOENT, "%s: there is no such store%s%s%s", word,
		       near ? "; did you mean '" : "; `-l` lists them", near ? near : "", near ? "'?" : "");
}

static int about_find(const char *word, struct store_face *ret, struct err *err)
{
	const struct store_type *t = NULL;
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
		*ret = store_face(t);
	else if (!store_face_find(word, ret))
		rc = rc ? rc : unknown(word, err);
	return rc;
}

static void help_attrs(const struct store_attr *attrs)
{
	for (const struct store_attr *a = attrs; a && a->name; a++) {
		char *name = xasprintf("%s=%s", a->name, a->type ? a->type : "text");
		char *text =
			xasprintf("%s%s%s%s", a->help, a->dflt ? " (" : "", a->dflt ? a->dflt : "", a->dflt ? ")" : "");

		opt_help_row(stdout, name, text);
		free(text);
		free(name);
	}
}

/* Lines, indented. */
static void help_lines(const char *text)
{
	for (const char *line = text; *line;) {
		int n = (int)strcspn(line, "\n");

		printf("  %.*s\n", n, line);
		line += n + (line[n] == '\n');
	}
}

static void help_one(const struct store_face *f)
{
	printf("%s - %s\n", f->name, f->brief);
	if (f->needs)
		printf("not here: this ldms was built without %s\n", f->needs);
	for (const struct store_to *to = f->to; to && to->word; to++)
		printf("%s  --to %s:%s\n", to == f->to ? "\nin short:\n" : "", to->word, to->form);
	if (f->about) {
		printf("\nfor example:\n");
		help_lines(f->about->example);
		printf("\n");
		opt_help_row(stdout, "stored", f->about->flush);
		opt_help_row(stdout, "once", f->about->once);
	}
	printf("\nattributes:\n");
	help_attrs(f->attrs);
	help_attrs(f->common);
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
		struct store_face about = { 0 };
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
