/* mirrored.h - names of what the failover peer has: they begin with a mark, and stay among themselves (failover.h).
 *
 * An updater or a storage policy without the mark takes no producer with it, and the reverse: what the peer collects is
 * collected here as it is there, and nothing of it twice.
 */
#ifndef CORE_DAEMON_MIRRORED_H
#define CORE_DAEMON_MIRRORED_H

#include <stdbool.h>

#define MIRRORED_MARK '#'

static inline bool is_mirrored(const char *name)
{
	return *name == MIRRORED_MARK;
}

#endif
