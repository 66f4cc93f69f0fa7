/* cxi.h - the counters of Slingshot's network interfaces, a file each, and a list with a record for each interface
 *
 * A file says 100@1690000000.123456789, or the number alone.
 */
#ifndef PLUGINS_CXI_H
#define PLUGINS_CXI_H

#include "plugins/folder.h"
#include "plugins/rows.h"

#define CXI_SOURCE "/sys/class/cxi"
#define CXI_NAME   16 /* bytes of an interface's name: cxi0 */
enum { CXI_MIN = 8 }; /* room for so many interfaces at least */

struct cxi_list {
	struct folder_type type;
	struct folder folder;
	const char *below;          /* where the counters are in an interface's folder: "/device/telemetry", or "" */
	const char *only[2];        /* the place */
	struct metric_def *members; /* the name, and the counters */
	size_t n;                   /* counters */
	struct rows rows;
};

/* `path` is where the interfaces are. */
void cxi_list_init(struct cxi_list *cl, struct samp *sp, const char *path, const char *below, const char *hint);
/* The names of all counters that match an expression of a list, separated by commas: in the list's order, and those of
 * one expression by name.  Expressions match whole names.  -EINVAL for a bad one. */
int cxi_list_find(struct cxi_list *cl, const char *patterns, struct err *err);
/* A record type and the list in a schema; `name` is what the member with the interface is called. */
int cxi_list_add(struct cxi_list *cl, struct schema *s, const char *record, const char *list, const char *unit,
		 const char *name, struct err *err);
/* Between samp_begin() and samp_end().  -ESTALE: there is no room for all. */
int cxi_list_sample(struct cxi_list *cl, struct samp *sp, struct err *err);
void cxi_list_close(struct cxi_list *cl, struct samp *sp);

/* The value of KEY=, or what the file named by KEY_file= has in its lines, but for those that begin with #, as a list
 * with commas; yours, NULL when neither is there. */
int cxi_patterns(struct samp *sp, const char *key, char **ret, struct err *err);

#endif
