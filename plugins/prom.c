/* prom.c - what a Prometheus exporter says, scraped over HTTP: a record for each sample
 *
 * The widths of names and labels in the records are those of the first scrape, rounded up; a scrape with longer ones, or
 * more samples than fit, makes the set anew.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/http.h"
#include "core/base/regex.h"
#include "core/base/unit.h"
#include "plugins/attr.h"
#include "plugins/prom_text.h"
#include "plugins/rows.h"
#include "plugins/samp.h"

#define DEADLINE_DFLT (5 * SEC_US)
#define BODY_MAX      (16u << 20)
#define SAMPLES_DFLT  10000
#define SAMPLES_MAX   1000000
#define ROOM_MIN      16
#define NAME_STEP     16 /* bytes; widths of texts are multiples */
#define LABELS_STEP   64
#define KIND_SZ       16
#define ACCEPT        "Accept: text/plain;version=0.0.4;q=1,*/*;q=0.1"

/* clang-format off */
static const struct metric_def metrics[] = {
	{ "name", V_CHAR_ARRAY, "", METRIC_INFO, "of the sample, as in http_requests_total", NAME_STEP },
	{ "labels", V_CHAR_ARRAY, "", METRIC_INFO, "as in method=\"post\",code=\"200\"", LABELS_STEP },
	{ "value", V_D64, "", METRIC_GAUGE, "its value; a counter where the kind says so", 1 },
	{ "kind", V_CHAR_ARRAY, "", METRIC_INFO, "counter, gauge, histogram, summary or untyped", KIND_SZ },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
/* clang-format on */
enum { MEMBERS = 4 };

static const struct samp_attr attrs[] = {
	{ "url", NULL, "http://HOST:PORT/PATH of the exporter, or https://; must be given" },
	{ "socket", "none", "a Unix socket to ask in place of the host in url=" },
	{ "include", "all", "regular expression: of name{labels}, only those that match" },
	{ "exclude", "none", "regular expression: without those that match" },
	{ "max", "10000", "an exporter that gives more samples is refused" },
	{ "deadline", "5s", "an exporter that has not answered by then hangs" },
	{ NULL, NULL, NULL },
};

struct widths { /* of the texts, each with its NUL */
	size_t name, labels;
};

struct prom {
	const char *url;
	struct rx include, exclude; /* text NULL: none */
	uint64_t max;
	int64_t deadline_us;
	struct http *http;
	struct http_answer answer;
	struct widths w;
	struct set *set;
	struct rows rows;
	bool torn; /* the last sample was not published: the rows are not those of the list */
};

/* -- configuration -------------------------------------------------------------------------------------------------- */

static int conf_regex(struct samp *sp, const char *name, struct rx *rx, struct err *err)
{
	const char *text = samp_attr(sp, name);
	int rc = text ? rx_init(rx, text, err) : 0;

	return rc ? err_prefix(err, rc, "%s=: ", name) : 0;
}

static int conf_read(struct samp *sp, struct prom *pm, struct err *err)
{
	int rc = attr_needed(sp, "url", "url=http://localhost:9100/metrics", &pm->url, err);

	if (!rc)
		rc = http_url_check(pm->url, err);
	if (!rc)
		rc = attr_range(sp, "max", SAMPLES_DFLT, 1, SAMPLES_MAX, &pm->max, err);
	if (!rc)
		rc = attr_time(sp, "deadline", DEADLINE_DFLT, &pm->deadline_us, err);
	if (!rc)
		rc = conf_regex(sp, "include", &pm->include, err);
	if (!rc)
		rc = conf_regex(sp, "exclude", &pm->exclude, err);
	return rc;
}

static void conf_fini(struct prom *pm)
{
	if (pm->include.text)
		rx_fini(&pm->include);
	if (pm->exclude.text)
		rx_fini(&pm->exclude);
}

static int prom_check(struct samp *sp, struct err *err)
{
	struct prom pm = { .url = NULL };
	int rc = conf_read(sp, &pm, err);

	conf_fini(&pm);
	return rc;
}

/* -- a scrape ------------------------------------------------------------------------------------------------------- */

static int server_open(struct samp *sp, struct prom *pm, struct err *err)
{
	const struct http_conf conf = {
		.url = pm->url,
		.socket = samp_attr(sp, "socket"),
		.headers = (const char *const[]){ ACCEPT, NULL },
		.body_max = BODY_MAX,
	};

	return http_open(&conf, &pm->http, err);
}

/* What the exporter says now. */
static int scrape(struct prom *pm, struct err *err)
{
	int rc = http_ask(pm->http, &(struct http_req){ .deadline_us = pm->deadline_us }, &pm->answer, err);

	if (!rc && pm->answer.status != 200)
		rc = err_set(err, -EREMOTEIO, "%s: answers with status %u, not 200", pm->url, pm->answer.status);
	return rc;
}

/* The next sample that is wanted; as prom_next(). */
static int next_wanted(const struct prom *pm, struct prom_text *t, struct prom_sample *s, struct err *err)
{
	int rc;

	while ((rc = prom_next(t, s, err)) > 0)
		if ((!pm->include.text || rx_match(&pm->include, s->text)) &&
		    (!pm->exclude.text || !rx_match(&pm->exclude, s->text)))
			break;
	return rc < 0 ? err_prefix(err, rc, "%s: ", pm->url) : rc;
}

static size_t width(size_t len, size_t step)
{
	return (len / step + 1) * step;
}

/* How many samples there are, and how wide they are. */
static int measure(struct prom *pm, size_t *n, struct err *err)
{
	struct prom_text t;
	struct prom_sample s;
	int rc;

	*n = 0;
	pm->w = (struct widths){ NAME_STEP, LABELS_STEP };
	prom_init(&t, (const char *)pm->answer.body.p, pm->answer.body.len);
	while ((rc = next_wanted(pm, &t, &s, err)) > 0) {
		if (s.name_len >= pm->w.name)
			pm->w.name = width(s.name_len, NAME_STEP);
		if (s.labels_len >= pm->w.labels)
			pm->w.labels = width(s.labels_len, LABELS_STEP);
		if (++*n > pm->max) {
			rc = err_set(err, -E2BIG,
				     "%s: gives more than %llu samples; leave some out with include= or exclude=, or "
				     "raise max=",
				     pm->url, (unsigned long long)pm->max);
			break;
		}
	}
	prom_fini(&t);
	return rc;
}

static int set_make(struct samp *sp, struct prom *pm, size_t n, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "prom", err);
	struct metric_def members[MEMBERS];
	size_t room = n + n / 4 > ROOM_MIN ? n + n / 4 : ROOM_MIN;
	int record, list = -1;

	if (!s)
		return -EINVAL;
	memcpy(members, metrics, sizeof(members));
	members[0].count = (uint32_t)pm->w.name;
	members[1].count = (uint32_t)pm->w.labels;
	record = schema_add_record(s, "sample", members, MEMBERS, err);
	if (record >= 0 && schema_record_heap(s, record, room) > UINT32_MAX)
		record = err_set(err, -E2BIG, "%s: %zu samples do not fit into a set", pm->url, n);
	if (record >= 0)
		list = schema_add_list(s, "sample_list", NULL, (uint32_t)schema_record_heap(s, record, room), err);
	if (list < 0) {
		schema_free(s);
		return record < 0 ? record : list;
	}
	pm->set = samp_set_new(sp, s, "", err);
	if (!pm->set)
		return -ENOMEM;
	pm->rows = (struct rows){ .set = pm->set, .list = list, .record = record };
	return 0;
}

static int prom_open(struct samp *sp, struct err *err)
{
	struct prom *pm = samp_state(sp);
	int rc = conf_read(sp, pm, err);
	size_t n;

	if (!rc)
		rc = server_open(sp, pm, err);
	if (!rc)
		rc = scrape(pm, err);
	if (!rc)
		rc = measure(pm, &n, err);
	return rc ? rc : set_make(sp, pm, n, err);
}

static void text_put(char *to, size_t size, const char *text, size_t len)
{
	memcpy(to, text, len);
	memset(to + len, 0, size - len);
}

/* False: it does not fit. */
static bool sample_put(struct prom *pm, size_t i, const struct prom_sample *s)
{
	const char *kind = prom_kind_name(s->kind);
	char *to;
	uint64_t bits;

	if (i >= pm->max || s->name_len >= pm->w.name || s->labels_len >= pm->w.labels)
		return false;
	to = rows_at(&pm->rows, i);
	if (!to)
		return false;
	text_put(to, pm->w.name, s->text, s->name_len);
	to += pm->w.name;
	text_put(to, pm->w.labels, s->labels, s->labels_len);
	to += pm->w.labels;
	memcpy(&bits, &s->value, sizeof(bits));
	bits = htole64(bits);
	memcpy(to, &bits, sizeof(bits));
	text_put(to + sizeof(bits), KIND_SZ, kind, strlen(kind));
	return true;
}

/* The scrape into the list; *n samples. */
static int samples_put(struct prom *pm, size_t *n, struct err *err)
{
	struct prom_text t;
	struct prom_sample s;
	int rc;

	prom_init(&t, (const char *)pm->answer.body.p, pm->answer.body.len);
	for (*n = 0; (rc = next_wanted(pm, &t, &s, err)) > 0; ++*n)
		if (!sample_put(pm, *n, &s)) {
			rc = err_set(err, -ESTALE, "%s: has samples that do not fit the set", pm->url);
			break;
		}
	prom_fini(&t);
	return rc;
}

static int prom_sample_(struct samp *sp, struct err *err)
{
	struct prom *pm = samp_state(sp);
	int rc = scrape(pm, err);
	size_t n;

	if (rc)
		return rc;
	samp_begin(sp, pm->set);
	if (pm->torn)
		rows_cut(&pm->rows, 0);
	do
		rc = samples_put(pm, &n, err);
	while (!rc && rows_cut(&pm->rows, n));
	pm->torn = rc;
	if (rc)
		samp_cancel(sp, pm->set);
	else
		samp_end(sp, pm->set);
	return rc;
}

static void prom_close(struct samp *sp)
{
	struct prom *pm = samp_state(sp);

	http_close(pm->http);
	http_answer_fini(&pm->answer);
	rows_fini(&pm->rows);
	conf_fini(pm);
}

const struct samp_type samp_prom = {
	.name = "prom",
	.brief = "what a Prometheus exporter says, a record a sample",
	.source = "an exporter",
	.needs = HTTP_NEEDS,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct prom),
	.check = prom_check,
	.open = prom_open,
	.sample = prom_sample_,
	.close = prom_close,
};
