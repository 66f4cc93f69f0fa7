/* linux_proc_conf.c - see linux_proc_conf.h */
#include "plugins/linux_proc_conf.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/namelist.h"

#define TAG_DFLT     "slurm"
#define SYSCALLS_MAX 65536
#define PATTERNS_MAX 1024

/* What environments hold that is nobody else's business, unless the operator says which. */
static const char secrets[] =
	"[Pp][Aa][Ss][Ss]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Tt][Oo][Kk][Ee][Nn]|[Cc][Rr][Ee][Dd]|[Kk][Ee][Yy]";

const struct samp_attr lp_attrs[] = {
	{ "metrics", "all", "names of the metrics to keep, separated by commas" },
	{ "cfg_file", NULL, "a JSON file with attributes of this list, in place of those given here" },
	{ "instance_prefix", "none", "what names of sets begin with, before a slash" },
	{ "exe_suffix", "false", "names of sets end with the path of the program" },
	{ "sc_clk_tck", "false", "a metric sc_clk_tck: how many ticks a second has" },
	{ "message_tag", TAG_DFLT, "message channel with the events of processes" },
	{ "stream", TAG_DFLT, "the same, by its older name" },
	{ "argv_sep", "NUL", "the character between the words of cmdline; \\b \\t \\n \\v \\f \\r, too" },
	{ "syscalls", NULL, "a file of lines NUMBER NAME, for syscall_name" },
	{ "metric_sets", "true", "make a set for each process" },
	{ "argv_msg", "false", "publish the words of its command line on the channel SCHEMA_argv" },
	{ "argv_fmt", "2", "how: 1 as texts, 2 as numbers and texts" },
	{ "argv_include_fd", "false", "also of programs that fd_exclude= matches" },
	{ "env_msg", "false", "publish its environment on the channel SCHEMA_env" },
	{ "env_include_fd", "false", "also of programs that fd_exclude= matches" },
	{ "env_exclude", "names of secrets", "a file of expressions, a line each: variables that are left out" },
	{ "env_threads", "false", "also those of threads" },
	{ "fd_msg", "0", "publish its files on the channel SCHEMA_files, every so many samples; 0: never" },
	{ "fd_exclude", NULL, "a file of expressions, a line each: files that are left out" },
	{ "fd_threads", "false", "also those of threads" },
	{ "fd_map_files", "false", "also files that it has mapped" },
	{ "published_pid_dir", "/var/run/ldms-netlink-tracked",
	  "a folder with a file for each process that was announced before" },
	{ NULL, NULL, NULL },
};

/* Where a value comes from: cfg_file, or the line. */
struct source {
	const struct samp *sp;
	const json_t *file; /* NULL: the line */
};

/* -- one value ----------------------------------------------------------------------------------------------------- */

/* The text of an attribute, a number's too, in `to`; NULL: it is not there. */
static const char *text_of(const struct source *src, const char *name, char to[32])
{
	const json_t *v;

	if (!src->file)
		return samp_attr_has(src->sp, name) && !samp_attr(src->sp, name) ? "1" : samp_attr(src->sp, name);
	v = json_object_get(src->file, name);
	if (json_is_integer(v))
		snprintf(to, 32, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		snprintf(to, 32, "%s", json_is_true(v) ? "true" : "false");
	else
		return json_string_value(v);
	return to;
}

static int read_bool(const struct source *src, const char *name, bool *ret, struct err *err)
{
	char to[32];
	const char *text = text_of(src, name, to);

	return text && unit_bool(text, ret, err) ? err_prefix(err, -EINVAL, "%s=: ", name) : 0;
}

static int read_number(const struct source *src, const char *name, uint64_t min, uint64_t max, uint64_t *ret,
		       struct err *err)
{
	char to[32];
	const char *text = text_of(src, name, to);

	if (!text)
		return 0;
	if (unit_u64(text, ret, err) || *ret < min || *ret > max)
		return err_set(err, -EINVAL, "%s=%s: must be a number from %llu to %llu", name, text,
			       (unsigned long long)min, (unsigned long long)max);
	return 0;
}

static char *read_text(const struct source *src, const char *name)
{
	char to[32];

	return xstrdup(text_of(src, name, to));
}

/* -- files --------------------------------------------------------------------------------------------------------- */

/* Call fn with each line that is neither empty nor a comment. */
static int file_lines(const struct source *src, const char *name, const char *path,
		      int (*fn)(void *to, const char *line, struct err *err), void *to, struct err *err)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int rc = 0, at = 0;

	if (!f)
		rc = err_set(err, -EINVAL, "%s=%s: %s; name a file that can be read", name, path, err_name(errno));
	while (!rc && (n = getline(&line, &room, f)) > 0) {
		at++;
		while (n && strchr(" \t\r\n", line[n - 1]))
			line[--n] = 0;
		if (*line && *line != '#' && (rc = fn(to, line, err)))
			err_prefix(err, rc, "%s=%s:%d: ", name, path, at);
	}
	if (f)
		fclose(f);
	free(line);
	return rc;
}

static int pattern_add(void *to, const char *line, struct err *err)
{
	struct lp_patterns *p = to;
	struct rx rx;
	int rc = p->n < PATTERNS_MAX ? rx_init(&rx, line, err)
				     : err_set(err, -EINVAL, "more than %d expressions", PATTERNS_MAX);

	if (rc)
		return -EINVAL;
	p->v = xrealloc(p->v, (p->n + 1) * sizeof(*p->v));
	p->v[p->n++] = rx;
	return 0;
}

static int syscall_add(void *to, const char *line, struct err *err)
{
	struct lp_syscalls *sc = to;
	char *name;
	unsigned long at = strtoul(line, &name, 10);

	if (name == line || (*name != ' ' && *name != '\t') || at >= SYSCALLS_MAX)
		return err_set(err, -EINVAL, "'%s': must be NUMBER NAME", line);
	if (at >= sc->n) {
		sc->names = xrealloc(sc->names, (at + 1) * sizeof(*sc->names));
		memset(sc->names + sc->n, 0, (at + 1 - sc->n) * sizeof(*sc->names));
		sc->n = at + 1;
	}
	free(sc->names[at]);
	sc->names[at] = xstrdup(name + strspn(name, " \t"));
	return 0;
}

/* A file's name, or (in cfg_file) a list of expressions. */
static int read_patterns(const struct source *src, const char *name, struct lp_patterns *ret, struct err *err)
{
	const json_t *list = src->file ? json_object_get(src->file, name) : NULL;
	char to[32];
	const char *path = text_of(src, name, to);
	int rc = 0;

	if (path)
		return file_lines(src, name, path, pattern_add, ret, err);
	for (size_t i = 0; !rc && i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		rc = text ? pattern_add(ret, text, err) : err_set(err, -EINVAL, "entry %zu is no text", i + 1);
		if (rc)
			err_prefix(err, rc, "%s: ", name);
	}
	return rc;
}

/* -- metrics ------------------------------------------------------------------------------------------------------- */

static int metric_unknown(const char *name, size_t len, struct err *err)
{
	const char *names[LP_METRICS_MAX + 1], *near;
	char *word = xstrndup(name, len);
	size_t n = lp_metrics_n();

	for (size_t i = 0; i <= n; i++)
		names[i] = lp_metrics[i].def.name;
	near = nearest(word, names);
	err_set(err, -EINVAL, "metrics=: no metric '%s'; %s%s%s", word,
		near ? "did you mean "
		     : "`ldms samp help "
		       "linux_proc_sampler` lists them",
		near ? near : "", near ? "?" : "");
	free(word);
	return -EINVAL;
}

static int metric_want(struct lp_conf *c, const char *name, size_t len, struct err *err)
{
	int i = lp_metric_find(name, len);

	if (i < 0)
		return metric_unknown(name, len, err);
	c->wanted[i] = true;
	return 0;
}

static int read_metrics(const struct source *src, struct lp_conf *c, struct err *err)
{
	const json_t *list = src->file ? json_object_get(src->file, "metrics") : NULL;
	char to[32];
	const char *names = text_of(src, "metrics", to), *name;
	bool any = false;
	size_t n;
	int rc = 0;

	while (!rc && names && (n = namelist_next(&names, &name))) {
		any = true;
		rc = metric_want(c, name, n, err);
	}
	for (size_t i = 0; !rc && i < json_array_size(list); i++) {
		name = json_string_value(json_array_get(list, i));
		any = true;
		rc = name ? metric_want(c, name, strlen(name), err)
			  : err_set(err, -EINVAL, "metrics: entry %zu is no text", i + 1);
	}
	for (size_t i = 0; !any && i < lp_metrics_n(); i++)
		c->wanted[i] = true;
	return rc;
}

static int read_sep(const struct source *src, struct lp_conf *c, struct err *err)
{
	static const char letters[] = "btnvfr", chars[] = "\b\t\n\v\f\r";
	char to[32];
	const char *text = text_of(src, "argv_sep", to), *at;

	if (!text)
		return 0;
	if (text[0] == '\\' && text[1] && !text[2] && (at = strchr(letters, text[1])))
		c->argv_sep = chars[at - letters];
	else if (text[0] && !text[1])
		c->argv_sep = text[0];
	else
		return err_set(err, -EINVAL, "argv_sep=%s: must be one character, or \\b \\t \\n \\v \\f \\r", text);
	return 0;
}

/* -- all of it ----------------------------------------------------------------------------------------------------- */

static int conf_read(const struct source *src, struct lp_conf *c, struct err *err)
{
	const struct {
		const char *name;
		bool *to;
	} flags[] = {
		{ "exe_suffix", &c->exe_suffix },           { "sc_clk_tck", &c->sc_clk_tck },
		{ "metric_sets", &c->metric_sets },         { "argv_msg", &c->argv_msg },
		{ "argv_include_fd", &c->argv_include_fd }, { "env_msg", &c->env_msg },
		{ "env_include_fd", &c->env_include_fd },   { "env_threads", &c->env_threads },
		{ "fd_threads", &c->fd_threads },           { "fd_map_files", &c->fd_map_files },
	};
	char to[32];
	const char *path = text_of(src, "syscalls", to);
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(flags) / sizeof(*flags); i++)
		rc = read_bool(src, flags[i].name, flags[i].to, err);
	if (!rc)
		rc = read_number(src, "argv_fmt", 1, 2, &c->argv_fmt, err);
	if (!rc)
		rc = read_number(src, "fd_msg", 0, 1000000, &c->fd_msg, err);
	if (!rc)
		rc = read_sep(src, c, err);
	if (!rc)
		rc = read_metrics(src, c, err);
	if (!rc && path)
		rc = file_lines(src, "syscalls", path, syscall_add, &c->syscalls, err);
	if (!rc)
		rc = read_patterns(src, "env_exclude", &c->env_exclude, err);
	if (!rc && !c->env_exclude.n)
		rc = pattern_add(&c->env_exclude, secrets, err);
	if (!rc)
		rc = read_patterns(src, "fd_exclude", &c->fd_exclude, err);
	c->prefix = read_text(src, "instance_prefix");
	c->tag = read_text(src, "message_tag");
	if (!c->tag)
		c->tag = read_text(src, "stream");
	if (!c->tag)
		c->tag = xstrdup(TAG_DFLT);
	c->published_pid_dir = read_text(src, "published_pid_dir");
	return rc;
}

/* Is every key of the file one that we know? */
static int file_check(const json_t *file, const char *path, struct err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(file))
		return err_set(err, -EINVAL, "cfg_file=%s: is no JSON object", path);
	json_object_foreach((json_t *)file, key, value)
	{
		const struct samp_attr *a = lp_attrs;

		while (a->name && strcmp(a->name, key))
			a++;
		if (!a->name && strcmp(key, "log_send"))
			return err_set(err, -EINVAL,
				       "cfg_file=%s: no attribute '%s'; `ldms samp help "
				       "linux_proc_sampler` lists them",
				       path, key);
	}
	return 0;
}

int lp_conf_read(struct samp *sp, struct lp_conf *ret, struct err *err)
{
	const char *path = samp_attr(sp, "cfg_file");
	struct source src = { .sp = sp };
	json_error_t where;
	json_t *file = NULL;
	int rc = 0;

	*ret = (struct lp_conf){ .metric_sets = true, .argv_fmt = 2 };
	if (path) {
		file = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
		rc = file ? file_check(file, path, err)
			  : err_set(err, -EINVAL, "cfg_file=%s:%d:%d: %s", path, where.line, where.column, where.text);
		src.file = file;
	}
	if (!rc && (rc = conf_read(&src, ret, err)) && path)
		err_prefix(err, rc, "%s: ", path);
	json_decref(file);
	return rc;
}

static void patterns_fini(struct lp_patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		rx_fini(&p->v[i]);
	free(p->v);
}

void lp_conf_fini(struct lp_conf *c)
{
	for (size_t i = 0; i < c->syscalls.n; i++)
		free(c->syscalls.names[i]);
	free(c->syscalls.names);
	patterns_fini(&c->env_exclude);
	patterns_fini(&c->fd_exclude);
	free(c->published_pid_dir);
	free(c->prefix);
	free(c->tag);
	*c = (struct lp_conf){ 0 };
}

bool lp_patterns_match(const struct lp_patterns *p, const char *text)
{
	for (size_t i = 0; i < p->n; i++)
		if (rx_match(&p->v[i], text))
			return true;
	return false;
}
