/* up.c - `ldms up`: sampler, aggregator and store of one node in one process, with nothing to configure */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/daemon.h"
#include "cmd/daemon_to.h"
#include "cmd/to_store.h"
#include "core/base/xalloc.h"
#include "store/store.h"

#define UP_SAMPLERS "loadavg meminfo vmstat procstat2 procnetdev2" /* what every Linux has */
#define UP_PORT     411
#define UP_PORT_ALT 20411 /* where 411 may not be used */
#define UP_DIR      "ldms-data"
#define UP_DB       "ldms.db"

static const struct opt opts[] = {
	{ 0, "dir", OPT_TEXT, "DIR", DAEMON_OPT(dir), "where the rows go: a database, ldms.db (./" UP_DIR ")" },
	DAEMON_OPTS_COMMON,
	{ 0 },
};

const struct cmd_usage usage_up = {
	.synopsis = "ldms up [--dir DIR] [-x XPRT:PORT] [--samp LIST] [--to STORE:PATH] [option ...]",
	.brief = "everything on this node, with one command",
	.about = "Samples this node, serves the sets to `ldms ls` and to aggregators, and stores every row in the "
		 "database DIR/ldms.db, which `ldms query` shows.  Port 411 is used where it may be, else 20411.",
	.opts = opts,
	.examples = "ldms up\n"
		    "ldms up --dir /var/tmp/ldms --interval 10s -x sock:10411\n"
		    "ldms up --to csv:/var/tmp/ldms",
	.more = daemon_to_help,
};

/* May this process use the privileged port? */
static bool port_411(void)
{
	char text[16] = "1024";
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");

	if (f) {
		if (!fgets(text, sizeof(text), f))
			text[0] = '\0';
		fclose(f);
	}
	return geteuid() == 0 || atoi(text) <= UP_PORT;
}

/* The first store of --to, NULL: none. */
static const char *store_of(const struct daemon_opts *o)
{
	for (size_t i = 0; i < o->to.n; i++)
		if (to_store_is(o->to.v[i]))
			return o->to.v[i];
	return NULL;
}

/* What this build has: the embedded store, or files. */
static char *store_dflt(const char *dir)
{
	return store_type_find("sqlite")->needs ? xasprintf("csv:%s", dir) : xasprintf("sqlite:%s/" UP_DB, dir);
}

static void started(const struct daemon_opts *o, unsigned short port)
{
	const char *p = port == UP_PORT ? "" : " -p ";
	const char *where = store_of(o);
	struct to_store t;

	if (to_store_read(where, &t, NULL)) /* which it was already */
		return;
	if (t.path || *t.value)
		where = t.path ? t.path : t.value;
	printf("ldms up: %s is sampled every %lld ms; rows go to %s\n", o->self, (long long)o->interval_us / 1000,
	       where);
	if (*p)
		printf("look: ldms ls -v%s%u   ldms ls -l%s%u %s/loadavg\n", p, port, p, port, o->self);
	else
		printf("look: ldms ls -v   ldms ls -l %s/loadavg\n", o->self);
	if (!strncmp(store_of(o), "sqlite:", 7))
		printf("      ldms query %s loadavg --metric load1min --plot\n", where);
	fflush(stdout);
	to_store_fini(&t);
}

int cmd_up(int argc, char **argv)
{
	static const struct daemon_role role = { .name = "up", .started = started };
	struct daemon_opts o;
	struct err err = { "" };
	char *to, *listen;
	int n;

	daemon_opts_init(&o);
	n = opt_parse(opts, argc, argv, &o, &err);
	if (n > 0)
		n = err_set(&err, -EINVAL, "'%s' is left over; lists with blanks want quotes", argv[1]);
	if (n < 0 || o.help) {
		if (o.help)
			opt_help(stdout, &usage_up);
		else
			fprintf(stderr, "ldms up: %s; `ldms help up` says more\n", err.msg);
		daemon_opts_fini(&o);
		return n < 0;
	}
	o.level_dflt = "WARNING";
	daemon_opts_defaults(&o);
	to = store_dflt(o.dir ? o.dir : UP_DIR);
	listen = xasprintf("sock:%d", port_411() ? UP_PORT : UP_PORT_ALT);
	if (!store_of(&o))
		opt_list_add(&o.to, to);
	if (!o.samp.n)
		opt_list_add(&o.samp, UP_SAMPLERS);
	if (!o.xprt.n)
		opt_list_add(&o.xprt, listen);
	n = daemon_main(&role, &o);
	daemon_opts_fini(&o);
	free(to);
	free(listen);
	return n;
}
