/* value_json.h - one value as JSON: numbers, strings (char, char[]), arrays, and an object for each record. */
#ifndef CORE_SET_VALUE_JSON_H
#define CORE_SET_VALUE_JSON_H

#include "core/base/buf.h"
#include "core/set/image.h"

/* Append the value `v` of that image; what is unavailable becomes null. */
void value_json_put(struct buf *to, const struct image *im, struct value v);

#endif
