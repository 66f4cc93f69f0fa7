/* ctl_stream.c - the verbs on streams */
#include <errno.h>
#include <inttypes.h>

#include "core/base/json_scan.h"
#include "core/base/log.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/stream.h"

int ctl_stream_enable(struct ctl *c, struct err *err)
{
	(void)err;
	streams_enable(c->d->streams, true);
	buf_addf(&c->reply, "OK");
	return 0;
}

int ctl_stream_disable(struct ctl *c, struct err *err)
{
	(void)err;
	streams_enable(c->d->streams, false);
	buf_addf(&c->reply, "OK");
	return 0;
}

/* From a file, or on behalf of one; what peers publish does not come here (peer_stream.c). */
int ctl_publish(struct ctl *c, struct err *err)
{
	const char *text = ctl_text(c, ATTR_STRING, "");
	struct stream_msg m = {
		.name = ctl_text(c, ATTR_NAME, NULL),
		.data = text,
		.len = strlen(text) + 1,
		.uid = c->uid,
		.gid = c->gid,
	};

	if ((*text == '{' || *text == '[') && !json_check(text, m.len - 1, NULL))
		m.type = STREAM_JSON;
	return stream_publish(c->d->streams, &m, NULL, err);
}

/* What only a connection can do. */
int ctl_peer_only(struct ctl *c, struct err *err)
{
	(void)err;
	log_warning("config", "%s: has no effect in a file: it is the one who sends it that gets the messages",
		    c->verb->name);
	return 0;
}

/* -- questions ----------------------------------------------------------------------------------------------------- */

static int off(struct ctl *c, struct err *err)
{
	return streams_enabled(c->d->streams) ? 0
					      : err_set(err, -ENOSYS, "The stream service is DISABLED on this system.");
}

static void put_count(struct buf *b, const struct stream_count *n)
{
	double s = (double)(n->last_s - n->first_s);

	buf_addf(b, "{");
	if (n->n)
		buf_addf(b,
			 "\"first_ts\":%" PRId64 ",\"last_ts\":%" PRId64 ",\"count\":%" PRIu64
			 ",\"total_bytes\":%" PRIu64,
			 n->first_s, n->last_s, n->n, n->bytes);
	if (s > 0)
		buf_addf(b, ",\"count/sec\":%f,\"bytes/sec\":%f", (double)n->n / s, (double)n->bytes / s);
	buf_addf(b, "}");
}

static void put_both(struct buf *b, const struct stream_count *pub, const struct stream_count *recv)
{
	buf_addf(b, "\"pub\":");
	put_count(b, pub);
	buf_addf(b, ",\"recv\":");
	put_count(b, recv);
}

static void put_stream(struct buf *b, const struct stream *s)
{
	const char *sep = "";

	reply_string(b, s->name);
	buf_addf(b, ":{\"mode\":\"%s\",", LIST_EMPTY(&s->subs) ? "not subscribed" : "subscribed");
	put_both(b, &s->pub, &s->recv);
	buf_addf(b, ",\"publishers\":{");
	for (const struct stream_source *src = s->sources; src; src = src->hh.next, sep = ",") {
		buf_addf(b, "%s", sep);
		reply_string(b, src->prdcr);
		buf_addf(b, ":{\"recv\":");
		put_count(b, &src->recv);
		buf_addf(b, "}");
	}
	buf_addf(b, "}},");
}

/* To tell of them all in JSON: until streams_unlock(). */
static int view(struct ctl *c, const struct streams_view **ret, struct err *err)
{
	int rc = off(c, err);

	if (rc)
		return rc;
	c->json = c->nul = true;
	*ret = streams_lock(c->d->streams);
	return 0;
}

int ctl_stream_status(struct ctl *c, struct err *err)
{
	const struct streams_view *v;
	struct buf *b = &c->reply;
	int rc = view(c, &v, err);

	if (rc)
		return rc;
	buf_addf(b, "{");
	for (const struct stream *s = v->streams; s; s = s->hh.next)
		put_stream(b, s);
	if (v->streams) {
		buf_addf(b, "\"_OVERALL_\":{");
		put_both(b, &v->pub, &v->recv);
		buf_addf(b, "}");
	}
	buf_addf(b, "}");
	if (ctl_num(c, ATTR_RESET, false))
		streams_reset(c->d->streams);
	streams_unlock(c->d->streams);
	return 0;
}

static void put_client(struct buf *b, const struct stream_sub *sub)
{
	buf_addf(b, "{\"cb_fn\":");
	reply_string(b, sub->conf.who);
	/* beyond ldmsd: what became of its messages */
	buf_addf(b,
		 ",\"ctxt\":\"%p\",\"sent\":%" PRIu64 ",\"waiting_bytes\":%zu,\"dropped\":%" PRIu64
		 ",\"dropped_bytes\":%" PRIu64 "}",
		 sub->conf.arg, sub->taken, sub->queued, sub->drops, sub->drop_bytes);
}

int ctl_stream_client_dump(struct ctl *c, struct err *err)
{
	const struct streams_view *v;
	const struct stream_sub *sub;
	struct buf *b = &c->reply;
	int rc = view(c, &v, err);

	if (rc)
		return rc;
	buf_addf(b, "{\"streams\":[");
	for (const struct stream *s = v->streams; s; s = s->hh.next) {
		const char *sep = "";

		buf_addf(b, "{\"name\":");
		reply_string(b, s->name);
		buf_addf(b, ",\"clients\":[");
		LIST_FOREACH(sub, &s->subs, entry) {
			buf_addf(b, "%s", sep);
			put_client(b, sub);
			sep = ",";
		}
		buf_addf(b, "]}%s", s->hh.next ? "," : "");
	}
	buf_addf(b, "]}");
	streams_unlock(c->d->streams);
	return 0;
}
