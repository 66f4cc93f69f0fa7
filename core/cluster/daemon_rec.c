/* daemon_rec.c - see daemon_rec.h */
#include "core/cluster/daemon_rec.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/impl.h"

#define REC_MAX 8192 /* bytes of a record: a path's and two numbers' */

static char *rec_path(const struct cluster *c, size_t node, const char *name)
{
	char *below = xasprintf("daemons/%s", name), *path = cluster_node_path(c, &c->nodes[node], below);

	free(below);
	return path;
}

int daemon_rec_put(const struct cluster *c, size_t node, const char *name, pid_t pid, const char *log, struct err *err)
{
	struct buf b = { 0 };
	char *path;
	int rc = cluster_name_check("daemon", name, err);

	if (rc)
		return rc;
	path = rec_path(c, node, name);
	buf_addf(&b, "%d %llu %s\n", (int)pid, (unsigned long long)proc_born(pid), log ? log : "");
	rc = cluster_file_write(path, &b, err);
	buf_fini(&b);
	free(path);
	return rc;
}

void daemon_rec_drop(const struct cluster *c, size_t node, const char *name)
{
	char *path = rec_path(c, node, name);

	unlink(path);
	free(path);
}

static bool rec_parse(struct daemon_rec *r, const char *name, const char *text)
{
	unsigned long long born;
	int pid, at = 0;
	size_t len;

	if (sscanf(text, "%d %llu %n", &pid, &born, &at) != 2 || !at)
		return false;
	len = strcspn(text + at, "\n");
	*r = (struct daemon_rec){
		.name = xstrdup(name), .pid = pid, .born = born, .log = len ? xstrndup(text + at, len) : NULL
	};
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct daemon_rec *)a)->name, ((const struct daemon_rec *)b)->name);
}

struct daemon_rec *daemon_rec_list(const struct cluster *c, size_t node, size_t *ret_n)
{
	char *dir = cluster_node_path(c, &c->nodes[node], "daemons");
	struct daemon_rec *recs = NULL;
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d))) {
		char *path = rec_path(c, node, e->d_name);
		struct buf b = { 0 };

		/* a ".new" is one that is being written */
		if (e->d_name[0] != '.' && !strstr(e->d_name, ".new") && !cluster_file_read(path, REC_MAX, &b, NULL)) {
			recs = xrealloc(recs, (n + 1) * sizeof(*recs));
			n += rec_parse(&recs[n], e->d_name, buf_str(&b));
		}
		buf_fini(&b);
		free(path);
	}
	if (d)
		closedir(d);
	if (n)
		qsort(recs, n, sizeof(*recs), by_name);
	free(dir);
	*ret_n = n;
	return recs;
}

void daemon_rec_free(struct daemon_rec *recs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(recs[i].name);
		free(recs[i].log);
	}
	free(recs);
}

bool daemon_rec_alive(const struct daemon_rec *r)
{
	return proc_state(r->pid, r->born);
}

const char *daemon_rec_state(const struct daemon_rec *r)
{
	char state = proc_state(r->pid, r->born);

	return !state ? "ended" : state == 'T' ? "paused" : "running";
}
