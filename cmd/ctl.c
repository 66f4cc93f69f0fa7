/* ctl.c - `ldms ctl`: ask or change a running daemon: one command, scripts of them, or a prompt */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ctl.h"
#include "cmd/msg.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"

struct ctl_opts {
	struct msg_peer_opts peer;
	struct opt_list files;
	bool json, keep_going;
};

#define AT(field) offsetof(struct ctl_opts, field)
static const struct opt opts[] = {
	{ 'f', "file", OPT_LIST, "FILE", AT(files), "carry out the commands in this file; - is standard input" },
	{ 'k', "keep-going", OPT_FLAG, NULL, AT(keep_going), "go on behind a command that failed" },
	{ 0, "json", OPT_FLAG, NULL, AT(json), "print answers as the JSON that came" },
	MSG_PEER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_ctl = {
	.synopsis = "ldms ctl [--json] [-h HOST] [-p PORT] [-x XPRT] [-a AUTH] [-A KEY=VALUE] [-w TIME]\n"
		    "[-k] [-f FILE ... | COMMAND [ATTRIBUTE=VALUE ...]]",
	.brief = "ask or change a running daemon",
	.about = "Sends a command to a daemon, ours or ldmsd, and prints its answer. Without a command it reads them "
		 "from standard input, at a terminal with a prompt, completion and history. `ldms ctl help` lists the "
		 "commands, `ldms ctl help COMMAND` says what one takes. Exit status: 0 done, 1 wrong usage, or the "
		 "daemon refused the command, 2 the host does not resolve, 3 refused or unreachable, 4 no answer in "
		 "time, 5 not an LDMS daemon, 6 it speaks another protocol version, 7 it rejects the authentication, "
		 "9 no permission.",
	.opts = opts,
	.examples = "ldms ctl prdcr_status                         the producers of the daemon on this host\n"
		    "ldms ctl -h agg-1 updtr_stop name=all         stop an updater\n"
		    "ldms ctl -h agg-1 stats                       what was refused, lost, dropped or late\n"
		    "ldms ctl -h agg-1 -f more-producers.conf      lines as in a configuration file\n"
		    "ldms ctl -h agg-1 --json strgp_status | jq .  for programs\n"
		    "ldms ctl -h agg-1                             a prompt",
};

static char *joined(char **words)
{
	struct buf b = { 0 };
	char *ret;

	for (; *words; words++)
		buf_addf(&b, "%s%s", b.len ? " " : "", *words);
	ret = xstrdup(buf_str(&b));
	buf_fini(&b);
	return ret;
}

static enum exit_status run(struct ctl_session *s, const struct ctl_opts *o, int n, char **argv)
{
	enum exit_status status = EXIT_ALL, rc;
	char *command;

	if (n) {
		command = joined(argv + 1);
		status = ctl_command(s, command, "");
		free(command);
		return status;
	}
	for (size_t i = 0; i < o->files.n && !s->quit; i++) {
		rc = ctl_script(s, o->files.v[i], o->keep_going);
		status = status ? status : rc;
		if (rc && !o->keep_going)
			return status;
	}
	if (o->files.n)
		return status;
	return isatty(STDIN_FILENO) ? ctl_prompt(s) : ctl_script(s, "-", o->keep_going);
}

static int open_and_run(struct ctl_session *s, const struct ctl_opts *o, int n, char **argv, enum exit_status *status,
			struct err *err)
{
	struct kv auth_args = { 0 };
	char *host = NULL, *peer = NULL;
	int rc;

	if (n && o->files.n)
		return err_set(err, -EINVAL, "a command, or --file; not both");
	rc = tool_time_parse(o->peer.time, &s->conf.time_us, err);
	if (!rc)
		rc = tool_peer_parse(o->peer.host, o->peer.port, &host, &s->conf.port, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < o->peer.auth_args.n; i++)
		kv_parse(&auth_args, o->peer.auth_args.v[i]);
	peer = xasprintf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, s->conf.port);
	s->peer = peer;
	s->conf.host = host;
	s->conf.xprt = o->peer.xprt;
	s->conf.auth = o->peer.auth;
	s->conf.auth_args = &auth_args;
	s->form = o->json ? CTL_JSON : CTL_TABLES;
	log_level_set(LOG_QUIET_); /* what matters is said by us */
	*status = run(s, o, n, argv);
	client_close(s->client);
	kv_fini(&auth_args);
	free(host);
	free(peer);
	return 0;
}

int cmd_ctl(int argc, char **argv)
{
	struct ctl_session s = { .self = "ldms ctl" };
	struct ctl_opts o = { .peer = MSG_PEER_OPTS_INIT };
	enum exit_status status = EXIT_ALL;
	struct err err = { "" };
	int n = opt_parse(opts, argc, argv, &o, &err);

	if (n >= 0 && o.peer.help)
		opt_help(stdout, &usage_ctl);
	else if (n >= 0)
		n = open_and_run(&s, &o, n, argv, &status, &err);
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", s.self, err.msg);
		status = EXIT_USAGE;
	}
	opt_list_fini(&o.files);
	opt_list_fini(&o.peer.auth_args);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "%s: the output cannot be written: %s\n", s.self, err_name(errno));
		status = status ? status : EXIT_INCOMPLETE;
	}
	return (int)status;
}
