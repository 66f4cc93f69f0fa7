/* maestro.c - `ldms maestro`: a whole cluster from one file: its verbs, and what they share */
#include "cmd/maestro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/maestro/plan.h"

#define SAID_MAX 200 /* complaints; who has more will not read them */

#define ROW(name)                                                                                                      \
	{                                                                                                              \
#name, &usage_maestro_##name, maestro_verb_##name                                                      \
	}
static const struct maestro_verb verbs[] = {
	ROW(convert),
	ROW(diff),
	ROW(graph),
	ROW(plan),
	ROW(run),
	{ .name = NULL },
};
#undef ROW

const struct cmd_usage usage_maestro = {
	.synopsis = "ldms maestro FILE [option ...]\nldms maestro convert|diff|graph|plan FILE [option ...]",
	.brief = "configure a whole cluster from one file, and keep it so",
	.about = "FILE is a cluster file (YAML) with all daemons of a cluster; ldms.conf(5) describes it.  Without a verb "
		 "the cluster is made what the file says, and kept so: `ldms maestro run --help` lists the options, "
		 "`ldms maestro VERB --help` those of a verb.",
	.examples = "ldms maestro ldms_cfg.yaml                      until it is stopped\n"
		    "ldms maestro --once ldms_cfg.yaml               until all daemons agree\n"
		    "ldms maestro diff ldms_cfg.yaml                 what is not as the file says\n"
		    "ldms maestro plan ldms_cfg.yaml -o /etc/ldms    a configuration file for each daemon\n"
		    "ldms maestro graph ldms_cfg.yaml                who collects from whom\n"
		    "ldms maestro convert old.yaml > ldms_cfg.yaml   the older forms in today's",
};

int maestro_parse(const struct maestro_verb *v, int argc, char **argv, void *into, const bool *help, int *status)
{
	struct err err = { "" };
	int n = opt_parse(v->usage->opts, argc, argv, into, &err);

	if (n >= 0 && *help) {
		opt_help(stdout, v->usage);
		*status = 0;
		return -1;
	}
	if (!n)
		n = err_set(&err, -EINVAL, "which file? `%s`", v->usage->synopsis);
	else if (n > 1)
		n = err_set(&err, -EINVAL, "'%s' is left over; one file describes a cluster", argv[2]);
	if (n >= 0)
		return n;
	*status = maestro_complain(v, &err);
	return -1;
}

int maestro_complain(const struct maestro_verb *v, const struct err *err)
{
	fprintf(stderr, "ldms maestro %s: %s\n", v->name, err->msg);
	return MAESTRO_EXIT_FAILED;
}

struct said {
	unsigned int errors, warnings;
};

static void on_note(void *arg, const struct conf_note *n)
{
	struct said *s = arg;
	unsigned int *count = n->warning ? &s->warnings : &s->errors;

	if (++*count <= SAID_MAX)
		fprintf(stderr, "%s:%u:%u: %s%s\n", n->file, n->line, n->col, n->warning ? "warning: " : "", n->words);
}

int maestro_plan(const char *path, struct plan **ret, struct err *err)
{
	struct said s = { 0 };
	int rc = plan_read(path, on_note, &s, ret, err);

	if (s.errors)
		rc = err_set(err, rc, "%s: %u error%s, see above", path, s.errors, s.errors == 1 ? "" : "s");
	return rc;
}

int cmd_maestro(int argc, char **argv)
{
	const char *names[sizeof(verbs) / sizeof(*verbs)], *near;
	const struct maestro_verb *run = NULL;
	size_t n = 0;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		opt_help(stdout, &usage_maestro);
		return 0;
	}
	for (const struct maestro_verb *v = verbs; v->name; v++) {
		if (argc > 1 && !strcmp(argv[1], v->name))
			return v->run(v, argc - 1, argv + 1);
		if (!strcmp(v->name, "run"))
			run = v;
		names[n++] = v->name;
	}
	names[n] = NULL;
	if (argc > 1 && (argv[1][0] == '-' || !access(argv[1], F_OK)))
		return run->run(run, argc, argv);
	near = argc > 1 ? nearest(argv[1], names) : NULL;
	if (argc > 1)
		fprintf(stderr, "ldms maestro: '%s' is no file, and no verb%s%s%s; `ldms help maestro` lists them\n",
			argv[1], near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	else
		fprintf(stderr, "ldms maestro: which file? `ldms help maestro` says more\n");
	return MAESTRO_EXIT_FAILED;
}
