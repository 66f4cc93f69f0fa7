/* push.h - the PUSH message, as proto_push.c reads it and subs.c writes it.
 *
 *   reply 0x108, xid 0, rc 0:
 *   20 set_id raw u64, the receiver's | 28 flags BE u32 | 32 offset in the image BE u32 | 36 length BE u32 | 40 bytes
 */
#ifndef XPRT_PUSH_H
#define XPRT_PUSH_H

#include "xprt/proto.h"

#define PUSH_HDR_SZ   40
#define PUSH_DATA_MAX (EP_MSG_MAX - PUSH_HDR_SZ)

#define PUSH_F_MORE 0x80000000u /* fragments follow */
#define PUSH_F_LAST 0x20000000u /* the last one: a cancellation is done */
#define PUSH_F_PUSH 0x10000000u

/* Of a registration. */
enum push_when {
	PUSH_ON_REQUEST = 1,
	PUSH_ON_CHANGE = 2, /* at the end of each sample, too */
};

void push_header(uint8_t *to, uint64_t push_id, uint32_t flags, size_t off, size_t len);

/* Tell of a change (proto_notify.c). */
void notify_send(struct lane *lane, uint64_t xid);

#endif
