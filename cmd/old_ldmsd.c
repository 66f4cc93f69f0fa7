/* old_ldmsd.c - `ldmsd`: its options, environment, words and exit status, over the daemon that all commands share
 *
 * Its options are those of our daemons under other names; what they stand for is said in configuration lines, by
 * daemon_opts.c.  The log goes to standard output, with errors alone, as ldmsd has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/daemon.h"
#include "cmd/old.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define SELF         "ldmsd"
#define EXIT_NOTHING 101 /* neither a file nor a port */
#define VERSION_TEXT                                                                                                   \
	"LDMSD Version: 4.5.3\nLDMS Protocol Version: 4.2.0.0\nLDMSD Plugin Interface Version: 3.2.2.0\n"              \
	"git-SHA: ldms-" LDMS_VERSION "\n"
#define BANNER_TEXT                                                                                                    \
	"Started LDMS Daemon with authentication version 4.5.3. LDMSD Interface Version 3.2.2.0. LDMS Protocol "       \
	"Version 4.2.0.0. git-SHA ldms-" LDMS_VERSION "\n"

enum { OBSOLETE_B, OBSOLETE_C, OBSOLETE_K, OBSOLETE_P, OBSOLETE_N };

struct old_ldmsd {
	struct daemon_opts d;
	const char *mem, *log_config, *usage, *obsolete[OBSOLETE_N];
	bool kernel, foreground, version, help;
};

#define AT(field) offsetof(struct old_ldmsd, field)
static const struct opt opts[] = {
	{ 'x', NULL, OPT_LIST, "XPRT:PORT[:HOST]", AT(d.xprt), "listen here; repeatable" },
	{ 'c', NULL, OPT_LIST, "FILE", AT(d.conf), "configuration file; repeatable" },
	{ 'y', NULL, OPT_LIST, "FILE", AT(d.yaml), "YAML configuration; repeatable; wants -n" },
	{ 'a', "default_auth", OPT_TEXT, "AUTH", AT(d.auth), "authentication of the domain DEFAULT (none)" },
	{ 'A', "default_auth_args", OPT_LIST, "K=V", AT(d.auth_arg), "an option of it; repeatable" },
	{ 'n', "daemon_name", OPT_TEXT, "NAME", AT(d.name), "the daemon's name (host name)" },
	{ 'm', "set_memory", OPT_TEXT, "SIZE", AT(mem), "ceiling of set memory (LDMSD_MEM_SZ, else 512M)" },
	{ 'l', "log_file", OPT_TEXT, "FILE", AT(d.log_file), "log there; also syslog (standard output)" },
	{ 'v', "log_level", OPT_LIST, "LEVEL", AT(d.log_level),
	  "DEBUG INFO WARNING ERROR CRITICAL QUIET, or a list (ERROR)" },
	{ 'r', "pid_file", OPT_TEXT, "FILE", AT(d.pid_file),
	  "write the process number there, and a banner into FILE.version" },
	{ 'L', "log_config", OPT_TEXT, "INT:FILE", AT(log_config), "accepted; -v DEBUG has requests in the log" },
	{ 'F', NULL, OPT_FLAG, NULL, AT(foreground), "accepted; it always stays in the foreground" },
	{ 'V', NULL, OPT_FLAG, NULL, AT(version), "print the versions and exit" },
	{ 'u', NULL, OPT_TEXT, "NAME", AT(usage), "this text, and exit" },
	{ 'B', "banner", OPT_TEXT, "MODE", AT(obsolete[OBSOLETE_B]), "obsolete: `banner mode=` in a file" },
	{ 'C', "default_quota", OPT_TEXT, "SIZE", AT(obsolete[OBSOLETE_C]), "obsolete: `default_quota quota=`" },
	{ 'k', "publish_kernel", OPT_FLAG, NULL, AT(kernel), "obsolete: `publish_kernel path=`" },
	{ 's', "kernel_file", OPT_TEXT, "FILE", AT(obsolete[OBSOLETE_K]), "obsolete: `publish_kernel path=`" },
	{ 'P', "worker_threads", OPT_TEXT, "N", AT(obsolete[OBSOLETE_P]), "obsolete: `worker_threads num=`" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_old_ldmsd = {
	.synopsis = SELF " [-x XPRT:PORT[:HOST] ...] [-c FILE ...] [-y FILE ...] [option ...]",
	.brief = "the daemon, as ldmsd of LDMS is started",
	.about = "`ldms samp`, `ldms agg` and `ldms store` under their old name: what it does is said by configuration "
		 "files. Exit status: 0 at a signal or daemon_exit, 1 wrong usage, 7 a port cannot be listened on, 101 "
		 "neither -c nor -x, else the errno of the line or option that is wrong (22, 2, ...).",
	.opts = opts,
	.examples = "ldmsd -x sock:411 -c /etc/ldms/sampler.conf -l /var/log/ldmsd.log -v INFO\n"
		    "ldmsd -x sock:411 -a ovis -A conf=/root/.ldmsauth.conf -c agg.conf",
};

static const char *const obsolete_words[OBSOLETE_N] = {
	[OBSOLETE_B] = "The option `-B` is obsolete. Please specify `banner mode=<0|1|2>` in a configuration file.",
	[OBSOLETE_C] =
		"The option `-C` is obsolete. Please specify `default_quota quota=<INTEGER>` in a configuration file.",
	[OBSOLETE_K] =
		"The options `-k` and `-s` are obsolete. Please specify `publish_kernel path=<KERNEL_FILE>` in a "
		"configuration file.",
	[OBSOLETE_P] = "The option `-P` is obsolete. Please specify `worker_threads num=<NUMBER OF THREADS>` in a "
		       "configuration file.",
};

/* The last lines of every ldmsd's log, whatever its level. */
static void said_ended(const struct daemon_opts *o, int status, const char *why)
{
	log_line(LOG_QUIET_, SELF, "LDMSD_ LDMS Daemon exiting...status %d, %s", status, why);
	log_line(LOG_QUIET_, SELF, "LDMSD_ cleanup end.");
}

static int fail(int status, const char *why)
{
	said_ended(NULL, status, why);
	return status;
}

/* -- the banner: a file beside the pid file ------------------------------------------------------------------------ */

static char *banner_path(const struct daemon_opts *o)
{
	return o->pid_file ? xasprintf("%s.version", o->pid_file) : NULL;
}

static void banner_write(const struct daemon_opts *o, unsigned short port)
{
	char *path = banner_path(o);
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

	(void)port;
	if (path && (fd < 0 || write(fd, BANNER_TEXT, strlen(BANNER_TEXT)) < 0))
		log_error(SELF, "banner %s: %s", path, err_name(errno));
	if (fd >= 0)
		close(fd);
	free(path);
}

static void banner_remove(const struct daemon_opts *o)
{
	char *path = banner_path(o);

	if (path)
		unlink(path);
	free(path);
}

/* -- from options to the daemon ------------------------------------------------------------------------------------ */

static int memory(struct old_ldmsd *o, struct err *err)
{
	const char *env = getenv("LDMSD_MEM_SZ");
	const char *text = o->mem ? o->mem : env && *env ? env : NULL;
	int rc = text ? unit_size(text, &o->d.mem, err) : 0;

	return rc ? err_prefix(err, rc, "%s: ", o->mem ? "option -m" : "LDMSD_MEM_SZ") : 0;
}

static int obsolete(const struct old_ldmsd *o)
{
	for (int i = 0; i < OBSOLETE_N; i++)
		if (o->obsolete[i] || (i == OBSOLETE_K && o->kernel)) {
			log_critical(SELF, "%s", obsolete_words[i]);
			return fail(EINVAL, "Received an obsolete command-line option");
		}
	return 0;
}

/* The exit status, or 0: go on. */
static int check(struct old_ldmsd *o)
{
	struct err err = { "" };
	int status = obsolete(o);

	if (status)
		return status;
	if (!o->d.conf.n && !o->d.xprt.n && !o->d.yaml.n) {
		log_critical(SELF,
			     "A config file (-c) or listening port (-x) is required. Specify at least one of these. "
			     "... exiting");
		return fail(EXIT_NOTHING, "no config files nor listening ports");
	}
	if (o->d.yaml.n && !o->d.name) {
		log_critical(SELF, "-y %s: which of its daemons is this? -n NAME", o->d.yaml.v[0]);
		return fail(EINVAL, "YAML configuration");
	}
	if (memory(o, &err)) {
		log_critical(SELF, "%s", err.msg);
		return fail(EINVAL, "Invalid memory size");
	}
	for (size_t i = 0; i < o->d.auth_arg.n; i++)
		if (!strchr(o->d.auth_arg.v[i], '=')) {
			log_critical(SELF, "option -A: '%s' is no NAME=VALUE", o->d.auth_arg.v[i]);
			return fail(EINVAL, "Invalid authentication option");
		}
	return 0;
}

static int run(struct old_ldmsd *o)
{
	static const struct daemon_role role = {
		.name = SELF,
		.io_loops = true,
		.started = banner_write,
		.ended = said_ended,
	};
	int status;

	if (o->foreground)
		log_warning(SELF, "The option `-F` is obsolete: it always stays in the foreground");
	if (o->log_config)
		log_warning(SELF, "-L %s: is not kept; -v DEBUG has requests in the log", o->log_config);
	o->d.log_format = "ldmsd";
	daemon_opts_defaults(&o->d);
	status = daemon_main(&role, &o->d);
	if (!status) /* it was up */
		banner_remove(&o->d);
	return status;
}

int old_ldmsd(int argc, char **argv)
{
	struct old_ldmsd o = { 0 };
	struct err err = { "" };
	int status = OLD_EXIT_USAGE;

	daemon_opts_init(&o.d);
	log_use(dup(STDOUT_FILENO), NULL, &err);
	o.d.level_dflt = "ERROR";
	log_level_set(LOG_ERROR_); /* until options have their say */
	if (old_parse(SELF, argc, argv, &o, &o.help, &status) < 0)
		goto out;
	if (o.usage) {
		opt_help(stdout, &usage_old_ldmsd);
		goto out;
	}
	if (o.version) {
		printf(VERSION_TEXT);
		status = 0;
		goto out;
	}
	status = check(&o);
	if (!status)
		status = run(&o);
out:
	daemon_opts_fini(&o.d);
	return status;
}
