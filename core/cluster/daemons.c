/* daemons.c - see daemons.h
 *
 * Types come one behind the other (the order of enum spec_type), in groups that start together; within a group a bounded
 * number of daemons is on its way at a time, whatever nodes they are on.  All is waited for in one loop that looks.
 */
#include "core/cluster/daemons.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/cluster/daemon_rec.h"
#include "core/cluster/daemons_impl.h"
#include "core/cluster/impl.h"

#define STARTING_MAX 32              /* daemons on their way at a time: each wants the processor */
#define LOOK_NS      (10 * 1000000l) /* between two looks, at first */
#define LOOK_MAX_NS  (250 * 1000000l)

/* Up to which type, exclusively, the group of a type goes. */
static const enum spec_type group_end[SPEC_TYPES] = {
	[SPEC_MUNGED] = SPEC_SLURMCTLD, [SPEC_ETCD] = SPEC_SLURMCTLD, [SPEC_SLURMCTLD] = SPEC_SLURMD,
	[SPEC_SLURMD] = SPEC_LDMSD,     [SPEC_LDMSD] = SPEC_TYPES,    [SPEC_LDMS] = SPEC_TYPES,
};

/* -- which are meant ----------------------------------------------------------------------------------------------- */

struct jobs {
	struct job *v;
	size_t n;
};

static int no_daemon(const struct daemons *ds, const size_t *nodes, size_t n, const char *name, struct err *err)
{
	const struct spec_node *sn = &ds->spec->nodes[nodes[0]];
	const char **names = xcalloc(sn->n_daemons + 1, sizeof(*names)), *near;
	struct buf all = { 0 };

	for (size_t i = 0; i < sn->n_daemons; i++) {
		names[i] = sn->daemons[i].name;
		buf_addf(&all, "%s%s", i ? ", " : "", names[i]);
	}
	near = nearest(name, names);
	err_set(err, -ENOENT, "node %s%s has no daemon '%.64s'%s%s%s; the specification has there: %.200s", sn->name,
		n > 1 ? " (and others)" : "", name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "",
		all.len ? buf_str(&all) : "none");
	free(names);
	buf_fini(&all);
	return -ENOENT;
}

static int jobs_find(const struct daemons *ds, const size_t *nodes, size_t n, const char *name, struct jobs *ret,
		     struct err *err)
{
	struct jobs js = { .n = 0 };

	for (size_t i = 0; i < n; i++) {
		const struct spec_node *sn = &ds->spec->nodes[nodes[i]];

		js.v = xrealloc(js.v, (js.n + sn->n_daemons + 1) * sizeof(*js.v));
		for (size_t k = 0; k < sn->n_daemons; k++)
			if (!name || !strcmp(name, sn->daemons[k].name))
				js.v[js.n++] = (struct job){ .sn = sn, .d = &sn->daemons[k], .node = nodes[i] };
	}
	if (name && !js.n) {
		free(js.v);
		return no_daemon(ds, nodes, n, name, err);
	}
	*ret = js;
	return 0;
}

/* The process of each that runs. */
static void jobs_look(const struct daemons *ds, struct jobs *js)
{
	for (size_t i = 0; i < js->n; i++) {
		struct job *j = &js->v[i];
		size_t n;
		struct daemon_rec *recs = daemon_rec_list(ds->c, j->node, &n);

		for (size_t k = 0; k < n; k++)
			if (!strcmp(recs[k].name, j->d->name) && daemon_rec_alive(&recs[k])) {
				j->pid = recs[k].pid;
				j->born = recs[k].born;
			}
		daemon_rec_free(recs, n);
	}
}

/* Signals that end us, but for those that somebody has us ignore. */
static void signals_ending(sigset_t *ret)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa;

	sigemptyset(ret);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		if (!sigaction(ending[i], NULL, &sa) && sa.sa_handler != SIG_IGN)
			sigaddset(ret, ending[i]);
}

/* They come only while we nap, wherever they find us: what was begun is undone then. */
static void signals_hold(sigset_t *ret_was)
{
	sigset_t set;

	signals_ending(&set);
	sigprocmask(SIG_BLOCK, &set, ret_was);
}

static int nap(long ns, struct err *err)
{
	const struct timespec ts = { .tv_nsec = ns };
	sigset_t set;

	signals_ending(&set);
	return sigtimedwait(&set, NULL, &ts) > 0 ? err_set(err, -EINTR, "interrupted") : 0;
}

/* -- stop ---------------------------------------------------------------------------------------------------------- */

static void signal_to(const struct job *j, int sig)
{
	int fd = j->pid ? proc_pidfd(j->pid, j->born) : -1;

	if (fd < 0)
		return;
	syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	close(fd);
}

static bool runs(const struct job *j)
{
	return j->pid && j->born && proc_born(j->pid) == j->born;
}

static bool any_runs(const struct jobs *js, enum spec_type type)
{
	for (size_t i = 0; i < js->n; i++)
		if (js->v[i].d->type == type && runs(&js->v[i]))
			return true;
	return false;
}

static void type_signal(const struct jobs *js, enum spec_type type, int sig)
{
	for (size_t i = 0; i < js->n; i++)
		if (js->v[i].d->type == type)
			signal_to(&js->v[i], sig);
}

/* One that is stopped (SIGSTOP) would not hear of its end. */
static int type_stop(const struct jobs *js, enum spec_type type, struct err *err)
{
	int64_t until = mono_us() + daemon_types[type].grace_us;
	bool killed = false;
	int rc = 0;

	type_signal(js, type, SIGTERM);
	type_signal(js, type, SIGCONT);
	while (!rc && any_runs(js, type)) {
		if (!killed && mono_us() > until) {
			type_signal(js, type, SIGKILL);
			killed = true;
		}
		rc = nap(LOOK_NS, err);
	}
	return rc;
}

static int jobs_stop(const struct daemons *ds, const struct jobs *js, struct err *err)
{
	int rc = 0;

	for (int t = SPEC_TYPES - 1; t >= 0 && !rc; t--)
		rc = type_stop(js, (enum spec_type)t, err);
	for (size_t i = 0; i < js->n && !rc; i++)
		daemon_rec_drop(ds->c, js->v[i].node, js->v[i].d->name);
	return rc;
}

int daemons_stop(struct daemons *d, const size_t *nodes, size_t n, const char *name, struct err *err)
{
	struct jobs js;
	sigset_t was;
	int rc = jobs_find(d, nodes, n, name, &js, err);

	if (rc)
		return rc;
	signals_hold(&was);
	jobs_look(d, &js);
	rc = jobs_stop(d, &js, err);
	sigprocmask(SIG_SETMASK, &was, NULL);
	free(js.v);
	return rc;
}

/* -- start --------------------------------------------------------------------------------------------------------- */

/* "KEY=VALUE" of `env`, ended by NULL. */
static char **env_texts(const struct kv *env)
{
	char **texts = xcalloc(env->n + 1, sizeof(*texts));

	for (size_t i = 0; i < env->n; i++)
		texts[i] = xasprintf("%s=%s", env->v[i].key, env->v[i].value);
	return texts;
}

static int process_start(const struct daemons *ds, struct job *j, int log, struct err *err)
{
	const struct daemon_type *t = &daemon_types[j->d->type];
	struct spec_words argv = { .n = 0 };
	struct kv env = { .n = 0 };
	char **texts;
	int rc;

	t->command(ds, j, &argv, &env);
	kv_copy(&env, &j->d->env);
	texts = env_texts(&env);
	argv.v = xrealloc(argv.v, (argv.n + 1) * sizeof(*argv.v));
	argv.v[argv.n] = NULL;
	rc = node_start(
		ds->c, j->node,
		&(struct node_cmd){ .argv = argv.v, .env = (const char *const *)texts, .fds = { -1, log, log } },
		&j->pid, err);
	if (rc == -ENOENT && t->package)
		err_set(err, rc, "node %s: %s: there is no program %s; install %s", j->sn->name, j->d->name, argv.v[0],
			t->package);
	for (size_t i = 0; texts[i]; i++)
		free(texts[i]);
	free(texts);
	words_fini(&argv);
	kv_fini(&env);
	return rc;
}

static int job_start(struct daemons *ds, struct job *j, struct err *err)
{
	const struct daemon_type *t = &daemon_types[j->d->type];
	int rc = t->prepare(ds, j, err), log;

	if (rc)
		return rc;
	log = daemon_log_open(ds, j->node, j->d->log, err);
	if (log < 0)
		return log;
	j->log = daemon_file(ds, j->node, j->d->log);
	j->log_from = lseek(log, 0, SEEK_END);
	rc = process_start(ds, j, log, err);
	close(log);
	if (rc)
		return rc;
	j->born = proc_born(j->pid);
	j->patience_until_us = mono_us() + t->patience_us;
	return daemon_rec_put(ds->c, j->node, j->d->name, j->pid, j->log, err);
}

static int job_failed(const struct job *j, int rc, const char *what, struct buf *said, struct err *err)
{
	daemon_log_end(j->log, j->log_from, said);
	return err_set(err, rc, "node %s: %s (%s) %s; %.200s %s", j->sn->name, j->d->name, spec_type_name(j->d->type),
		       what, j->log, said->len ? "ends with:" : "says nothing");
}

/* One that is on its way: is it there? */
static int job_look(struct daemons *ds, struct job *j, struct buf *said, struct err *err)
{
	const struct daemon_type *t = &daemon_types[j->d->type];
	char *what = NULL, *words;
	int rc = 0;

	if (!runs(j))
		return job_failed(j, -ECHILD, "ended at once", said, err);
	j->up = t->is_up(ds, j, &what);
	if (!j->up && mono_us() > j->patience_until_us) {
		words = xasprintf("was awaited %s for %d s", what, (int)(t->patience_us / SEC_US));
		rc = job_failed(j, -ETIMEDOUT, words, said, err);
		free(words);
	}
	free(what);
	return rc;
}

static int group_start(struct daemons *ds, struct jobs *js, enum spec_type from, enum spec_type to, struct buf *said,
		       struct err *err)
{
	size_t next = 0, starting;
	long look_ns = LOOK_NS;
	int rc = 0;

	do {
		bool news = false;

		starting = 0;
		free(ds->slurm_states);
		ds->slurm_states = NULL;
		for (size_t i = 0; i < next && !rc; i++) {
			struct job *j = &js->v[i];

			if (!j->up && j->d->type >= from && j->d->type < to) {
				rc = job_look(ds, j, said, err);
				starting += !j->up;
				news |= j->up;
			}
		}
		for (; next < js->n && starting < STARTING_MAX && !rc; next++) {
			struct job *j = &js->v[next];

			if (!j->up && j->d->type >= from && j->d->type < to) {
				rc = job_start(ds, j, err);
				starting++;
			}
		}
		/* the longer nothing happens the less it is looked */
		look_ns = news ? LOOK_NS : look_ns + look_ns / 8;
		if (look_ns > LOOK_MAX_NS)
			look_ns = LOOK_MAX_NS;
		if (!rc && starting)
			rc = nap(look_ns, err);
	} while (!rc && starting);
	return rc;
}

/* Those that run already are left as they are. */
static void jobs_drop_running(struct jobs *js)
{
	size_t n = 0;

	for (size_t i = 0; i < js->n; i++)
		if (!js->v[i].pid)
			js->v[n++] = js->v[i];
	js->n = n;
}

int daemons_start(struct daemons *d, const size_t *nodes, size_t n, const char *name, struct buf *said, struct err *err)
{
	struct jobs js;
	sigset_t was;
	int rc = jobs_find(d, nodes, n, name, &js, err);

	if (rc)
		return rc;
	signals_hold(&was);
	jobs_look(d, &js);
	jobs_drop_running(&js);
	for (enum spec_type t = 0; t < SPEC_TYPES && !rc; t = group_end[t])
		rc = group_start(d, &js, t, group_end[t], said, err);
	if (rc)
		jobs_stop(d, &js, NULL);
	sigprocmask(SIG_SETMASK, &was, NULL);
	for (size_t i = 0; i < js.n; i++)
		free(js.v[i].log);
	free(js.v);
	return rc;
}
