/* port_owner.h - who listens on a port of this machine. */
#ifndef XPRT_PORT_OWNER_H
#define XPRT_PORT_OWNER_H

#include <stdbool.h>
#include <stddef.h>

/* "ldmsd (pid 1234)" into out; false when it cannot be found (another user's process is seen by root only). */
bool port_owner(unsigned short port, char *out, size_t size);

#endif
