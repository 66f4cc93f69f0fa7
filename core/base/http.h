/* http.h - asking HTTP servers: libcurl, which is opened when it is first wanted, behind a small face.
 *
 * A struct http is one server and the connection to it, which is kept from one request to the next.  It belongs to one
 * thread at a time; several of them may be used on several threads.  Nothing here reads the environment (proxies), and
 * redirections are answers like any other.
 */
#ifndef CORE_BASE_HTTP_H
#define CORE_BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* What this build lacks, for tables of what there is; NULL: nothing. */
#if defined(LDMS_STATIC)
#define HTTP_NEEDS "libcurl (STATIC=1 leaves it out)"
#elif __has_include(<curl/curl.h>)
#define HTTP_NEEDS NULL
#else
#define HTTP_NEEDS "libcurl"
#endif

struct http_conf {
	const char *url;             /* of requests that name none */
	const char *socket;          /* path of a Unix socket to ask instead of the host of the URL; NULL: none */
	const char *const *headers;  /* "Name: value" of every request, ended by NULL; or NULL */
	const char *user, *password; /* basic authentication; NULL: none */
	struct http_tls {
		const char *ca;         /* file of certificates to trust in place of the system's; NULL: those */
		const char *cert, *key; /* files, PEM; what the server shall know us by; NULL: nothing */
		bool no_verify;         /* whoever answers is believed */
	} tls;
	size_t body_max; /* bytes of an answer's body */
	bool body_cut;   /* what is beyond is thrown away; otherwise it is an error */
};

struct http_req {
	const char *method;         /* NULL: GET */
	const char *url;            /* NULL: the one of the conf */
	const char *const *headers; /* beside those of the conf; or NULL */
	const void *body;           /* NULL: none */
	size_t body_len;
	int64_t deadline_us; /* for all of it, from now on */
};

/* Zeroed before the first use; the memory is used again by the next request, and freed by http_answer_fini(). */
struct http_answer {
	unsigned int status;
	int64_t retry_after_us; /* what Retry-After says; 0: nothing */
	struct buf body;
	struct buf headers; /* "Name: value" lines, for http_header() */
};

struct http;

/* "http://..." or "https://..."; -EINVAL with words, in which there are no secrets of it. */
int http_url_check(const char *url, struct err *err);
/* The conf's texts are copied.  -ENOENT with words when the library is not there; -EINVAL: no such URL. */
int http_open(const struct http_conf *conf, struct http **ret, struct err *err);
void http_close(struct http *h); /* NULL is fine */

/* 0: the server answered, whatever its status; the answer is whole.  Otherwise there is no answer: -ECONNREFUSED,
 * -ETIMEDOUT, -EFBIG, -EREMOTEIO for all else, with words that begin with the URL (without its query, which may hold
 * secrets). */
int http_ask(struct http *h, const struct http_req *req, struct http_answer *ret, struct err *err);
/* The request that another thread waits for, and all later ones, end with -ECANCELED.  Any thread, while `h` is open. */
void http_abort(struct http *h);
void http_answer_fini(struct http_answer *a);
/* The value of the answer's header of that name (any case), in `to`; NULL when there is none. */
const char *http_header(const struct http_answer *a, const char *name, char *to, size_t size);

/* Append `text` as a part of a URL: all but letters, digits, - . _ ~ become %XX. */
void http_quote(struct buf *b, const char *text);

#endif
