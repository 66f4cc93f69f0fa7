/* so_load.c - see so_load.h */
#include "core/daemon/so_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/xalloc.h"

/* Who may write that file is who runs in this daemon. */
static int file_check(const char *path, struct err *err)
{
	struct stat st;

	if (*path != '/')
		return err_set(err, -EINVAL, "must begin with a slash");
	if (stat(path, &st))
		return err_set(err, -errno, "%s; is the plugin installed there?", err_name(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "is no file");
	if (st.st_uid && st.st_uid != geteuid())
		return err_set(err, -EPERM, "belongs to user %u, who could make this daemon do anything; chown it",
			       (unsigned int)st.st_uid);
	if (st.st_mode & S_IWOTH)
		return err_set(err, -EPERM, "everybody may write it; chmod o-w it");
	return 0;
}

int so_check(const struct so_face *face, uint32_t abi, uint32_t size, uint32_t host_size, struct err *err)
{
	if (abi != face->abi)
		return err_set(err, -EPROTONOSUPPORT,
			       "was built for version %u of the %s interface, and this ldms has %u; build it with the "
			       "ldms/%s.h of this ldms",
			       abi, face->what, face->abi, face->what);
	if (size > face->size || host_size > face->host_size)
		return err_set(err, -EPROTONOSUPPORT,
			       "was built with a newer ldms/%s.h, which has more (%u and %u bytes; here %zu and %zu); "
			       "update this ldms, or build it with the header of this one",
			       face->what, size, host_size, face->size, face->host_size);
	return 0;
}

#ifdef LDMS_STATIC

static int object_open(struct so *so, struct err *err)
{
	(void)so;
	return err_set(err, -ENOTSUP,
		       "this ldms is linked statically and can load nothing; use one built without STATIC=1");
}

#else

static int object_open(struct so *so, struct err *err)
{
	void *dl = dlopen(so->path, RTLD_NOW | RTLD_LOCAL);
	void *samp, *samp_hook, *store, *store_hook;
	int rc;

	if (!dl)
		return err_set(err, -ENOEXEC, "cannot be loaded: %s; was it built with -shared -fPIC?", dlerror());
	samp = dlsym(dl, "ldms_sampler");
	samp_hook = dlsym(dl, "ldms_host");
	store = dlsym(dl, "ldms_store_plugin");
	store_hook = dlsym(dl, "ldms_store_host");
	if (samp && samp_hook && store && store_hook)
		rc = err_set(err, -ENOEXEC,
			     "is a sampler and a store, and an instance can be one of them; make two files of it");
	else if (samp && samp_hook)
		rc = samp_of_so(samp, samp_hook, so->path, &so->samp, err);
	else if (store && store_hook)
		rc = store_of_so(store, store_hook, so->path, &so->store, err);
	else
		rc = err_set(err, -ENOEXEC,
			     "is no sampler and no store for ldms: it has no LDMS_SAMPLER() and no LDMS_STORE(); "
			     "ldmsd's plugins do not fit");
	if (rc)
		dlclose(dl);
	return rc; /* else it stays for good: a thread may hang in it */
}

#endif

const struct so *so_load(const char *path, int *ret_rc, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct loaded {
		struct loaded *next;
		struct so *so;
	} * all; /* what is loaded belongs to the process */
	struct loaded *l;
	struct so *so;
	int rc = 0;

	pthread_mutex_lock(&lock);
	for (l = all; l && strcmp(l->so->path, path); l = l->next)
		;
	if (!l) {
		so = xcalloc(1, sizeof(*so) + strlen(path) + 1);
		strcpy(so->path, path);
		rc = file_check(path, err);
		if (!rc)
			rc = object_open(so, err);
		if (rc) {
			free(so);
			err_prefix(err, rc, "path=%s: ", path);
		} else {
			l = xcalloc(1, sizeof(*l));
			l->so = so;
			l->next = all;
			all = l;
		}
	}
	pthread_mutex_unlock(&lock);
	*ret_rc = rc;
	return l ? l->so : NULL;
}
