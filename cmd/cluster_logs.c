/* cluster_logs.c - `ldms cluster logs`: what the daemons of a node wrote */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cmd/cluster.h"
#include "core/base/xalloc.h"
#include "core/cluster/daemon_rec.h"

struct logs_opts {
	struct cluster_opts common;
	bool follow;
};

#define AT(field) offsetof(struct logs_opts, field)
static const struct opt opts[] = {
	{ 'f', "follow", OPT_FLAG, NULL, AT(follow), "go on with what is written from now on" },
	CLUSTER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_cluster_logs = {
	.synopsis = "ldms cluster logs [-f] [--name NAME] [--dir DIR] NODE [DAEMON]",
	.brief = "what daemons of a node wrote",
	.about = "Prints the log of the node's daemon, or of all of them, each with its name in front.",
	.opts = opts,
	.examples = "ldms cluster logs node1\nldms cluster logs -f agg-1 agg",
};

struct file {
	const char *name;
	int fd;
};

/* What there is from here to the end; whether anything. */
static bool print_rest(struct file *f, const struct file **last, bool names)
{
	char text[4096];
	bool any = false;
	ssize_t n;

	while ((n = read(f->fd, text, sizeof(text))) > 0) {
		if (names && *last != f)
			printf("%s==> %s <==\n", *last ? "\n" : "", f->name);
		*last = f;
		any = true;
		fwrite(text, 1, (size_t)n, stdout);
	}
	fflush(stdout);
	return any;
}

/* Until something writes to one of them; for ever, since who follows a log ends it with a signal. */
static int follow(struct file *files, size_t n, struct daemon_rec *recs, const struct file **last, struct err *err)
{
	char events[sizeof(struct inotify_event) + NAME_MAX + 1];
	int in = inotify_init1(IN_CLOEXEC);

	for (size_t i = 0; i < n && in >= 0; i++)
		if (inotify_add_watch(in, recs[i].log, IN_MODIFY) < 0)
			return err_set(err, -errno, "%s cannot be watched: %s", recs[i].log, err_name(errno));
	while (in >= 0 && !ferror(stdout)) {
		for (size_t i = 0; i < n; i++)
			print_rest(&files[i], last, n > 1);
		if (read(in, events, sizeof(events)) < 0 && errno != EINTR)
			break;
	}
	return in < 0 ? err_set(err, -errno, "inotify: %s", err_name(errno)) : 0;
}

static int print_logs(struct daemon_rec *recs, size_t n, bool go_on, struct err *err)
{
	struct file *files = xcalloc(n + 1, sizeof(*files));
	const struct file *last = NULL;
	size_t open_ = 0;
	int rc = 0;

	for (; open_ < n && !rc; open_++) {
		files[open_] = (struct file){ recs[open_].name, open(recs[open_].log, O_RDONLY | O_CLOEXEC) };
		if (files[open_].fd < 0) {
			rc = err_set(err, -errno, "%s: %s", recs[open_].log, err_name(errno));
			break;
		}
		print_rest(&files[open_], &last, n > 1);
	}
	if (!rc && go_on)
		rc = follow(files, n, recs, &last, err);
	for (size_t i = 0; i < open_; i++)
		close(files[i].fd);
	free(files);
	return rc;
}

/* Those that are meant come to the front; how many. */
static size_t choose(struct daemon_rec *recs, size_t n, const char *name)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		struct daemon_rec r = recs[i];

		if (!r.log || (name && strcmp(r.name, name)))
			continue;
		recs[i] = recs[k];
		recs[k++] = r;
	}
	return k;
}

static int logs(const struct logs_opts *o, const char *node, const char *name, struct err *err)
{
	char *base = cluster_base(o->common.dir);
	struct daemon_rec *recs = NULL;
	struct cluster *c = NULL;
	size_t i, n = 0, k;
	int rc = cluster_open(base, o->common.name ? o->common.name : CLUSTER_DFLT, &c,
			      err); /* dead ones have logs, too */

	if (!rc)
		rc = cluster_node_find(c, node, &i, err);
	if (!rc) {
		recs = daemon_rec_list(c, i, &n);
		k = choose(recs, n, name);
		if (k)
			rc = print_logs(recs, k, o->follow, err);
		else
			rc = err_set(err, -ENOENT,
				     "node %s has no %s%s with a log; `ldms cluster ls --name %s` lists them", node,
				     name ? "daemon " : "daemon", name ? name : "", c->name);
	}
	daemon_rec_free(recs, n);
	cluster_close(c);
	free(base);
	return rc;
}

int cluster_verb_logs(const struct subcmd *v, int argc, char **argv)
{
	struct logs_opts o = { 0 };
	struct err err = { "" };
	int status = 0, n = subcmd_parse(v, argc, argv, &o, &o.common.help, 1, 2, &status);

	if (n < 0)
		return status;
	return logs(&o, argv[1], n > 1 ? argv[2] : NULL, &err) ? subcmd_complain(v, &err) : 0;
}
