/* old_ldms_ls.c - `ldms_ls`: its options, its words on standard output, its exit status, over the engine of `ldms ls`
 *
 * Standard error says more than it did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ls.h"
#include "cmd/old.h"
#include "cmd/print.h"
#include "core/base/unit.h"

#define SELF "ldms_ls"

struct old_ls {
	struct ls_opts ls;
	bool help;
};

#define AT(field) offsetof(struct old_ls, field)
static const struct opt opts[] = {
	{ 'h', NULL, OPT_TEXT, "HOST", AT(ls.host), "name or address of the daemon's host (localhost)" },
	{ 'p', NULL, OPT_TEXT, "PORT", AT(ls.port), "its port (" TOOL_PORT_DFLT ")" },
	{ 'x', NULL, OPT_TEXT, "XPRT", AT(ls.xprt), "transport (sock)" },
	{ 'a', NULL, OPT_TEXT, "AUTH", AT(ls.auth), "authentication method (none)" },
	{ 'A', NULL, OPT_LIST, "KEY=VALUE", AT(ls.auth_args), "an argument of the authentication method; repeatable" },
	{ 'w', NULL, OPT_TEXT, "SECS", AT(ls.time), "time for everything together (" TOOL_TIME_DFLT ")" },
	{ 'm', NULL, OPT_SIZE, "SIZE", AT(ls.mem), "memory for sets, at most (LDMS_LS_MEM_SZ, else no limit)" },
	{ 'l', NULL, OPT_FLAG, NULL, AT(ls.contents), "the metrics of each set and their values" },
	{ 'v', NULL, OPT_COUNT, NULL, AT(ls.verbose), "a table of the sets; twice: with digests" },
	{ 'u', NULL, OPT_FLAG, NULL, AT(ls.udata), "with -l: the metrics' user data, too" },
	{ 'f', NULL, OPT_TEXT, "FORMAT", AT(ls.format), "json or tab" },
	{ 'E', NULL, OPT_FLAG, NULL, AT(ls.search), "names are regular expressions, found anywhere" },
	{ 'S', NULL, OPT_FLAG, NULL, AT(ls.schema), "names are schema names" },
	{ 'I', NULL, OPT_FLAG, NULL, AT(ls.instance), "names are instance names (this is how it is)" },
	{ 'd', NULL, OPT_FLAG, NULL, AT(ls.decomp), "a decomposition to begin with, for the schemas of the sets" },
	{ 'P', NULL, OPT_FLAG, NULL, AT(ls.push), "the contents of each set as it is pushed next" },
	{ 'V', NULL, OPT_FLAG, NULL, AT(ls.version), "print the version and exit" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_old_ldms_ls = {
	.synopsis = "ldms_ls -h HOST -x XPRT [-p PORT] [option ...] [NAME ...]",
	.brief = "the sets of a running daemon, as ldms_ls of LDMS shows them",
	.about = "`ldms ls` under its old name: the options, the output and the exit status (0, or 1) are those of "
		 "ldms_ls. `ldms ls` tells failures apart by its exit status.",
	.opts = opts,
};

/* What ldms_ls says on standard output, and how it ends. */
static const struct {
	const char *words; /* NULL: nothing; %s is the host */
	int status;
} endings[] = {
	[EXIT_ALL] = { NULL, 0 },
	[EXIT_USAGE] = { NULL, 1 },
	[EXIT_RESOLVE] = { "ldms_ls: %s does not resolve.\n", 1 },
	[EXIT_REFUSED] = { "Connection failed/rejected.\n", 1 },
	[EXIT_INCOMPLETE] = { "A timeout occurred waiting for a response from the server.\n"
			      "Use the -w option to specify the amount of time to wait for the server\n",
			      1 },
	[EXIT_NOT_LDMS] = { "Connection failed/rejected.\n", 1 },
	[EXIT_VERSION] = { "Connection failed/rejected.\n", 1 },
	[EXIT_AUTH] = { "Connection failed/rejected.\n", 1 },
	[EXIT_NO_MATCH] = { "ldms_ls: No metric sets matched the given criteria\n", 0 },
};

static int memory_limit(struct ls_opts *o, struct err *err)
{
	const char *env = getenv("LDMS_LS_MEM_SZ");
	int rc = env && *env && !o->mem ? unit_size(env, &o->mem, err) : 0;

	return rc ? err_prefix(err, rc, "LDMS_LS_MEM_SZ: ") : 0;
}

static int list(struct ls_opts *o, int n, char **argv)
{
	const char *host = o->host;
	bool text;
	int ended;

	if (!print_format_find(o->format)) {
		printf("WARNING: format unknown: %s\n", o->format);
		o->format = "text";
	}
	text = !strcmp(o->format, "text");
	ended = ls_main(SELF, o, n, argv);
	if (endings[ended].words && (ended != EXIT_NO_MATCH || text))
		printf(endings[ended].words, host);
	return endings[ended].status;
}

int old_ldms_ls(int argc, char **argv)
{
	struct old_ls o = { .ls = LS_OPTS_INIT };
	struct err err = { "" };
	int status = OLD_EXIT_USAGE, n;

	if (argc < 2) { /* which host was not said */
		opt_help(stdout, &usage_old_ldms_ls);
		return OLD_EXIT_USAGE;
	}
	n = old_parse(SELF, argc, argv, &o, &o.help, &status);
	if (n >= 0 && o.ls.version) {
		printf("LDMS_LS Version: 4.5.3\nLDMS Protocol Version: 4.2.0.0\n");
		status = 0;
	} else if (n >= 0 && old_auth_args_check(&o.ls.auth_args)) {
		status = OLD_EXIT_USAGE;
	} else if (n >= 0 && memory_limit(&o.ls, &err)) {
		fprintf(stderr, SELF ": %s\n", err.msg);
	} else if (n >= 0) {
		return list(&o.ls, n, argv);
	}
	opt_list_fini(&o.ls.auth_args);
	return status;
}
