/* dirscan.c - see dirscan.h */
#include "plugins/dirscan.h"

#include <sys/syscall.h>
#include <unistd.h>

struct linux_dirent { /* of getdents64(2) */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

void dirscan_begin(struct dirscan *d, int fd)
{
	d->fd = fd;
	d->len = d->at = 0;
	lseek(fd, 0, SEEK_SET);
}

bool dirscan_next(struct dirscan *d)
{
	for (;;) {
		const struct linux_dirent *e;

		if (d->at >= d->len) {
			d->at = 0;
			d->len = syscall(SYS_getdents64, d->fd, d->buf, sizeof(d->buf));
			if (d->len <= 0)
				return false;
		}
		e = (const struct linux_dirent *)(d->buf + d->at);
		d->at += e->reclen;
		d->name = e->name;
		d->type = e->type;
		if (e->name[0] != '.' || (e->name[1] && (e->name[1] != '.' || e->name[2])))
			return true;
	}
}
