/* subcmd.c - see subcmd.h */
#include "cmd/subcmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/opt.h"
#include "core/base/str.h"

bool subcmd_run(const struct subcmd *table, const struct cmd_usage *usage, int argc, char **argv, int *status)
{
	if (argc < 2)
		return false;
	if (!strcmp(argv[1], "--help")) {
		opt_help(stdout, usage);
		*status = 0;
		return true;
	}
	for (const struct subcmd *v = table; v->name; v++) {
		if (strcmp(argv[1], v->name))
			continue;
		*status = v->run(v, argc - 1, argv + 1);
		return true;
	}
	return false;
}

const char *subcmd_near(const struct subcmd *table, const char *name, char to[64])
{
	const char *names[32], *near;
	size_t n = 0;

	for (; table[n].name && n < sizeof(names) / sizeof(*names) - 1; n++)
		names[n] = table[n].name;
	names[n] = NULL;
	near = nearest(name, names);
	*to = '\0';
	if (near)
		snprintf(to, 64, "; did you mean '%s'?", near);
	return to;
}

int subcmd_parse(const struct subcmd *v, int argc, char **argv, void *into, const bool *help, int min, int max,
		 int *status)
{
	struct err err = { "" };
	int n = opt_parse(v->usage->opts, argc, argv, into, &err);

	if (n >= 0 && *help) {
		opt_help(stdout, v->usage);
		*status = 0;
		return -1;
	}
	if (n >= 0 && n < min)
		n = err_set(&err, -EINVAL, "something is missing: %s", v->usage->synopsis);
	else if (n > max)
		n = err_set(&err, -EINVAL, "'%s' is left over", argv[max + 1]);
	if (n >= 0)
		return n;
	fprintf(stderr, "ldms %s %s: %s; `ldms %s %s --help` says more\n", v->of, v->name, err.msg, v->of, v->name);
	*status = SUBCMD_FAILED;
	return -1;
}

int subcmd_complain(const struct subcmd *v, const struct err *err)
{
	fprintf(stderr, "ldms %s %s: %s\n", v->of, v->name, err->msg);
	return SUBCMD_FAILED;
}
