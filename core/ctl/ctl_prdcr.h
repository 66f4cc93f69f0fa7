/* ctl_prdcr.h - what the verbs on producers and on advertisers share: both are a struct prdcr, in tables of their own.
 */
#ifndef CORE_CTL_CTL_PRDCR_H
#define CORE_CTL_CTL_PRDCR_H

#include "core/ctl/verb.h"
#include "core/daemon/prdcr.h"

/* `kind` is what the words call it: "producer", "advertiser". */
int ctl_prdcr_make(struct ctl *c, enum prdcr_type type, struct node **table, struct err *err);
int ctl_prdcr_rail_check(const struct ctl *c, struct err *err);
struct prdcr *ctl_prdcr_find(struct ctl *c, struct node *table, const char *kind, struct err *err);
int ctl_prdcr_run(struct ctl *c, struct prdcr *p, struct err *err);
void ctl_prdcr_halt(struct ctl *c, struct prdcr *p);
/* Each whose name matches the request's regex. */
int ctl_prdcr_each_match(struct ctl *c, void (*fn)(struct ctl *c, struct prdcr *p), struct err *err);
/* Out of its table and away; -EBUSY while it runs. */
int ctl_prdcr_drop(struct ctl *c, struct prdcr *p, struct node **table, const char *kind, struct err *err);
/* advertiser_start with the attributes of advertiser_add: makes it, where there is none of that name. */
int ctl_advert_first(struct ctl *c, struct err *err);

#endif
