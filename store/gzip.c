/* gzip.c - see gzip.h */
#include "store/gzip.h"

#include <errno.h>

#if __has_include(<zlib.h>) && !defined(LDMS_STATIC)
#include <stdlib.h>
#include <zlib.h>

#include "core/base/library.h"
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

struct zlib {
#define X(n) __typeof__(&(n)) n;
	FUNCTIONS(X)
#undef X
};

struct gzip {
	z_stream z;
};

static struct zlib zlib;
static struct library library = {
	.files = (const char *const[]){ LIBRARY, NULL },
	.functions =
		(const char *const[]){
#define X(n) #n,
			FUNCTIONS(X) NULL
#undef X
		},
	.table = &zlib,
	.package = "zlib",
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

int gzip_new(int level, struct gzip **ret, struct err *err)
{
	int rc = library_get(&library, err);
	struct gzip *g;

	if (rc)
		return rc;
	g = xcalloc(1, sizeof(*g));
	if (zlib.deflateInit2_(&g->z, level, Z_DEFLATED, WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
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
	zlib.deflateEnd(&g->z);
	free(g);
}

int gzip_put(struct gzip *g, const void *p, size_t len, struct buf *to, struct err *err)
{
	size_t room = zlib.deflateBound(&g->z, len);

	zlib.deflateReset(&g->z);
	g->z.next_in = (Bytef *)(uintptr_t)p;
	g->z.avail_in = (uInt)len;
	g->z.next_out = buf_reserve(to, room);
	g->z.avail_out = (uInt)room;
	if (len > UINT32_MAX || room > UINT32_MAX || zlib.deflate(&g->z, Z_FINISH) != Z_STREAM_END)
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
