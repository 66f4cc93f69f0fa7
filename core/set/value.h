/* value.h - the types of values in a metric set, and reading one value.
 *
 * Numbers, names and sizes are the wire's (man ldms-wire, "value types").  All integers in a set are little endian.
 */
#ifndef CORE_SET_VALUE_H
#define CORE_SET_VALUE_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum value_type {
	V_NONE = 0,
	V_CHAR = 1,
	V_U8 = 2,
	V_S8 = 3,
	V_U16 = 4,
	V_S16 = 5,
	V_U32 = 6,
	V_S32 = 7,
	V_U64 = 8,
	V_S64 = 9,
	V_F32 = 10,
	V_D64 = 11,
	V_CHAR_ARRAY = 12,
	V_U8_ARRAY = 13,
	V_S8_ARRAY = 14,
	V_U16_ARRAY = 15,
	V_S16_ARRAY = 16,
	V_U32_ARRAY = 17,
	V_S32_ARRAY = 18,
	V_U64_ARRAY = 19,
	V_S64_ARRAY = 20,
	V_F32_ARRAY = 21,
	V_D64_ARRAY = 22,
	V_LIST = 23,
	V_LIST_ENTRY = 24, /* inside lists only; never a metric */
	V_RECORD_TYPE = 25,
	V_RECORD_INST = 26, /* a list's entry */
	V_RECORD_ARRAY = 27,
	V_TIMESTAMP = 28,
	V_TYPE_MAX = 28,
};

#define VALUE_ROUND(n) (((n) + 7) & ~(size_t)7) /* every value takes a multiple of 8 bytes */

/* "u64", "char[]", "list<>", ...; "none" for what is no type. */
const char *value_type_name(enum value_type t);
/* The other way; V_NONE when the word names no type. */
enum value_type value_type_find(const char *name);
/* Bytes of a scalar or of one element of an array; 0 for lists and records. */
size_t value_elem_size(enum value_type t);
bool value_is_array(enum value_type t); /* char[] ... d64[] */
/* The type of an array's elements (V_U8_ARRAY -> V_U8); other types are themselves. */
enum value_type value_elem_type(enum value_type t);
/* Bytes that `count` elements of type t take in a set, rounded up; lists and records: see schema.h. */
size_t value_size(enum value_type t, uint32_t count);

/* A value in place: where it stands, what it is, how many.  The memory is a snapshot's (image.h) and was checked. */
struct value {
	enum value_type type;
	uint32_t count;   /* elements of an array; 1 for a scalar */
	const uint8_t *p; /* any alignment */
};

/* Element i of a scalar or an array; 0 where there is none.  Integers convert by C's rules; floating point to the
 * nearest integer there is, NaN to 0; a timestamp is its seconds (value_d64: with the fraction). */
uint64_t value_u64(struct value v, uint32_t i);
int64_t value_s64(struct value v, uint32_t i);
double value_d64(struct value v, uint32_t i);
/* A timestamp. */
struct value_time {
	uint32_t sec, usec;
};
struct value_time value_time(struct value v);
/* The text of a char[] (or char): up to its NUL or its end; borrowed, not NUL-terminated.  Returns the length. */
size_t value_text(struct value v, const char **ret);

#endif
