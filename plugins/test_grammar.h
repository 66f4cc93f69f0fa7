/* test_grammar.h - the schemas of test_sampler: what its attribute metrics= says, and sets laid out by it.
 *
 *	name:meta|data:TYPE:INIT:COUNT:UNIT             a number, a text or an array
 *	name:meta|data:record:{MEMBER;MEMBER}:UNIT      a record type; MEMBER is name:TYPE:INIT:COUNT:UNIT
 *	name:data:list:[TYPE:INIT:COUNT]:MAX:UNIT       a list of at most MAX such values
 *	name:data:list:[record:RECORD:]:MAX:UNIT        ... of records of the type RECORD, which stands before
 *	name:data:record_array:RECORD:COUNT:UNIT        an array of records
 *
 * Metrics are separated by commas; another character can take the colon's place.
 */
#ifndef PLUGINS_TEST_GRAMMAR_H
#define PLUGINS_TEST_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/set/schema.h"
#include "core/set/set.h"

struct test_metric {
	char *name, *unit;
	enum value_type type; /* V_RECORD_TYPE and V_RECORD_INST (of a list's entries), too */
	bool meta;
	bool fixed;             /* no sample changes it */
	uint64_t init;          /* what it begins with; of a text its length, which chooses the letter */
	uint32_t count;         /* elements of an array */
	uint32_t min, max;      /* entries of a list */
	struct test_metric *of; /* members of a record, the entry of a list */
	size_t n_of;
	int record; /* which metric is the type of its records */
};

struct test_schema {
	struct test_metric *metrics;
	size_t n;
};

/* Read `text`; -EINVAL with words about the metric that is wrong.  *ret is then empty. */
int test_schema_parse(struct test_schema *ret, const char *text, char delim, struct err *err);
void test_schema_fini(struct test_schema *ts);
/* One more metric, of a type in words ("u64", "U32_ARRAY"); NULL: there is no such type.  For schemas made by hand. */
struct test_metric *test_schema_add(struct test_schema *ts, const char *name, const char *type);
/* A list of such values. */
void test_schema_add_list(struct test_schema *ts, const char *name, const char *type, uint32_t min, uint32_t max);
/* The type of numbers or texts in words: LDMS's ("U64_ARRAY", also with LDMS_V_ in front) or ours ("u64[]"); V_NONE. */
enum value_type test_type_find(const char *word, size_t len);

/* A number to begin with: a fraction is left out. */
bool test_init_parse(const char *text, uint64_t *ret);

/* Its metrics, into a schema of LDMS. */
int test_schema_build(const struct test_schema *ts, struct schema *s, struct err *err);
/* The values of a new set that no sample changes. */
void test_set_init(const struct test_schema *ts, struct set *set);
/* The n-th sample, between begin and end. */
void test_set_fill(const struct test_schema *ts, struct set *set, uint64_t n);

#endif
