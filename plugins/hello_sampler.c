/* hello_sampler.c - says in the log what comes in on a stream: is it there at all, and who reads it right? */
#include "core/base/log.h"
#include "plugins/samp.h"

#define STREAM_DFLT "hello_stream/hello"

static const struct samp_attr attrs[] = {
	{ "stream", STREAM_DFLT, "name of the stream" },
	{ NULL, NULL, NULL },
};

static int hello_take(struct samp *sp, const struct samp_msg *m, struct err *err)
{
	log_critical("sampler", "%s: stream_type: %s, msg: \"%s\", msg_len: %zu", samp_name(sp),
		     m->json ? "JSON" : "STRING", m->data, m->raw_len);
	return 0;
}

static int hello_open(struct samp *sp, struct err *err)
{
	const char *stream = samp_attr(sp, "stream");

	return samp_subscribe(sp, SAMP_STREAM, stream ? stream : STREAM_DFLT, false, hello_take, err);
}

static void hello_close(struct samp *sp)
{
}

const struct samp_type samp_hello_sampler = {
	.name = "hello_sampler",
	.brief = "logs what comes in on a stream",
	.source = "a stream",
	.attrs = attrs,
	.open = hello_open,
	.close = hello_close,
};
