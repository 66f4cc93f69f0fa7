/* kv.c - see kv.h */
#include "core/base/kv.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

static void add(struct kv *kv, char *key, char *value)
{
	kv->v = xrealloc(kv->v, (kv->n + 1) * sizeof(*kv->v));
	kv->v[kv->n++] = (struct kv_pair){ key, value };
}

void kv_parse(struct kv *kv, const char *text)
{
	const char *blanks = " \t\r\n";

	for (;;) {
		const char *eq;
		size_t n;

		text += strspn(text, blanks);
		n = strcspn(text, blanks);
		if (!n)
			return;
		eq = memchr(text, '=', n);
		if (eq)
			add(kv, xstrndup(text, (size_t)(eq - text)), xstrndup(eq + 1, n - (size_t)(eq + 1 - text)));
		else
			add(kv, xstrndup(text, n), NULL);
		text += n;
	}
}

void kv_add(struct kv *kv, const char *key, const char *value)
{
	add(kv, xstrdup(key), xstrdup(value));
}

void kv_copy(struct kv *to, const struct kv *from)
{
	for (size_t i = 0; i < from->n; i++)
		kv_add(to, from->v[i].key, from->v[i].value);
}

void kv_fini(struct kv *kv)
{
	for (size_t i = 0; i < kv->n; i++) {
		free(kv->v[i].key);
		free(kv->v[i].value);
	}
	free(kv->v);
	*kv = (struct kv){ 0 };
}

const char *kv_get(const struct kv *kv, const char *key)
{
	for (size_t i = 0; i < kv->n; i++)
		if (!strcmp(kv->v[i].key, key))
			return kv->v[i].value && *kv->v[i].value ? kv->v[i].value : NULL;
	return NULL;
}

bool kv_has(const struct kv *kv, const char *key)
{
	for (size_t i = 0; i < kv->n; i++)
		if (!strcmp(kv->v[i].key, key))
			return true;
	return false;
}
