/* ctl_plugin.h - what other files of this folder need of ctl_plugin.c. */
#ifndef CORE_CTL_CTL_PLUGIN_H
#define CORE_CTL_CTL_PLUGIN_H

#include "core/base/kv.h"
#include "core/ctl/verb.h"
#include "core/daemon/daemon.h"

/* The files that a sampler (a store) with these attributes would read are noted for the sandbox, or, when that is
 * closed, -EACCES with words for one that is out of reach. */
int ctl_samp_reads(struct daemon *d, struct samp *sp, const struct kv *attrs, struct err *err);
int ctl_store_reads(struct daemon *d, struct store *st, const struct kv *attrs, struct err *err);
/* The same for what a store with these attributes would write: which of them is a folder, or a file (or NULL). */
int ctl_store_paths(struct ctl *c, const char *store, const char *dir_attr, const char *file_attr,
		    const struct kv *attrs, struct err *err);

#endif
