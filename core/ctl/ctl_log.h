/* ctl_log.h - the log's settings, for verbs that have them among others. */
#ifndef CORE_CTL_CTL_LOG_H
#define CORE_CTL_CTL_LOG_H

#include "core/base/err.h"

/* -EINVAL in ldmsd's words for what are no levels; name and regex may be NULL. */
int ctl_log_levels(const char *words, const char *name, const char *regex, struct err *err);

#endif
