/* post.c - see post.h */
#include "store/post.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/jitter.h"
#include "core/base/log.h"
#include "core/base/secret_file.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define TAKEN_BYTES     (4u << 20)     /* and one row: no more is in memory */
#define ANSWER_MAX      8192           /* bytes of a body that are looked at: words of a failure */
#define SUSPECTS        16             /* rows that are tried one by one where a server has taken nothing yet */
#define DOUBTS          10             /* tries in vain until they are refused */
#define RETRY_ASKED_MAX (600 * SEC_US) /* a server may ask for a pause of so long */

enum verdict { STORED, ROW_BAD, TOO_MUCH, SERVER_FAILS };

struct post {
	const struct post_conf *conf;
	const struct post_face *face;
	void *arg;
	char *url;
	pthread_mutex_t lock; /* for post_abort(), while `http` is replaced */
	struct http *http;    /* NULL: not open */
	bool aborted;
	struct http_answer answer;
	char words[POST_WORDS_MAX]; /* of that */

	struct buf taken, sent; /* rows; and as they are sent */
	size_t *ends;           /* of the rows in `taken` */
	size_t n, cap, first;   /* rows; those before `first` are gone */
	size_t most;            /* rows of a batch: fewer than the conf's when that was too much */
	size_t next;     /* ... of the next one: fewer yet while a bad row is looked for, or the server is slow */
	bool searching;  /* a bad row is in the next ones */
	bool proven;     /* it has taken rows, since it was opened or away */
	size_t again;    /* rows from `first` on that were sent before, and no answer came */
	size_t suspects; /* rows in front of `first` that may be bad, or the server does not do */
	unsigned int doubts;

	int64_t not_before; /* monotonic: so the server has asked; 0: it did not */
	struct err failed;  /* ... saying this */
	bool failing;       /* the last time that rows were to go out, they did not */

	uint64_t refused;
	struct err why;
};

struct post *post_new(const struct post_conf *conf, const struct post_face *face, void *arg, char *url)
{
	struct post *p = xcalloc(1, sizeof(*p));

	p->conf = conf;
	p->face = face;
	p->arg = arg;
	p->url = url;
	p->most = p->next = conf->batch;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

/* -- the connection ------------------------------------------------------------------------------------------------ */

static void server_set(struct post *p, struct http *http)
{
	pthread_mutex_lock(&p->lock);
	p->http = http;
	if (http && p->aborted)
		http_abort(http);
	pthread_mutex_unlock(&p->lock);
}

static void server_close(struct post *p)
{
	struct http *http = p->http;

	server_set(p, NULL);
	http_close(http);
}

void post_abort(struct post *p)
{
	pthread_mutex_lock(&p->lock);
	p->aborted = true;
	if (p->http)
		http_abort(p->http);
	pthread_mutex_unlock(&p->lock);
}

static int server_open(struct post *p, struct err *err)
{
	const struct post_conf *c = p->conf;
	const char *headers[POST_HEADERS_MAX + 2];
	struct buf secret = { 0 }, line = { 0 };
	struct http_conf hc = {
		.url = p->url, .headers = headers, .tls = c->tls, .body_max = ANSWER_MAX, .body_cut = true
	};
	struct http *http;
	size_t n = 0;
	int rc = 0;

	if (p->http)
		return 0;
	for (; p->face->headers[n]; n++)
		headers[n] = p->face->headers[n];
	if (c->token_file || c->password_file)
		rc = secret_file_read(c->token_file ? c->token_file : c->password_file, &secret, err);
	if (!rc && c->token_file) {
		buf_addf(&line, "Authorization: %s %s", p->face->token, buf_str(&secret));
		headers[n++] = buf_str(&line);
	}
	headers[n] = NULL;
	if (!rc && c->user) {
		hc.user = c->user;
		hc.password = buf_str(&secret);
	}
	if (!rc)
		rc = http_open(&hc, &http, err);
	if (!rc)
		server_set(p, http);
	secret_forget(&secret);
	secret_forget(&line);
	return rc;
}

/* -- one request --------------------------------------------------------------------------------------------------- */

static enum verdict verdict_of(unsigned int status)
{
	return status >= 200 && status < 300    ? STORED
	       : status == 400 || status == 422 ? ROW_BAD
	       : status == 413                  ? TOO_MUCH
						: SERVER_FAILS;
}

static const struct {
	unsigned int status;
	const char *text;
} hints[] = {
	{ 301, "; give the new address in url=" },
	{ 302, "; give the new address in url=" },
	{ 307, "; give the new address in url=" },
	{ 308, "; give the new address in url=" },
	{ 401, "; see token_file=, or user= and password_file=" },
	{ 403, "; see token_file=, or user= and password_file=, and what that one may do" },
	{ 404, "; see the path in url=, and whether that database is there" },
	{ 405, "; see the path in url=" },
};

static int status_say(const struct post *p, struct err *err)
{
	const char *hint = "";

	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (hints[i].status == p->answer.status)
			hint = hints[i].text;
	return err_set(err, -EREMOTEIO, "%.*s: answers with status %u%s%s%s", (int)strcspn(p->url, "?"), p->url,
		       p->answer.status, *p->words ? ": " : "", p->words, hint);
}

/* The server as a whole does not do; how long does it ask us to wait? */
static int server_failed(struct post *p, struct err *err)
{
	int64_t wait_us = p->answer.retry_after_us;
	int rc = status_say(p, &p->failed);

	if (p->answer.status == 401 || p->answer.status == 403) /* the secrets may have been replaced */
		server_close(p);
	if (wait_us) /* many daemons were told the same */
		p->not_before = mono_us() + jitter_us(wait_us < RETRY_ASKED_MAX ? wait_us : RETRY_ASKED_MAX);
	if (err)
		*err = p->failed;
	return rc;
}

static bool speaks_of_rows(const struct post *p)
{
	const char *const *w = p->face->row_words;

	while (w && *w && !strcasestr(p->words, *w))
		w++;
	return w && *w;
}

/* The next n rows; which answer they got is in p->answer.  Not SERVER_FAILS without words. */
static int rows_send(struct post *p, size_t n, enum verdict *ret, struct err *err)
{
	size_t from = p->first ? p->ends[p->first - 1] : 0, to = p->ends[p->first + n - 1];
	struct http_req req = {
		.method = "POST", .body = p->taken.p + from, .body_len = to - from, .deadline_us = p->conf->deadline_us
	};
	int rc = 0;

	if (p->face->encode) {
		buf_reset(&p->sent);
		rc = p->face->encode(p->arg, req.body, req.body_len, &p->sent, err);
		req.body = p->sent.p;
		req.body_len = p->sent.len;
	}
	if (!rc)
		rc = http_ask(p->http, &req, &p->answer, err);
	if (rc) {
		p->proven = false;
		if (rc != -ECONNREFUSED && n > p->again)
			p->again = n;
		return rc;
	}
	post_words(p->answer.body.p, p->answer.body.len, p->words);
	*ret = verdict_of(p->answer.status);
	p->proven = *ret == STORED || (*ret != SERVER_FAILS && (p->proven || speaks_of_rows(p)));
	return *ret == SERVER_FAILS ? server_failed(p, err) : 0;
}

/* Not all engines take a row that they have. */
static void why_refused(struct post *p)
{
	status_say(p, &p->why);
	if (p->again)
		err_prefix(&p->why, 0, "the server may have it, no answer came when it was sent before: ");
}

static void rows_refused(struct post *p, uint64_t n)
{
	p->refused += n;
	why_refused(p);
}

/* It has taken a row: those before were bad. */
static void suspects_refuse(struct post *p)
{
	p->refused += p->suspects;
	p->suspects = p->doubts = 0;
}

/* It has taken none: was it the server, and not the rows?  They come again. */
static int suspects_keep(struct post *p, struct err *err)
{
	if (++p->doubts >= DOUBTS)
		suspects_refuse(p);
	p->first -= p->suspects;
	p->suspects = 0;
	p->searching = false;
	p->next = p->most;
	if (p->first == p->n)
		return 0;
	return err_set(err, -EREMOTEIO, "%s; it has taken nothing so far: see url=, and whether it is https://",
		       p->why.msg);
}

/* An answer came after so long: may the next rows be more?  So many that it stays within the deadline. */
static void next_grow(struct post *p, int64_t took_us)
{
	int64_t deadline = p->conf->deadline_us;

	if (took_us < deadline / 2)
		p->next *= 2;
	else if (took_us < deadline / 4 * 3)
		p->next += p->next / 8 + 1;
	if (p->next > p->most)
		p->next = p->most;
}

/* See that the next rows are stored, or that one is refused: then they are gone.  Otherwise fewer are next, also where a
 * slow server did not get them done within the deadline: they would come back for ever. */
static int rows_post(struct post *p, struct err *err)
{
	size_t n = p->n - p->first < p->next ? p->n - p->first : p->next;
	int64_t since_us = mono_us();
	enum verdict v;
	uint64_t out = 0;
	int rc = rows_send(p, n, &v, err);

	if (rc == -ETIMEDOUT)
		p->next = (n + 1) / 2;
	if (rc)
		return rc;
	if (v == ROW_BAD && p->face->left_out && p->face->left_out(p->words, &out) && out <= n) {
		rows_refused(p, out);
		v = STORED;
	}
	p->searching = v != STORED && n > 1;
	if (p->searching) {
		p->next = (n + 1) / 2;
		p->most = v == TOO_MUCH ? p->next : p->most;
		status_say(p, &p->why);
		return 0;
	}
	if (!p->proven && (v == ROW_BAD || p->suspects)) { /* these stand in a row */
		why_refused(p);
		p->suspects++;
	} else if (v != STORED) {
		rows_refused(p, 1);
	}
	if (p->proven)
		suspects_refuse(p);
	if (v == TOO_MUCH) /* by itself, whatever is beside it */
		p->most = p->conf->batch;
	p->first += n;
	p->again -= n < p->again ? n : p->again;
	next_grow(p, mono_us() - since_us);
	return 0;
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

struct buf *post_taken(struct post *p)
{
	return &p->taken;
}

/* What is left moves to the front. */
static void compact(struct post *p)
{
	size_t gone = p->first ? p->ends[p->first - 1] : 0;

	if (!p->first)
		return;
	p->n -= p->first;
	for (size_t i = 0; i < p->n; i++)
		p->ends[i] = p->ends[p->first + i] - gone;
	p->first = 0;
	buf_consume(&p->taken, gone);
}

/* A server that is sent few rows at a time, and takes its time, would hold the thread for hours. */
static int slow(const struct post *p, struct err *err)
{
	if (!p->searching)
		return err_set(err, -EAGAIN, "%.*s: answers take long (rows=%zu wait)", (int)strcspn(p->url, "?"),
			       p->url, p->n - p->first);
	return err_set(err, -EAGAIN, "bad rows are looked for, and answers take long (rows=%zu wait): %s",
		       p->n - p->first, p->why.msg);
}

static int all_post(struct post *p, struct err *err)
{
	int64_t give_up = mono_us() + 2 * p->conf->deadline_us;
	int rc;

	if (p->not_before > mono_us()) {
		if (err)
			*err = p->failed;
		return err_prefix(err, -EAGAIN, "it has asked for a pause: ");
	}
	p->not_before = 0;
	rc = server_open(p, err);
	while (!rc && p->first < p->n && p->suspects < SUSPECTS)
		rc = p->next < p->most && mono_us() > give_up ? slow(p, err) : rows_post(p, err);
	if (!rc && p->suspects)
		rc = suspects_keep(p, err);
	p->first -= p->suspects; /* something else went wrong meanwhile */
	p->suspects = 0;
	compact(p);
	p->failing = rc;
	return rc == -EINVAL ? -EIO : rc; /* which the policy takes for the row's */
}

int post_added(struct post *p, struct err *err)
{
	int rc;

	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 64;
		p->ends = xrealloc(p->ends, p->cap * sizeof(*p->ends));
	}
	p->ends[p->n++] = p->taken.len;
	if (p->n < p->most && p->taken.len < TAKEN_BYTES)
		return 0;
	rc = all_post(p, err);
	if (rc) /* the row stays with who gave it */
		p->taken.len = --p->n ? p->ends[p->n - 1] : 0;
	return rc;
}

int post_flush(struct post *p, struct err *err)
{
	return p->n ? all_post(p, err) : 0;
}

uint64_t post_refused(struct post *p, struct err *why)
{
	uint64_t n = p->refused;

	p->refused = 0;
	if (n && why)
		*why = p->why;
	return n;
}

void post_close(struct post *p, const char *name)
{
	struct err err = { "" };

	if (p->failing)
		log_error("store", "store %s: closed with rows=%zu that were not sent; without a spool they are lost",
			  name, p->n);
	else if (post_flush(p, &err))
		log_error("store",
			  "store %s: closed with rows=%zu that were not sent; without a spool they are lost: %s", name,
			  p->n, err.msg);
	server_close(p);
	pthread_mutex_destroy(&p->lock);
	http_answer_fini(&p->answer);
	buf_fini(&p->taken);
	buf_fini(&p->sent);
	free(p->ends);
	free(p->url);
	free(p);
}
