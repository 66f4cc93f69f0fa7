/* ctl_prdcr_sub.h - for prdcr_status: what a producer was asked to pass on, and what it said. */
#ifndef CORE_CTL_CTL_PRDCR_SUB_H
#define CORE_CTL_CTL_PRDCR_SUB_H

#include "core/base/buf.h"
#include "core/daemon/prdcr.h"

/* A member "subscriptions" with a comma in front; the producer's loop is held. */
void prdcr_put_wants(struct buf *b, const struct prdcr *p);

#endif
