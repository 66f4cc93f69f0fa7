/* munge_lib.c - see munge_lib.h */
#include "xprt/munge_lib.h"

#include <stddef.h>

#include "core/base/library.h"

#define FUNCTIONS(X) X(ctx_create) X(ctx_destroy) X(ctx_get) X(ctx_set) X(ctx_strerror) X(decode) X(encode) X(strerror)

#ifdef LDMS_STATIC /* no libraries can be opened: it is linked in */

int munge_lib(const struct munge_lib **ret, struct err *err)
{
#define X(n) .n = munge_##n,
	static const struct munge_lib lib = { FUNCTIONS(X) };
#undef X

	*ret = &lib;
	return 0;
}

#else

static struct munge_lib table;
static struct library library = {
	.files = (const char *const[]){ "libmunge.so.2", NULL },
	.functions =
		(const char *const[]){
#define X(n) "munge_" #n,
			FUNCTIONS(X) NULL
#undef X
		},
	.table = &table,
	.package = "libmunge",
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

int munge_lib(const struct munge_lib **ret, struct err *err)
{
	int rc = library_get(&library, err);

	if (!rc)
		*ret = &table;
	return rc;
}

#endif
