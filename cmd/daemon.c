/* daemon.c - see daemon.h */
#include "cmd/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/daemon_yaml.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book.h"
#include "core/ctl/conf.h"
#include "core/ctl/failover_keep.h"
#include "core/ctl/reload.h"
#include "core/ctl/session.h"
#include "core/daemon/daemon.h"
#include "core/daemon/listener.h"
#include "core/daemon/spool_strays.h"

#define MEM_DFLT     (512ull << 20)  /* ceiling of set memory */
#define IO_LOOPS_MAX 4               /* threads for connections unless asked for more */
#define END_US       (400 * MSEC_US) /* for flushing rows at the end */
#define END_ALARM_S  5               /* something hangs at the end: the kernel ends us */
#define MMAP_FROM    (128 << 10)     /* bytes of an allocation that gets pages of its own */
#define EXIT_LISTEN  7               /* ldmsd's */

/* The loop that signals stop, while there is one.  The one global: a signal handler is handed nothing. */
static struct loop *volatile signal_loop;
static volatile sig_atomic_t begun;

static void on_signal(int sig)
{
	(void)sig;
	if (!begun)
		_exit(0);
	alarm(END_ALARM_S);
	if (signal_loop)
		loop_stop(signal_loop);
}

static void signals_take(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGHUP, SIG_IGN); /* until the loop takes it */
	signal(SIGPIPE, SIG_IGN);
}

/* The log file may have been renamed, and the configuration be another one. */
static void on_hangup(struct ev_loop *ev, ev_signal *w, int events)
{
	struct buf said = { 0 };
	struct err err = { "" };

	(void)ev;
	(void)events;
	log_reopen();
	if (reload_say(w->data, false, &said, &err))
		log_error("config", "reload: %s", err.msg);
	buf_fini(&said);
}

void daemon_opts_init(struct daemon_opts *o)
{
	*o = (struct daemon_opts){
		/* times and numbers that are not UNSET_* here have their default */
		.interval_us = SEC_US, .offset_us = 0,          .reconnect_us = UNSET_TIME, .compid = UNSET_NUM,
		.mem = UNSET_NUM,      .io_threads = UNSET_NUM, .level_dflt = "INFO",
	};
}

void daemon_opts_defaults(struct daemon_opts *o)
{
	char host[256] = "localhost";

	gethostname(host, sizeof(host) - 1);
	o->self = xstrdup(o->name ? o->name : host);
	if (o->reconnect_us == UNSET_TIME)
		o->reconnect_us = o->interval_us;
}

static void on_note(void *arg, const struct conf_note *n)
{
	enum log_level level = n->warning ? LOG_WARNING_ : LOG_ERROR_;

	(void)arg;
	if (n->line)
		log_at(level, "config", "%s:%u:%u: %s", n->file, n->line, n->col, n->words);
	else
		log_at(level, "config", "%s", n->words);
}

/* One of the operator's files. */
static int file_gather(struct conf *cf, const char *path, const char *daemon, bool go_on, struct err *err)
{
	int rc = daemon ? conf_read_yaml(cf, path, daemon, err) : conf_read(cf, path, err);

	if (!rc || !go_on)
		return rc;
	conf_missed(cf, rc, err->msg);
	return 0;
}

/* All that files and options say; nothing has run yet.  `go_on`: what is wrong with a file is said, and the others are
 * read as well. */
static int conf_gather(struct conf *cf, const struct daemon_opts *o, bool go_on, struct err *err)
{
	struct buf lines = { 0 };
	int rc = daemon_opts_auth(o, &lines, err);

	daemon_opts_levels(o, &lines);
	if (o->keep_going)
		conf_keep_going(cf);
	if (!rc)
		conf_text(cf, "command line", buf_str(&lines));
	buf_reset(&lines);
	if (!rc)
		rc = daemon_opts_listen(o, &lines, err);
	for (size_t i = 0; i < o->yaml.n && !rc; i++)
		rc = file_gather(cf, o->yaml.v[i], o->self, go_on, err);
	for (size_t i = 0; i < o->conf.n && !rc; i++)
		rc = file_gather(cf, o->conf.v[i], NULL, go_on, err);
	if (!rc)
		rc = daemon_opts_lines(o, &lines, err);
	if (!rc)
		conf_text(cf, "command line", buf_str(&lines));
	buf_fini(&lines);
	return rc;
}

static unsigned int io_loops(const struct daemon_role *role, const struct daemon_opts *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (o->io_threads != UNSET_NUM)
		return (unsigned int)o->io_threads;
	if (!role->io_loops)
		return 0;
	return cores < IO_LOOPS_MAX ? (unsigned int)cores : IO_LOOPS_MAX;
}

static struct daemon_conf conf_of(const struct daemon_role *role, const struct daemon_opts *o)
{
	return (struct daemon_conf){
		.name = o->self,
		.mem = o->mem == UNSET_NUM ? MEM_DFLT : o->mem,
		.name_fixed = o->name,
		.mem_fixed = o->mem != UNSET_NUM,
		.io_loops = io_loops(role, o),
		.component_id = o->compid == UNSET_NUM ? 0 : o->compid,
		.sysroot = o->sysroot,
		.timeout_us = o->timeout_us,
		.hold = true,
	};
}

/* All of it is tried before any of it is done. */
static int conf_judge(const struct daemon_role *role, struct daemon_opts *o, struct conf *cf, struct err *err)
{
	struct daemon_conf dc = conf_of(role, o);
	unsigned int n = conf_errors(cf);
	struct daemon *d;
	int rc = daemon_new(&dc, &d, err);

	if (rc)
		return rc;
	conf_try(cf, d, CONF_TRY_DAEMON);
	if (!n && d->listen_failed)
		o->exit_status = EXIT_LISTEN;
	daemon_free(d, 0);
	n = conf_errors(cf);
	if (!n || (o->keep_going && !conf_unsafe(cf)))
		return 0;
	return err_set(err, conf_rc(cf), "%u error%s in the configuration, see above; nothing was started%s", n,
		       n == 1 ? "" : "s",
		       !o->keep_going ? "" : " (--keep-going does not go on without lines that say who may do what)");
}

/* Opened while that may be done, written when all is up. */
struct pid_file {
	const char *path; /* NULL: none */
	char *asked;      /* by the configuration */
	int fd;
	bool written;
};

static int pid_file_open(struct pid_file *p, struct confine *c, struct err *err)
{
	if (p->path)
		p->fd = confine_open(c, p->path, O_WRONLY, false);
	return p->path && p->fd < 0 ? err_set(err, p->fd, "pid file %s: %s", p->path, err_name(p->fd)) : 0;
}

static int pid_file_write(struct pid_file *p, struct err *err)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", getpid());

	if (p->fd < 0)
		return 0;
	if (ftruncate(p->fd, 0) || write(p->fd, text, (size_t)n) != n)
		return err_set(err, -errno, "pid file %s: %s", p->path, err_name(errno));
	p->written = true;
	return 0;
}

/* Gone, or, in a folder where we may not remove any more, empty.  One that is not ours stays as it is. */
static void pid_file_close(struct pid_file *p)
{
	struct stat st;

	if (p->fd < 0)
		goto out;
	if (p->written || (!fstat(p->fd, &st) && !st.st_size))
		if (unlink(p->path) && ftruncate(p->fd, 0))
			log_warning("ldmsd", "pid file %s: %s; remove it", p->path, err_name(errno));
	close(p->fd);
out:
	free(p->asked);
}

/* All that it needs of the system is known: the rest is given up. */
static int confine_now(const struct daemon_opts *o, const struct conf *cf, struct confine *c, struct err *err)
{
	const char *file;
	int rc = 0;

	for (size_t i = 0; (file = conf_file(cf, i)) && !rc; i++)
		rc = confine_path(c, "configuration file", PATH_READ, file, err);
	for (size_t i = 0; i < o->sandbox_allow.n && !rc; i++)
		rc = confine_path(c, "--sandbox-allow", PATH_DIR, o->sandbox_allow.v[i], err);
	return rc ? rc : confine_enter(c, err);
}

/* From the first port to the last start. */
static int configure(struct daemon *d, const struct daemon_opts *o, struct conf *cf, struct pid_file *pid,
		     struct err *err)
{
	static const char why[] = "the configuration could not be carried out, see above";
	int rc = conf_prepare(cf, d);

	if (rc)
		return err_set(err, rc, why);
	if (!pid->path && d->pid_file)
		pid->path = pid->asked = xstrdup(d->pid_file); /* outlives the daemon */
	rc = pid_file_open(pid, d->confine, err);
	if (!rc)
		rc = confine_now(o, cf, d->confine, err);
	if (!rc)
		rc = log_begin(err);
	if (!rc)
		rc = daemon_begin(d, err);
	if (rc)
		return rc;
	rc = conf_run(cf, d);
	return rc ? err_set(err, rc, why) : pid_file_write(pid, err);
}

static int gather_again(void *arg, struct conf *cf, struct err *err)
{
	return conf_gather(cf, arg, false, err);
}

/* Takes cf: once it is carried out it takes no memory (600 bytes a producer). */
static int run(const struct daemon_role *role, struct daemon_opts *o, struct conf *cf, struct reload *reload,
	       struct follow *follow, struct confine *confine, struct err *err)
{
	struct daemon_conf dc = conf_of(role, o);
	struct pid_file pid = { .path = o->pid_file, .fd = -1 };
	ev_signal hangup;
	struct failover_keeper *keeper;
	struct record_sink *sink;
	struct daemon *d;
	struct book *book;
	int rc;

	dc.confine = confine;
	rc = daemon_new(&dc, &d, err);
	if (rc) {
		conf_free(cf);
		return rc;
	}
	signal_loop = d->main;
	begun = true;
	ev_signal_init(&hangup, on_hangup, SIGHUP);
	hangup.data = d;
	ev_signal_start(loop_ev(d->main), &hangup);
	sessions_open(d);
	sink = d->sink;
	failover_keep_open(d);
	keeper = failover_keeper(d->failover);
	d->book = book_new();
	d->reload = reload;
	reload_began(reload, cf);
	rc = configure(d, o, cf, &pid, err);
	conf_free(cf);
	if (rc && d->listen_failed)
		o->exit_status = EXIT_LISTEN;
	if (!rc) {
		follow_start(follow, d);
		d->ready = true;
		log_info("ldmsd", "%s is ready", d->name);
		spool_strays_say(d);
		if (role->started)
			role->started(o, listener_port(d));
		loop_run(d->main);
		log_info("ldmsd", "%s ends", d->name);
	}
	alarm(END_ALARM_S);
	signal_loop = NULL;
	follow_stop(follow);
	ev_signal_stop(loop_ev(d->main), &hangup);
	signal(SIGHUP, SIG_IGN);
	sessions_stop(sink);
	book = d->book;
	daemon_free(d, END_US);
	book_free(book);
	sessions_free(sink);
	failover_keep_free(keeper);
	pid_file_close(&pid);
	return rc;
}

static int confine_conf(const struct daemon_opts *o, struct confine **ret, struct err *err)
{
	struct confine_conf cc = { .user = o->user, .sysroot = o->sysroot };

	if (o->sandbox && *o->sandbox && strcmp(o->sandbox, "required"))
		return err_set(err, -EINVAL, "--sandbox=%s: --sandbox or --sandbox=required", o->sandbox);
	if (o->sandbox)
		cc.sandbox = *o->sandbox ? SANDBOX_REQUIRED : SANDBOX_ON;
	else if (o->sandbox_allow.n)
		return err_set(err, -EINVAL, "--sandbox-allow %s: wants --sandbox beside it", o->sandbox_allow.v[0]);
	return confine_new(&cc, ret, err);
}

int daemon_main(const struct daemon_role *role, struct daemon_opts *o)
{
	struct err err = { "" };
	struct confine *confine = NULL;
	const struct reload_conf again = { .gather = gather_again, .arg = o };
	struct follow *follow;
	struct reload *reload;
	struct conf *cf;
	int rc, status;

	/* few arenas: threads that allocate little must not each keep memory of their own */
	mallopt(M_ARENA_MAX, 1);
	/* and what is large and short-lived (a directory of 10,000 sets) goes back at its end, not into the heap's middle */
	mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
	signals_take();
	rc = daemon_opts_log(o, &err);
	if (!rc)
		rc = confine_conf(o, &confine, &err);
	if (!rc && o->log_file)
		rc = confine_log(confine, o->log_file, &err);
	reload = reload_new(&again);
	cf = conf_new(NULL, NULL);
	conf_notes(cf, on_note, NULL);
	follow = follow_new(o);
	if (!rc)
		rc = daemon_yaml_self(o, role->io_loops, &err);
	if (!rc)
		rc = conf_gather(cf, o, true, &err);
	if (!rc)
		rc = conf_judge(role, o, cf, &err);
	if (!rc)
		rc = run(role, o, cf, reload, follow, confine, &err);
	else
		conf_free(cf);
	follow_free(follow);
	reload_free(reload);
	confine_free(confine);
	status = !rc ? 0 : o->exit_status ? o->exit_status : abs(rc) & 0xff;
	if (role->ended)
		role->ended(o, status, rc ? err.msg : "");
	log_end(END_US);
	if (rc && !role->ended)
		fprintf(stderr, "ldms %s: %s\n", role->name, err.msg);
	return status;
}
