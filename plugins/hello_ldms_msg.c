/* hello_ldms_msg.c - says in the log what messages come in on channels */
#include "core/base/log.h"
#include "core/base/regex.h"
#include "plugins/samp.h"

#define MATCH_DFLT ".*"

static const struct samp_attr attrs[] = {
	{ "match", MATCH_DFLT, "channels, as a regular expression" },
	{ NULL, NULL, NULL },
};

static int hello_check(struct samp *sp, struct err *err)
{
	const char *match = samp_attr(sp, "match");
	struct rx rx;
	int rc = match ? rx_init(&rx, match, err) : 0;

	if (rc)
		return err_prefix(err, rc, "match=: ");
	if (match)
		rx_fini(&rx);
	return 0;
}

static int hello_take(struct samp *sp, const struct samp_msg *m, struct err *err)
{
	log_critical("sampler", "%s: %s: %s", samp_name(sp), m->name, m->data);
	return 0;
}

static int hello_open(struct samp *sp, struct err *err)
{
	const char *match = samp_attr(sp, "match");

	return samp_subscribe(sp, SAMP_MSG, match ? match : MATCH_DFLT, true, hello_take, err);
}

static void hello_close(struct samp *sp)
{
}

const struct samp_type samp_hello_ldms_msg = {
	.name = "hello_ldms_msg",
	.brief = "logs the messages of channels",
	.source = "messages",
	.attrs = attrs,
	.check = hello_check,
	.open = hello_open,
	.close = hello_close,
};
