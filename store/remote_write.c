/* remote_write.c - store remote_write: rows to Prometheus, VictoriaMetrics and whatever else takes Prometheus's remote
 * write protocol (version 0.1.0): samples.h in snappy.h in an HTTP POST, as post.h says. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/post.h"
#include "store/samples.h"
#include "store/snappy.h"

#define BODY_MAX (1ull << 32) /* bytes that Snappy counts */

struct remote { /* texts are borrowed from the store instance */
	const char *name, *url, *path, *query;
	struct samples_conf samples;
	struct post_conf post;
};

struct store_sink {
	struct remote *rw;
	struct post *post;
	struct series_shapes shapes;
};

static const struct store_attr remote_attrs[] = {
	{ "url", NULL,
	  "http://HOST:PORT of the server, or https://; with the path where that is not /api/v1/write; required",
	  "URL" },
	{ "prefix", NULL, "what the names of metrics begin with: nersc_ldms_ gives nersc_ldms_meminfo_Active", "text" },
	POST_ATTRS,
	SERIES_ATTRS,
	{ 0 },
};

/* -- configuration ------------------------------------------------------------------------------------------------- */

static int conf_prefix(struct store *st, struct remote *rw, struct err *err)
{
	const char *p = rw->samples.prefix = store_attr(st, "prefix");

	if (!p)
		return 0;
	if (isdigit((unsigned char)*p))
		return err_set(err, -EINVAL, "store %s: prefix=%s: a name cannot begin with a digit", store_name(st),
			       p);
	for (; *p; p++)
		if (!(*p == '_' || *p == ':' || ((unsigned char)*p < 0x80 && isalnum((unsigned char)*p))))
			return err_set(err, -EINVAL, "store %s: prefix=%s: letters, digits, _ and : go there",
				       store_name(st), rw->samples.prefix);
	return 0;
}

static int remote_config(struct store *st, struct err *err)
{
	struct remote *rw = store_state(st);
	int rc = post_url_read(st, &rw->url, &rw->path, &rw->query, err);

	rw->name = store_name(st);
	if (!rc)
		rc = conf_prefix(st, rw, err);
	if (!rc)
		rc = post_conf_read(st, &rw->post, err);
	return rc ? rc : series_conf_read(st, &rw->samples.series, err);
}

static void remote_fini(struct store *st)
{
	struct remote *rw = store_state(st);

	series_conf_fini(&rw->samples.series);
}

/* -- a policy's ---------------------------------------------------------------------------------------------------- */

static int encode(void *arg, const void *p, size_t len, struct buf *to, struct err *err)
{
	if (len >= BODY_MAX)
		return err_set(err, -EFBIG, "a row of %zu bytes does not fit into a message; take some metrics out",
			       len);
	snappy_put(p, len, to);
	return 0;
}

static const char *const headers[] = { "Content-Type: application/x-protobuf", "Content-Encoding: snappy",
				       "X-Prometheus-Remote-Write-Version: 0.1.0", NULL };
static const char *const row_words[] = {
	"out of order", "duplicate sample", "out of bounds", "too old", "label", NULL
};
static const struct post_face face = {
	.headers = headers, .token = "Bearer", .encode = encode, .row_words = row_words
};

static char *url_of(const struct remote *rw)
{
	int len = (int)strcspn(rw->url, "?");

	if (rw->path)
		return xstrdup(rw->url);
	while (len && rw->url[len - 1] == '/')
		len--;
	return xasprintf("%.*s/api/v1/write%s", len, rw->url, rw->query ? rw->query : "");
}

static int remote_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	struct remote *rw = store_state(st);
	struct store_sink *sk = xcalloc(1, sizeof(*sk));

	sk->rw = rw;
	sk->post = post_new(&rw->post, &face, sk, url_of(rw));
	*ret = sk;
	return 0;
}

static int remote_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	struct samples_shape *sh = series_shape_find(&sk->shapes, row->schema, samples_shape_schema);
	int rc = sh ? 0 : series_check(row->schema, err);
	const void *key;
	size_t len;

	if (rc)
		return rc;
	if (!sh) {
		sh = samples_shape_new(&sk->rw->samples, row->schema);
		series_shape_add(&sk->shapes, sh);
	}
	if (!samples_put(sh, row, post_taken(sk->post))) /* nothing to store */
		return 0;
	key = samples_key(sh, &len);
	series_watch(&sk->shapes, &sk->rw->samples.series, row, key, len);
	rc = post_added(sk->post, err);
	if (rc)
		series_unwatch(&sk->shapes);
	return rc;
}

static int remote_flush(struct store_sink *sk, struct err *err)
{
	return post_flush(sk->post, err);
}

static uint64_t remote_refused(struct store_sink *sk, struct err *why)
{
	return post_refused(sk->post, why);
}

static void remote_abort(struct store_sink *sk)
{
	post_abort(sk->post);
}

static void remote_close(struct store_sink *sk)
{
	post_close(sk->post, sk->rw->name);
	series_shapes_fini(&sk->shapes, samples_shape_free);
	free(sk);
}

static const struct store_to remote_to[] = {
	{ .word = "prom",
	  .form = "URL",
	  .attr = "url",
	  .container = "ldms",
	  .help = "Prometheus that takes remote write: http://HOST:9090" },
	{ .word = "vm",
	  .form = "URL",
	  .attr = "url",
	  .container = "ldms",
	  .help = "VictoriaMetrics, by remote write: http://HOST:8428" },
	{ 0 },
};

static const struct store_about remote_write_about = {
	.example = "load name=vm plugin=remote_write\n"
		   "config name=vm url=http://vm1:8428 prefix=nersc_ldms_\n"
		   "strgp_add name=vm plugin=vm container=vm regex=.* \\\n"
		   "          spool=/var/spool/ldms\n"
		   "strgp_start name=vm\n",
	.flush = POST_FLUSH,
	.once = "a sample that is posted again takes its own place in VictoriaMetrics; Prometheus refuses it as out of "
		"order, and it is counted as refused though it is there",
};

const struct store_type store_remote_write = {
	.name = "remote_write",
	.brief = "Prometheus's remote write over HTTP: VictoriaMetrics, Prometheus and others",
	.about = &remote_write_about,
	.needs = HTTP_NEEDS,
	.to = remote_to,
	.attrs = remote_attrs,
	.reads = POST_READS,
	.state_size = sizeof(struct remote),
	.config = remote_config,
	.open = remote_open,
	.row = remote_row,
	.flush = remote_flush,
	.refused = remote_refused,
	.abort = remote_abort,
	.close = remote_close,
	.fini = remote_fini,
};
