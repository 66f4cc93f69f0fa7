/* cluster_fault.h - what `ldms cluster fault` and its list share. */
#ifndef CMD_CLUSTER_FAULT_H
#define CMD_CLUSTER_FAULT_H

#include "cmd/cluster.h"
#include "core/cluster/fault.h"

void fault_json(const struct cluster *c, const struct faults *f, struct buf *b);
void fault_text(const struct cluster *c, const struct faults *f, struct buf *b);

#endif
