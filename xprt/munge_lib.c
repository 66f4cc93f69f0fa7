/* munge_lib.c - see munge_lib.h */
#include "xprt/munge_lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#define LIB_NAME "libmunge.so.2"

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

static int load(struct munge_lib *lib, struct err *err)
{
	void *so = dlopen(LIB_NAME, RTLD_NOW | RTLD_LOCAL);

	if (!so)
		return err_set(err, -ENOENT, "munge is not installed: %s; install the package of libmunge", dlerror());
#define X(n)                                                                                                           \
	lib->n = (__typeof__(lib->n))dlsym(so, "munge_" #n);                                                           \
	if (!lib->n)                                                                                                   \
		return err_set(err, -ENOSYS, LIB_NAME " is of another kind: %s", dlerror());
	FUNCTIONS(X)
#undef X
	return 0; /* it stays for good */
}

int munge_lib(const struct munge_lib **ret, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct munge_lib lib;
	static bool loaded;
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (!loaded)
		rc = load(&lib, err); /* once more each time: it may have been installed meanwhile */
	loaded |= !rc;
	pthread_mutex_unlock(&lock);
	if (!rc)
		*ret = &lib;
	return rc;
}

#endif
