/* spool_strays.c - see spool_strays.h */
#include "core/daemon/spool_strays.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/daemon.h"
#include "core/daemon/mirrored.h"

/* Bytes of records in that folder; what is read to its end is removed. */
static uint64_t bytes_in(const char *path)
{
	DIR *dir = opendir(path);
	uint64_t bytes = 0;
	struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len > 6 && !strcmp(e->d_name + len - 6, ".spool") && !fstatat(dirfd(dir), e->d_name, &st, 0))
			bytes += (uint64_t)st.st_size;
	}
	if (dir)
		closedir(dir);
	return bytes;
}

/* Is it a spool, and nobody's?  Locking it, to see, would get in the way of a daemon that begins just now. */
static bool is_idle(const char *path)
{
	char *account = xasprintf("%s/account", path), line[256];
	FILE *f = fopen("/proc/locks", "re");
	bool idle = false;
	struct stat st;
	uint64_t ino;

	if (f && !stat(account, &st)) {
		idle = true;
		while (idle && fgets(line, sizeof(line), f))
			idle = sscanf(line, "%*d: FLOCK %*s %*s %*d %*x:%*x:%" SCNu64, &ino) != 1 || ino != st.st_ino;
	}
	if (f)
		fclose(f);
	free(account);
	return idle;
}

static bool has_policy(const struct daemon *d, const char *path)
{
	bool has = false;

	NODE_EACH(n, d->strgps) {
		const struct strgp_conf *conf = strgp_conf(((struct strgp_node *)n)->strgp);
		char *own = conf->spool ? strgp_spool_dir(conf) : NULL;

		has |= own && !strcmp(own, path);
		free(own);
	}
	return has;
}

static void look_below(const struct daemon *d, const char *root)
{
	DIR *dir = opendir(root);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char *path = xasprintf("%s/%s", root, e->d_name);
		uint64_t bytes = 0;

		/* what is a peer's is taken up when that fails */
		if (*e->d_name != '.' && !is_mirrored(e->d_name) && !has_policy(d, path) && is_idle(path))
			bytes = bytes_in(path);
		if (bytes)
			log_warning("store",
				    "spool %s: bytes=%" PRIu64
				    " wait in it, and no policy here has that name: was it renamed? "
				    "rename the folder, too, or add the policy again, or remove the folder",
				    path, bytes);
		free(path);
	}
	if (dir)
		closedir(dir);
}

void spool_strays_say(const struct daemon *d)
{
	NODE_EACH(n, d->strgps) {
		const char *root = strgp_conf(((struct strgp_node *)n)->strgp)->spool;
		bool done = !root;

		for (struct node *m = d->strgps; !done && m != n; m = m->hh.next) {
			const char *other = strgp_conf(((struct strgp_node *)m)->strgp)->spool;

			done = other && !strcmp(root, other);
		}
		if (!done)
			look_below(d, root);
	}
}
