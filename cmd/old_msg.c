/* old_msg.c - `ldms_msg_publish` and `ldms_msg_subscribe`: their options, words and exit status, over the engine of
 * `ldms msg`
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/msg.h"
#include "cmd/old.h"
#include "cmd/old_bus.h"
#include "core/base/buf.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

/* -- ldms_msg_publish ---------------------------------------------------------------------------------------------- */

#define PUB           "ldms_msg_publish"
#define INTERVAL_DFLT 10000000 /* us between repetitions */

struct bus_pub {
	struct pub_opts pub;
	const char *tag, *type;
	uint64_t repeat, interval_us, delay_ns, retry_ms, quota_s;
	bool for_ever, verbose, help;
};

#define AT(field) offsetof(struct bus_pub, field)
static const struct opt pub_options[] = {
	{ 'x', "xprt", OPT_TEXT, "XPRT", AT(pub.peer.xprt), "transport (sock)" },
	{ 'h', "host", OPT_TEXT, "HOST", AT(pub.peer.host), "the daemon's host (localhost)" },
	{ 'p', "port", OPT_TEXT, "PORT", AT(pub.peer.port), "its port (" TOOL_PORT_DFLT ")" },
	{ 'm', "msg_tag", OPT_TEXT, "TAG", AT(tag), "the messages' tag" },
	{ 't', "type", OPT_TEXT, "TYPE", AT(type), "string, json or avro_ser (string)" },
	{ 'f', "file", OPT_TEXT, "FILE", AT(pub.file), "what is published (standard input)" },
	{ 'l', "line", OPT_FLAG, NULL, AT(pub.line), "each line is a message" },
	{ 'r', "repeat", OPT_NUM, "COUNT", AT(repeat), "publish the file so often; wants -f (1)" },
	{ 'R', NULL, OPT_FLAG, NULL, AT(for_ever), "publish the file for ever; wants -f" },
	{ 'i', "interval", OPT_NUM, "USECS", AT(interval_us), "between repetitions; wants -f (10000000)" },
	{ 'D', "delay", OPT_NUM, "NSECS", AT(delay_ns), "between messages (0)" },
	{ 'W', NULL, OPT_NUM, "MSECS", AT(retry_ms), "try to connect again after so long (0: end)" },
	{ 'g', NULL, OPT_NUM, "SECS", AT(quota_s),
	  "wait so long for the daemon to take a message (" TOOL_TIME_DFLT ")" },
	{ 'U', NULL, OPT_TEXT, "UID", AT(pub.uid), "the messages' owner, by number (yours)" },
	{ 'G', NULL, OPT_TEXT, "GID", AT(pub.gid), "the messages' group, by number (yours)" },
	{ 'P', NULL, OPT_TEXT, "PERM", AT(pub.perm), "who may read them, octal (0777)" },
	{ 'a', "auth", OPT_TEXT, "AUTH", AT(pub.peer.auth), "authentication method (none)" },
	{ 'A', "auth_arg", OPT_LIST, "K=V", AT(pub.peer.auth_args), "an argument of it; repeatable" },
	{ 'v', "verbose", OPT_FLAG, NULL, AT(verbose), "say what is done" },
	{ 'H', "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_old_ldms_msg_publish = {
	.synopsis = PUB " -m TAG [-x XPRT] [-h HOST] [-p PORT] [-t string|json|avro_ser] [-f FILE] [-l]\n"
			"[-r COUNT | -R] [-i USECS] [-D NSECS] [-W MSECS] [-g SECS]\n"
			"[-U UID] [-G GID] [-P PERM] [-a AUTH] [-A K=V] [-v]",
	.brief = "publish a file on the message bus of a daemon",
	.about = "`ldms msg pub` under its old name. Exit status: 0 (also when the connection is refused), 1 for wrong "
		 "usage and messages that were not taken, 113 when the host does not resolve.",
	.opts = pub_options,
};

static int pub_unconnected(const struct msg_conn *m, enum xprt_fail fail)
{
	const struct bus_pub *o = m->face->arg;

	if (o->verbose)
		printf("Connection ERROR\n");
	return fail == XPRT_RESOLVE ? EHOSTUNREACH : 0;
}

static void pub_connected(const struct msg_conn *m)
{
	const struct bus_pub *o = m->face->arg;

	if (o->verbose)
		printf("Connected to peer %s xprt=%s auth=%s\n", m->peer, m->o->xprt, m->o->auth);
}

static int wrong(const char *words, const char *about)
{
	printf(words, about);
	opt_help(stdout, &usage_old_ldms_msg_publish);
	return -EINVAL;
}

static int pub_check(struct bus_pub *o)
{
	static const char *const types[] = { "json", "string", "avro_ser" };
	bool known = !o->type;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		known |= o->type && !strcmp(o->type, types[i]);
	if (!o->tag)
		return wrong(PUB ": message tag name (-m, --msg_tag) is required%s\n", "");
	if (!known)
		return wrong(PUB ": The type argument must be 'json', 'string', or 'avro_ser', not %s\n", o->type);
	if (!o->repeat)
		return wrong(PUB ": The repeat argument must be a positive number of iterations, not %s.\n", "0");
	if ((o->repeat != 1 || o->for_ever || o->interval_us != INTERVAL_DFLT) && !o->pub.file)
		return wrong(PUB ": The (-r, -R, and -i) options can only be used with the file (-f) option.%s\n", "");
	return old_auth_args_check(&o->pub.peer.auth_args);
}

static void pub_fill(struct bus_pub *o)
{
	o->pub.json = o->type && !strcmp(o->type, "json");
	o->pub.avro = o->type && !strcmp(o->type, "avro_ser");
	o->pub.interval_us = (int64_t)(o->delay_ns / 1000);
	o->pub.retry_us = (int64_t)o->retry_ms * MSEC_US;
	old_bus_repeat(&o->pub, o->for_ever ? UINT64_MAX : o->repeat, o->interval_us);
}

int old_ldms_msg_publish(int argc, char **argv)
{
	struct bus_pub o = { .pub = PUB_OPTS_INIT, .repeat = 1, .interval_us = INTERVAL_DFLT };
	const struct msg_face face = { .arg = &o, .unconnected = pub_unconnected, .connected = pub_connected };
	int status = OLD_EXIT_USAGE;
	char *wait = NULL;

	o.pub.perm = "0777";
	o.pub.whole_lines = o.pub.unchecked = true;
	if (old_parse(PUB, argc, argv, &o, &o.help, &status) < 0 || pub_check(&o)) {
		opt_list_fini(&o.pub.peer.auth_args);
		return status;
	}
	pub_fill(&o);
	if (o.quota_s)
		o.pub.peer.time = wait = xasprintf("%" PRIu64 "s", o.quota_s);
	if (o.verbose)
		printf("sending data to host=%s port=%s xprt=%s auth=%s msg_tag=%s from %s\nget_ldms: retry: %" PRIu64
		       "\n",
		       o.pub.peer.host, o.pub.peer.port ? o.pub.peer.port : TOOL_PORT_DFLT, o.pub.peer.xprt,
		       o.pub.peer.auth, o.tag, o.pub.file ? o.pub.file : "stdin", o.retry_ms);
	status = msg_pub(PUB, &face, &o.pub, o.tag, NULL);
	free(wait);
	return status == EXIT_INCOMPLETE ? 1 : status;
}

/* -- ldms_msg_subscribe -------------------------------------------------------------------------------------------- */

#define SUB "ldms_msg_subscribe"

struct bus_subscribe {
	struct sub_opts sub;
	const char *tag;
	bool help;
};

#define AT(field) offsetof(struct bus_subscribe, field)
static const struct opt sub_options[] = {
	{ 'x', "xprt", OPT_TEXT, "XPRT", AT(sub.peer.xprt), "transport (sock)" },
	{ 'h', "host", OPT_TEXT, "HOST", AT(sub.listen_host), "listen at this address (all)" },
	{ 'p', "port", OPT_TEXT, "PORT", AT(sub.listen), "listen at this port" },
	{ 'm', "msg_tag", OPT_TEXT, "TAG", AT(tag), "accepted; all that is sent here is printed" },
	{ 'f', "file", OPT_TEXT, "FILE", AT(sub.file), "append to this file (standard output)" },
	{ 'a', "auth", OPT_TEXT, "AUTH", AT(sub.peer.auth), "authentication method (none)" },
	{ 'A', "auth_arg", OPT_LIST, "K=V", AT(sub.peer.auth_args), "an argument of it; repeatable" },
	{ 'D', "daemonize", OPT_FLAG, NULL, AT(sub.background), "go on in the background" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_old_ldms_msg_subscribe = {
	.synopsis = SUB " [-x XPRT] -p PORT [-h HOST] [-m TAG] [-f FILE] [-a AUTH] [-A K=V]",
	.brief = "wait for publishers of messages, and print what they send",
	.about = "`ldms msg sub --listen` under its old name: it is itself the one that publishers connect to. "
		 "`ldms msg sub` subscribes at a daemon.",
	.opts = sub_options,
};

/* JSON as it came; of other messages what they are, too. */
static void put_msg(const struct sub_opts *sub, struct buf *to, const struct msg_shown *m)
{
	if (m->bus->type == BUS_JSON) {
		buf_add(to, m->data, m->len);
		return;
	}
	buf_addf(to, "name: %s\nhop : %" PRIu32 "\ntype: %s\ndata: ", m->channel, m->bus->hop_cnt,
		 m->bus->type == BUS_AVRO ? "LDMS_MSG_AVRO_SER" : "LDMS_MSG_STRING");
	buf_add(to, m->data, m->len);
	buf_u8(to, '\n');
}

int old_ldms_msg_subscribe(int argc, char **argv)
{
	struct bus_subscribe o = { .sub = SUB_OPTS_INIT };
	const struct old_subscriber prog = { .name = SUB, .sub = &o.sub, .help = &o.help };

	o.sub.put = put_msg;
	return old_bus_subscribe(&prog, argc, argv, &o);
}
