/* so_load.h - samplers and stores of other makers, out of shared objects: plugins/sampler.h and store/plugin.h are what
 * they are written with. */
#ifndef CORE_DAEMON_SO_LOAD_H
#define CORE_DAEMON_SO_LOAD_H

#include "plugins/samp.h"
#include "store/store.h"

struct so { /* what an object is: one of them */
	const struct samp_type *samp;
	const struct store_type *store;
	char path[];
};

/* That file's; it stays until the process ends, and is the same for the same path.  NULL with words: the file, or what it
 * was built for, does not fit (-ENOENT, -EPERM, -ENOEXEC, -EPROTONOSUPPORT in *ret_rc). */
const struct so *so_load(const char *path, int *ret_rc, struct err *err);

/* -- between so_load.c, samp_load.c and store_load.c --------------------------------------------------------------- */

/* What an interface is here: the version, and the sizes of its tables. */
struct so_face {
	const char *what; /* "sampler": of ldms/sampler.h */
	uint32_t abi;
	size_t size, host_size;
};
/* Was the object built for that? */
int so_check(const struct so_face *face, uint32_t abi, uint32_t size, uint32_t host_size, struct err *err);

/* The object's symbols: its table, and where it wants ours.  The path stays. */
int samp_of_so(const void *plugin, void *hook, const char *path, const struct samp_type **ret, struct err *err);
int store_of_so(const void *plugin, void *hook, const char *path, const struct store_type **ret, struct err *err);

#endif
