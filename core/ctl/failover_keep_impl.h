/* failover_keep_impl.h - what failover_take.c (records become objects) and failover_keep.c (what happens to them) share. */
#ifndef CORE_CTL_FAILOVER_KEEP_IMPL_H
#define CORE_CTL_FAILOVER_KEEP_IMPL_H

#include "core/ctl/failover_keep.h"
#include "core/ctl/verb.h"

#define KEEP_MAX         65536      /* objects of a kind, and producers of an updater; more are not kept */
#define KEEP_RECORDS_MAX (1u << 20) /* in all, since it was asked: sixteen for each of so many producers */

enum keep_kind { KEEP_STRGP, KEEP_UPDTR, KEEP_PRDCR, KEEP_KINDS }; /* in order of starting */

struct keep_member { /* a producer of an updater */
	struct keep_member *next;
	char name[];
};

struct keep_object {
	enum keep_kind kind;
	bool runs; /* at the peer */
	struct keep_member *members;
	unsigned int members_n;
	struct keep_object *next;
	char name[];
};

struct keeper {
	struct failover_keeper face;
	struct daemon *d;
	struct keep_object *objects; /* the newest first */
	unsigned int n[KEEP_KINDS], records;
};

/* Have a verb carried out, without a note of it: what the peer has is not our configuration. */
int keep_carry_out(struct daemon *d, const char *verb, const struct ctl_arg *args, size_t n, struct err *err);

#endif
