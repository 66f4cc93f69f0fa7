/* opt.c - see opt.h */
#include "cmd/opt.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define HELP_WIDTH  80 /* columns of --help */
#define HELP_INDENT 28 /* where the help texts begin */
#define LABEL_MAX   80 /* bytes of "-x, --xprt XPRT:PORT[:HOST]" */

static bool is_end(const struct opt *o)
{
	return !o->letter && !o->name;
}

static bool takes_value(const struct opt *o)
{
	return o->type != OPT_FLAG && o->type != OPT_COUNT && o->type != OPT_MAYBE;
}

static const struct opt *find_letter(const struct opt *opts, char letter)
{
	for (const struct opt *o = opts; !is_end(o); o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static const struct opt *find_name(const struct opt *opts, const char *name, size_t len)
{
	for (const struct opt *o = opts; !is_end(o); o++)
		if (o->name && strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

/* "--xprt", or "-x" for an option without a long name: what errors call it. */
static const char *opt_word(const struct opt *o, char *out, size_t size)
{
	if (o->name)
		snprintf(out, size, "--%s", o->name);
	else
		snprintf(out, size, "-%c", o->letter);
	return out;
}

void opt_list_add(struct opt_list *l, const char *value)
{
	l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
	l->v[l->n++] = value;
}

void opt_list_fini(struct opt_list *l)
{
	free(l->v);
	*l = (struct opt_list){ 0 };
}

static int opt_store(const struct opt *o, const char *value, void *into, struct err *err)
{
	void *field = (char *)into + o->off;
	char word[LABEL_MAX];
	int rc = 0;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)field = true;
		break;
	case OPT_COUNT:
		++*(int *)field;
		break;
	case OPT_TEXT:
		*(const char **)field = value;
		break;
	case OPT_MAYBE:
		*(const char **)field = value ? value : "";
		break;
	case OPT_LIST:
		opt_list_add(field, value);
		break;
	case OPT_TIME:
		rc = unit_time_us(value, field, err);
		break;
	case OPT_SIZE:
		rc = unit_size(value, field, err);
		break;
	case OPT_NUM:
		rc = unit_u64(value, field, err);
		break;
	}
	return rc ? err_prefix(err, rc, "option %s: ", opt_word(o, word, sizeof(word))) : 0;
}

static int value_missing(const struct opt *o, struct err *err)
{
	char word[LABEL_MAX];

	opt_word(o, word, sizeof(word));
	return err_set(err, -EINVAL, "option %s: the value is missing; write %s %s", word, word, o->arg);
}

static int unknown_name(const struct opt *opts, const char *name, size_t len, struct err *err)
{
	const char **names = NULL, *near;
	char *word = xstrndup(name, len);
	size_t n = 0;
	int rc;

	for (const struct opt *o = opts; !is_end(o); o++) {
		names = xrealloc(names, (n + 2) * sizeof(*names));
		if (o->name)
			names[n++] = o->name;
	}
	if (names)
		names[n] = NULL;
	near = names ? nearest(word, names) : NULL;
	if (near)
		rc = err_set(err, -EINVAL, "unknown option --%.64s; did you mean --%s?", word, near);
	else
		rc = err_set(err, -EINVAL, "unknown option --%.64s; --help lists the options", word);
	free(names);
	free(word);
	return rc;
}

/* "--name", "--name=VALUE" or "--name" with its value in *next, which is then moved on. */
static int long_opt(const struct opt *opts, const char *name, char ***next, void *into, struct err *err)
{
	size_t len = strcspn(name, "=");
	const struct opt *o = find_name(opts, name, len);
	const char *value = name[len] ? name + len + 1 : NULL;

	if (!o)
		return unknown_name(opts, name, len, err);
	if (!takes_value(o) && value && o->type != OPT_MAYBE)
		return err_set(err, -EINVAL, "option --%s takes no value, \"%.32s\" is one; write --%s alone", o->name,
			       value, o->name);
	if (takes_value(o) && !value) {
		if (!**next)
			return value_missing(o, err);
		value = *(*next)++;
	}
	return opt_store(o, value, into, err);
}

/* "-v", "-vEl" or, for the last letter, a value behind it or in *next. */
static int short_opts(const struct opt *opts, const char *letters, char ***next, void *into, struct err *err)
{
	int rc = 0;

	for (const char *p = letters; !rc && *p; p++) {
		const struct opt *o = find_letter(opts, *p);
		const char *value = NULL;

		if (!o)
			return err_set(err, -EINVAL, "unknown option -%c; --help lists the options", *p);
		if (takes_value(o)) {
			value = p[1] ? p + 1 : *(*next);
			if (!value)
				return value_missing(o, err);
			if (!p[1])
				++*next;
			return opt_store(o, value, into, err);
		}
		rc = opt_store(o, NULL, into, err);
	}
	return rc;
}

int opt_parse(const struct opt *opts, int argc, char **argv, void *into, struct err *err)
{
	char **operands = xcalloc((size_t)argc + 1, sizeof(*operands));
	char **next = argv + (argc > 0);
	bool only_operands = false;
	int n = 0, rc = 0;

	while (!rc && *next) {
		char *arg = *next++;

		if (only_operands || arg[0] != '-' || !arg[1])
			operands[n++] = arg;
		else if (!strcmp(arg, "--"))
			only_operands = true;
		else if (arg[1] == '-')
			rc = long_opt(opts, arg + 2, &next, into, err);
		else
			rc = short_opts(opts, arg + 1, &next, into, err);
	}
	if (!rc && argc > 0)
		memcpy(argv + 1, operands, ((size_t)n + 1) * sizeof(*operands)); /* the NULL behind them, too */
	free(operands);
	return rc ? rc : n;
}

/* Words of `text` from column `at`, in lines that begin at `indent`; the text's own line ends are kept. */
static void put_text(FILE *to, const char *text, size_t at, size_t indent)
{
	while (*text) {
		size_t n = strcspn(text, " \n");
		bool fits = at == indent || at + 1 + n <= HELP_WIDTH;

		if (*text == '\n' || (n && !fits)) {
			fprintf(to, "\n%*s", (int)indent, "");
			at = indent;
		}
		if (*text == '\n' || *text == ' ') {
			text++;
			continue;
		}
		fprintf(to, "%s%.*s", at == indent ? "" : " ", (int)n, text);
		at += n + (at != indent);
		text += n;
	}
	fputc('\n', to);
}

static void put_row(FILE *to, const char *label, const char *text)
{
	if (strlen(label) + 2 > HELP_INDENT)
		fprintf(to, "%s\n%*s", label, HELP_INDENT, "");
	else
		fprintf(to, "%-*s", HELP_INDENT, label);
	put_text(to, text, HELP_INDENT, HELP_INDENT);
}

void opt_help_row(FILE *to, const char *label, const char *text)
{
	char *indented = xasprintf("  %s", label);

	put_row(to, indented, text);
	free(indented);
}

static void put_opt(FILE *to, const struct opt *o)
{
	const char *dashes = !o->name ? "" : o->letter ? ", --" : "  --";
	bool maybe = o->type == OPT_MAYBE;
	char label[LABEL_MAX];

	snprintf(label, sizeof(label), "  %c%c%s%s%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ', dashes,
		 o->name ? o->name : "",
		 maybe    ? "[="
		 : o->arg ? " "
			  : "",
		 o->arg ? o->arg : "", maybe ? "]" : "");
	put_row(to, label, o->help);
}

/* Every line of `text` with `first` in front of the first one and `rest` in front of the others. */
static void put_lines(FILE *to, const char *text, const char *first, const char *rest)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		fprintf(to, "%s%.*s\n", first, (int)n, text);
		text += n + (text[n] == '\n');
		first = rest;
	}
}

void opt_help(FILE *to, const struct cmd_usage *u)
{
	put_lines(to, u->synopsis, "usage: ", "       ");
	fputc('\n', to);
	put_text(to, u->about ? u->about : u->brief, 0, 0);
	if (u->opts)
		fputs("\noptions:\n", to);
	for (const struct opt *o = u->opts; o && !is_end(o); o++)
		put_opt(to, o);
	if (u->more)
		u->more(to);
	if (u->examples) {
		fputs("\nexamples:\n", to);
		put_lines(to, u->examples, "  ", "  ");
	}
}
