/* auth_naive.c - authentication `naive`: each side says who it is, and is believed.  For tests.
 *
 *   offset  size  field  order
 *      0     4    uid    BE
 *      4     4    gid    BE
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "core/base/rd.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "xprt/auth.h"

#define NOBODY   65534
#define NAIVE_SZ 8

struct naive {
	uint32_t uid, gid;
};

static bool number(const char *text, uint32_t *ret)
{
	uint64_t n;

	if (!str_digits(&text, &n) || *text || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static int naive_open(const struct kv *args, void **ret_conf, struct err *err)
{
	const char *uid = kv_get(args, "uid"), *gid = kv_get(args, "gid");
	struct naive id = { NOBODY, NOBODY };

	if (uid && !number(uid, &id.uid)) {
		const struct passwd *pw = getpwnam(uid);

		if (!pw)
			return err_set(err, -EINVAL, "authentication naive: uid=%s: no such user", uid);
		id.uid = pw->pw_uid;
	}
	if (gid && !number(gid, &id.gid)) {
		const struct group *gr = getgrnam(gid);

		if (!gr)
			return err_set(err, -EINVAL, "authentication naive: gid=%s: no such group", gid);
		id.gid = gr->gr_gid;
	}
	*ret_conf = xcalloc(1, sizeof(id));
	*(struct naive *)*ret_conf = id;
	return 0;
}

static void naive_begin(struct auth_run *a)
{
	const struct naive *id = a->conf;
	const uint32_t bytes[2] = { htobe32(id->uid), htobe32(id->gid) };

	auth_say(a, bytes, sizeof(bytes));
}

static void naive_message(struct auth_run *a, const void *bytes, size_t len)
{
	struct rd r = rd_over(bytes, len);
	uint32_t uid = rd_be32(&r), gid = rd_be32(&r);

	if (len == NAIVE_SZ)
		auth_approve(a, uid, gid);
	else
		auth_refuse(a, AUTH_BROKEN, "authentication naive: a message of %zu bytes, not %d", len, NAIVE_SZ);
}

static const char *const naive_options[] = { "uid", "gid", NULL };

extern const struct auth_type auth_naive; /* auth.c's table */
const struct auth_type auth_naive = {
	.name = "naive",
	.options = naive_options,
	.caution = "believes whatever a peer says it is; use it for tests alone",
	.hung_up = "see its log",
	.open = naive_open,
	.close = free,
	.begin = naive_begin,
	.message = naive_message,
};
