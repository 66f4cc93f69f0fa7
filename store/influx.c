/* influx.c - store influx: rows to InfluxDB, VictoriaMetrics, Telegraf and whatever else takes lines of its protocol
 * over HTTP.  line.h has the lines, post.h how they travel. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/gzip.h"
#include "store/line.h"
#include "store/post.h"

#define GZIP_MAX 9
#define CONTENT  "Content-Type: text/plain; charset=utf-8"

struct influx { /* texts are borrowed from the store instance */
	const char *name, *url, *path, *query, *host_port;
	const char *db, *rp, *org, *bucket;
	bool v2;
	uint64_t gzip;
	struct line_conf line;
	struct post_conf post;
	struct post_face face;
};

struct store_sink {
	struct influx *in;
	struct post *post;
	struct gzip *gzip;
	struct series_shapes shapes;
};

static const struct store_attr influx_attrs[] = {
	{ "url", NULL,
	  "http://HOST:PORT of the server, or https://; with a path in front of /write, or with all of it; required",
	  "URL" },
	{ "api", "1",
	  "1: /write?db=, as InfluxDB 1, VictoriaMetrics and Telegraf have it; 2: /api/v2/write, of InfluxDB 2; "
	  "2 where org or bucket is given",
	  "1|2" },
	{ "bucket", "CONTAINER", "of api=2", "text" },
	{ "db", "CONTAINER", "the database, of api=1", "text" },
	{ "form", "ldms", "ldms: tags producer, instance, component_id, job_id; ldmsd: the lines of its store_influx",
	  "ldms|ldmsd" },
	{ "gzip", "0", "1 (fast) to 9 (small): compress what is sent; 0: do not", "number" },
	{ "host_port", NULL, "HOST:PORT, in place of url: as store_influx of ldmsd has it, also form=ldmsd",
	  "HOST:PORT" },
	{ "measurement_limit", NULL, "of store_influx; lines here are as long as they are", "text" },
	{ "org", NULL, "the organization, of api=2", "text" },
	{ "rp", NULL, "the retention policy, of api=1; default: the database's", "text" },
	{ "u64", "int",
	  "int: as all integers, at most 2^63-1; uint: 17u, which InfluxDB 2 and VictoriaMetrics know; float",
	  "int|uint|float" },
	POST_ATTRS,
	SERIES_ATTRS,
	{ 0 },
};

/* -- configuration ------------------------------------------------------------------------------------------------- */

/* One of the words, or the first of them when none is given; -EINVAL. */
static int conf_word(struct store *st, const char *name, const char *const *words, int *ret, struct err *err)
{
	const char *text = store_attr(st, name);
	struct buf b = { 0 };
	int rc;

	*ret = 0;
	if (!text)
		return 0;
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text)) {
			*ret = i;
			return 0;
		}
	for (int i = 0; words[i]; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", words[i]);
	rc = err_set(err, -EINVAL, "store %s: %s=%s: one of these goes there: %s", store_name(st), name, text,
		     buf_str(&b));
	buf_fini(&b);
	return rc;
}

static bool host_port_fits(const char *text)
{
	char *url = xasprintf("http://%s", text);
	int rc = http_url_check(url, NULL);

	free(url);
	return !rc;
}

static int conf_url(struct store *st, struct influx *in, struct err *err)
{
	in->host_port = store_attr(st, "host_port");
	if (in->host_port && store_attr(st, "url"))
		return err_set(err, -EINVAL, "store %s: url= and host_port=: one of them, please", store_name(st));
	if (in->host_port && (in->host_port[strcspn(in->host_port, "/ ?#@")] || !host_port_fits(in->host_port)))
		return err_set(err, -EINVAL, "store %s: host_port=%s: HOST:PORT goes there", store_name(st),
			       in->host_port);
	return in->host_port ? 0 : post_url_read(st, &in->url, &in->path, &in->query, err);
}

static int conf_api(struct store *st, struct influx *in, struct err *err)
{
	static const char *const words[] = { "1", "2", NULL };
	int api, rc = conf_word(st, "api", words, &api, err);

	in->db = store_attr(st, "db");
	in->rp = store_attr(st, "rp");
	in->org = store_attr(st, "org");
	in->bucket = store_attr(st, "bucket");
	in->v2 = api || (!store_attr(st, "api") && (in->org || in->bucket));
	if (rc)
		return rc;
	if (in->v2 && !in->org && !in->query)
		return err_set(err, -EINVAL, "store %s: org is required with api=2, or with bucket", store_name(st));
	if (in->v2 ? in->db || in->rp : in->org || in->bucket)
		return err_set(err, -EINVAL, "store %s: db and rp are of api=1, org and bucket of api=2; leave out two",
			       store_name(st));
	if (in->query && (in->db || in->rp || in->org || in->bucket))
		return err_set(
			err, -EINVAL,
			"store %s: url=%.*s?... says itself where rows go; leave the ? and what follows away, or "
			"db, rp, org and bucket",
			store_name(st), (int)(in->query - in->url), in->url);
	return 0;
}

static int conf_lines(struct store *st, struct influx *in, struct err *err)
{
	static const char *const forms[] = { "ldms", "ldmsd", NULL }, *const u64s[] = { "int", "uint", "float", NULL };
	int form, u64, rc = conf_word(st, "form", forms, &form, err);

	if (!rc)
		rc = conf_word(st, "u64", u64s, &u64, err);
	if (!rc)
		rc = store_attr_u64(st, "gzip", 0, &in->gzip, err);
	if (!rc && in->gzip > GZIP_MAX)
		rc = err_set(err, -EINVAL, "store %s: gzip=%" PRIu64 ": from 0 to %d", store_name(st), in->gzip,
			     GZIP_MAX);
	if (rc)
		return rc;
	in->line.ldmsd = form || (in->host_port && !store_attr(st, "form"));
	in->line.u64 = (enum line_u64)u64;
	return 0;
}

/* What InfluxDB 1 says when all of a batch is stored but lines whose fields are of another type than before: "partial
 * write: WHY dropped=N".  There are names in WHY, which peers choose. */
static bool left_out(const char *words, uint64_t *ret)
{
	const char *blank = strrchr(words, ' ');

	if (!blank || strncmp(blank, " dropped=", 9) || strspn(blank + 9, "0123456789") != strlen(blank + 9) ||
	    strncmp(words, "partial write", 13) || strstr(words, "unable to parse"))
		return false;
	*ret = strtoull(blank + 9, NULL, 10);
	return *ret;
}

static int encode(void *arg, const void *p, size_t len, struct buf *to, struct err *err)
{
	const struct store_sink *sk = arg;

	return gzip_put(sk->gzip, p, len, to, err);
}

/* InfluxDB 1 and 2; Telegraf. */
static const char *const row_words[] = { "partial write", "unable to parse", "field type conflict", "parse error",
					 NULL };

static int influx_config(struct store *st, struct err *err)
{
	static const char *const plain[] = { CONTENT, NULL }, *const zipped[] = { CONTENT, "Content-Encoding: gzip",
										  NULL };
	struct influx *in = store_state(st);
	int rc = conf_url(st, in, err);

	in->name = store_name(st);
	if (!rc)
		rc = conf_api(st, in, err);
	if (!rc)
		rc = conf_lines(st, in, err);
	if (!rc)
		rc = post_conf_read(st, &in->post, err);
	if (!rc)
		rc = series_conf_read(st, &in->line.series, err);
	in->face = (struct post_face){ .headers = in->gzip ? zipped : plain,
				       .token = in->v2 ? "Token" : "Bearer",
				       .encode = in->gzip ? encode : NULL,
				       .row_words = row_words,
				       .left_out = left_out };
	return rc;
}

static void influx_fini(struct store *st)
{
	struct influx *in = store_state(st);

	series_conf_fini(&in->line.series);
}

/* -- a policy's ---------------------------------------------------------------------------------------------------- */

static void query_add(struct buf *b, const char *mark, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(b, "%s%s=", mark, name);
	http_quote(b, value);
}

/* Where a container's rows go; yours. */
static char *url_of(const struct influx *in, const char *container)
{
	struct buf b = { 0 };
	size_t len;

	if (in->host_port)
		buf_addf(&b, "http://%s", in->host_port);
	else
		buf_addf(&b, "%s", in->url);
	if (in->query) {
		buf_str(&b);
		return (char *)b.p;
	}
	while (b.len && b.p[b.len - 1] == '/')
		b.len--;
	len = b.len;
	if (!in->path || len < 6 || memcmp(b.p + len - 6, "/write", 6))
		buf_addf(&b, "%s", in->v2 ? "/api/v2/write" : "/write");
	query_add(&b, "?", in->v2 ? "bucket" : "db", in->bucket ? in->bucket : in->db ? in->db : container);
	query_add(&b, "&", "org", in->org);
	query_add(&b, "&", "rp", in->rp);
	buf_str(&b);
	return (char *)b.p;
}

static int influx_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	struct influx *in = store_state(st);
	struct gzip *gzip = NULL;
	int rc = in->gzip ? gzip_new((int)in->gzip, &gzip, err) : 0;
	struct store_sink *sk;

	if (rc)
		return err_prefix(err, rc, "store %s: gzip: ", in->name);
	sk = xcalloc(1, sizeof(*sk));
	sk->in = in;
	sk->gzip = gzip;
	sk->post = post_new(&in->post, &in->face, sk, url_of(in, container));
	*ret = sk;
	return 0;
}

static int influx_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	struct line_shape *sh = series_shape_find(&sk->shapes, row->schema, line_shape_schema);
	int rc = sh ? 0 : series_check(row->schema, err);
	struct buf *to = post_taken(sk->post);
	size_t at = to->len, key;

	if (rc)
		return rc;
	if (!sh) {
		sh = line_shape_new(&sk->in->line, row->schema);
		series_shape_add(&sk->shapes, sh);
	}
	if (!line_put(sh, row, to, &key)) /* nothing to store */
		return 0;
	series_watch(&sk->shapes, &sk->in->line.series, row, to->p + at, key);
	rc = post_added(sk->post, err);
	if (rc)
		series_unwatch(&sk->shapes);
	return rc;
}

static int influx_flush(struct store_sink *sk, struct err *err)
{
	return post_flush(sk->post, err);
}

static uint64_t influx_refused(struct store_sink *sk, struct err *why)
{
	return post_refused(sk->post, why);
}

static void influx_abort(struct store_sink *sk)
{
	post_abort(sk->post);
}

static void influx_close(struct store_sink *sk)
{
	post_close(sk->post, sk->in->name);
	series_shapes_fini(&sk->shapes, line_shape_free);
	gzip_free(sk->gzip);
	free(sk);
}

static const struct store_to influx_to[] = {
	{ .word = "influx",
	  .form = "URL",
	  .attr = "url",
	  .container = "ldms",
	  .help = "InfluxDB's line protocol: http://HOST:8086, database ldms, or with a path and a query" },
	{ 0 },
};

static const struct store_about influx_about = {
	.example = "load name=db plugin=influx\n"
		   "config name=db url=http://db1:8086 db=ldms gzip=1\n"
		   "strgp_add name=db plugin=db container=ldms regex=.* \\\n"
		   "          spool=/var/spool/ldms\n"
		   "strgp_start name=db\n",
	.flush = POST_FLUSH,
	.once = "a row that is posted again, after a failure or a kill, takes its own place: the engine has it once",
};

const struct store_type store_influx = {
	.name = "influx",
	.brief = "InfluxDB's line protocol over HTTP: InfluxDB 1 and 2, VictoriaMetrics, Telegraf",
	.about = &influx_about,
	.needs = HTTP_NEEDS,
	.to = influx_to,
	.attrs = influx_attrs,
	.reads = POST_READS,
	.state_size = sizeof(struct influx),
	.config = influx_config,
	.open = influx_open,
	.row = influx_row,
	.flush = influx_flush,
	.refused = influx_refused,
	.abort = influx_abort,
	.close = influx_close,
	.fini = influx_fini,
};
