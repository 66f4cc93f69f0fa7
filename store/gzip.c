/* gzip.c - see gzip.h */
#include "store/gzip.h"

#include <errno.h>

#if __has_include(<zlib.h>) && !defined(LDMS_STATIC)
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/base/xalloc.h"

#define LIBRARY     "libz.so.1"
#define WINDOW_GZIP (15 + 16) /* the largest window; 16: with gzip's head and end */
#define MEMORY      8

#undef deflateInit2
#define FUNCTIONS(X)                                                                                                   \
	X(deflateInit2_)                                                                                               \
	X(deflateBound)                                                                                                \
	X(deflateReset)                                                                                                \
	X(deflate)                                                                                                     \
	X(deflateEnd)

struct library {
#define X(n) __typeof__(&(n)) n;
	FUNCTIONS(X)
#undef X
};

struct gzip {
	const struct library *lib;
	z_stream z;
};

static int load(struct library *lib, struct err *err)
{
	void *so = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!so)
		return err_set(err, -ENOENT, LIBRARY " is not there: %s; install the package of zlib", dlerror());
#define X(n)                                                                                                           \
	lib->n = (__typeof__(lib->n))dlsym(so, #n);                                                                    \
	if (!lib->n)                                                                                                   \
		return err_set(err, -ENOSYS, LIBRARY " is of another kind: %s", dlerror());
	FUNCTIONS(X)
#undef X
	return 0;
}

static int library_get(const struct library **ret, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct library lib;
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (!lib.deflateEnd) /* the last that is found */
		rc = load(&lib, err);
	pthread_mutex_unlock(&lock);
	*ret = &lib;
	return rc;
}

int gzip_new(int level, struct gzip **ret, struct err *err)
{
	const struct library *lib;
	int rc = library_get(&lib, err);
	struct gzip *g;

	if (rc)
		return rc;
	g = xcalloc(1, sizeof(*g));
	g->lib = lib;
	if (lib->deflateInit2_(&g->z, level, Z_DEFLATED, WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
			       (int)sizeof(g->z)) != Z_OK) {
		free(g);
		return err_set(err, -ENOMEM, LIBRARY " does not begin");
	}
	*ret = g;
	return 0;
}

void gzip_free(struct gzip *g)
{
	if (!g)
		return;
	g->lib->deflateEnd(&g->z);
	free(g);
}

int gzip_put(struct gzip *g, const void *p, size_t len, struct buf *to, struct err *err)
{
	size_t room = g->lib->deflateBound(&g->z, len);

	g->lib->deflateReset(&g->z);
	g->z.next_in = (Bytef *)(uintptr_t)p;
	g->z.avail_in = (uInt)len;
	g->z.next_out = buf_reserve(to, room);
	g->z.avail_out = (uInt)room;
	if (len > UINT32_MAX || room > UINT32_MAX || g->lib->deflate(&g->z, Z_FINISH) != Z_STREAM_END)
		return err_set(err, -EIO, LIBRARY " does not compress %zu bytes", len);
	to->len += room - g->z.avail_out;
	return 0;
}

#else

int gzip_new(int level, struct gzip **ret, struct err *err)
{
	return err_set(err, -ENOTSUP, "this ldms was built without zlib: leave gzip= out");
}

void gzip_free(struct gzip *g)
{
	(void)g;
}

int gzip_put(struct gzip *g, const void *p, size_t len, struct buf *to, struct err *err)
{
	return err_set(err, -ENOTSUP, "no zlib");
}

#endif
