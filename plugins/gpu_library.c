/* gpu_library.c - the child's side of gpu.h: opening what the maker of the processors gives */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "plugins/gpu.h"

#define AGAIN_US (60 * SEC_US)

void gpu_init(struct gpu *g, uint64_t index)
{
	*g = (struct gpu){ .index = (int64_t)index };
	for (int i = 0; i < GPU_VALUES; i++)
		g->values[i] = GPU_UNKNOWN;
}

bool gpu_again(size_t n)
{
	static size_t most;
	static int64_t last_us; /* that the answer was yes; 0: never */
	int64_t now_us = mono_us();

	if (n > most)
		most = n;
	if (n == most || (last_us && now_us - last_us < AGAIN_US))
		return false;
	last_us = now_us;
	return true;
}

#ifdef LDMS_STATIC

int gpu_library_open(const char *library, const struct gpu_function *functions, struct err *err)
{
	(void)functions;
	return err_set(err, -ENOTSUP,
		       "%s: this ldms is linked statically and can open no library; use one built without STATIC=1",
		       library);
}

#else

int gpu_library_open(const char *library, const struct gpu_function *functions, struct err *err)
{
	void *so = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (!so)
		return err_set(err, -ENOENT,
			       "%s is not there: %s; install the maker's driver, or give library=", library, dlerror());
	for (const struct gpu_function *f = functions; f->name; f++) {
		void *at = dlsym(so, f->name);

		if (!at && !f->optional) {
			dlclose(so);
			return err_set(err, -ENOSYS, "%s is of another kind or too old: it has no %s()", library,
				       f->name);
		}
		memcpy(f->at, &at, sizeof(at));
	}
	return 0; /* it stays for good */
}

#endif
