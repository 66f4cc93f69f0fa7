/* decomp_flex.h - what a flex holds: decomp_flex_read.c reads it, decomp_flex.c chooses by it */
#ifndef STORE_DECOMP_FLEX_H
#define STORE_DECOMP_FLEX_H

#include "core/base/regex.h"
#include "store/decomp_impl.h"

/* Which decompositions: a bool for each. */
struct digest_rule {
	char hex[2 * DIGEST_LEN + 1]; /* "*": others */
	bool *apply;
};

struct match {
	struct rx schema, instance;
	bool has_schema, has_instance;
	bool *apply;
};

struct flex {
	struct decomp d;
	char **names;
	struct decomp **decomps; /* the last one has no name: as it is */
	uint32_t n, n_digests, n_matches;
	struct digest_rule *digests;
	struct match *matches;
	bool *dflt; /* NULL: none is given */
};

int flex_read(struct decomp *d, const struct jat *at, struct err *err);

#endif
