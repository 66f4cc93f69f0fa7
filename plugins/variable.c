/* variable.c - a set that goes, and comes again under another name with another number of metrics, every 4 samples:
 * for tests of what follows sets around */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/samp.h"

#define SAMPLES 4 /* of one set */
#define FORMS   9

struct variable {
	struct set *set;
	uint64_t samples, value;
	unsigned int form; /* metrics; names end with it */
};

static int metrics_add(struct variable *v, struct schema *s, struct err *err)
{
	int rc = schema_add_meta(s, "component_id", V_U64, "", err);

	for (unsigned int i = 0; rc >= 0 && i < v->form; i++) {
		char name[sizeof("metnum4294967295")];

		snprintf(name, sizeof(name), "metnum%u", i);
		rc = schema_add(s, name, V_U64, "", err);
	}
	return rc;
}

static void values_put(struct variable *v)
{
	for (unsigned int i = 0; i < v->form; i++)
		set_u64(v->set, 1 + (int)i, v->value++);
}

/* The set of that form. */
static int form_open(struct samp *sp, struct variable *v, unsigned int form, struct err *err)
{
	const char *given = samp_attr(sp, "schema");
	char *schema = xasprintf("%s%u", given ? given : "variable", form), *suffix = xasprintf("%u", form);
	struct schema *s = schema_new(schema, err);
	int rc = -EINVAL;

	v->form = form;
	if (s)
		rc = metrics_add(v, s, err);
	if (rc < 0) {
		schema_free(s);
		goto out;
	}
	v->set = samp_set_new(sp, s, suffix, err);
	rc = v->set ? 0 : -ENOMEM;
	if (v->set)
		values_put(v);
out:
	free(suffix);
	free(schema);
	return rc;
}

static int variable_open(struct samp *sp, struct err *err)
{
	return form_open(sp, samp_state(sp), 1, err);
}

static int variable_sample(struct samp *sp, struct err *err)
{
	struct variable *v = samp_state(sp);
	int rc;

	if (++v->samples % SAMPLES == 0 || !v->set) {
		samp_set_drop(sp, v->set);
		v->set = NULL;
		rc = form_open(sp, v, v->form % FORMS + 1, err);
		if (rc)
			return rc;
	}
	samp_begin(sp, v->set);
	values_put(v);
	samp_end(sp, v->set);
	return 0;
}

static void variable_close(struct samp *sp)
{
}

const struct samp_type samp_variable = {
	.name = "variable",
	.brief = "a set that comes and goes in other shapes, for tests",
	.source = "a counter",
	.state_size = sizeof(struct variable),
	.open = variable_open,
	.sample = variable_sample,
	.close = variable_close,
};
