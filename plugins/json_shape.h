/* json_shape.h - the shape of a set that holds a JSON object: what json_stream_sampler makes its sets by.
 *
 *	5, 1.5, true, "x"        s64, d64, s8, char[JSON_TEXT_SIZE] (longer texts are cut)
 *	[1, 2]                   list<> of s64, d64, s8 or char[]; whole and other numbers together are d64
 *	{"a": 1}                 a record type NAME_record, and NAME: an array of one such record
 *	[{"a": 1}, {"a": 2}]     a record type NAME_record, and NAME: a list of such records
 *	null, []                 nothing
 *
 * In a record, numbers in [] are an array, and what is deeper is its JSON text.  An attribute NAME_max_len beside NAME
 * says for how many entries the list has room from the beginning.  The attribute `schema` is the last metric; the others
 * are in the order of the object.
 */
#ifndef PLUGINS_JSON_SHAPE_H
#define PLUGINS_JSON_SHAPE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/base/err.h"
#include "core/set/schema.h"
#include "core/set/set.h"

#define JSON_TEXT_SIZE 256 /* bytes of a text, with its NUL */

enum json_form { JSON_NOTHING_, JSON_VALUE_, JSON_LIST_, JSON_RECORD_, JSON_RECORDS_ };

struct json_attr {
	char *name;
	enum json_form form;
	enum value_type type;      /* of a value, a list's entries, or a record's member */
	uint32_t count;            /* elements of one */
	uint32_t room;             /* entries of a list */
	struct json_attr *members; /* of its records */
	size_t n_members;
	int metric, record; /* in the schema that was built last */
};

struct json_shape {
	struct json_attr *v;
	size_t n;
};

void json_shape_fini(struct json_shape *sh);
/* A shape that holds what `old` does, and `object`, too: true, and *ret is that new one; false: `old` does.  -EINVAL with
 * words about what no set can hold. */
int json_shape_learn(const struct json_shape *old, const json_t *object, struct json_shape *ret, struct err *err);
/* Its metrics, behind those that the schema has; the lists together have at least `heap` bytes. */
int json_shape_build(struct json_shape *sh, struct schema *s, uint64_t heap, struct err *err);
/* The values of an object that was learned, into a set of that schema, between begin and end. */
void json_shape_fill(const struct json_shape *sh, struct set *set, const json_t *object);

#endif
