/* dirscan.h - what is in a folder, without allocation.
 *
 *	for (dirscan_begin(&d, fd); dirscan_next(&d);)
 *		look at d.name, d.type
 */
#ifndef PLUGINS_DIRSCAN_H
#define PLUGINS_DIRSCAN_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dirscan {
	const char *name;   /* not "." and ".." */
	unsigned char type; /* DT_DIR ... */
	int fd;
	ssize_t len, at;
	_Alignas(uint64_t) char buf[4096];
};

/* `fd` is of the folder, and stays the caller's; it is read from the front. */
void dirscan_begin(struct dirscan *d, int fd);
bool dirscan_next(struct dirscan *d);

#endif
