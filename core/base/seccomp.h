/* seccomp.h - system calls that a daemon never makes, taken away from it. */
#ifndef CORE_BASE_SECCOMP_H
#define CORE_BASE_SECCOMP_H

#include "core/base/err.h"

/* From here on the calls of seccomp.c's table fail with EPERM, in this thread and those that it makes later; a call of
 * another machine's kind ends the process.  Wants no_new_privs.  -ENOSYS: this kernel, or this machine, has none. */
int seccomp_enter(struct err *err);

#endif
