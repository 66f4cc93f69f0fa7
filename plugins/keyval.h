/* keyval.h - samplers of files that are lines of `name value`: one u64 metric per line, in the order of the file.
 *
 * A table keeps the names as they stood in the last read, so that a steady file costs one comparison a line.  A line
 * that moves is looked up by its name; one that appears or vanishes changes the shape of the file: -ESTALE.
 */
#ifndef PLUGINS_KEYVAL_H
#define PLUGINS_KEYVAL_H

#include "plugins/proc.h"
#include "plugins/samp.h"

struct keyval_row;

struct keyval {
	struct proc_file file;
	char delim;
	struct set *set;
	struct keyval_row *rows; /* one per line */
	size_t n;
	char *names;      /* of the rows, one right behind the other */
	uint64_t ignored; /* where values of lines go that are no metric: a name that comes twice or is too long */
};

/* What kind of file it is. */
struct keyval_type {
	const char *path, *schema;
	char delim;                                 /* what ends a name */
	enum metric_kind (*kind)(const char *name); /* of a metric, for help; NULL: gauges */
	const char *help;                           /* of all metrics */
};

/* Read root/path and make the set.  Reading stops at the first line of another form. */
int keyval_open(struct keyval *kv, struct samp *sp, const struct keyval_type *type, struct err *err);
int keyval_sample(struct keyval *kv, struct samp *sp, struct err *err);
void keyval_close(struct keyval *kv);

#endif
