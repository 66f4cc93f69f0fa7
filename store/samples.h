/* samples.h - rows as a message of Prometheus's remote write has them: for each value a time series of one sample.
 *
 *   WriteRequest  { repeated TimeSeries timeseries = 1 }
 *   TimeSeries    { repeated Label labels = 1; repeated Sample samples = 2 }      labels in order of their names
 *   Label         { string name = 1; string value = 2 }
 *   Sample        { double value = 1; int64 timestamp = 2 }                       milliseconds
 *
 * A message of several rows is their bytes behind each other: so has protobuf repeated members.
 *
 * The name is PREFIX SCHEMA _ METRIC; the producer is the label hostname, tags (series.h) are labels by their names, and
 * an element of an array has the label `index`.  In names, what Prometheus does not take becomes _.  All values are
 * doubles: a timestamp is seconds, a char its number; texts that are no tags have no place and are left out.
 */
#ifndef STORE_SAMPLES_H
#define STORE_SAMPLES_H

#include "store/series.h"

struct samples_conf {
	struct series_conf series;
	const char *prefix;
};

struct samples_shape;

struct samples_shape *samples_shape_new(const struct samples_conf *conf,
					const struct row_schema *rs); /* borrows conf */
void samples_shape_free(void *shape);
const struct row_schema *samples_shape_schema(const void *shape);
/* Append the row.  False: there is not one value in it. */
bool samples_put(struct samples_shape *sh, const struct row *row, struct buf *to);
/* What tells the last row that was put from others of its time; of *ret_len bytes. */
const void *samples_key(const struct samples_shape *sh, size_t *ret_len);

#endif
