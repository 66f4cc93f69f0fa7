/* http.c - see http.h */
#include "core/base/http.h"

#include <errno.h>

#if __has_include(<curl/curl.h>) && !defined(LDMS_STATIC)
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/library.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define LIBRARY     "libcurl.so.4"
#define HEADERS_MAX 16384 /* bytes of an answer's headers that are kept */
#define RETRY_MAX_S 86400 /* a server may say any number */

#define FUNCTIONS(X)                                                                                                   \
	X(global_init)                                                                                                 \
	X(easy_init)                                                                                                   \
	X(easy_setopt)                                                                                                 \
	X(easy_perform)                                                                                                \
	X(easy_getinfo)                                                                                                \
	X(easy_strerror)                                                                                               \
	X(easy_cleanup)                                                                                                \
	X(slist_append)                                                                                                \
	X(slist_free_all)

/* The header's checks of types are for direct calls. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

struct curl {
#define X(n) __typeof__(&curl_##n) n;
	FUNCTIONS(X)
#undef X
};

#define SOCKETS_MAX 4 /* of one request: addresses of a host that are tried side by side */

struct http {
	CURL *easy;
	struct curl_slist *headers; /* of every request */
	char *url;
	size_t body_max;
	bool body_cut;
	/* while a request is on its way */
	struct http_answer *answer;
	bool too_long;
	char why[CURL_ERROR_SIZE];

	pthread_mutex_t lock; /* for http_abort() */
	bool aborted;
	int sockets[SOCKETS_MAX]; /* open; -1: none */
};

/* -- the library --------------------------------------------------------------------------------------------------- */

static struct curl curl;

static int begin(void)
{
	return curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK;
}

/* Either file will do: they differ in what speaks TLS. */
static struct library library = {
	.files = (const char *const[]){ LIBRARY, "libcurl-gnutls.so.4", NULL },
	.functions =
		(const char *const[]){
#define X(n) "curl_" #n,
			FUNCTIONS(X) NULL
#undef X
		},
	.table = &curl,
	.package = "libcurl",
	.begin = begin,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* -- what comes ---------------------------------------------------------------------------------------------------- */

/* More than fits ends the transfer, or is dropped. */
static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
	struct http *h = arg;
	struct buf *b = &h->answer->body;
	size_t room = h->body_max - b->len;

	h->too_long = n > room;
	if (h->too_long && !h->body_cut)
		return 0;
	buf_add(b, p, n < room ? n : room);
	return n;
}

/* A line; a new answer's first one (after 100 Continue) begins anew. */
static size_t on_header(char *p, size_t one, size_t n, void *arg)
{
	struct http *h = arg;
	struct buf *b = &h->answer->headers;

	if (n >= 5 && !memcmp(p, "HTTP/", 5))
		buf_reset(b);
	else if (n <= HEADERS_MAX - b->len)
		buf_add(b, p, n);
	return n;
}

/* -- sockets, which another thread may shut down -------------------------------------------------------------------- */

/* libcurl comes here again when a connection that it kept ends without an answer, and for a host's next address. */
static curl_socket_t on_open(void *arg, curlsocktype type, struct curl_sockaddr *a)
{
	struct http *h = arg;
	int fd;

	pthread_mutex_lock(&h->lock);
	fd = h->aborted ? -1 : socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	for (size_t i = 0; i < SOCKETS_MAX && fd >= 0; i++)
		if (h->sockets[i] < 0) {
			h->sockets[i] = fd;
			break;
		}
	pthread_mutex_unlock(&h->lock);
	return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static int on_close(void *arg, curl_socket_t fd)
{
	struct http *h = arg;

	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (h->sockets[i] == fd)
			h->sockets[i] = -1;
	pthread_mutex_unlock(&h->lock);
	return close(fd);
}

void http_abort(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	h->aborted = true;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (h->sockets[i] >= 0)
			shutdown(h->sockets[i], SHUT_RDWR);
	pthread_mutex_unlock(&h->lock);
}

static bool is_aborted(struct http *h)
{
	bool aborted;

	pthread_mutex_lock(&h->lock);
	aborted = h->aborted;
	pthread_mutex_unlock(&h->lock);
	return aborted;
}

/* -- a server ------------------------------------------------------------------------------------------------------ */

static void tls_set(struct http *h, const struct http_tls *tls)
{

	if (tls->ca)
		curl.easy_setopt(h->easy, CURLOPT_CAINFO, tls->ca);
	if (tls->cert)
		curl.easy_setopt(h->easy, CURLOPT_SSLCERT, tls->cert);
	if (tls->key)
		curl.easy_setopt(h->easy, CURLOPT_SSLKEY, tls->key);
	if (tls->no_verify) {
		curl.easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl.easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* The library copies all texts. */
static void conf_set(struct http *h, const struct http_conf *conf)
{

	curl.easy_setopt(h->easy, CURLOPT_USERAGENT, "ldms/" LDMS_VERSION);
	curl.easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L); /* threads */
	curl.easy_setopt(h->easy, CURLOPT_PROXY, "");    /* whatever the environment says */
	curl.easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why);
	curl.easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl.easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	curl.easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl.easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
	curl.easy_setopt(h->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl.easy_setopt(h->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl.easy_setopt(h->easy, CURLOPT_OPENSOCKETDATA, h);
	curl.easy_setopt(h->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl.easy_setopt(h->easy, CURLOPT_CLOSESOCKETDATA, h);
	if (conf->socket)
		curl.easy_setopt(h->easy, CURLOPT_UNIX_SOCKET_PATH, conf->socket);
	if (conf->user) {
		curl.easy_setopt(h->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl.easy_setopt(h->easy, CURLOPT_USERNAME, conf->user);
		curl.easy_setopt(h->easy, CURLOPT_PASSWORD, conf->password ? conf->password : "");
	}
	tls_set(h, &conf->tls);
	h->headers = curl.slist_append(NULL, "Expect:"); /* a body does not wait for a "100 Continue" */
	for (size_t i = 0; conf->headers && conf->headers[i]; i++)
		h->headers = curl.slist_append(h->headers, conf->headers[i]);
}

int http_open(const struct http_conf *conf, struct http **ret, struct err *err)
{
	int rc = http_url_check(conf->url, err);
	struct http *h;

	if (!rc)
		rc = library_get(&library, err);
	if (rc)
		return rc;
	h = xcalloc(1, sizeof(*h));
	h->easy = curl.easy_init();
	if (!h->easy) {
		free(h);
		return err_set(err, -ENOMEM, LIBRARY " gives no handle");
	}
	pthread_mutex_init(&h->lock, NULL);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		h->sockets[i] = -1;
	h->url = xstrdup(conf->url);
	h->body_max = conf->body_max;
	h->body_cut = conf->body_cut;
	conf_set(h, conf);
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	curl.easy_cleanup(h->easy);
	curl.slist_free_all(h->headers);
	pthread_mutex_destroy(&h->lock);
	free(h->url);
	free(h);
}

/* -- a request ----------------------------------------------------------------------------------------------------- */

static void req_set(struct http *h, const struct http_req *req, struct curl_slist *headers)
{
	const char *method = req->method ? req->method : "GET";
	bool body = req->body || !strcmp(method, "POST") || !strcmp(method, "PUT");

	curl.easy_setopt(h->easy, CURLOPT_URL, req->url ? req->url : h->url);
	curl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
	curl.easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)(req->deadline_us / 1000 + 1));
	if (body) {
		curl.easy_setopt(h->easy, CURLOPT_POST, 1L);
		curl.easy_setopt(h->easy, CURLOPT_POSTFIELDS, req->body ? req->body : "");
		curl.easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
	} else {
		curl.easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
		curl.easy_setopt(h->easy, CURLOPT_NOBODY, strcmp(method, "HEAD") ? 0L : 1L);
	}
	curl.easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, strcmp(method, body ? "POST" : "GET") ? method : NULL);
}

static int failed(struct http *h, const struct http_req *req, CURLcode code, struct err *err)
{
	const char *url = req->url ? req->url : h->url;
	int len = (int)strcspn(url, "?");
	char text[32];

	if (is_aborted(h))
		return err_set(err, -ECANCELED, "%.*s: was not waited for any longer", len, url);
	if (h->too_long && !h->body_cut)
		return err_set(err, -EFBIG, "%.*s: answers with more than %s", len, url,
			       unit_size_text(h->body_max, text));
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, -ETIMEDOUT, "%.*s: has not answered within %s (deadline=)", len, url,
			       unit_time_text(req->deadline_us, text));
	return err_set(err, code == CURLE_COULDNT_CONNECT ? -ECONNREFUSED : -EREMOTEIO, "%.*s: %s", len, url,
		       *h->why ? h->why : curl.easy_strerror(code));
}

/* Those of the request in front of those of every request, which stay where they are. */
static struct curl_slist *headers_join(struct http *h, const char *const *more, struct curl_slist **ret_last)
{
	struct curl_slist *list = NULL, *last;

	for (size_t i = 0; more && more[i]; i++)
		list = curl.slist_append(list, more[i]);
	for (last = list; last && last->next; last = last->next)
		;
	if (last)
		last->next = h->headers;
	*ret_last = last;
	return list ? list : h->headers;
}

int http_ask(struct http *h, const struct http_req *req, struct http_answer *ret, struct err *err)
{
	struct curl_slist *last, *headers = headers_join(h, req->headers, &last);
	curl_off_t retry_s = 0;
	CURLcode code;
	long status = 0;

	buf_reset(&ret->body);
	buf_reset(&ret->headers);
	h->answer = ret;
	h->too_long = false;
	*h->why = 0;
	req_set(h, req, headers);
	code = is_aborted(h) ? CURLE_ABORTED_BY_CALLBACK : curl.easy_perform(h->easy);
	curl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
	if (last) {
		last->next = NULL;
		curl.slist_free_all(headers);
	}
	if (code != CURLE_OK) {
		http_answer_fini(ret); /* it may be large, and was of no use */
		return failed(h, req, code, err);
	}
	curl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl.easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_s);
	ret->status = (unsigned int)status;
	ret->retry_after_us = (retry_s > RETRY_MAX_S ? RETRY_MAX_S : retry_s > 0 ? (int64_t)retry_s : 0) * SEC_US;
	return 0;
}

#else

int http_open(const struct http_conf *conf, struct http **ret, struct err *err)
{
	return err_set(err, -ENOTSUP, "%s: this ldms cannot ask HTTP servers: it was built without " HTTP_NEEDS,
		       conf->url);
}

void http_close(struct http *h)
{
	(void)h;
}

int http_ask(struct http *h, const struct http_req *req, struct http_answer *ret, struct err *err)
{
	return err_set(err, -ENOTSUP, "no HTTP");
}

void http_abort(struct http *h)
{
	(void)h;
}

#endif
