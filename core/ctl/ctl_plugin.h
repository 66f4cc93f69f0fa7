/* ctl_plugin.h - what other files of this folder need of ctl_plugin.c. */
#ifndef CORE_CTL_CTL_PLUGIN_H
#define CORE_CTL_CTL_PLUGIN_H

#include "core/base/kv.h"
#include "core/daemon/daemon.h"

/* The files that a sampler with these attributes would read are noted for the sandbox, or, when that is closed, -EACCES
 * with words for one that is out of reach. */
int ctl_samp_reads(struct daemon *d, struct samp *sp, const struct kv *attrs, struct err *err);

#endif
