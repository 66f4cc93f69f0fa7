/* record.c - a control record as a peer may send it: header, attributes, and the checks of the verb that it names.
 * Reaches record_parse(), record_attrs(), ctl_check() and what ldmsd says of attributes (words.c). */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/ctl/record.h"
#include "core/ctl/verb.h"
#include "core/ctl/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say(const struct verb *v, const struct ctl_arg *args, size_t n)
{
	struct err err = { "" };

	for (const struct attr_use *u = v->attrs; u && u->name; u++) {
		words_missing(v, u, -EINVAL, &err);
		for (size_t i = 0; i < n; i++)
			if (args[i].id == u->id && args[i].value)
				words_bad(v, u, args[i].value, -EINVAL, &err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { "" };
	struct record rec;
	struct record_attr attrs[64];
	struct ctl_arg args[64];
	const struct verb *v;
	size_t sum = 0;
	int n;

	if (record_parse(data, size, &rec, &err))
		return 0;
	n = record_attrs(rec.body, rec.body_len, attrs, 64, &err);
	for (int i = 0; i < n; i++) {
		args[i] = (struct ctl_arg){ .id = attrs[i].id, .value = attrs[i].value };
		sum += attrs[i].value ? strlen(attrs[i].value) + 1 == attrs[i].len : 0;
	}
	v = verb_by_id((uint16_t)rec.code);
	if (v && n >= 0) {
		ctl_check(v, args, (size_t)n, &err);
		say(v, args, (size_t)n);
	}
	return sum > 1000 ? -1 : 0;
}
