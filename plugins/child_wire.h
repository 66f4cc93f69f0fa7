/* child_wire.h - the messages between the daemon and a child process: SOCK_SEQPACKET, so one message is one packet.
 *
 *   offset  size  field  meaning
 *      0     4    magic  CHILD_MAGIC
 *      4     4    seq    the question's number, which its answer repeats
 *      8     4    rc     0, or a negative errno: the body is then its words
 *     12     4    len    of the body, which follows
 *
 * Both ends are the same program on the same machine: numbers are its own.
 */
#ifndef PLUGINS_CHILD_WIRE_H
#define PLUGINS_CHILD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHILD_FD    3 /* where the child finds its end */
#define CHILD_MAGIC 0x6c646d63u

struct child_head {
	uint32_t magic, seq;
	int32_t rc;
	uint32_t len;
};

/* Is this packet of n bytes one whole message with a body of at most `max` bytes?  Numbers stay as they came. */
bool child_head_check(const void *packet, size_t n, size_t max, struct child_head *ret);

#endif
