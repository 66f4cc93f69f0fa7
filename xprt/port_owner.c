/* port_owner.c - see port_owner.h: /proc/net/tcp* has the socket's inode, /proc/PID/fd the links to it. */
#include "xprt/port_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCP_LISTEN_STATE 0x0a

/* The inode of the socket that listens on the port, or 0. */
static unsigned long listener_inode(const char *table, unsigned short port)
{
	unsigned long inode = 0, found;
	unsigned int local, state;
	FILE *f = fopen(table, "re");
	char line[512];

	while (f && !inode && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu", &local, &state,
			   &found) == 3 &&
		    local == port && state == TCP_LISTEN_STATE)
			inode = found;
	if (f)
		fclose(f);
	return inode;
}

static bool has_link(const char *pid, const char *target)
{
	char path[300], link[64];
	struct dirent *e;
	bool found = false;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.32s/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		found = !strcmp(link, target);
	}
	if (d)
		closedir(d);
	return found;
}

bool port_owner(unsigned short port, char *out, size_t size)
{
	unsigned long inode = listener_inode("/proc/net/tcp6", port);
	char target[64], path[64], name[64] = "";
	struct dirent *e;
	bool found = false;
	FILE *f;
	DIR *d;

	if (!inode)
		inode = listener_inode("/proc/net/tcp", port);
	if (!inode)
		return false;
	snprintf(target, sizeof(target), "socket:[%lu]", inode);
	d = opendir("/proc");
	while (d && !found && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !has_link(e->d_name, target))
			continue;
		found = true;
		snprintf(path, sizeof(path), "/proc/%.32s/comm", e->d_name);
		f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f))
			name[strcspn(name, "\n")] = '\0';
		if (f)
			fclose(f);
		snprintf(out, size, "%s (pid %s)", *name ? name : "?", e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}
