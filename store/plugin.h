/* ldms/store.h - to write a store for `ldms` outside of its tree: ldms-store(3).
 *
 * A store is a shared object that needs nothing but this file:
 *
 *	cc -shared -fPIC -o lines.so lines.c
 *
 * and is used by `load name=lines path=/usr/lib/ldms/lines.so` and a storage policy with `plugin=lines`.  It defines one
 * struct ldms_store_plugin by LDMS_STORE(...), and calls the functions below, which ask the daemon through a table that
 * it hands over.
 *
 *	instance (struct ldms_store)	what `load` makes and `config` gives attributes
 *	sink (struct ldms_sink)		a container of an instance, opened for one policy
 *	table (struct ldms_table)	the rows of one shape in a sink: names and types of columns
 *	row (struct ldms_row)		a row of a table; only while row() lasts
 *
 * Each of the first three has memory of the store's (the sizes below), zero at first, and freed behind the function that
 * ends it.
 *
 * config() and fini() must not wait.  The others are called on a thread that may: only this policy is late then.  Those
 * of one sink are called one at a time; those of two sinks of an instance may be called at once.  Functions return 0, or
 * a negative errno with words for the operator: `return ldms_store_error(err, -EIO, "%s: is full; make room", path)`.
 *
 * This file grows at the ends of its tables only: what was built for an older one goes on working.
 */
#ifndef LDMS_STORE_H
#define LDMS_STORE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LDMS_STORE_ABI 1 /* what an object is built for and a daemon takes; changes only when tables do otherwise */

struct ldms_store;
struct ldms_sink;
struct ldms_table;
struct ldms_row;
struct ldms_err; /* takes words */

/* Types of columns: numbers of the wire, which never change. */
enum ldms_col_type {
	LDMS_COL_CHAR = 1,
	LDMS_COL_U8,
	LDMS_COL_S8,
	LDMS_COL_U16,
	LDMS_COL_S16,
	LDMS_COL_U32,
	LDMS_COL_S32,
	LDMS_COL_U64,
	LDMS_COL_S64,
	LDMS_COL_F32,
	LDMS_COL_D64,
	LDMS_COL_TEXT, /* char[] */
	LDMS_COL_U8_ARRAY,
	LDMS_COL_S8_ARRAY,
	LDMS_COL_U16_ARRAY,
	LDMS_COL_S16_ARRAY,
	LDMS_COL_U32_ARRAY,
	LDMS_COL_S32_ARRAY,
	LDMS_COL_U64_ARRAY,
	LDMS_COL_S64_ARRAY,
	LDMS_COL_F32_ARRAY,
	LDMS_COL_D64_ARRAY,
	LDMS_COL_TIME = 28, /* seconds and microseconds since 1970; or a duration */
};

enum ldms_col_what {
	LDMS_COL_METRIC,
	LDMS_COL_TAKEN, /* when the sample was taken */
	LDMS_COL_DURATION,
	LDMS_COL_PRODUCER,
	LDMS_COL_INSTANCE,
};

/* More types and kinds may come: what a store does not know it can refuse, or take its text. */
struct ldms_col {
	const char *name; /* no other column of the table has it: the second of two becomes NAME_2 */
	uint32_t type;    /* enum ldms_col_type */
	uint32_t what;    /* enum ldms_col_what */
	uint32_t count;   /* elements of an array, bytes of a text; else 1 */
};

struct ldms_time {
	uint32_t sec, usec;
};

struct ldms_store_attr { /* of `config` */
	const char *name;
	const char *dflt; /* in words; NULL: required or none */
	const char *help; /* always */
};

enum ldms_store_level { LDMS_STORE_DEBUG, LDMS_STORE_NOTE, LDMS_STORE_WARNING, LDMS_STORE_ERROR };

/* -- what a store is ----------------------------------------------------------------------------------------------- */

struct ldms_store_plugin {
	uint32_t abi, size, host_size;       /* LDMS_STORE() fills these in */
	const char *name;                    /* what kind of store it is: a word */
	const char *brief;                   /* one line */
	const struct ldms_store_attr *attrs; /* ended by a row without name; or NULL */
	const char *dir_attr, *file_attr;    /* the attribute that is a folder, or a file, that it writes; or NULL */
	size_t store_size, sink_size,
		table_size; /* bytes of ldms_store_state(), ldms_sink_state(), ldms_table_state() */
	/* All but row() may be NULL, where there is nothing to do.  What a function that fails has begun it undoes. */
	/* Take over the attributes.  Looks at nothing else, and does not wait. */
	int (*config)(struct ldms_store *st, struct ldms_err *err);
	/* Open ldms_sink_container() for a policy.  Tried again later when it fails. */
	int (*open)(struct ldms_sink *sk, struct ldms_err *err);
	/* The first row of a table is about to come.  Tried again later when it fails; -EINVAL: such rows can never be
	 * taken. */
	int (*table)(struct ldms_table *t, struct ldms_err *err);
	/* Take one row; it may be kept in (bounded) memory until flush().  Failed: the row was not taken, and it is
	 * offered again later; -EINVAL: rows of this table can never be taken: they are dropped and counted. */
	int (*row)(struct ldms_sink *sk, const struct ldms_row *row, struct ldms_err *err);
	/* 0: all rows that were taken are safe against the end of this process.  Failed: what was taken stays the
	 * store's, and flush() is called again later. */
	int (*flush)(struct ldms_sink *sk, struct ldms_err *err);
	/* Undo table(). */
	void (*table_end)(struct ldms_table *t);
	/* Undo open(); flush() was called, in vain perhaps; the tables have ended. */
	void (*close)(struct ldms_sink *sk);
	/* Undo config(). */
	void (*fini)(struct ldms_store *st);
};

/* -- what it may ask: use the functions below ---------------------------------------------------------------------- */

struct ldms_store_host {
	uint32_t abi, size;
	int (*error)(struct ldms_err *err, int rc, const char *fmt, va_list ap);
	void (*log)(const struct ldms_store *st, int level, const char *fmt, va_list ap);
	void *(*store_state)(struct ldms_store *st);
	const char *(*store_name)(const struct ldms_store *st);
	const char *(*store_attr)(const struct ldms_store *st, const char *name);
	int (*store_attr_u64)(const struct ldms_store *st, const char *name, uint64_t dflt, uint64_t *ret,
			      struct ldms_err *err);
	void *(*sink_state)(struct ldms_sink *sk);
	struct ldms_store *(*sink_store)(const struct ldms_sink *sk);
	const char *(*sink_container)(const struct ldms_sink *sk);
	void (*sink_refused)(struct ldms_sink *sk, uint64_t rows, const char *fmt, va_list ap);
	void *(*table_state)(struct ldms_table *t);
	struct ldms_sink *(*table_sink)(const struct ldms_table *t);
	const char *(*table_name)(const struct ldms_table *t);
	const char *(*table_digest)(const struct ldms_table *t);
	uint32_t (*table_cols)(const struct ldms_table *t);
	const struct ldms_col *(*table_col)(const struct ldms_table *t, uint32_t i);
	const char *(*table_index)(const struct ldms_table *t, uint32_t i, const uint32_t **ret_cols, uint32_t *ret_n);
	struct ldms_table *(*row_table)(const struct ldms_row *row);
	struct ldms_time (*row_taken)(const struct ldms_row *row);
	const char *(*row_producer)(const struct ldms_row *row);
	const char *(*row_instance)(const struct ldms_row *row);
	uint32_t (*row_count)(const struct ldms_row *row, uint32_t col);
	uint64_t (*row_u64)(const struct ldms_row *row, uint32_t col, uint32_t elem);
	int64_t (*row_s64)(const struct ldms_row *row, uint32_t col, uint32_t elem);
	double (*row_d64)(const struct ldms_row *row, uint32_t col, uint32_t elem);
	struct ldms_time (*row_time)(const struct ldms_row *row, uint32_t col);
	const char *(*row_bytes)(const struct ldms_row *row, uint32_t col, size_t *ret_len);
	size_t (*row_text)(const struct ldms_row *row, uint32_t col, char *out, size_t size);
	size_t (*row_json)(const struct ldms_row *row, char *out, size_t size);
};

/* What the daemon looks for in the object; it sets the second before it calls anything. */
extern __attribute__((visibility("default"))) const struct ldms_store_plugin ldms_store_plugin;
extern __attribute__((visibility("default"))) const struct ldms_store_host *ldms_store_host;

/* Once in a store:  LDMS_STORE(.name = "lines", .brief = "...", .open = lines_open, ...);  */
#define LDMS_STORE(...)                                                                                                \
	const struct ldms_store_host *ldms_store_host;                                                                 \
	const struct ldms_store_plugin ldms_store_plugin = { .abi = LDMS_STORE_ABI,                                    \
							     .size = sizeof(struct ldms_store_plugin),                 \
							     .host_size = sizeof(struct ldms_store_host),              \
							     __VA_ARGS__ }

/* -- words --------------------------------------------------------------------------------------------------------- */

/* Returns rc.  The words name the object, what happened, and what to do. */
__attribute__((format(printf, 3, 4))) static inline int ldms_store_error(struct ldms_err *err, int rc, const char *fmt,
									 ...)
{
	va_list ap;

	va_start(ap, fmt);
	rc = ldms_store_host->error(err, rc, fmt, ap);
	va_end(ap);
	return rc;
}

/* The instance's name stands in front.  Failures want none: the daemon says them, once. */
__attribute__((format(printf, 3, 4))) static inline void
ldms_store_log(const struct ldms_store *st, enum ldms_store_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ldms_store_host->log(st, level, fmt, ap);
	va_end(ap);
}

/* -- the instance -------------------------------------------------------------------------------------------------- */

static inline void *ldms_store_state(struct ldms_store *st)
{
	return ldms_store_host->store_state(st);
}

static inline const char *ldms_store_name(const struct ldms_store *st)
{
	return ldms_store_host->store_name(st);
}

/* An attribute's value, NULL when the operator gave none; as a number. */
static inline const char *ldms_store_attr(const struct ldms_store *st, const char *name)
{
	return ldms_store_host->store_attr(st, name);
}

static inline int ldms_store_attr_u64(const struct ldms_store *st, const char *name, uint64_t dflt, uint64_t *ret,
				      struct ldms_err *err)
{
	return ldms_store_host->store_attr_u64(st, name, dflt, ret, err);
}

/* -- the sink ------------------------------------------------------------------------------------------------------ */

static inline void *ldms_sink_state(struct ldms_sink *sk)
{
	return ldms_store_host->sink_state(sk);
}

static inline struct ldms_store *ldms_sink_store(const struct ldms_sink *sk)
{
	return ldms_store_host->sink_store(sk);
}

static inline const char *ldms_sink_container(const struct ldms_sink *sk)
{
	return ldms_store_host->sink_container(sk);
}

/* So many of the rows that were taken are refused for good by what stands behind the store: they are lost, and counted
 * in the policy's status.  The words say why.  To be called in row() or flush(), which go on. */
__attribute__((format(printf, 3, 4))) static inline void ldms_sink_refused(struct ldms_sink *sk, uint64_t rows,
									   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ldms_store_host->sink_refused(sk, rows, fmt, ap);
	va_end(ap);
}

/* -- tables -------------------------------------------------------------------------------------------------------- */

static inline void *ldms_table_state(struct ldms_table *t)
{
	return ldms_store_host->table_state(t);
}

static inline struct ldms_sink *ldms_table_sink(const struct ldms_table *t)
{
	return ldms_store_host->table_sink(t);
}

/* The schema's name, or what the decomposition calls the rows; tables of one name may differ in their columns. */
static inline const char *ldms_table_name(const struct ldms_table *t)
{
	return ldms_store_host->table_name(t);
}

/* 64 hexadecimal digits: another digest, other columns. */
static inline const char *ldms_table_digest(const struct ldms_table *t)
{
	return ldms_store_host->table_digest(t);
}

/* How many columns; the i-th.  Those of a policy with a decomposition are what that says; else the first two are
 * `timestamp` and `producer`, and the metrics follow. */
static inline uint32_t ldms_table_cols(const struct ldms_table *t)
{
	return ldms_store_host->table_cols(t);
}

static inline const struct ldms_col *ldms_table_col(const struct ldms_table *t, uint32_t i)
{
	return ldms_store_host->table_col(t, i);
}

/* The i-th index that a decomposition wants: its name, and which columns are the key.  NULL behind the last one. */
static inline const char *ldms_table_index(const struct ldms_table *t, uint32_t i, const uint32_t **ret_cols,
					   uint32_t *ret_n)
{
	return ldms_store_host->table_index(t, i, ret_cols, ret_n);
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

static inline struct ldms_table *ldms_row_table(const struct ldms_row *row)
{
	return ldms_store_host->row_table(row);
}

/* Of the set that the row comes from: when it was sampled, whose it is, its name.  Every row has these, with or without
 * such columns. */
static inline struct ldms_time ldms_row_taken(const struct ldms_row *row)
{
	return ldms_store_host->row_taken(row);
}

static inline const char *ldms_row_producer(const struct ldms_row *row)
{
	return ldms_store_host->row_producer(row);
}

static inline const char *ldms_row_instance(const struct ldms_row *row)
{
	return ldms_store_host->row_instance(row);
}

/* How many elements the value has, bytes of a text; 0: there is no value. */
static inline uint32_t ldms_row_count(const struct ldms_row *row, uint32_t col)
{
	return ldms_store_host->row_count(row, col);
}

/* Element `elem` (0 of a scalar) as a number, converted if need be; 0 where there is none. */
static inline uint64_t ldms_row_u64(const struct ldms_row *row, uint32_t col, uint32_t elem)
{
	return ldms_store_host->row_u64(row, col, elem);
}

static inline int64_t ldms_row_s64(const struct ldms_row *row, uint32_t col, uint32_t elem)
{
	return ldms_store_host->row_s64(row, col, elem);
}

static inline double ldms_row_d64(const struct ldms_row *row, uint32_t col, uint32_t elem)
{
	return ldms_store_host->row_d64(row, col, elem);
}

/* Of a LDMS_COL_TIME. */
static inline struct ldms_time ldms_row_time(const struct ldms_row *row, uint32_t col)
{
	return ldms_store_host->row_time(row, col);
}

/* A text as it stands, without a NUL behind; "" for what is none. */
static inline const char *ldms_row_bytes(const struct ldms_row *row, uint32_t col, size_t *ret_len)
{
	return ldms_store_host->row_bytes(row, col, ret_len);
}

/* Any value as text, cut at `size` and ended by a NUL, as snprintf() does; returns how long it is uncut.  Numbers with
 * as many digits as give the same number back, times as 1795187393.001651, elements of arrays between commas; "" where
 * there is no value. */
static inline size_t ldms_row_text(const struct ldms_row *row, uint32_t col, char *out, size_t size)
{
	return ldms_store_host->row_text(row, col, out, size);
}

/* The whole row as one object of JSON on one line, {"timestamp":1795187393.001651,"producer":"n1","load1min":0.54,...}:
 * what is no value is null, arrays are arrays.  Cut and ended as above. */
static inline size_t ldms_row_json(const struct ldms_row *row, char *out, size_t size)
{
	return ldms_store_host->row_json(row, out, size);
}

#ifdef __cplusplus
}
#endif

#endif
