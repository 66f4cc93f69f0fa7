/* library.c - see library.h */
#include "core/base/library.h"

#include <errno.h>

#ifndef LDMS_STATIC
#include <dlfcn.h>
#include <string.h>

static int load(struct library *lib, struct err *err)
{
	void *so = NULL;

	for (size_t i = 0; !so && lib->files[i]; i++)
		so = dlopen(lib->files[i], RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return err_set(err, -ENOENT, "%s is not there: %s; install the package of %s", lib->files[0], dlerror(),
			       lib->package);
	for (size_t i = 0; lib->functions[i]; i++) {
		void *fn = dlsym(so, lib->functions[i]);

		if (!fn)
			return err_set(err, -ENOSYS, "%s is of another kind: %s; install %s", lib->files[0], dlerror(),
				       lib->package);
		memcpy((char *)lib->table + i * sizeof(fn), &fn, sizeof(fn));
	}
	if (lib->begin && lib->begin())
		return err_set(err, -ENOSYS, "%s does not begin", lib->files[0]);
	return 0; /* it stays for good */
}

int library_get(struct library *lib, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&lib->lock);
	if (!lib->there)
		rc = load(lib, err);
	lib->there |= !rc;
	pthread_mutex_unlock(&lib->lock);
	return rc;
}

#else

int library_get(struct library *lib, struct err *err)
{
	return err_set(err, -ENOSYS, "%s cannot be opened: this ldms was built with STATIC=1", lib->files[0]);
}

#endif
