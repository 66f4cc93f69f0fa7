/* schema_impl.h - the fields of a schema, for the files that read them: schema.c schema_record.c digest.c set_new.c. */
#ifndef CORE_SET_SCHEMA_IMPL_H
#define CORE_SET_SCHEMA_IMPL_H

#include <uthash.h>

#include "core/set/schema.h"

/* A metric, or a member of a record. */
struct schema_metric {
	enum value_type type;
	uint8_t flags;                  /* enum metric_flag */
	uint32_t count;                 /* as in the descriptor */
	int record;                     /* record array: the index of its record type */
	enum metric_kind kind;
	const char *help;               /* borrowed for ever */
	const char *unit;               /* behind the name; NULL: none */
	struct schema_metric **members; /* of a record type */
	uint32_t member_n, inst_sz;
	uint32_t index;    /* in the schema */
	UT_hash_handle hh; /* by name; members: not used */
	char name[];       /* NUL, unit, NUL */
};

struct schema {
	char *name;
	struct schema_metric **metrics;
	uint32_t card, room;
	uint32_t array_card;
	size_t meta_sz; /* of descriptors, dictionary entries and META values: what the metrics add to the fixed part */
	size_t value_sz; /* of the DATA values in one element */
	size_t heap_sz;  /* what the lists reserve */
	struct schema_metric *by_name;
	const void *tag;
};

/* Bytes of a metric's descriptor. */
size_t schema_desc_sz(const struct schema_metric *m);
/* Bytes of its value: a record type's is its table of members, a list's its head. */
size_t schema_value_sz(const struct schema *s, const struct schema_metric *m);
/* Bytes of the heap that a list has for itself. */
size_t schema_arena_sz(const struct schema_metric *list);

/* -- making metrics (schema.c) -- */
/* Names that may go there, and types and counts of plain values: a negative errno with words. */
int schema_metric_name_check(const struct schema *s, const char *name, const char *unit, struct err *err);
int schema_plain_check(const struct schema *s, const char *name, enum value_type t, uint32_t count, struct err *err);
struct schema_metric *schema_metric_new(const char *name, enum value_type t, uint8_t flags, uint32_t count,
					const char *unit);
void schema_metric_free(struct schema_metric *m);
void schema_metric_about_set(struct schema_metric *m, enum metric_kind kind, const char *help);
/* Takes the metric, also when that fails; its index, or a negative errno. */
int schema_take(struct schema *s, struct schema_metric *m, struct err *err);

#endif
