/* decomp_fill.c - values that stand in for what is missing, from JSON */
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/decomp_impl.h"

static int text_fill(struct value *ret, enum value_type type, const json_t *v, struct err *err)
{
	const char *text = json_string_value(v);

	if (type != V_CHAR && type != V_CHAR_ARRAY)
		return err_set(err, -EINVAL, "string value must have 'char' or 'char_array' type.");
	*ret = (struct value){ type, type == V_CHAR ? 1 : (uint32_t)json_string_length(v) + 1,
			       (const uint8_t *)xstrdup(text) };
	return 0;
}

static int number_put(uint8_t *at, enum value_type type, uint32_t i, const json_t *v, struct err *err)
{
	if (json_is_integer(v) && num_is_float(type))
		num_put_float(at, type, i, (double)json_integer_value(v));
	else if (json_is_integer(v))
		num_put_int(at, type, i,
			    type == V_TIMESTAMP ? (__int128)json_integer_value(v) * 1000000 : json_integer_value(v));
	else if (json_is_real(v))
		num_put_float(at, type, i, json_real_value(v));
	else
		return err_set(err, -EINVAL, "Unsupported JSON value.");
	return 0;
}

static int array_fill(struct value *ret, enum value_type type, const json_t *v, struct err *err)
{
	uint32_t n = (uint32_t)json_array_size(v);
	enum value_type elem = value_elem_type(type);
	uint8_t *p = xcalloc(1, value_size(type, n) + 1);
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++)
		rc = number_put(p, elem, i, json_array_get(v, i), err);
	if (rc) {
		free(p);
		return rc;
	}
	*ret = (struct value){ type, n, p };
	return 0;
}

int decomp_fill_read(struct value *ret, enum value_type type, const json_t *v, struct err *err)
{
	uint8_t *p;
	int rc;

	if (json_is_string(v))
		return text_fill(ret, type, v, err);
	if (type == V_CHAR_ARRAY)
		return err_set(err, -EINVAL, "string type must have string value.");
	if (json_is_array(v))
		return value_is_array(type) ? array_fill(ret, type, v, err)
					    : err_set(err, -EINVAL, "array value must have array type.");
	if (value_is_array(type))
		return err_set(err, -EINVAL, "array type must have array value.");
	p = xcalloc(1, value_size(type, 1));
	rc = number_put(p, type, 0, v, err);
	if (rc) {
		free(p);
		return rc;
	}
	*ret = (struct value){ type, 1, p };
	return 0;
}
