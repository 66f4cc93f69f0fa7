/* perm.c - see perm.h */
#include "core/set/perm.h"

#include "core/base/groups.h"

bool perm_in_group(uint32_t uid, uint32_t gid, uint32_t group)
{
	return gid == group || groups_has(uid, group);
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
