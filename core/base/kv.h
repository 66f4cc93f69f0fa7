/* kv.h - "producer=n1 instance=n1/meminfo force_integer": attributes and bare keywords, in order of writing. */
#ifndef CORE_BASE_KV_H
#define CORE_BASE_KV_H

#include <stdbool.h>
#include <stddef.h>

struct kv_pair {
	char *key;
	char *value; /* NULL: a bare keyword */
};

struct kv {
	struct kv_pair *v;
	size_t n;
};

/* Split at blanks; `k=v` at the first '='.  There is no quoting in this language.  Adds to what kv holds. */
void kv_parse(struct kv *kv, const char *text);
void kv_add(struct kv *kv, const char *key, const char *value);
void kv_copy(struct kv *to, const struct kv *from);
void kv_fini(struct kv *kv);
/* The first one of that name counts; an empty value is as good as none.  NULL when absent or a keyword. */
const char *kv_get(const struct kv *kv, const char *key);
/* Is it there at all, as attribute or as keyword? */
bool kv_has(const struct kv *kv, const char *key);

#endif
