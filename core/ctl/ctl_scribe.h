/* ctl_scribe.h - what ctl_plugin.c and its like hand on for stores of messages. */
#ifndef CORE_CTL_CTL_SCRIBE_H
#define CORE_CTL_CTL_SCRIBE_H

#include "core/ctl/verb.h"
#include "core/daemon/daemon.h"

struct scribe_node *ctl_scribe_find(struct ctl *c, const char *name);
void ctl_scribe_load(struct ctl *c, const struct scribe_type *type, const char *name);
int ctl_scribe_config(struct ctl *c, struct scribe_node *n, const struct kv *attrs, struct err *err);
void ctl_scribe_term(struct ctl *c, struct scribe_node *n);
/* Its members of plugn_status, and its part of `usage`. */
void ctl_scribe_status(struct ctl *c, struct scribe_node *n);

#endif
