/* munge_lib.h - libmunge, opened on first use: a daemon that does not use it does not pay for it, and a machine without
 * it is told so when somebody asks for it. */
#ifndef XPRT_MUNGE_LIB_H
#define XPRT_MUNGE_LIB_H

#include <munge.h>

#include "core/base/err.h"

struct munge_lib {
	__typeof__(&munge_ctx_create) ctx_create;
	__typeof__(&munge_ctx_destroy) ctx_destroy;
	__typeof__(&munge_ctx_get) ctx_get;
	__typeof__(&munge_ctx_set) ctx_set;
	__typeof__(&munge_ctx_strerror) ctx_strerror;
	__typeof__(&munge_decode) decode;
	__typeof__(&munge_encode) encode;
	__typeof__(&munge_strerror) strerror;
};

/* Any thread.  -ENOENT with words when it is not installed. */
int munge_lib(const struct munge_lib **ret, struct err *err);

#endif
