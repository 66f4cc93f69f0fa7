/* samp.h - what a sampler plugin is, and what it may ask of the daemon.
 *
 * To add a sampler: write plugins/NAME.c with a `const struct samp_type samp_NAME`, and add X(NAME) in samplers.c.
 * Every sampler may have any number of instances; all its state is in samp_state().
 */
#ifndef PLUGINS_SAMP_H
#define PLUGINS_SAMP_H

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
	const struct metric_def *metrics;
	size_t state_size; /* bytes of samp_state(), zeroed before open */
	const char *caps;  /* Linux capabilities that it needs when it is not run by root: "sys_rawio"; NULL: none */

	/* Are the values of the attributes such that open() can take them?  Looks at nothing else.  -EINVAL with the
	 * attribute's name; NULL: any are. */
	int (*check)(struct samp *sp, struct err *err);
	/* Look at the source, make the set(s) with samp_schema_new() and samp_set_new().  Called on a sampler worker;
	 * may be called again after close.  On failure close() still follows.  -EINVAL means a bad attribute: the
	 * operator is told so at once; other errors degrade the instance, and open is tried again later. */
	int (*open)(struct samp *sp, struct err *err);
	/* Read the source, write the set(s) between samp_begin() and samp_end().  Called every interval on a sampler
	 * worker.  -ESTALE: the source has changed its shape: the daemon calls close and open again at once and keeps
	 * the set's name.  Another error degrades the instance: it is reported once, counted, and retried. */
	int (*sample)(struct samp *sp, struct err *err);
	/* Undo open(), also a half-done one.  The sets are the daemon's to remove. */
	void (*close)(struct samp *sp);
};

extern const struct samp_type *const samp_types[]; /* samplers.c: in alphabetical order, ended by NULL */
const struct samp_type *samp_type_find(const char *name);
/* -ENOENT and the words for a name that samp_type_find() does not know. */
int samp_type_unknown(const char *name, struct err *err);

/* -- for plugins --------------------------------------------------------------------------------------------------- */

void *samp_state(struct samp *sp);
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
/* Make and publish a set of that schema (takes it, also on failure).  Its name is the operator's instance= with `suffix`
 * behind ("" for the only one).  NULL with words on failure. */
struct set *samp_set_new(struct samp *sp, struct schema *schema, const char *suffix, struct err *err);
/* Around the writing of a sample; begin also stores job_id and app_id. */
void samp_begin(struct samp *sp, struct set *set);
void samp_end(struct samp *sp, struct set *set);
void samp_cancel(struct samp *sp, struct set *set);

#endif
