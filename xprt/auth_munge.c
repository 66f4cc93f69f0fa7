/* auth_munge.c - authentication `munge`: each side sends a credential that its munged made, and has the other's checked
 * by its own munged, which knows who asked for it.
 *
 * One message each way: the credential as text with its NUL.  It carries the sender's own socket address as it stands
 * in memory (16 bytes, or 28 of an IPv6 one); another one than the socket's means a proxy between, and is no reason to
 * refuse.
 *
 * munged may hang, so it is asked on worker threads, with the peer on hold: first for our credential, then about the
 * peer's.  In this order, because what we ask once the peer is approved must come behind our credential; and because a
 * munged that does not help us should be heard of here, not guessed at when the peer hangs up.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/work.h"
#include "core/base/xalloc.h"
#include "xprt/addr.h"
#include "xprt/auth.h"
#include "xprt/munge_lib.h"

#define CRED_MAX    4096 /* bytes; one of our payload has some 250 */
#define PAYLOAD_MAX sizeof(struct sockaddr_in6)

/* A listener's, or a peer's. */
struct munge {
	char *socket; /* NULL: libmunge's own */
};

struct munge_run;

/* One question to munged; owns its data. */
struct munge_job {
	struct work_job work;
	struct munge_run *run; /* who waits; NULL: nobody any more.  The loop's */
	atomic_bool needless;
	bool ran;
	bool decode;
	char *socket;
	char *cred; /* to be checked, or made */
	uint8_t payload[PAYLOAD_MAX];
	int payload_len;
	munge_err_t rc;
	struct err why;
	uid_t uid;
	gid_t gid;
	time_t made, now; /* the credential's time, and our munged's */
};

struct munge_run {
	struct auth_run *a;
	struct munge_job *job; /* out at the workers; NULL: it is the peer's turn */
};

/* What munged says about a credential that it does not like. */
static const struct verdict {
	munge_err_t rc;
	enum auth_why why;
	const char *words;
} verdicts[] = {
	{ EMUNGE_CRED_EXPIRED, AUTH_EXPIRED, "its credential has expired; are the clocks of both hosts right?" },
	{ EMUNGE_CRED_REWOUND, AUTH_REWOUND,
	  "its credential was made in the future; are the clocks of both hosts right?" },
	{ EMUNGE_CRED_REPLAYED, AUTH_REPLAYED,
	  "its credential was used before; somebody repeats what was said on another connection" },
	{ EMUNGE_CRED_INVALID, AUTH_SECRET,
	  "its credential is not one of our munged's; give both hosts the same munge key" },
	{ EMUNGE_CRED_UNAUTHORIZED, AUTH_SECRET, "its credential is meant for another user or group" },
};

/* -- on a worker --------------------------------------------------------------------------------------------------- */

static void encode(const struct munge_lib *lib, munge_ctx_t ctx, struct munge_job *job)
{
	job->rc = lib->encode(&job->cred, ctx, job->payload, job->payload_len);
}

static void decode(const struct munge_lib *lib, munge_ctx_t ctx, struct munge_job *job)
{
	void *payload = NULL;
	int len = 0;

	job->rc = lib->decode(job->cred, ctx, &payload, &len, &job->uid, &job->gid);
	lib->ctx_get(ctx, MUNGE_OPT_ENCODE_TIME, &job->made);
	lib->ctx_get(ctx, MUNGE_OPT_DECODE_TIME, &job->now);
	job->payload_len = payload && len > 0 && (size_t)len <= PAYLOAD_MAX ? len : 0;
	if (job->payload_len)
		memcpy(job->payload, payload, (size_t)len);
	free(payload);
}

static void ask(struct munge_job *job)
{
	const struct munge_lib *lib;
	munge_ctx_t ctx;

	job->rc = EMUNGE_SNAFU;
	if (munge_lib(&lib, &job->why))
		return;
	ctx = lib->ctx_create();
	if (!ctx) {
		err_set(&job->why, 0, "out of memory");
		return;
	}
	if (job->socket && lib->ctx_set(ctx, MUNGE_OPT_SOCKET, job->socket) != EMUNGE_SUCCESS)
		err_set(&job->why, 0, "socket=%s is refused", job->socket);
	else if (job->decode)
		decode(lib, ctx, job);
	else
		encode(lib, ctx, job);
	if (job->rc != EMUNGE_SUCCESS && !*job->why.msg) {
		const char *more = lib->ctx_strerror(ctx);

		err_set(&job->why, 0, "%s", more ? more : lib->strerror(job->rc));
	}
	lib->ctx_destroy(ctx);
}

static void run_cb(struct work_job *work)
{
	struct munge_job *job = (struct munge_job *)work;

	if (atomic_load(&job->needless))
		return;
	job->ran = true;
	ask(job);
}

/* -- on the loop --------------------------------------------------------------------------------------------------- */

static void job_free(struct munge_job *job)
{
	if (job->cred)
		explicit_bzero(job->cred, strlen(job->cred));
	free(job->cred);
	free(job->socket);
	free(job);
}

static const char *socket_name(const struct munge_job *job)
{
	return job->socket ? job->socket : "its usual socket";
}

/* munged did not do what we asked: is it the credential, or munged? */
static void complain(struct auth_run *a, const struct munge_job *job)
{
	long long off = (long long)job->now - (long long)job->made;

	for (size_t i = 0; job->decode && i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		const struct verdict *v = &verdicts[i];

		if (v->rc != job->rc)
			continue;
		if (v->why == AUTH_EXPIRED || v->why == AUTH_REWOUND)
			auth_refuse(a, v->why, "authentication munge: %s (it was made %lld s %s our time)", v->words,
				    off < 0 ? -off : off, off < 0 ? "after" : "before");
		else
			auth_refuse(a, v->why, "authentication munge: %s", v->words);
		return;
	}
	if (job->decode && job->rc >= EMUNGE_BAD_CRED)
		auth_refuse(a, AUTH_SECRET, "authentication munge: its credential is no good: %s", job->why.msg);
	else
		auth_refuse(
			a, AUTH_HELPER,
			"authentication munge: munged on this host does not help (%s): %s; see that it runs, or name "
			"its socket with socket=PATH",
			socket_name(job), job->why.msg);
}

static void same_address(const struct auth_run *a, const struct munge_job *job)
{
	struct sockaddr_storage said = { 0 };
	char text[ADDR_TEXT_MAX], other[ADDR_TEXT_MAX];

	memcpy(&said, job->payload, (size_t)job->payload_len);
	if (!addr_same(&said, &a->ep->addr))
		log_debug("auth.munge", "%s: its credential names %s; is there a proxy between?",
			  addr_text(&a->ep->addr, text), addr_text(&said, other));
}

static void done_cb(struct work_job *work)
{
	struct munge_job *job = (struct munge_job *)work;
	struct munge_run *run = job->run;

	if (!run)
		goto out;
	run->job = NULL;
	if (!job->ran) {
		auth_refuse(run->a, AUTH_HELPER, "authentication munge: this process ends");
	} else if (job->rc != EMUNGE_SUCCESS) {
		complain(run->a, job);
	} else if (job->decode) {
		same_address(run->a, job);
		auth_approve(run->a, job->uid, job->gid);
	} else {
		auth_say(run->a, job->cred, strlen(job->cred) + 1);
		auth_resume(run->a);
	}
out:
	job_free(job);
}

static struct munge_job *job_new(struct munge_run *run)
{
	const struct munge *conf = run->a->conf;
	struct munge_job *job = xcalloc(1, sizeof(*job));

	job->work = (struct work_job){ .run = run_cb, .done = done_cb, .loop = run->a->ep->loop };
	job->run = run;
	job->socket = conf->socket ? xstrdup(conf->socket) : NULL;
	return job;
}

/* Ask munged; takes the job. */
static void job_add(struct munge_job *job)
{
	struct auth_run *a = job->run->a;
	struct xprt_env *env = a->ep->env;
	struct work *work = env->auth_work ? env->auth_work : env->work;

	if (!work) { /* nobody but a test is so poor */
		job_free(job);
		auth_refuse(a, AUTH_HELPER, "authentication munge: no worker threads to ask munged on");
		return;
	}
	job->run->job = job;
	auth_hold(a);
	work_add(work, &job->work);
}

/* Our own address as the peer expects it: an IPv4 address in IPv6 clothes goes as what it is. */
static void payload_fill(struct munge_job *job, const struct ep *ep)
{
	struct sockaddr_storage ss;
	struct sockaddr_in in = { .sin_family = AF_INET };

	ep_local(ep, &ss);
	in.sin_addr.s_addr = addr_v4(&ss);
	if (ss.ss_family == AF_INET6 && !in.sin_addr.s_addr) {
		job->payload_len = sizeof(struct sockaddr_in6);
		memcpy(job->payload, &ss, sizeof(struct sockaddr_in6));
		return;
	}
	if (ss.ss_family == AF_INET)
		in.sin_port = ((struct sockaddr_in *)&ss)->sin_port;
	else if (ss.ss_family == AF_INET6)
		in.sin_port = ((struct sockaddr_in6 *)&ss)->sin6_port;
	job->payload_len = sizeof(in);
	memcpy(job->payload, &in, sizeof(in));
}

static int munge_open(const struct kv *args, void **ret_conf, struct err *err)
{
	const char *path = kv_get(args, "socket");
	const struct munge_lib *lib;
	struct munge *conf;
	int rc = munge_lib(&lib, err);

	if (rc)
		return err_prefix(err, rc, "authentication munge: ");
	if (path && *path != '/')
		return err_set(err, -EINVAL, "authentication munge: socket=%s: the path must be absolute", path);
	conf = xcalloc(1, sizeof(*conf));
	conf->socket = path ? xstrdup(path) : NULL;
	*ret_conf = conf;
	return 0;
}

static void munge_close(void *p)
{
	struct munge *conf = p;

	free(conf->socket);
	free(conf);
}

static void munge_begin(struct auth_run *a)
{
	struct munge_run *run = xcalloc(1, sizeof(*run));
	struct munge_job *job;

	run->a = a;
	a->state = run;
	job = job_new(run);
	payload_fill(job, a->ep);
	job_add(job);
}

static void munge_message(struct auth_run *a, const void *bytes, size_t len)
{
	struct munge_job *job;

	if (len < 2 || len > CRED_MAX || memchr(bytes, 0, len) != (const char *)bytes + len - 1) {
		auth_refuse(a, AUTH_BROKEN, "authentication munge: a message of %zu bytes is no credential", len);
		return;
	}
	job = job_new(a->state);
	job->decode = true;
	job->cred = xstrndup(bytes, len);
	job_add(job);
}

static void munge_end(struct auth_run *a)
{
	struct munge_run *run = a->state;

	if (!run)
		return;
	if (run->job) {
		run->job->run = NULL;
		atomic_store(&run->job->needless, true);
	}
	free(run);
	a->state = NULL;
}

static const char *munge_late(const struct auth_run *a, enum auth_why *why)
{
	const struct munge_run *run = a->state;

	if (!run || !run->job)
		return NULL;
	*why = AUTH_HELPER;
	return "munged on this host does not answer; see whether it hangs";
}

static const char *const munge_options[] = { "socket", NULL };

extern const struct auth_type auth_munge; /* auth.c's table */
const struct auth_type auth_munge = {
	.name = "munge",
	.options = munge_options,
	.hung_up = "munged there does not accept our credential, most likely: both hosts want munged, the same key and "
		   "the same time; see its log",
	.open = munge_open,
	.close = munge_close,
	.begin = munge_begin,
	.message = munge_message,
	.end = munge_end,
	.late = munge_late,
};
