/* maestro_run.c - `ldms maestro FILE` and `ldms maestro diff FILE`: the cluster is made what the file says */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/maestro.h"
#include "cmd/tool.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/maestro/lock.h"
#include "core/maestro/maestro.h"
#include "core/maestro/watch.h"

#define WORDS_SHOWN 20 /* daemons of an outcome whose reasons are shown at the end */

struct run_opts {
	const char *cluster, *lock, *log, *level, *prefix, *state;
	int64_t lease_us, poll_us, wait_us;
	bool enforce, once, help;
};

#define AT(field) offsetof(struct run_opts, field)
static const struct opt run_rows[] = {
	{ 0, "cluster", OPT_TEXT, "FILE", AT(cluster),
	  "one of several maestros acts: the lock is in the etcd of FILE" },
	{ 0, "enforce", OPT_FLAG, NULL, AT(enforce), "repair what operators have changed, and not only say it" },
	{ 0, "lease", OPT_TIME, "TIME", AT(lease_us), "how long a lock outlives its maestro (10s)" },
	{ 0, "lock", OPT_TEXT, "FILE", AT(lock),
	  "one of several maestros acts: the lock is this file, which they share" },
	{ 'l', "log", OPT_TEXT, "FILE", AT(log), "log to a file, syslog or journald (standard error)" },
	{ 0, "once", OPT_FLAG, NULL, AT(once), "end when all agree; status 0 when they do" },
	{ 0, "poll", OPT_TIME, "TIME", AT(poll_us), "look for changes at each daemon so often (5s)" },
	{ 0, "prefix", OPT_TEXT, "NAME", AT(prefix), "of the lock in etcd: a name for this cluster (ldms)" },
	{ 0, "state", OPT_TEXT, "FILE", AT(state), "remember there what daemons were sent ($STATE_DIRECTORY/maestro)" },
	{ 'v', "level", OPT_TEXT, "LEVEL", AT(level), "log lines from this level on (INFO)" },
	{ 'w', "wait", OPT_TIME, "TIME", AT(wait_us),
	  "with --once: for daemons that cannot be reached, and the lock (10s)" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};

static const struct opt diff_rows[] = {
	{ 'w', "wait", OPT_TIME, "TIME", AT(wait_us), "for daemons that cannot be reached (10s)" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_maestro_run = {
	.synopsis = "ldms maestro [--once] [--enforce] [--lock FILE | --cluster FILE [--prefix NAME]] [--lease TIME] "
		    "[--poll TIME] [--state FILE] [-w TIME] [-l FILE] [-v LEVEL] FILE",
	.brief = "make a cluster what the file says, and keep it so",
	.about = "What is to be watched: the file, which is read anew when it changes, and the daemons.  The exit "
		 "status of --once is 0 when all daemons agree with the file, 1 when the file is wrong, 4 when some "
		 "daemons were unreachable, refused or differ.",
	.opts = run_rows,
	.examples = "ldms maestro ldms_cfg.yaml\n"
		    "ldms maestro --once -w 30s ldms_cfg.yaml",
};

const struct cmd_usage usage_maestro_diff = {
	.synopsis = "ldms maestro diff [-w TIME] FILE",
	.brief = "what is not as the file says",
	.about = "Asks all daemons, and changes nothing.  The exit status is 0 when all agree, 1 when the file is "
		 "wrong, 4 "
		 "when some differ or are unreachable.",
	.opts = diff_rows,
	.examples = "ldms maestro diff ldms_cfg.yaml",
};

/* -- what became of it --------------------------------------------------------------------------------------------- */

static void on_progress(void *arg, size_t done, size_t all)
{
	(void)arg;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu of %zu daemons%s", done, all, done == all ? "\n" : "");
}

struct telling {
	enum outcome which;
	size_t shown, left;
};

/* Words may be several lines. */
static void say(const char *name, const char *what, const char *words)
{
	char *copy = xstrdup(words), *at = copy, *line;

	while ((line = strsep(&at, "\n")))
		if (*line)
			printf("%s: %s%s\n", name, what, line);
	free(copy);
}

static void on_each(void *arg, const char *name, enum outcome o, const char *words)
{
	struct telling *t = arg;
	char what[32];

	if (o != t->which)
		return;
	if (t->shown == WORDS_SHOWN) {
		t->left++;
		return;
	}
	t->shown++;
	snprintf(what, sizeof(what), "%s: ", outcome_names[o]);
	say(name, what, words);
}

/* The reasons, then the counts. */
static bool summary(const struct maestro *m)
{
	static const enum outcome bad[] = { OUTCOME_DIFFERS, OUTCOME_REFUSED, OUTCOME_UNREACHABLE, OUTCOME_NONE };
	size_t n[OUTCOMES], all = 0, agree;

	maestro_counts(m, n);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct telling t = { .which = bad[i] };

		maestro_each(m, on_each, &t);
		if (t.left)
			printf("... and %zu more %s\n", t.left, outcome_names[bad[i]]);
	}
	for (int o = 0; o < OUTCOMES; o++)
		all += n[o];
	agree = n[OUTCOME_APPLIED] + n[OUTCOME_UNCHANGED];
	printf("%zu daemons: %zu applied, %zu unchanged, %zu unreachable, %zu refused, %zu differ\n", all,
	       n[OUTCOME_APPLIED], n[OUTCOME_UNCHANGED], n[OUTCOME_UNREACHABLE], n[OUTCOME_REFUSED],
	       n[OUTCOME_DIFFERS]);
	if (n[OUTCOME_DIFFERS])
		printf("what differs is not the file's, or was changed since; --enforce makes it as the file says\n");
	return agree == all;
}

static void on_difference(void *arg, const char *name, enum outcome o, const char *words)
{
	(void)arg;
	if (o == OUTCOME_DIFFERS)
		say(name, "", words);
}

static bool differences(const struct maestro *m)
{
	size_t n[OUTCOMES];

	maestro_each(m, on_difference, NULL);
	maestro_each(m, on_each, &(struct telling){ .which = OUTCOME_REFUSED });
	maestro_each(m, on_each, &(struct telling){ .which = OUTCOME_UNREACHABLE });
	maestro_counts(m, n);
	return !n[OUTCOME_DIFFERS] && !n[OUTCOME_REFUSED] && !n[OUTCOME_UNREACHABLE];
}

/* -- running it ---------------------------------------------------------------------------------------------------- */

static void on_end(struct ev_loop *ev, ev_signal *w, int events)
{
	(void)ev;
	(void)events;
	loop_stop(w->data);
}

static void on_hangup(struct ev_loop *ev, ev_signal *w, int events)
{
	(void)ev;
	(void)w;
	(void)events;
	log_reopen();
}

static void turn(struct maestro *m, struct loop *loop)
{
	ev_signal end[2], hangup;

	ev_signal_init(&end[0], on_end, SIGTERM);
	ev_signal_init(&end[1], on_end, SIGINT);
	ev_signal_init(&hangup, on_hangup, SIGHUP);
	end[0].data = end[1].data = loop;
	signal(SIGPIPE, SIG_IGN);
	loop_lock(loop);
	for (int i = 0; i < 2; i++)
		ev_signal_start(loop_ev(loop), &end[i]);
	ev_signal_start(loop_ev(loop), &hangup);
	maestro_start(m);
	loop_unlock(loop);
	loop_run(loop);
	for (int i = 0; i < 2; i++)
		ev_signal_stop(loop_ev(loop), &end[i]);
	ev_signal_stop(loop_ev(loop), &hangup);
}

/* What --once has to say. */
static bool once_end(const struct maestro *m, struct lock *lock)
{
	char *other;

	if (maestro_leads(m))
		return summary(m);
	other = lock_holder(lock);
	printf("nothing was done: the lock is not ours%s%s\n", *other ? ": " : "", other);
	free(other);
	return false;
}

/* Takes the lock. */
static int carry_out(const struct subcmd *v, struct maestro_conf *mc, struct lock *lock)
{
	struct maestro *m = NULL;
	struct plan *plan = NULL;
	struct err err = { "" };
	struct loop *loop = NULL;
	struct watch watch;
	int status = EXIT_USAGE;
	bool agree;

	watch_init(&watch, mc->file);
	mc->watch = &watch;
	if (!maestro_plan(mc->file, &plan, &err))
		loop = loop_new("maestro", &err);
	if (!loop || maestro_new(mc, loop, plan, &m, &err)) {
		plan_free(plan);
		status = subcmd_complain(v, &err);
		goto out;
	}
	turn(m, loop);
	loop_lock(loop);
	agree = mc->mode == MAESTRO_KEEP || (mc->mode == MAESTRO_ONCE ? once_end(m, lock) : differences(m));
	status = agree ? EXIT_ALL : EXIT_INCOMPLETE;
	maestro_free(m);
	lock_free(lock);
	lock = NULL;
	loop_unlock(loop);
out:
	lock_free(lock);
	if (loop)
		loop_free(loop);
	return status;
}

static int log_set_up(const struct run_opts *o, struct err *err)
{
	uint32_t mask;
	int rc;

	if (log_levels_parse(o->level ? o->level : o->once ? "WARNING" : "INFO", &mask))
		return err_set(err, -EINVAL, "-v %s: DEBUG, INFO, WARNING, ERROR, CRITICAL or QUIET", o->level);
	log_levels_set(NULL, NULL, mask);
	rc = log_format_set("text", err);
	if (!rc && o->log)
		rc = log_open(o->log, err);
	return rc;
}

static char *state_dflt(void)
{
	const char *dir = getenv("STATE_DIRECTORY");

	return dir ? xasprintf("%.*s/maestro", (int)strcspn(dir, ":"), dir) : NULL;
}

static int lock_of(const struct run_opts *o, struct lock **ret, struct err *err)
{
	const struct lock_conf lc = { .file = o->lock,
				      .cluster = o->cluster,
				      .prefix = o->prefix ? o->prefix : "ldms",
				      .lease_us = o->lease_us };

	if (o->lock && o->cluster)
		return err_set(err, -EINVAL, "--lock and --cluster: one lock is enough");
	if (o->poll_us <= 0 || o->lease_us < SEC_US)
		return err_set(err, -EINVAL, "--poll must be more than 0, --lease at least 1s");
	return o->lock || o->cluster ? lock_new(&lc, ret, err) : 0;
}

int maestro_verb_run(const struct subcmd *v, int argc, char **argv)
{
	struct run_opts o = { .lease_us = 10 * SEC_US, .poll_us = 5 * SEC_US, .wait_us = 10 * SEC_US };
	struct maestro_conf mc = { .progress = on_progress };
	struct lock *lock = NULL;
	struct err err = { "" };
	char *state;
	int status;

	if (subcmd_parse(v, argc, argv, &o, &o.help, 1, 1, &status) < 0)
		return status;
	if (log_set_up(&o, &err) || lock_of(&o, &lock, &err))
		return subcmd_complain(v, &err);
	state = o.state ? xstrdup(o.state) : state_dflt();
	mc.file = argv[1];
	mc.mode = o.once ? MAESTRO_ONCE : MAESTRO_KEEP;
	mc.enforce = o.enforce;
	mc.poll_us = o.poll_us;
	mc.wait_us = o.wait_us;
	mc.state = state;
	mc.lock = lock;
	status = carry_out(v, &mc, lock);
	free(state);
	return status;
}

int maestro_verb_diff(const struct subcmd *v, int argc, char **argv)
{
	struct run_opts o = { .wait_us = 10 * SEC_US };
	struct maestro_conf mc = { .mode = MAESTRO_DIFF, .poll_us = SEC_US, .progress = on_progress };
	int status;

	if (subcmd_parse(v, argc, argv, &o, &o.help, 1, 1, &status) < 0)
		return status;
	log_level_set(LOG_QUIET_);
	mc.file = argv[1];
	mc.wait_us = o.wait_us;
	return carry_out(v, &mc, NULL);
}
