/* samp_list.c - `ldms samp -l` and `--auto`: which samplers there are, and which of them make sense here; see samp_tool.h
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/samp_tool.h"
#include "core/base/json_put.h"
#include "core/daemon/samp.h"

struct widths {
	int name, brief;
};

static void widen(int *width, const char *text)
{
	if (*width < (int)strlen(text))
		*width = (int)strlen(text);
}

static void list_json(const char *root)
{
	struct buf b = { 0 };

	for (size_t i = 0; samp_types[i]; i++) {
		const struct samp_type *t = samp_types[i];
		struct err why = { "" };
		int rc = samp_type_here(t, root, &why);

		buf_addf(&b, "%s\n  {\"name\":\"%s\",\"brief\":", i ? "," : "[", t->name);
		json_put_str(&b, t->brief);
		buf_addf(&b, ",\"source\":");
		json_put_str(&b, t->source);
		buf_addf(&b, ",\"here\":%s", rc < 0 ? "false" : "true");
		if (rc < 0) {
			buf_addf(&b, ",\"why\":");
			json_put_str(&b, why.msg);
		}
		buf_addf(&b, "}");
	}
	printf("%s\n]\n", buf_str(&b));
	buf_fini(&b);
}

static void list_text(const char *root)
{
	struct widths w = { 0 };

	for (size_t i = 0; samp_types[i]; i++) {
		widen(&w.name, samp_types[i]->name);
		widen(&w.brief, samp_types[i]->brief);
	}
	for (size_t i = 0; samp_types[i]; i++) {
		const struct samp_type *t = samp_types[i];
		struct err why = { "" };
		int rc = samp_type_here(t, root, &why);

		printf("%-*s  %-*s  %s", w.name, t->name, w.brief, t->brief, t->source);
		printf(rc < 0 ? " (not here: %s)\n" : "\n", why.msg);
	}
}

int samp_tool_list(const char *root, bool json)
{
	if (json)
		list_json(root ? root : "");
	else
		list_text(root ? root : "");
	return 0;
}

/* Could it be configured without attributes? */
static bool needs_none(const struct samp_type *t)
{
	const struct samp_env env = { .producer = "x", .draft = true };
	const struct kv none = { 0 };
	struct samp *sp = samp_new(&env, t, t->name, NULL);
	bool ok = sp && !samp_check(sp, &none, NULL);

	samp_free(sp);
	return ok;
}

static int is_word(const char *word, void *arg, struct err *err)
{
	(void)err;
	return strcmp(word, arg) ? 0 : -EEXIST;
}

int samp_tool_auto(struct daemon_opts *o, struct err *err)
{
	const char *root = o->sysroot ? o->sysroot : "";

	for (size_t i = 0; samp_types[i]; i++) {
		const char *name = samp_types[i]->name;

		if (!daemon_opts_words(&o->samp, is_word, (void *)name, NULL) &&
		    !samp_type_here(samp_types[i], root, NULL) && needs_none(samp_types[i]))
			opt_list_add(&o->samp, name);
	}
	return o->samp.n ? 0
			 : err_set(err, -ENOENT, "--auto: nothing can be sampled below %s/; `ldms samp -l` says why",
				   root);
}
