/* zap_frame.c - a stream of bytes from the very first one, cut into pieces, into a server's or a client's endpoint.
 *
 * Reaches: xprt/zap_in.c and zap_got.c (headers, partial messages, the handshake), xprt/rail.c and proto_conn.c (who
 * may connect).
 * Input: 1 byte: bit 0 the role, the rest the size of the pieces; the stream.
 */
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const struct xprt_events none;
	struct xprt *x = NULL;
	struct zap *z;
	size_t step;

	if (!len)
		return 0;
	feed_init();
	step = *in >> 1 ? *in >> 1 : len;
	if (*in & 1) {
		x = feed_client(&none, NULL);
		z = fuzz.client;
	} else {
		z = feed_accept();
	}
	in++;
	len--;
	while (len && !zap_is_closed(z)) {
		size_t n = len < step ? len : step;
		uint8_t *exact = xmalloc(n); /* the sanitizer sees the first byte beyond */

		memcpy(exact, in, n);
		zap_input(z, exact, n);
		free(exact);
		in += n;
		len -= n;
	}
	if (!zap_is_closed(z))
		zap_ended(z, 0);
	xprt_close(x);
	feed_settle();
	return 0;
}
