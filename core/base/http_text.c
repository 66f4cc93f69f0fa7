/* http_text.c - what of http.h needs no library: URLs and headers. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/http.h"

static int url_bad(const char *url, const char *why, struct err *err)
{
	const char *shown = strchr(url, '@') ? "..." : url; /* a password */

	return err_set(err, -EINVAL, "url=%.*s: %s", (int)strcspn(shown, "?"), shown, why);
}

/* What stands between // and the path, without a user: a port that is none? */
static bool port_bad(const char *host)
{
	const char *end = host + strcspn(host, "/?#"), *at = memrchr(host, '@', (size_t)(end - host)), *p;
	uint32_t port = 0;

	p = at ? at + 1 : host;
	if (*p == '[')
		p += strcspn(p, "]/?#");
	p += strcspn(p, ":/?#");
	if (*p != ':')
		return false;
	for (p++; p < end && isdigit((unsigned char)*p) && port <= UINT16_MAX; p++)
		port = 10 * port + (uint32_t)(*p - '0');
	return p < end || !port || port > UINT16_MAX;
}

int http_url_check(const char *url, struct err *err)
{
	const char *host = strstr(url, "://");

	if (!host || (strncmp(url, "http://", 7) && strncmp(url, "https://", 8)))
		return url_bad(url, "must begin with http:// or https://", err);
	host += 3;
	if (!*host || strchr("/?#", *host))
		return url_bad(url, "names no host", err);
	if (port_bad(host))
		return url_bad(url, "its port is no number from 1 to 65535", err);
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return url_bad(url, "has a space or a control character; write %20 for one", err);
	return 0;
}

void http_quote(struct buf *b, const char *text)
{
	for (const char *p = text; *p; p++)
		if (isalnum((unsigned char)*p) || strchr("-._~", *p))
			buf_u8(b, (uint8_t)*p);
		else
			buf_addf(b, "%%%02X", (unsigned char)*p);
}

const char *http_header(const struct http_answer *a, const char *name, char *to, size_t size)
{
	const char *p = (const char *)a->headers.p, *end, *nl;
	size_t len = strlen(name);

	if (!a->headers.len)
		return NULL;
	end = p + a->headers.len;
	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			break;
		if ((size_t)(nl - p) <= len || p[len] != ':' || strncasecmp(p, name, len))
			continue;
		p += len + 1;
		p += strspn(p, " \t");
		for (end = nl; end > p && isspace((unsigned char)end[-1]); end--)
			;
		snprintf(to, size, "%.*s", (int)(end - p), p);
		return to;
	}
	return NULL;
}

void http_answer_fini(struct http_answer *a)
{
	buf_fini(&a->body);
	buf_fini(&a->headers);
}
