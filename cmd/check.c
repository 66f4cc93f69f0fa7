/* check.c - `ldms check`: all that is wrong with configuration files, before anything runs */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/base/json_put.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf.h"
#include "core/ctl/conf_yaml.h"

#define MEM_DFLT (512ull << 20) /* as the daemons' */
#define HINT_MAX 200            /* complaints that are shown as text; who has more will not read them */

struct check_opts {
	const char *name;
	bool explain, json, resolve, strict, yaml, help;
};

#define AT(field) offsetof(struct check_opts, field)
static const struct opt opts[] = {
	{ 0, "explain", OPT_FLAG, NULL, AT(explain), "print the objects, and which line gave each value" },
	{ 0, "json", OPT_FLAG, NULL, AT(json), "as JSON" },
	{ 'n', "name", OPT_TEXT, "NAME", AT(name), "the daemon's name; of a cluster file only its part (each daemon)" },
	{ 0, "resolve", OPT_FLAG, NULL, AT(resolve), "look the names of hosts up, too" },
	{ 0, "strict", OPT_FLAG, NULL, AT(strict), "exit status 2 when there are warnings" },
	{ 'y', "yaml", OPT_FLAG, NULL, AT(yaml), "the files are cluster files, whatever they are called" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_check = {
	.synopsis = "ldms check [--explain] [--json] [--resolve] [--strict] [-n NAME] FILE ...",
	.brief = "say all that is wrong with configuration files, before anything runs",
	.about = "The files together are the configuration of one daemon, as with several -c; one whose name ends in "
		 ".yaml or .yml is a cluster file, and is checked for each of its daemons.  Nothing is started, "
		 "opened or asked.  The exit status is 0 when all is well, 1 when there are errors.",
	.opts = opts,
	.examples = "ldms check /etc/ldms/agg.conf\n"
		    "ldms check --explain --json agg.conf\n"
		    "ldms check --strict cluster.yaml",
};

/* A complaint, kept until all are there. */
struct note {
	char *file, *words, *daemon;
	unsigned int line, col;
	size_t seq; /* of its file, and of itself */
	size_t file_seq;
	bool warning;
};

struct check {
	const struct check_opts *o;
	struct note *notes;
	size_t n, cap, files;
	unsigned int errors, warnings;
	const char *daemon; /* the one of a cluster file that is looked at; or NULL */
	struct buf explained;
};

static void on_note(void *arg, const struct conf_note *cn)
{
	struct check *c = arg;
	struct note *n;

	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->notes = xrealloc(c->notes, c->cap * sizeof(*c->notes));
	}
	n = &c->notes[c->n];
	*n = (struct note){ .file = cn->file ? xstrdup(cn->file) : NULL,
			    .words = xstrdup(cn->words),
			    .daemon = c->daemon ? xstrdup(c->daemon) : NULL,
			    .line = cn->line,
			    .col = cn->col,
			    .seq = c->n,
			    .file_seq = ++c->files,
			    .warning = cn->warning };
	/* files in the order of their first complaint */
	for (size_t i = 0; i < c->n; i++)
		if (n->file && c->notes[i].file && !strcmp(n->file, c->notes[i].file)) {
			n->file_seq = c->notes[i].file_seq;
			break;
		}
	c->n++;
}

static int by_place(const void *pa, const void *pb)
{
	const struct note *a = pa, *b = pb;

	if (a->file_seq != b->file_seq)
		return a->file_seq < b->file_seq ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->col != b->col)
		return a->col < b->col ? -1 : 1;
	return a->seq < b->seq ? -1 : 1;
}

/* What is wrong for several daemons of a cluster file is said once. */
static bool said(const struct note *a, const struct note *b)
{
	return a->file && b->file && !strcmp(a->file, b->file) && a->line == b->line && a->col == b->col &&
	       !strcmp(a->words, b->words);
}

static void notes_sort(struct check *c)
{
	size_t k = 0;

	if (c->n)
		qsort(c->notes, c->n, sizeof(*c->notes), by_place);
	for (size_t i = 0; i < c->n; i++) {
		bool twice = k && said(&c->notes[k - 1], &c->notes[i]);

		if (twice) {
			free(c->notes[i].file);
			free(c->notes[i].words);
			free(c->notes[i].daemon);
			continue;
		}
		c->notes[k++] = c->notes[i];
		c->notes[i].warning ? c->warnings++ : c->errors++;
	}
	c->n = k;
}

/* -- one daemon's configuration ------------------------------------------------------------------------------------ */

static bool is_yaml(const struct check_opts *o, const char *path)
{
	const char *dot = strrchr(path, '.');

	return o->yaml || (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")));
}

static void explain(struct check *c, const struct conf *cf)
{
	if (c->o->json)
		buf_addf(&c->explained, "%s{\"daemon\":", c->explained.len ? ",\n" : "");
	if (c->o->json && c->daemon)
		json_put_str(&c->explained, c->daemon);
	else if (c->o->json)
		buf_addf(&c->explained, "null");
	else if (c->daemon)
		buf_addf(&c->explained, "%s# %s\n", c->explained.len ? "\n" : "", c->daemon);
	if (c->o->json)
		buf_addf(&c->explained, ",\"objects\":");
	conf_explain(cf, &c->explained, c->o->json);
	if (c->o->json)
		buf_addf(&c->explained, "}");
}

/* The lines of all files that are no cluster files, and a cluster file's part for one daemon. */
static void check_one(struct check *c, char **paths, struct ygen *yaml, size_t i)
{
	const char *daemon = yaml ? ygen_daemon(yaml, i)->name : NULL;
	struct daemon_conf dc = { .name = daemon ? daemon : c->o->name, .mem = MEM_DFLT, .hold = true };
	struct conf *cf = conf_new(NULL, NULL);
	struct err err = { "" };
	struct daemon *d = NULL;
	int rc;

	c->daemon = daemon;
	conf_notes(cf, on_note, c);
	if (yaml)
		ygen_commands(yaml, i, NULL, cf, true);
	for (; *paths; paths++) {
		if (is_yaml(c->o, *paths))
			continue;
		rc = conf_read(cf, *paths, &err);
		if (rc)
			conf_missed(cf, rc, err.msg);
	}
	rc = daemon_new(&dc, &d, &err);
	if (rc) {
		conf_missed(cf, rc, err.msg);
	} else {
		conf_try(cf, d, CONF_TRY_CHECK);
		conf_lint(cf, d, c->o->resolve);
		daemon_free(d, 0);
	}
	if (c->o->explain)
		explain(c, cf);
	conf_free(cf);
}

/* What is wrong for one of the daemons that are alike is wrong for all, so that one of them will do. */
static bool is_to_check(const struct check *c, const struct ygen *g, size_t i)
{
	if (c->o->name)
		return !strcmp(c->o->name, ygen_daemon(g, i)->name);
	return !i || c->o->explain || c->o->resolve || !ygen_alike(g, i - 1, i) || ygen_daemon(g, i)->level;
}

static void check_yaml(struct check *c, char **paths, const char *yaml)
{
	struct conf *cf = conf_new(NULL, NULL);
	struct err err = { "" };
	struct ygen *g = NULL;
	int rc;

	c->daemon = NULL;
	conf_notes(cf, on_note, c);
	rc = ygen_read(cf, yaml, NULL, &g, &err);
	if (!rc && c->o->name && ygen_daemons_n(g) && ygen_find(g, c->o->name) == YNONE)
		rc = err_set(&err, -ENOENT, "%s: there is no daemon '%s'", yaml, c->o->name);
	if (rc)
		conf_missed(cf, rc, err.msg);
	for (size_t i = 0; g && i < ygen_daemons_n(g); i++)
		if (is_to_check(c, g, i))
			check_one(c, paths, g, i);
	ygen_free(g);
	conf_free(cf);
}

static void check_all(struct check *c, char **paths)
{
	bool any = false;

	for (char **p = paths; *p; p++)
		if (is_yaml(c->o, *p)) {
			check_yaml(c, paths, *p);
			any = true;
		}
	if (!any)
		check_one(c, paths, NULL, 0);
}

/* -- what was found ------------------------------------------------------------------------------------------------ */

static void print_text(const struct check *c)
{
	if (c->o->explain)
		fwrite(c->explained.p, 1, c->explained.len, stdout);
	fflush(stdout);
	for (size_t i = 0; i < c->n && i < HINT_MAX; i++) {
		const struct note *n = &c->notes[i];

		if (n->file && n->line)
			fprintf(stderr, "%s:%u:%u: ", n->file, n->line, n->col);
		fprintf(stderr, "%s%s\n", n->warning ? "warning: " : "", n->words);
	}
	if (c->n > HINT_MAX)
		fprintf(stderr, "... and %zu more\n", c->n - HINT_MAX);
	if (c->n)
		fprintf(stderr, "%u error%s, %u warning%s\n", c->errors, c->errors == 1 ? "" : "s", c->warnings,
			c->warnings == 1 ? "" : "s");
}

static void put_text(struct buf *b, const char *key, const char *text)
{
	buf_addf(b, ",\"%s\":", key);
	text ? json_put_str(b, text) : buf_addf(b, "null");
}

static void print_json_(const struct check *c)
{
	struct buf b = { 0 };

	buf_addf(&b, "{\"errors\":%u,\"warnings\":%u,\"notes\":[", c->errors, c->warnings);
	for (size_t i = 0; i < c->n; i++) {
		const struct note *n = &c->notes[i];

		buf_addf(&b, "%s{\"severity\":\"%s\"", i ? ",\n" : "", n->warning ? "warning" : "error");
		put_text(&b, "daemon", n->daemon);
		put_text(&b, "file", n->file);
		buf_addf(&b, ",\"line\":%u,\"column\":%u", n->line, n->col);
		put_text(&b, "words", n->words);
		buf_addf(&b, "}");
	}
	buf_addf(&b, "]");
	if (c->o->explain) {
		buf_addf(&b, ",\"daemons\":[");
		buf_add(&b, c->explained.p, c->explained.len);
		buf_addf(&b, "]");
	}
	buf_addf(&b, "}\n");
	fwrite(b.p, 1, b.len, stdout);
	buf_fini(&b);
}

static void check_fini(struct check *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->notes[i].file);
		free(c->notes[i].words);
		free(c->notes[i].daemon);
	}
	free(c->notes);
	buf_fini(&c->explained);
}

int cmd_check(int argc, char **argv)
{
	struct check_opts o = { 0 };
	struct check c = { .o = &o };
	struct err err = { "" };
	int n = opt_parse(opts, argc, argv, &o, &err);

	if (n >= 0 && o.help) {
		opt_help(stdout, &usage_check);
		return 0;
	}
	if (!n)
		n = err_set(&err, -EINVAL, "which file? `ldms check FILE ...`");
	if (n < 0) {
		fprintf(stderr, "ldms check: %s\n", err.msg);
		return 1;
	}
	log_level_set(LOG_QUIET_);
	check_all(&c, argv + 1);
	notes_sort(&c);
	o.json ? print_json_(&c) : print_text(&c);
	n = c.errors ? 1 : c.warnings && o.strict ? 2 : 0;
	check_fini(&c);
	return n;
}
