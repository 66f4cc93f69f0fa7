/* shard.c - see shard.h */
#include "core/base/shard.h"

#include <errno.h>
#include <stdio.h>

/* FNV-1a. */
static uint64_t name_hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3u;
	return h;
}

/* The last step of splitmix64: each bit of the result is of all bits of v. */
static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

int shard_parse(const char *text, struct shard *ret, struct err *err)
{
	unsigned int k, n;
	int end = 0;

	if (text[0] < '0' || text[0] > '9' || sscanf(text, "%4u/%4u%n", &k, &n, &end) != 2 || !end || text[end] || !k ||
	    k > n || n > SHARDS_MAX)
		return err_set(err, -EINVAL, "'%s' is no shard: write K/N, the K-th of N, as 1/3 (N at most %d)", text,
			       SHARDS_MAX);
	*ret = (struct shard){ k, n };
	return 0;
}

bool shard_takes(const struct shard *sh, const char *name)
{
	uint64_t h, best = 0;
	uint32_t winner = 1;

	if (!sh->n)
		return true;
	h = name_hash(name);
	for (uint32_t i = 1; i <= sh->n; i++) {
		uint64_t v = mix(h ^ mix(i));

		if (v > best) {
			best = v;
			winner = i;
		}
	}
	return winner == sh->k;
}
