/* perm.c - see perm.h */
#include "core/set/perm.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"

#define MEMO    16                      /* answers kept by each thread */
#define MEMO_US (10 * INT64_C(1000000)) /* a directory of 10,000 sets asks the same thing 10,000 times, then rests */

/* Is `gid` among the groups of the user?  Asks the system's user database, which may be slow. */
static bool is_member(uint32_t uid, uint32_t gid)
{
	long hint = sysconf(_SC_GETPW_R_SIZE_MAX);
	size_t len = hint > 0 ? (size_t)hint : 4096;
	struct passwd pw, *found = NULL;
	gid_t *groups = NULL;
	bool yes = false;
	int n = 64, had;
	char *text;

	text = xmalloc(len);
	if (getpwuid_r(uid, &pw, text, len, &found) || !found)
		goto out;
	do {
		had = n;
		groups = xrealloc(groups, (size_t)n * sizeof(*groups));
	} while (getgrouplist(pw.pw_name, pw.pw_gid, groups, &n) < 0 && n > had);
	for (int i = 0; i < n && i < had && !yes; i++)
		yes = groups[i] == gid;
out:
	free(groups);
	free(text);
	return yes;
}

static bool is_member_memo(uint32_t uid, uint32_t gid)
{
	static _Thread_local struct {
		uint32_t uid, gid;
		bool yes;
		int64_t until_us;
	} memo[MEMO], *m;
	int64_t now = mono_us();

	m = &memo[(uid * 31 + gid) % MEMO];
	if (m->until_us <= now || m->uid != uid || m->gid != gid) {
		m->yes = is_member(uid, gid);
		m->uid = uid;
		m->gid = gid;
		m->until_us = mono_us() + MEMO_US;
	}
	return m->yes;
}

bool perm_in_group(uint32_t uid, uint32_t gid, uint32_t group)
{
	return gid == group || is_member_memo(uid, group);
}

bool perm_allows(uint32_t uid, uint32_t gid, uint32_t want, uint32_t owner_uid, uint32_t owner_gid, uint32_t perm)
{
	uint32_t m = want & perm;

	if (uid == 0 || (m & 0007))
		return true;
	if ((m & 0700) && uid == owner_uid)
		return true;
	return (m & 0070) && perm_in_group(uid, gid, owner_gid);
}

void perm_text(uint32_t perm, char out[11])
{
	static const char bits[] = "rwxrwxrwx";

	out[0] = '-';
	for (unsigned int i = 0; i < 9; i++)
		out[1 + i] = (perm & (0400u >> i)) ? bits[i] : '-';
	out[10] = '\0';
}
