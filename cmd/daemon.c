/* daemon.c - see daemon.h */
#include "cmd/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf.h"
#include "core/ctl/session.h"
#include "core/daemon/daemon.h"
#include "core/daemon/listener.h"

#define MEM_DFLT     (512ull << 20) /* ceiling of set memory */
#define IO_LOOPS_MAX 4 /* threads for connections unless asked for more */
#define END_US	     (400 * MSEC_US) /* for flushing rows at the end */
#define END_ALARM_S  5 /* something hangs at the end: the kernel ends us */
#define MMAP_FROM    (128 << 10) /* bytes of an allocation that gets pages of its own */
#define EXIT_LISTEN  7 /* ldmsd's */

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
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void daemon_opts_init(struct daemon_opts *o)
{
	*o = (struct daemon_opts){ /* times and numbers that are not UNSET_* here have their default */
		.interval_us = SEC_US,
		.offset_us = 0,
		.reconnect_us = UNSET_TIME,
		.compid = UNSET_NUM,
		.mem = UNSET_NUM,
		.io_threads = UNSET_NUM,
		.auth = "none",
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

static void complain(void *arg, const char *words)
{
	(void)arg;
	log_error("config", "%s", words);
}

/* All that files and options say; nothing has run yet. */
static int conf_gather(struct conf *cf, const struct daemon_opts *o, struct err *err)
{
	struct buf lines = { 0 };
	int rc = daemon_opts_listen(o, &lines, err);

	if (o->auth_arg.n && !strcmp(o->auth, "none"))
		log_warning("config", "-A %s: authentication none takes no arguments; it is ignored", o->auth_arg.v[0]);
	for (size_t i = 0; i < o->conf.n && !rc; i++)
		rc = conf_read(cf, o->conf.v[i], err);
	if (!rc)
		rc = daemon_opts_lines(o, &lines, err);
	if (!rc)
		conf_text(cf, "command line", buf_str(&lines));
	buf_fini(&lines);
	if (!rc && conf_errors(cf))
		rc = err_set(err, -EINVAL, "%u error%s in the configuration, see above; nothing was started",
			     conf_errors(cf), conf_errors(cf) == 1 ? "" : "s");
	return rc;
}

static int pid_file_write(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", getpid());

	if (fd < 0 || write(fd, text, (size_t)n) != n) {
		int rc = -errno;

		if (fd >= 0)
			close(fd);
		return err_set(err, rc, "pid file %s: %s", path, err_name(rc));
	}
	close(fd);
	return 0;
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

static int run(const struct daemon_role *role, struct daemon_opts *o, struct conf *cf, struct err *err)
{
	struct daemon_conf dc = {
		.name = o->self,
		.mem = o->mem == UNSET_NUM ? MEM_DFLT : o->mem,
		.name_fixed = o->name,
		.mem_fixed = o->mem != UNSET_NUM,
		.io_loops = io_loops(role, o),
		.component_id = o->compid == UNSET_NUM ? 0 : o->compid,
		.sysroot = o->sysroot,
		.timeout_us = o->timeout_us,
	};
	struct record_sink *sink;
	bool pid_written = false;
	struct daemon *d;
	int rc = daemon_new(&dc, &d, err);

	if (rc)
		return rc;
	signal_loop = d->main;
	begun = true;
	sessions_open(d);
	sink = d->sink;
	rc = conf_run(cf, d);
	if (rc)
		err_set(err, rc, "the configuration could not be carried out, see above");
	if (rc && d->listen_failed)
		o->exit_status = EXIT_LISTEN;
	if (!rc && o->pid_file) {
		rc = pid_file_write(o->pid_file, err);
		pid_written = !rc;
	}
	if (!rc) {
		d->ready = true;
		log_info("ldmsd", "%s is ready", d->name);
		if (role->started)
			role->started(o, listener_port(d));
		loop_run(d->main);
		log_info("ldmsd", "%s ends", d->name);
	}
	alarm(END_ALARM_S);
	signal_loop = NULL;
	sessions_stop(sink);
	daemon_free(d, END_US);
	sessions_free(sink);
	if (pid_written)
		unlink(o->pid_file);
	return rc;
}

int daemon_main(const struct daemon_role *role, struct daemon_opts *o)
{
	struct err err = { "" };
	enum log_level level;
	struct conf *cf;
	int rc = 0;

	/* few arenas: threads that allocate little must not each keep memory of their own */
	mallopt(M_ARENA_MAX, 1);
	/* and what is large and short-lived (a directory of 10,000 sets) goes back at its end, not into the heap's middle */
	mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
	signals_take();
	log_time_set(true);
	if (o->log_level)
		rc = log_level_parse(o->log_level, &level, &err);
	if (!rc && o->log_level)
		log_level_set(level);
	if (!rc)
		rc = log_open(o->log_file, &err);
	cf = conf_new(complain, NULL);
	if (!rc)
		rc = conf_gather(cf, o, &err);
	if (!rc)
		rc = run(role, o, cf, &err);
	conf_free(cf);
	if (rc)
		fprintf(stderr, "ldms %s: %s\n", role->name, err.msg);
	if (rc && o->exit_status)
		return o->exit_status;
	return rc ? abs(rc) & 0xff : 0;
}
