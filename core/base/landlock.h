/* landlock.h - files that this process, whatever it is made to do, can reach: the kernel's Landlock.
 *
 *	struct landlock ll;
 *
 *	rc = landlock_open(&ll, err);			-ENOSYS: this kernel has none
 *	rc = landlock_allow(&ll, "/proc", false, err);	below it may be read
 *	rc = landlock_enter(&ll, err);			what was not allowed is out of reach from here on
 *	landlock_close(&ll);
 *
 * It holds for the calling thread and those that it makes later, and for opening: what is open stays open.  Connecting
 * to sockets, of the network or in the file system, is not limited.
 */
#ifndef CORE_BASE_LANDLOCK_H
#define CORE_BASE_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

struct landlock {
	int abi; /* the kernel's version of it; 1 is the first */
	int fd;
	uint64_t rights; /* that this kernel can withhold */
};

int landlock_open(struct landlock *ll, struct err *err);
/* Reading, or reading and writing, of a file or of all below a folder.  -ENOENT when it is not there. */
int landlock_allow(struct landlock *ll, const char *path, bool write, struct err *err);
/* For good.  Wants no_new_privs. */
int landlock_enter(struct landlock *ll, struct err *err);
void landlock_close(struct landlock *ll);

#endif
