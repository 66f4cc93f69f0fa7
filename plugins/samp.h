/* samp.h - what a sampler plugin is, and what it may ask of the daemon.
 *
 * To add a sampler: write plugins/NAME.c with a `const struct samp_type samp_NAME`, and add X(NAME) in samplers.c.
 * Every sampler may have any number of instances; all its state is in samp_state().
 *
 * The functions of an instance (open, sample, close, and those that take messages) are called one at a time, on a
 * thread that may wait: only this instance is late then.
 */
#ifndef PLUGINS_SAMP_H
#define PLUGINS_SAMP_H

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/kv.h"
#include "core/set/schema.h"
#include "core/set/set.h"

struct samp; /* an instance; the daemon's */

/* An attribute of `config` beyond those that every sampler has. */
struct samp_attr {
	const char *name;
	const char *dflt; /* in words, for help; NULL: none */
	const char *help;
};

struct samp_type {
	const char *name;              /* as in `load name=meminfo` */
	const char *brief;             /* one line for `ldms samp -l` */
	const char *source;            /* "/proc/meminfo" */
	const char *needs;             /* the library that this build lacks, or NULL */
	const struct samp_attr *attrs; /* ended by a row without name; may be NULL */
	/* what it measures, for help; ended by a row without name; NULL: found at run time */
	const struct metric_def *metrics; /* kind, unit and help of each: schema_add_defs() takes them along */
	size_t state_size;                /* bytes of samp_state(), zeroed before open */
	const char *caps; /* Linux capabilities that it needs when it is not run by root: "sys_rawio"; NULL: none */
	uint32_t perm;    /* of its sets when perm= is not given; 0: the daemon's */

	const char *reads; /* attributes that are paths to read, for --sandbox: "conf dir"; NULL: none */
	const char *path;  /* where it was loaded from; NULL: built in */

	/* Does it make sense on this node (`ldms samp --auto`, `-l`)?  A cheap look at what stands below `root` ("" or a
	 * folder that stands for /).  0; or a negative errno and why not, in words; also when another sampler tells the
	 * same better.  NULL: samp_type_here() looks whether its source is there. */
	int (*probe)(const char *root, struct err *err);
	/* Are the values of the attributes such that open() can take them?  Looks at nothing else.  -EINVAL with the
	 * attribute's name; NULL: any are. */
	int (*check)(struct samp *sp, struct err *err);
	/* Look at the source, make the set(s) with samp_schema_new() and samp_set_new().  Called on a sampler worker;
	 * may be called again after close.  On failure close() still follows.  -EINVAL means a bad attribute: the
	 * operator is told so at once; other errors degrade the instance, and open is tried again later. */
	int (*open)(struct samp *sp, struct err *err);
	/* Read the source, write the set(s) between samp_begin() and samp_end(); sets may be made and dropped.  Called
	 * every interval on a sampler worker.  NULL: the sets change with messages alone.  -ESTALE: the source has
	 * changed its shape: the daemon calls close and open again at once and keeps the set's name.  Another error
	 * degrades the instance: it is reported once, counted, and retried. */
	int (*sample)(struct samp *sp, struct err *err);
	/* Undo open(), also a half-done one.  The sets are the daemon's to remove. */
	void (*close)(struct samp *sp);
	/* A further `config` of an instance that has one: samp_attr() and what every sampler has are those of this line.
	 * Called like open() and after it; when open() is called anew, again for each of the lines in their order.  A
	 * failure refuses the line, and must have changed nothing.  NULL: an instance is configured once.  Types that
	 * have it take no messages. */
	int (*more)(struct samp *sp, struct err *err);
};

extern const struct samp_type *const samp_types[]; /* samplers.c: in alphabetical order, ended by NULL */
const struct samp_type *samp_type_find(const char *name);
/* -ENOENT and the words for a name that samp_type_find() does not know. */
int samp_type_unknown(const char *name, struct err *err);

/* Is there something for it on this node?  0: yes.  1: it runs anywhere, with made-up values or what its configuration
 * names.  Else a negative errno, and why not, in words. */
int samp_type_here(const struct samp_type *type, const char *root, struct err *err);

/* Kind, unit and help of a metric by the names of its schema and itself: for mirrors, which carry none.  NULL: not of a
 * sampler in this program, or not in its table. */
const struct metric_def *samp_metric_find(const char *schema, const char *metric);

/* -- for plugins --------------------------------------------------------------------------------------------------- */

void *samp_state(struct samp *sp);
const char *samp_name(const struct samp *sp);      /* the instance's, as in `config name=` */
const char *samp_producer(const struct samp *sp);  /* producer= */
const char *samp_instance(const struct samp *sp);  /* instance= */
uint64_t samp_component_id(const struct samp *sp); /* component_id= */
/* An attribute's value, or NULL when the operator gave none; whether a word stands there at all. */
const char *samp_attr(const struct samp *sp, const char *name);
bool samp_attr_has(const struct samp *sp, const char *name);
/* As a number; `dflt` when absent; -EINVAL with the attribute's name when it is none. */
int samp_attr_u64(const struct samp *sp, const char *name, uint64_t dflt, uint64_t *ret, struct err *err);
/* "" or the folder that stands for / (tests, containers): put it in front of every path. */
const char *samp_root(const struct samp *sp);

/* Metrics without a unit have the empty one (""), as in ldmsd: it is a byte in the image.
 * A schema that begins with component_id, job_id, app_id, named by the operator's schema= or else `dflt`. */
struct schema *samp_schema_new(struct samp *sp, const char *dflt, struct err *err);
/* The same without any metric, for the schemas that do not begin so.  A scalar u64 component_id in it, META or DATA, is
 * filled in when the set is made; job data are the plugin's own affair. */
struct schema *samp_schema_bare(struct samp *sp, const char *dflt, struct err *err);

/* Make and publish a set of that schema (takes it, also on failure).  Its name is the operator's instance= with `suffix`
 * behind ("" for the only one).  NULL with words on failure.  In open(), sample() and functions that take messages. */
struct set *samp_set_new(struct samp *sp, struct schema *schema, const char *suffix, struct err *err);
/* The same with a name of the plugin's own making: PRODUCER/DIRECTORY. */
struct set *samp_set_named(struct samp *sp, struct schema *schema, const char *name, struct err *err);
/* Most sets: `schema` (taken, also on failure; NULL: it could not be made, with words) with these metrics behind what it
 * has; its name is instance=, or `name` where that is not NULL.  The index of the first of them, or a negative errno. */
int samp_set_make(struct samp *sp, struct schema *schema, const struct metric_def *defs, size_t n, const char *name,
		  struct set **ret, struct err *err);
/* The set goes, and with it the pointer, as what it stood for has gone: it is unpublished, whoever mirrors it is told,
 * and the name is free again.  NULL is fine.  close() need not: the sets that are left then are dropped anyhow. */
void samp_set_drop(struct samp *sp, struct set *set);
/* Around the writing of a sample; begin also stores job_id and app_id of what began with samp_schema_new(). */
void samp_begin(struct samp *sp, struct set *set);
void samp_end(struct samp *sp, struct set *set);
void samp_cancel(struct samp *sp, struct set *set);
/* This set is of that job, whatever job_set= says. */
void samp_set_job(struct samp *sp, struct set *set, uint64_t job_id, uint64_t app_id);

/* -- streams and messages: how programs tell samplers something, and samplers others ------------------------------- */

enum samp_via { SAMP_STREAM = 1, SAMP_MSG = 2 }; /* the older way, and the message channels; or both */

struct samp_msg { /* borrowed */
	enum samp_via via;
	const char *name;  /* of the stream or channel */
	bool json;         /* its publisher says so */
	const char *data;  /* a NUL stands behind its end */
	size_t len;        /* without the NULs that it ends with */
	uint32_t uid, gid; /* of the publisher */
	size_t raw_len;    /* as it was published: the NUL of a text counts */
};

/* Call fn with each message of that name; or, for channels, of the names that match a regular expression (streams have
 * none of that).  In open(); close() ends it.  fn runs as sample() does and never beside it, also while the instance is
 * not started; messages wait in a bounded queue meanwhile, and those that do not fit are counted (`plugn_status`).
 * Its errors are counted, and said once a minute at most. */
int samp_subscribe(struct samp *sp, unsigned int via, const char *name, bool regex,
		   int (*fn)(struct samp *sp, const struct samp_msg *m, struct err *err), struct err *err);
/* Publish a text to whoever has subscribed, in the name of the daemon's user; channels: readable as perm= says.  -ENOSYS,
 * -ENOTSUP with words: streams or messages are off in this daemon (`stream_enable`, `msg_enable`). */
int samp_publish(struct samp *sp, enum samp_via via, const char *name, bool json, const char *text, struct err *err);

#endif
