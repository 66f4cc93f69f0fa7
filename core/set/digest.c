/* digest.c - the schema digest: computed (schema.h) and printed (image.h).
 *
 * SHA-256 over, for each metric in order, the name's bytes and the type as 32 bits; the members of a record type come
 * before the record type itself.  Units, lengths, META or DATA and all names but the metrics' are not in it.
 */
#include <nettle/sha2.h>

#include "core/set/image.h"
#include "core/set/schema.h"
#include "core/set/schema_impl.h"

static_assert(SHA256_DIGEST_SIZE == DIGEST_LEN, "wire");

static void add(struct sha256_ctx *sha, const struct schema_metric *m)
{
	uint32_t type = htole32(m->type);

	for (uint32_t i = 0; i < m->member_n; i++)
		add(sha, m->members[i]);
	sha256_update(sha, strlen(m->name), (const uint8_t *)m->name);
	sha256_update(sha, sizeof(type), (const uint8_t *)&type);
}

void schema_digest(const struct schema *s, uint8_t digest[DIGEST_LEN])
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	for (uint32_t i = 0; i < s->card; i++)
		add(&sha, s->metrics[i]);
	sha256_digest(&sha, DIGEST_LEN, digest);
}

void digest_hex(const uint8_t *digest, char hex[2 * DIGEST_LEN + 1])
{
	static const char digits[] = "0123456789ABCDEF";
	char *p = hex;

	for (size_t i = 0; digest && i < DIGEST_LEN; i++) {
		*p++ = digits[digest[i] >> 4];
		*p++ = digits[digest[i] & 15];
	}
	*p = '\0';
}
