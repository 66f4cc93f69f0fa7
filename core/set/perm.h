/* perm.h - who may read or write a set, a message or an object. */
#ifndef CORE_SET_PERM_H
#define CORE_SET_PERM_H

#include <stdbool.h>
#include <stdint.h>

#define PERM_READ  0444
#define PERM_WRITE 0222

/* ldmsd's rule: root may; an "other" bit suffices; the owner's bits for the owner; the group's bits for the group, of
 * which uid is a member by gid or by the local user database.  Never waits: of the database counts what is known by now
 * (core/base/groups.h; the transport sees to that for its peers). */
bool perm_allows(uint32_t uid, uint32_t gid, uint32_t want, uint32_t owner_uid, uint32_t owner_gid, uint32_t perm);
/* Is the group his, by gid or by the local user database? */
bool perm_in_group(uint32_t uid, uint32_t gid, uint32_t group);
/* "-rwxr-x---" into out. */
void perm_text(uint32_t perm, char out[11]);

#endif
