/* http_get.h - asking an HTTP server on a sampler's thread: libcurl, which is opened when it is first wanted. */
#ifndef PLUGINS_HTTP_GET_H
#define PLUGINS_HTTP_GET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* What this build lacks, for samp_type.needs; NULL: nothing. */
#if __has_include(<curl/curl.h>)
#define HTTP_GET_NEEDS NULL
#else
#define HTTP_GET_NEEDS "libcurl"
#endif

struct http_get; /* one server; its connection is kept from one time to the next */

/* `socket`: the path of a Unix socket to ask instead of the host in `url`, or NULL.  `accept`: the header's value.
 * -ENOENT with words when the library is not there. */
int http_get_open(const char *url, const char *socket, const char *accept, struct http_get **ret, struct err *err);
void http_get_close(struct http_get *h); /* NULL is fine */

/* The body, of `max` bytes at most, into `body` (what was in it goes).  Any answer but 200 is an error, and so are
 * redirections: -EREMOTEIO; -ETIMEDOUT, -EFBIG, -ECONNREFUSED with words. */
int http_get(struct http_get *h, int64_t deadline_us, size_t max, struct buf *body, struct err *err);

#endif
