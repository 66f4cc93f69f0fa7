/* auth_ovis.c - authentication `ovis`: both sides prove that they hold the same secret word.
 *
 *   CHALLENGE  0 type LE u32 = 1 | 4 challenge BE u64
 *   REPLY      0 type LE u32 = 2 | 4 56 hexadecimal digits and a NUL: SHA-224 of the challenge in decimal, then
 *              the word
 *
 * Each side sends a challenge at once.  Who made the connection answers the other's as soon as it comes; who accepted
 * it answers only when the peer has proved itself, so that strangers cannot have challenges answered by us that another
 * daemon gave them.
 *
 * One hole is left by the protocol: somebody who gets a challenge from us could hand it to us as his own on another
 * connection that we made, and send our answer back.  So the challenges of this process that wait for an answer are
 * known, and none is answered, but to the very connection's other end (a daemon that is its own producer).
 */
#include <endian.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <nettle/base16.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <uthash.h>

#include "core/base/rd.h"
#include "core/base/xalloc.h"
#include "xprt/addr.h"
#include "xprt/auth.h"
#include "xprt/auth_ovis.h"
#include "xprt/secret.h"

enum { OVIS_CHALLENGE = 1, OVIS_REPLY = 2 };

#define CHALLENGE_SZ 12
#define REPLY_SZ     (4 + OVIS_DIGEST_SZ)

struct ovis { /* a listener's, or a peer's */
	char *path;
	struct secret secret;
};

struct ovis_run {
	struct auth_run *a;
	uint64_t ours, theirs;
	bool asked; /* `theirs` has come */
	UT_hash_handle hh;
};

/* The challenges that wait for an answer, of all loops. */
static struct {
	pthread_mutex_t lock;
	struct ovis_run *runs; /* by `ours` */
} waiting = { PTHREAD_MUTEX_INITIALIZER, NULL };

static int ovis_open(const struct kv *args, void **ret_conf, struct err *err)
{
	struct ovis *o = xcalloc(1, sizeof(*o));
	int rc = secret_find(kv_get(args, "conf"), &o->path, err);

	if (!rc)
		rc = secret_read(o->path, &o->secret, err);
	if (rc) {
		free(o->path);
		free(o);
		return err_prefix(err, rc, "authentication ovis: ");
	}
	*ret_conf = o;
	return 0;
}

static void ovis_close(void *conf)
{
	struct ovis *o = conf;

	secret_wipe(&o->secret);
	free(o->path);
	free(o);
}

static int ovis_settle(struct kv *args, struct err *err)
{
	char *path;
	int rc;

	if (kv_get(args, "conf"))
		return 0;
	rc = secret_find(NULL, &path, err);
	if (rc)
		return rc;
	kv_add(args, "conf", path);
	free(path);
	return 0;
}

void ovis_digest(uint64_t challenge, const char *word, size_t len, char ret[OVIS_DIGEST_SZ])
{
	uint8_t sum[SHA224_DIGEST_SIZE];
	struct sha224_ctx ctx;
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)challenge);

	static_assert(BASE16_ENCODE_LENGTH(SHA224_DIGEST_SIZE) + 1 == OVIS_DIGEST_SZ, "digits and NUL");
	sha224_init(&ctx);
	sha224_update(&ctx, (size_t)n, (const uint8_t *)text);
	sha224_update(&ctx, len, (const uint8_t *)word);
	sha224_digest(&ctx, sizeof(sum), sum);
	base16_encode_update(ret, sizeof(sum), sum);
	ret[OVIS_DIGEST_SZ - 1] = '\0';
	explicit_bzero(&ctx, sizeof(ctx));
}

static void ovis_begin(struct auth_run *a)
{
	struct ovis_run *run = xcalloc(1, sizeof(*run));
	const uint32_t type = htole32(OVIS_CHALLENGE);
	uint8_t m[CHALLENGE_SZ];
	struct ovis_run *other;
	uint64_t be;

	run->a = a;
	pthread_mutex_lock(&waiting.lock);
	do {
		if (getrandom(&run->ours, sizeof(run->ours), 0) != sizeof(run->ours))
			abort(); /* never fails for so few bytes once the system is up */
		HASH_FIND(hh, waiting.runs, &run->ours, sizeof(run->ours), other);
	} while (other);
	HASH_ADD(hh, waiting.runs, ours, sizeof(run->ours), run);
	pthread_mutex_unlock(&waiting.lock);
	a->state = run;
	be = htobe64(run->ours);
	memcpy(m, &type, sizeof(type));
	memcpy(m + 4, &be, sizeof(be));
	auth_say(a, m, sizeof(m));
}

static void ovis_end(struct auth_run *a)
{
	struct ovis_run *run = a->state;

	if (!run)
		return;
	pthread_mutex_lock(&waiting.lock);
	HASH_DEL(waiting.runs, run);
	pthread_mutex_unlock(&waiting.lock);
	free(run);
	a->state = NULL;
}

/* Is this a challenge of our own that somebody hands back? */
static bool is_mirrored(struct ovis_run *run, uint64_t challenge)
{
	struct sockaddr_storage mine, its, at = { 0 };
	struct ovis_run *other;

	pthread_mutex_lock(&waiting.lock);
	HASH_FIND(hh, waiting.runs, &challenge, sizeof(challenge), other);
	if (other && other != run) {
		at = other->a->ep->addr;
		ep_local(other->a->ep, &its);
	}
	pthread_mutex_unlock(&waiting.lock);
	if (!other || other == run)
		return other;
	ep_local(run->a->ep, &mine);
	return !addr_same(&mine, &at) || !addr_same(&run->a->ep->addr, &its);
}

static void answer(struct ovis_run *run)
{
	const struct ovis *o = run->a->conf;
	const uint32_t type = htole32(OVIS_REPLY);
	uint8_t m[REPLY_SZ];

	memcpy(m, &type, sizeof(type));
	ovis_digest(run->theirs, o->secret.word, o->secret.len, (char *)m + 4);
	auth_say(run->a, m, sizeof(m));
}

static void got_challenge(struct auth_run *a, uint64_t challenge)
{
	struct ovis_run *run = a->state;

	if (run->asked) {
		auth_refuse(a, AUTH_BROKEN, "authentication ovis: a second challenge");
		return;
	}
	if (is_mirrored(run, challenge)) {
		auth_refuse(a, AUTH_BROKEN,
			    "authentication ovis: it hands us a challenge of our own; somebody without the secret "
			    "tries to have it answered");
		return;
	}
	run->asked = true;
	run->theirs = challenge;
	if (a->active)
		answer(run);
}

static void got_reply(struct auth_run *a, const char *digest)
{
	struct ovis_run *run = a->state;
	const struct ovis *o = a->conf;
	char want[OVIS_DIGEST_SZ];

	if (!run->asked) {
		auth_refuse(a, AUTH_BROKEN, "authentication ovis: an answer, but no challenge before it");
		return;
	}
	ovis_digest(run->ours, o->secret.word, o->secret.len, want);
	if (!memeql_sec(want, digest, sizeof(want))) {
		auth_refuse(a, AUTH_SECRET,
			    "authentication ovis: its secret word is not ours (%s); give both sides the same file",
			    o->path);
		return;
	}
	if (!a->active)
		answer(run);
	auth_approve(a, 0, 0);
}

static void ovis_message(struct auth_run *a, const void *bytes, size_t len)
{
	struct rd r = rd_over(bytes, len);
	uint32_t type = rd_le32(&r);

	if (type == OVIS_CHALLENGE && len == CHALLENGE_SZ)
		got_challenge(a, rd_be64(&r));
	else if (type == OVIS_REPLY && len == REPLY_SZ && !((const char *)bytes)[REPLY_SZ - 1])
		got_reply(a, (const char *)r.p);
	else
		auth_refuse(a, AUTH_BROKEN, "authentication ovis: a message of type %u and %zu bytes", type, len);
}

static const char *const ovis_options[] = { "conf", NULL };

extern const struct auth_type auth_ovis; /* auth.c's table */
const struct auth_type auth_ovis = {
	.name = "ovis",
	.options = ovis_options,
	.hung_up = "its secret word is another one, most likely; give both sides the same file, and see its log",
	.open = ovis_open,
	.close = ovis_close,
	.settle = ovis_settle,
	.begin = ovis_begin,
	.message = ovis_message,
	.end = ovis_end,
};
