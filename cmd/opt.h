/* opt.h - one table per subcommand describes its options: parsing, --help and the manual's test read the same rows.
 *
 * Long options are --name VALUE or --name=VALUE, short ones -n VALUE, -nVALUE, flags may be bundled; `--` ends them.
 * Options and operands may be mixed.
 */
#ifndef CMD_OPT_H
#define CMD_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/base/err.h"
#include "core/base/str.h" /* nearest() */

enum opt_type {
	OPT_FLAG, /* bool *: true when given */
	OPT_COUNT, /* int *: how often */
	OPT_TEXT, /* const char **: borrowed from argv; the last one wins */
	OPT_MAYBE, /* const char **: --name=VALUE, or --name alone for an empty one */
	OPT_LIST, /* struct opt_list *: every occurrence, in order */
	OPT_TIME, /* int64_t *: microseconds */
	OPT_SIZE, /* uint64_t *: bytes */
	OPT_NUM, /* uint64_t * */
};

struct opt_list {
	const char **v;
	size_t n;
};

struct opt {
	char letter; /* 0: none */
	const char *name; /* long name, NULL: none */
	enum opt_type type;
	const char *arg; /* what --help calls the value: "HOST", "TIME"; NULL for flags */
	size_t off; /* where the value goes: offsetof(struct my_options, field) */
	const char *help; /* one line; the default in parentheses at its end */
};

struct cmd_usage {
	const char *synopsis; /* "ldms ls [-lv] [-h HOST] [NAME ...]"; several lines are several forms */
	const char *brief; /* one line for `ldms help` */
	const char *about; /* a short paragraph for `ldms help CMD`, or NULL */
	const struct opt *opts; /* ended by a row with neither letter nor name; NULL: none */
	const char *examples; /* lines for --help, or NULL */
	void (*more)(FILE *to); /* what --help says behind the options; or NULL */
};

/* Fill `into` from argv[1..]; operands are moved to the front of argv from index 1, ended by NULL, and their number
 * returned.  -EINVAL with words: unknown option (with the nearest one's name), missing or bad value; `into` then holds
 * what came before it, and its lists still want opt_list_fini().  --help is handled by the caller's table row (a
 * flag). */
int opt_parse(const struct opt *opts, int argc, char **argv, void *into, struct err *err);
void opt_list_add(struct opt_list *l, const char *value); /* borrowed */
void opt_list_fini(struct opt_list *l);
/* The text of `ldms help CMD`. */
void opt_help(FILE *to, const struct cmd_usage *u);
/* A row as options have them there: "  LABEL    text". */
void opt_help_row(FILE *to, const char *label, const char *text);
#endif
