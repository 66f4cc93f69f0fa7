/* test_attrs.h - the schemas that attributes of test_sampler describe: see test_grammar.h for metrics=. */
#ifndef PLUGINS_TEST_ATTRS_H
#define PLUGINS_TEST_ATTRS_H

#include "plugins/samp.h"
#include "plugins/test_grammar.h"

/* Each adds to the schema; -EINVAL with words about the attribute that makes no sense.
 * num_metrics=, type=, init_value=: metric_0, metric_1, ... */
int test_attrs_metrics(struct samp *sp, struct test_schema *ts, struct err *err);
/* metrics=, or those with component_id and job_id in front. */
int test_attrs_schema(struct samp *sp, struct test_schema *ts, struct err *err);
/* value_types=, min_len=, max_len=: a list of each type. */
int test_attrs_lists(struct samp *sp, struct test_schema *ts, struct err *err);

#endif
