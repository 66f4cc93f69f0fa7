/* old_stream.c - `ldmsd_stream_publish` and `ldmsd_stream_subscribe`: their options, words and exit status, over the
 * engine of `ldms msg`
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/msg.h"
#include "cmd/old.h"
#include "cmd/old_bus.h"
#include "core/base/buf.h"

#define TYPE_WRONG "The type argument must be 'json' or 'string'\n"

/* -- ldmsd_stream_publish ------------------------------------------------------------------------------------------ */

#define PUB "ldmsd_stream_publish"

struct stream_pub {
	struct pub_opts pub;
	const char *stream, *type;
	uint64_t repeat, interval_us;
	bool help;
};

#define AT(field) offsetof(struct stream_pub, field)
static const struct opt pub_options[] = {
	{ 'x', "xprt", OPT_TEXT, "XPRT", AT(pub.peer.xprt), "transport (sock)" },
	{ 'h', "host", OPT_TEXT, "HOST", AT(pub.peer.host), "the daemon's host" },
	{ 'p', "port", OPT_TEXT, "PORT", AT(pub.peer.port), "its port" },
	{ 's', "stream", OPT_TEXT, "NAME", AT(stream), "the stream's name" },
	{ 't', "type", OPT_TEXT, "TYPE", AT(type), "string or json (string)" },
	{ 'f', "file", OPT_TEXT, "FILE", AT(pub.file), "what is published (standard input)" },
	{ 'l', "line", OPT_FLAG, NULL, AT(pub.line), "each line is a message" },
	{ 'r', "repeat", OPT_NUM, "COUNT", AT(repeat), "publish the file so often; wants -f (1)" },
	{ 'i', "interval", OPT_NUM, "MICROSEC", AT(interval_us), "between repetitions; wants -f (0)" },
	{ 'a', "auth", OPT_TEXT, "AUTH", AT(pub.peer.auth), "authentication method (none)" },
	{ 'A', "auth_arg", OPT_LIST, "K=V", AT(pub.peer.auth_args), "an argument of it; repeatable" },
	{ 'n', NULL, OPT_FLAG, NULL, AT(pub.announce), "tell of the stream before" },
	{ 'N', NULL, OPT_FLAG, NULL, AT(pub.announce_only), "tell of the stream, and publish nothing" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_old_ldmsd_stream_publish = {
	.synopsis = PUB " [-x XPRT] -h HOST -p PORT -s STREAM [-t string|json] [-f FILE] [-l]\n"
			"[-r COUNT] [-i MICROSEC] [-a AUTH] [-A K=V] [-n | -N]",
	.brief = "publish a file on a stream of a daemon",
	.about =
		"`ldms msg pub --stream` under its old name. Exit status: 0, 1 for wrong usage, else the number of the "
		"error (111 refused, 113 unreachable or unknown).",
	.opts = pub_options,
};

static int pub_unconnected(const struct msg_conn *m, enum xprt_fail fail)
{
	int e = fail == XPRT_RESOLVE ? EHOSTUNREACH : ECONNREFUSED;
	const struct stream_pub *o = m->face->arg;

	printf("Error %d connecting to %s\n", e,
	       o->pub.announce_only   ? "peer"
	       : fail == XPRT_RESOLVE ? m->peer
				      : "remote peer");
	if (!o->pub.announce_only)
		printf("Error %d publishing file.\n", e);
	return e;
}

static void pub_repeats(const struct msg_conn *m, uint64_t n)
{
	const struct stream_pub *o = m->face->arg;

	printf(o->pub.line ? "loop: %" PRIu64 " finished.\n" : "loop: %" PRIu64 " returned 0\n", n);
}

static int pub_check(struct stream_pub *o)
{
	if (!o->stream || !o->pub.peer.port || !o->pub.peer.host) {
		opt_help(stdout, &usage_old_ldmsd_stream_publish);
		return -EINVAL;
	}
	if (o->type && strcmp(o->type, "json") && strcmp(o->type, "string")) {
		printf(TYPE_WRONG);
		opt_help(stdout, &usage_old_ldmsd_stream_publish);
		return -EINVAL;
	}
	if ((o->repeat != 1 || o->interval_us) && !o->pub.file) {
		printf(PUB ": To use -r or -i, -f FILE must also be used.\n");
		return -EINVAL;
	}
	return old_auth_args_check(&o->pub.peer.auth_args);
}

int old_ldmsd_stream_publish(int argc, char **argv)
{
	struct stream_pub o = { .pub = PUB_OPTS_INIT, .repeat = 1 };
	const struct msg_face face = { .arg = &o, .unconnected = pub_unconnected, .repeats = pub_repeats };
	int status = OLD_EXIT_USAGE;

	o.pub.peer.host = NULL; /* has no default here */
	o.pub.stream = o.pub.whole_lines = o.pub.unchecked = true;
	if (old_parse(PUB, argc, argv, &o, &o.help, &status) < 0 || pub_check(&o)) {
		opt_list_fini(&o.pub.peer.auth_args);
		return status;
	}
	o.pub.json = o.type && !strcmp(o.type, "json");
	old_bus_repeat(&o.pub, o.repeat, o.interval_us);
	status = msg_pub(PUB, &face, &o.pub, o.stream, NULL);
	return status == EXIT_INCOMPLETE ? 0 : status; /* the daemon's refusal was not this program's error */
}

/* -- ldmsd_stream_subscribe ---------------------------------------------------------------------------------------- */

#define SUB "ldmsd_stream_subscribe"

struct stream_sub {
	struct sub_opts sub;
	const char *stream;
	bool events, quiet, help;
};

#define AT(field) offsetof(struct stream_sub, field)
static const struct opt sub_options[] = {
	{ 'x', "xprt", OPT_TEXT, "XPRT", AT(sub.peer.xprt), "transport (sock)" },
	{ 'h', "host", OPT_TEXT, "HOST", AT(sub.listen_host), "listen at this address (all)" },
	{ 'p', "port", OPT_TEXT, "PORT", AT(sub.listen), "listen at this port" },
	{ 's', "stream", OPT_TEXT, "NAME", AT(stream), "the stream's name" },
	{ 'f', "file", OPT_TEXT, "FILE", AT(sub.file), "append to this file (standard output)" },
	{ 'a', "auth", OPT_TEXT, "AUTH", AT(sub.peer.auth), "authentication method (none)" },
	{ 'A', "auth_arg", OPT_LIST, "K=V", AT(sub.peer.auth_args), "an argument of it; repeatable" },
	{ 'D', "daemonize", OPT_FLAG, NULL, AT(sub.background), "go on in the background" },
	{ 'E', NULL, OPT_FLAG, NULL, AT(events), "the events alone, without EVENT:{...}" },
	{ 'q', NULL, OPT_FLAG, NULL, AT(quiet), "print nothing" },
	{ 'i', NULL, OPT_FLAG, NULL, AT(sub.quiet), "accepted; without effect" },
	{ 'R', NULL, OPT_FLAG, NULL, AT(sub.quiet), "accepted; without effect" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_old_ldmsd_stream_subscribe = {
	.synopsis = SUB " [-x XPRT] -p PORT [-h HOST] -s STREAM [-f FILE]\n"
			"[-a AUTH] [-A K=V] [-D] [-E] [-q]",
	.brief = "wait for publishers on a stream, and print what they send",
	.about =
		"`ldms msg sub --stream --listen` under its old name: it is itself the one that publishers connect to. "
		"`ldms msg sub` subscribes at a daemon.",
	.opts = sub_options,
};

static void put_event(const struct sub_opts *sub, struct buf *to, const struct msg_shown *m)
{
	const struct stream_sub *o = sub->arg;

	if (o->quiet)
		return;
	if (!o->events)
		buf_addf(to, "EVENT:{\"type\":\"%s\",\"size\":%zu,\"event\":", m->json ? "json" : "string", m->given);
	buf_add(to, m->data, m->len);
	buf_addf(to, o->events ? "\n" : "}\n");
}

int old_ldmsd_stream_subscribe(int argc, char **argv)
{
	struct stream_sub o = { .sub = SUB_OPTS_INIT };
	const struct old_subscriber prog = { .name = SUB, .sub = &o.sub, .channel = &o.stream, .help = &o.help };

	o.sub.stream = true;
	o.sub.put = put_event;
	o.sub.arg = &o;
	return old_bus_subscribe(&prog, argc, argv, &o);
}
