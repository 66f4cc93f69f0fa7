/* post_words.c - what servers say when they refuse: {"error":"..."} of InfluxDB 1, {"code":"invalid","message":"..."} of
 * InfluxDB 2, plain text of the others. */
#include <stdlib.h>

#include "core/base/json_scan.h"
#include "core/base/utf8.h"
#include "store/post.h"

static bool member_is(const struct json_member *m, const char *name)
{
	return m->key_len == strlen(name) && !memcmp(m->key, name, m->key_len) && m->value_len > 2 && *m->value == '"';
}

/* The text of the object's member, without its quotes; false when the body has none. */
static bool message_find(const char **p, size_t *len)
{
	struct json_member m, found = { 0 };
	struct json_walk w;

	if (json_check(*p, *len, NULL) || !json_walk_init(&w, *p, *len))
		return false;
	while (json_walk_next(&w, &m))
		if (member_is(&m, "error") || (member_is(&m, "message") && !found.value))
			found = m;
	if (!found.value)
		return false;
	*p = found.value + 1;
	*len = found.value_len - 2;
	return true;
}

/* An escape of JSON, behind its backslash, as one character that people can read; returns how long it is. */
static size_t unescape(const char *p, size_t left, char *ret)
{
	char hex[5] = "";
	unsigned long code;

	*ret = *p == 'n' || *p == 't' || *p == 'r' || *p == 'b' || *p == 'f' ? ' ' : *p;
	if (*p != 'u' || left < 5)
		return 1;
	memcpy(hex, p + 1, 4);
	code = strtoul(hex, NULL, 16);
	*ret = code >= ' ' && code < 0x7f ? (char)code : '?';
	return 5;
}

void post_words(const void *body, size_t len, char to[POST_WORDS_MAX])
{
	const char *p = body, *end;
	size_t n = 0, c;
	bool json = len && message_find(&p, &len);

	*to = '\0';
	if (!len)
		return;
	for (end = p + len; p < end && n < POST_WORDS_MAX - 4; p += c) {
		c = utf8_len((const unsigned char *)p, (size_t)(end - p));
		if (json && *p == '\\' && p + 1 < end) {
			c = 1 + unescape(p + 1, (size_t)(end - p) - 1, &to[n++]);
		} else if (!c || utf8_misleads((const unsigned char *)p, c)) {
			to[n++] = '?';
			c = c ? c : 1;
		} else if ((unsigned char)*p < ' ' || *p == 0x7f) {
			if (n && to[n - 1] != ' ')
				to[n++] = ' ';
		} else {
			memcpy(to + n, p, c);
			n += c;
		}
	}
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}
