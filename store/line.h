/* line.h - rows in the line protocol of InfluxDB:
 *
 *	meminfo,component_id=1,instance=n1/meminfo,job_id=0,producer=n1 MemTotal=263i,share_0=0.5,share_1=1 1795188631002297000
 *
 * The schema, tags in order of their names, fields, the time in nanoseconds.  Integers end in i (u64: as the
 * configuration says); a char is its number; texts are quoted; a timestamp is microseconds since 1970; an array is a
 * field for each element, NAME_0 and so on.  Floats that are no number, or infinite, have no place in it and are left
 * out.  Two fields never have one name, and none that InfluxDB keeps for itself (time): the second is NAME_2.  In names and tags, a backslash in front of , = blank or the end would change what follows: it becomes a slash.
 *
 * The form of ldmsd's store_influx is
 *
 *	meminfo,job_id=0i,component_id=1i app_id=0i,Active_anon_=263i,share=0.500000 1795188631002297000
 *
 * ( ) # : of metrics' names become _, floats have six digits, and arrays and lists are left out.
 */
#ifndef STORE_LINE_H
#define STORE_LINE_H

#include "store/series.h"

enum line_u64 {
	LINE_U64_INT,  /* as all integers; what 63 bits do not hold is the highest number that they do */
	LINE_U64_UINT, /* 17u: InfluxDB 2 and VictoriaMetrics know that */
	LINE_U64_FLOAT,
};

struct line_conf {
	struct series_conf series;
	enum line_u64 u64;
	bool ldmsd; /* its form */
};

struct line_shape; /* what rows of one schema have in common */

struct line_shape *line_shape_new(const struct line_conf *conf, const struct row_schema *rs); /* borrows conf */
void line_shape_free(void *shape);
const struct row_schema *line_shape_schema(const void *shape);
/* Append the row's line; its first *ret_key bytes are the measurement and the tags.  False: there is not one value in it,
 * and so no line. */
bool line_put(const struct line_shape *sh, const struct row *row, struct buf *to, size_t *ret_key);

#endif
