/* secret_hide.c - see secret_hide.h */
#include "core/base/secret_hide.h"

#include <stdbool.h>
#include <string.h>

static bool holds(const char *name, size_t n, const char *word)
{
	for (size_t k = strlen(word); n >= k; name++, n--)
		if (!strncasecmp(name, word, k))
			return true;
	return false;
}

static bool is_secret(const char *name, size_t n)
{
	static const char *const words[] = { "passw", "secret", "token", "passphrase" };
	static const char *const places[] = { "file", "path", "location", "url" };
	bool is = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		is |= holds(name, n, words[i]);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		is &= !holds(name, n, places[i]);
	return is;
}

/* An URL may hold a user with its password, and what stands behind ? may be anything. */
static void put_word(struct buf *out, const char *p, size_t len)
{
	const char *end = p + len, *host = memmem(p, len, "://", 3), *at, *ask;

	if (host) {
		host += 3;
		at = memrchr(host, '@', strcspn(host, "/?# \t\r\n"));
		buf_add(out, p, (size_t)(host - p));
		if (at)
			buf_addf(out, "***");
		p = at ? at : host;
		ask = memchr(p, '?', (size_t)(end - p));
		if (ask) {
			buf_add(out, p, (size_t)(ask + 1 - p));
			buf_addf(out, "***");
			return;
		}
	}
	buf_add(out, p, (size_t)(end - p));
}

void secrets_hide(struct buf *b, size_t from)
{
	static const char blanks[] = " \t\r\n";
	struct buf out = { 0 };
	const char *p = buf_str(b) + from;

	while (*p) {
		size_t gap = strspn(p, blanks), word = strcspn(p + gap, blanks), name = strcspn(p + gap, "=");
		bool hide = name < word && word > name + 1 && is_secret(p + gap, name);

		buf_add(&out, p, gap + (hide ? name + 1 : 0));
		if (hide)
			buf_addf(&out, "***");
		else
			put_word(&out, p + gap, word);
		p += gap + word;
	}
	b->len = from;
	buf_add(b, buf_str(&out), out.len);
	buf_fini(&out);
}
