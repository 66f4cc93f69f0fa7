/* ldms/sampler.h - to write a sampler for `ldms` outside of its tree: ldms-sampler(3).
 *
 * A sampler is a shared object that needs nothing but this file:
 *
 *	cc -shared -fPIC -o counter.so counter.c
 *
 * and is used by `load name=counter path=/usr/lib/ldms/counter.so`.  It defines one struct ldms_sampler by
 * LDMS_SAMPLER(...), and calls the functions below, which ask the daemon through a table that it hands over.
 *
 * The functions of an instance are called one at a time, on a thread that may wait: only this instance is late then.
 * They return 0, or a negative errno with words for the operator: `return ldms_error(err, -ENOENT, "%s: is not there",
 * path)`.
 *
 * This file grows at the ends of its tables only: what was built for an older one goes on working.
 */
#ifndef LDMS_SAMPLER_H
#define LDMS_SAMPLER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LDMS_SAMPLER_ABI 1 /* what an object is built for and a daemon takes; changes only when tables do otherwise */

struct ldms_samp;   /* an instance, as `load` makes it */
struct ldms_schema; /* the shape of a set, until there is one */
struct ldms_set;    /* the values */
struct ldms_record; /* an entry of a list */
struct ldms_err;    /* takes words */

/* Types of values: numbers of the wire, which never change. */
enum ldms_type {
	LDMS_CHAR = 1,
	LDMS_U8,
	LDMS_S8,
	LDMS_U16,
	LDMS_S16,
	LDMS_U32,
	LDMS_S32,
	LDMS_U64,
	LDMS_S64,
	LDMS_F32,
	LDMS_D64,
	LDMS_CHAR_ARRAY,
	LDMS_U8_ARRAY,
	LDMS_S8_ARRAY,
	LDMS_U16_ARRAY,
	LDMS_S16_ARRAY,
	LDMS_U32_ARRAY,
	LDMS_S32_ARRAY,
	LDMS_U64_ARRAY,
	LDMS_S64_ARRAY,
	LDMS_F32_ARRAY,
	LDMS_D64_ARRAY,
};

/* INFO: what never or rarely changes, a name or a limit: META; the others are DATA. */
enum ldms_kind { LDMS_GAUGE, LDMS_COUNTER, LDMS_INFO };

struct ldms_metric {
	const char *name;
	uint32_t type;    /* enum ldms_type */
	const char *unit; /* "" for none */
	uint32_t kind;    /* enum ldms_kind */
	const char *help; /* a line for people, or NULL; must stay */
	uint32_t count;   /* elements of an array; 0 is 1 */
};

struct ldms_attr { /* of `config` */
	const char *name;
	const char *dflt; /* in words, or NULL */
	const char *help;
};

enum ldms_via { LDMS_STREAM = 1, LDMS_MSG = 2 }; /* the older way to pass messages, and channels; or both */

struct ldms_msg {     /* borrowed */
	uint32_t via; /* enum ldms_via */
	const char *name;
	bool json;
	const char *data; /* a NUL stands behind its end */
	size_t len;
	uint32_t uid, gid; /* of the publisher */
};
typedef int (*ldms_msg_fn)(struct ldms_samp *sp, const struct ldms_msg *m, struct ldms_err *err);

enum ldms_level { LDMS_DEBUG, LDMS_NOTE, LDMS_WARNING, LDMS_ERROR };

/* -- what a sampler is --------------------------------------------------------------------------------------------- */

struct ldms_sampler {
	uint32_t abi, size, host_size; /* LDMS_SAMPLER() fills these in */
	const char *name;              /* default name of the schema, and in `ldms samp help` */
	const char *brief;             /* one line */
	const char *source;            /* what it reads, for people: "/proc/foo" */
	const struct ldms_attr *attrs; /* beside those that all samplers have; ended by a row without name; or NULL */
	const struct ldms_metric *metrics; /* what it measures, for help; ended by a row without name; or NULL */
	size_t state_size;                 /* bytes of ldms_state(), zero before open */
	/* Could open() take the attributes?  Looks at nothing else.  -EINVAL; may be NULL. */
	int (*check)(struct ldms_samp *sp, struct ldms_err *err);
	/* Look at the source, make the sets, subscribe.  -EINVAL: the attributes are wrong, and the operator is told so
	 * at once; else it is tried again later.  close() follows also after a failure. */
	int (*open)(struct ldms_samp *sp, struct ldms_err *err);
	/* Read the source, write the sets between ldms_begin() and ldms_end(); make and drop sets.  -ESTALE: the source
	 * has another shape now: close() and open() are called at once.  Other errors: it is tried again at the next
	 * interval.  NULL: sets change with messages only. */
	int (*sample)(struct ldms_samp *sp, struct ldms_err *err);
	/* Undo open(), also a half-done one; sets and subscriptions are the daemon's to end. */
	void (*close)(struct ldms_samp *sp);
	/* Attributes that name files or folders that it reads, as "dir conf": with --sandbox it could not read them else.
	 * NULL: none; /proc and /sys are always there. */
	const char *reads;
};

/* -- what it may ask: use the functions below ---------------------------------------------------------------------- */

struct ldms_host {
	uint32_t abi, size;
	int (*error)(struct ldms_err *err, int rc, const char *fmt, va_list ap);
	void (*log)(struct ldms_samp *sp, int level, const char *fmt, va_list ap);
	void *(*state)(struct ldms_samp *sp);
	const char *(*name)(const struct ldms_samp *sp);
	const char *(*producer)(const struct ldms_samp *sp);
	const char *(*instance)(const struct ldms_samp *sp);
	uint64_t (*component_id)(const struct ldms_samp *sp);
	const char *(*root)(const struct ldms_samp *sp);
	const char *(*attr)(const struct ldms_samp *sp, const char *name);
	bool (*attr_has)(const struct ldms_samp *sp, const char *name);
	int (*attr_u64)(const struct ldms_samp *sp, const char *name, uint64_t dflt, uint64_t *ret,
			struct ldms_err *err);
	struct ldms_schema *(*schema_new)(struct ldms_samp *sp, const char *dflt, bool bare, struct ldms_err *err);
	void (*schema_free)(struct ldms_schema *s);
	int (*schema_add)(struct ldms_schema *s, const struct ldms_metric *m, struct ldms_err *err);
	int (*schema_add_record)(struct ldms_schema *s, const char *name, const struct ldms_metric *members, size_t n,
				 struct ldms_err *err);
	int (*schema_add_list)(struct ldms_schema *s, const char *name, int record, size_t n, struct ldms_err *err);
	struct ldms_set *(*set_new)(struct ldms_samp *sp, struct ldms_schema *s, const char *name, bool whole,
				    struct ldms_err *err);
	void (*set_drop)(struct ldms_samp *sp, struct ldms_set *set);
	void (*set_job)(struct ldms_samp *sp, struct ldms_set *set, uint64_t job_id, uint64_t app_id);
	void (*begin)(struct ldms_samp *sp, struct ldms_set *set);
	void (*end)(struct ldms_samp *sp, struct ldms_set *set);
	void (*cancel)(struct ldms_samp *sp, struct ldms_set *set);
	void (*put_u64)(struct ldms_set *set, int i, uint64_t v);
	void (*put_s64)(struct ldms_set *set, int i, int64_t v);
	void (*put_d64)(struct ldms_set *set, int i, double v);
	void (*put_bytes)(struct ldms_set *set, int i, const void *p, size_t len);
	void (*list_clear)(struct ldms_set *set, int list);
	struct ldms_record *(*list_append)(struct ldms_set *set, int list, int record);
	void (*record_put_u64)(struct ldms_set *set, struct ldms_record *r, int member, uint64_t v);
	void (*record_put_s64)(struct ldms_set *set, struct ldms_record *r, int member, int64_t v);
	void (*record_put_d64)(struct ldms_set *set, struct ldms_record *r, int member, double v);
	void (*record_put_text)(struct ldms_set *set, struct ldms_record *r, int member, const char *text, size_t len);
	int (*subscribe)(struct ldms_samp *sp, uint32_t via, const char *name, bool regex, ldms_msg_fn fn,
			 struct ldms_err *err);
	int (*publish)(struct ldms_samp *sp, uint32_t via, const char *name, bool json, const char *text,
		       struct ldms_err *err);
};

/* What the daemon looks for in the object; it sets the second before it calls anything. */
extern __attribute__((visibility("default"))) const struct ldms_sampler ldms_sampler;
extern __attribute__((visibility("default"))) const struct ldms_host *ldms_host;

/* Once in a sampler:  LDMS_SAMPLER(.name = "counter", .brief = "...", .open = counter_open, ...);  */
#define LDMS_SAMPLER(...)                                                                                              \
	const struct ldms_host *ldms_host;                                                                             \
	const struct ldms_sampler ldms_sampler = { .abi = LDMS_SAMPLER_ABI,                                            \
						   .size = sizeof(struct ldms_sampler),                                \
						   .host_size = sizeof(struct ldms_host),                              \
						   __VA_ARGS__ }

/* -- words --------------------------------------------------------------------------------------------------------- */

/* Returns rc.  The words name the object, what happened, and what to do. */
__attribute__((format(printf, 3, 4))) static inline int ldms_error(struct ldms_err *err, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	rc = ldms_host->error(err, rc, fmt, ap);
	va_end(ap);
	return rc;
}

/* The instance's name stands in front. */
__attribute__((format(printf, 3, 4))) static inline void ldms_log(struct ldms_samp *sp, enum ldms_level level,
								  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ldms_host->log(sp, level, fmt, ap);
	va_end(ap);
}

/* -- the instance -------------------------------------------------------------------------------------------------- */

static inline void *ldms_state(struct ldms_samp *sp)
{
	return ldms_host->state(sp);
}

static inline const char *ldms_name(const struct ldms_samp *sp)
{
	return ldms_host->name(sp);
}

/* The attributes that every sampler has: producer=, instance=, component_id=, with their defaults. */
static inline const char *ldms_producer(const struct ldms_samp *sp)
{
	return ldms_host->producer(sp);
}

static inline const char *ldms_instance(const struct ldms_samp *sp)
{
	return ldms_host->instance(sp);
}

static inline uint64_t ldms_component_id(const struct ldms_samp *sp)
{
	return ldms_host->component_id(sp);
}

/* "" or the folder that stands for / (--sysroot): goes in front of every path. */
static inline const char *ldms_root(const struct ldms_samp *sp)
{
	return ldms_host->root(sp);
}

/* An attribute's value, NULL when the operator gave none; whether the word stands there at all; as a number. */
static inline const char *ldms_attr(const struct ldms_samp *sp, const char *name)
{
	return ldms_host->attr(sp, name);
}

static inline bool ldms_attr_has(const struct ldms_samp *sp, const char *name)
{
	return ldms_host->attr_has(sp, name);
}

static inline int ldms_attr_u64(const struct ldms_samp *sp, const char *name, uint64_t dflt, uint64_t *ret,
				struct ldms_err *err)
{
	return ldms_host->attr_u64(sp, name, dflt, ret, err);
}

/* -- schemas ------------------------------------------------------------------------------------------------------- */

/* Begins with component_id, job_id and app_id, which are filled in; its name is schema=, or else `dflt`.  NULL with words
 * on failure. */
static inline struct ldms_schema *ldms_schema_new(struct ldms_samp *sp, const char *dflt, struct ldms_err *err)
{
	return ldms_host->schema_new(sp, dflt, false, err);
}

/* Without those three. */
static inline struct ldms_schema *ldms_schema_bare(struct ldms_samp *sp, const char *dflt, struct ldms_err *err)
{
	return ldms_host->schema_new(sp, dflt, true, err);
}

/* Only for one that no set was made of. */
static inline void ldms_schema_free(struct ldms_schema *s)
{
	ldms_host->schema_free(s);
}

/* These return the metric's index in the set, or a negative errno with words. */
static inline int ldms_schema_add(struct ldms_schema *s, const struct ldms_metric *m, struct ldms_err *err)
{
	return ldms_host->schema_add(s, m, err);
}

/* A type of records, and a list of up to n of that type (the index of its record). */
static inline int ldms_schema_add_record(struct ldms_schema *s, const char *name, const struct ldms_metric *members,
					 size_t n, struct ldms_err *err)
{
	return ldms_host->schema_add_record(s, name, members, n, err);
}

static inline int ldms_schema_add_list(struct ldms_schema *s, const char *name, int record, size_t n,
				       struct ldms_err *err)
{
	return ldms_host->schema_add_list(s, name, record, n, err);
}

/* -- sets ---------------------------------------------------------------------------------------------------------- */

/* Make and publish a set (takes the schema, also on failure): instance= with `suffix` behind, "" for the only one; or
 * under a name of its own.  In open(), sample() and functions that take messages. */
static inline struct ldms_set *ldms_set_new(struct ldms_samp *sp, struct ldms_schema *s, const char *suffix,
					    struct ldms_err *err)
{
	return ldms_host->set_new(sp, s, suffix, false, err);
}

static inline struct ldms_set *ldms_set_named(struct ldms_samp *sp, struct ldms_schema *s, const char *name,
					      struct ldms_err *err)
{
	return ldms_host->set_new(sp, s, name, true, err);
}

/* It goes, with the pointer; who mirrors it is told.  NULL is fine. */
static inline void ldms_set_drop(struct ldms_samp *sp, struct ldms_set *set)
{
	ldms_host->set_drop(sp, set);
}

/* The set is of that job, whatever job_set= says. */
static inline void ldms_set_job(struct ldms_samp *sp, struct ldms_set *set, uint64_t job_id, uint64_t app_id)
{
	ldms_host->set_job(sp, set, job_id, app_id);
}

/* Around the writing of a sample; it is published by the end, or not at all. */
static inline void ldms_begin(struct ldms_samp *sp, struct ldms_set *set)
{
	ldms_host->begin(sp, set);
}

static inline void ldms_end(struct ldms_samp *sp, struct ldms_set *set)
{
	ldms_host->end(sp, set);
}

static inline void ldms_cancel(struct ldms_samp *sp, struct ldms_set *set)
{
	ldms_host->cancel(sp, set);
}

/* A value of that type.  DATA between begin and end, META at any time.  An index or a type that is wrong is logged, and
 * nothing is written. */
static inline void ldms_put_u64(struct ldms_set *set, int i, uint64_t v)
{
	ldms_host->put_u64(set, i, v);
}

static inline void ldms_put_s64(struct ldms_set *set, int i, int64_t v)
{
	ldms_host->put_s64(set, i, v);
}

static inline void ldms_put_d64(struct ldms_set *set, int i, double v)
{
	ldms_host->put_d64(set, i, v);
}

/* Any scalar, array or text, `len` bytes as they stand in memory; what is left of an array becomes 0. */
static inline void ldms_put_bytes(struct ldms_set *set, int i, const void *p, size_t len)
{
	ldms_host->put_bytes(set, i, p, len);
}

/* A list is emptied and filled anew in each sample.  NULL: it is full. */
static inline void ldms_list_clear(struct ldms_set *set, int list)
{
	ldms_host->list_clear(set, list);
}

static inline struct ldms_record *ldms_list_append(struct ldms_set *set, int list, int record)
{
	return ldms_host->list_append(set, list, record);
}

static inline void ldms_record_put_u64(struct ldms_set *set, struct ldms_record *r, int member, uint64_t v)
{
	ldms_host->record_put_u64(set, r, member, v);
}

static inline void ldms_record_put_s64(struct ldms_set *set, struct ldms_record *r, int member, int64_t v)
{
	ldms_host->record_put_s64(set, r, member, v);
}

static inline void ldms_record_put_d64(struct ldms_set *set, struct ldms_record *r, int member, double v)
{
	ldms_host->record_put_d64(set, r, member, v);
}

static inline void ldms_record_put_text(struct ldms_set *set, struct ldms_record *r, int member, const char *text,
					size_t len)
{
	ldms_host->record_put_text(set, r, member, text, len);
}

/* -- streams and messages ------------------------------------------------------------------------------------------ */

/* fn is called with each message of that name (channels: of names that match, if `regex`), as sample() is and never
 * beside it, also before the instance is started. */
static inline int ldms_subscribe(struct ldms_samp *sp, uint32_t via, const char *name, bool regex, ldms_msg_fn fn,
				 struct ldms_err *err)
{
	return ldms_host->subscribe(sp, via, name, regex, fn, err);
}

static inline int ldms_publish(struct ldms_samp *sp, enum ldms_via via, const char *name, bool json, const char *text,
			       struct ldms_err *err)
{
	return ldms_host->publish(sp, via, name, json, text, err);
}

#ifdef __cplusplus
}
#endif

#endif
