/* test_attrs.c - see test_attrs.h */
#include "plugins/test_attrs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"

#define METRICS_MAX  SCHEMA_CARD_MAX
#define LIST_LEN_MAX 1000000

int test_attrs_metrics(struct samp *sp, struct test_schema *ts, struct err *err)
{
	const char *type = samp_attr(sp, "type"), *init = samp_attr(sp, "init_value");
	uint64_t n;
	int rc = attr_range(sp, "num_metrics", 1, 0, METRICS_MAX, &n, err);
	char name[sizeof("metric_18446744073709551615")];
	uint64_t from = 0;

	if (rc)
		return rc;
	if (init && !test_init_parse(init, &from))
		return err_set(err, -EINVAL, "init_value=%s: is no number", init);
	for (uint64_t i = 0; i < n; i++) {
		struct test_metric *m;

		snprintf(name, sizeof(name), "metric_%llu", (unsigned long long)i);
		m = test_schema_add(ts, name, type ? type : "u64");
		if (!m)
			return err_set(err, -EINVAL,
				       "type=%s: is no type; use u8 to d64, char, and u8_array to d64_array", type);
		m->init = from;
	}
	return 0;
}

/* The two that schemas with num_metrics= have in front; their values are the set's. */
static void ids_add(struct test_schema *ts)
{
	test_schema_add(ts, "component_id", "u64")->meta = true;
	test_schema_add(ts, "job_id", "u64");
	for (size_t i = 0; i < ts->n; i++) {
		ts->metrics[i].fixed = true;
		ts->metrics[i].unit[0] = 0;
	}
}

int test_attrs_schema(struct samp *sp, struct test_schema *ts, struct err *err)
{
	const char *text = samp_attr(sp, "metrics"), *delim = samp_attr(sp, "delim");

	if (delim && (strlen(delim) != 1 || strchr(",;{}[]", *delim)))
		return err_set(err, -EINVAL, "delim=%s: must be one character, and none of ,;{}[]", delim);
	if (text && samp_attr_has(sp, "num_metrics"))
		return err_set(err, -EINVAL, "metrics= and num_metrics= are two ways to say it; give one of them");
	if (text)
		return test_schema_parse(ts, text, delim ? *delim : ':', err);
	if (!samp_attr_has(sp, "num_metrics"))
		return err_set(err, -EINVAL, "action=add_schema wants metrics= or num_metrics=");
	ids_add(ts);
	return test_attrs_metrics(sp, ts, err);
}

int test_attrs_lists(struct samp *sp, struct test_schema *ts, struct err *err)
{
	const char *types = samp_attr(sp, "value_types"), *next;
	uint64_t min, max;
	int rc = attr_range(sp, "min_len", 0, 0, LIST_LEN_MAX, &min, err);

	if (!rc)
		rc = attr_range(sp, "max_len", 4, 1, LIST_LEN_MAX, &max, err);
	if (rc)
		return rc;
	if (min > max)
		return err_set(err, -EINVAL, "min_len=%llu: is more than max_len=%llu", (unsigned long long)min,
			       (unsigned long long)max);
	for (types = types ? types : "u64"; types; types = next) {
		size_t n = strcspn(types, ",");
		char *text, *type = xstrndup(types, n);

		next = types[n] ? types + n + 1 : NULL;
		if (test_type_find(types, n) == V_NONE) {
			rc = err_set(err, -EINVAL,
				     "value_types=: '%s' is no type; use u8 to d64, char, and u8_array "
				     "to d64_array",
				     type);
			free(type);
			return rc;
		}
		text = xasprintf("list_%s", type);
		test_schema_add_list(ts, text, type, (uint32_t)min, (uint32_t)max);
		free(text);
		free(type);
	}
	return 0;
}
