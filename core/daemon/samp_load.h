/* samp_load.h - samplers out of shared objects: plugins/sampler.h is what they are written with. */
#ifndef CORE_DAEMON_SAMP_LOAD_H
#define CORE_DAEMON_SAMP_LOAD_H

#include "plugins/samp.h"

/* The sampler in that file; it stays until the process ends, and is the same for the same path.  NULL with words: the
 * file, or what it was built for, does not fit (-ENOENT, -EPERM, -ENOEXEC, -EPROTONOSUPPORT in *ret_rc). */
const struct samp_type *samp_load(const char *path, int *ret_rc, struct err *err);

#endif
