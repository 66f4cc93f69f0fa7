/* zap_impl.h - what zap_in.c and zap_got.c share: the table of messages. */
#ifndef XPRT_ZAP_IMPL_H
#define XPRT_ZAP_IMPL_H

#include "xprt/zap.h"

#define ZAP_IN(state) (1u << (state))

struct zap_kind {
	const char *name;    /* NULL: there is no such message */
	uint32_t min, max;   /* bytes */
	unsigned int states; /* in which it may come: ZAP_IN() */
	void (*got)(struct zap *z, const uint8_t *msg, uint32_t len);
};

extern const struct zap_kind zap_kinds[ZAP_TYPES];

/* What a peer is that breaks the protocol. */
enum xprt_fail zap_blame(const struct zap *z);

#endif
