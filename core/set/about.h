/* about.h - what the metrics of a schema are, for people and for the exporter: kind and help.  Not on the wire: a mirror
 * has none (samp_metric_find() knows those of the samplers of this program).
 */
#ifndef CORE_SET_ABOUT_H
#define CORE_SET_ABOUT_H

#include <stdatomic.h>

#include "core/set/schema.h"

struct about;

struct metric_about {
	enum metric_kind kind;
	const char *help;      /* static; NULL: nobody said */
	struct about *members; /* of a record type; NULL: nobody said anything of them */
};

/* One for all sets of a schema; shared, and never changed. */
struct about {
	atomic_uint refs;
	uint32_t n; /* the schema's card, or a record's members */
	struct metric_about v[];
};

/* NULL when nothing was said of any metric. */
struct about *about_new(const struct schema *s);
struct about *about_get(struct about *a); /* NULL is fine, here and below */
void about_put(struct about *a);
bool about_equal(const struct about *a, const struct about *b);

struct set;
/* Of a set's metric, or of member m of its record type i; NULL: nobody said. */
const struct metric_about *set_about(const struct set *s, uint32_t i);
const struct metric_about *set_about_member(const struct set *s, uint32_t i, uint32_t m);
/* Use the table of a set that says the same: a thousand sets of one schema have one.  Before others know of `s`. */
void set_about_share(struct set *s, const struct set *like);

#endif
