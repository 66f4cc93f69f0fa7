/* tool.c - see tool.h */
#include "cmd/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hostlist.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define TIME_MAX_US (24 * 3600 * SEC_US)

const enum exit_status tool_exit_of[XPRT_FAILS] = {
	[XPRT_CLOSED] = EXIT_REFUSED,     [XPRT_RESOLVE] = EXIT_RESOLVE,   [XPRT_REFUSED] = EXIT_REFUSED,
	[XPRT_TIMEOUT] = EXIT_INCOMPLETE, [XPRT_NOT_LDMS] = EXIT_NOT_LDMS, [XPRT_VERSION] = EXIT_VERSION,
	[XPRT_AUTH] = EXIT_AUTH,          [XPRT_LOST] = EXIT_REFUSED,      [XPRT_PROTO] = EXIT_NOT_LDMS,
	[XPRT_SLOW] = EXIT_REFUSED,       [XPRT_LIMIT] = EXIT_USAGE,       [XPRT_LOCAL] = EXIT_USAGE,
};

int tool_time_parse(const char *text, int64_t *ret_us, struct err *err)
{
	char *seconds = text[strspn(text, "0123456789.")] ? NULL : xasprintf("%ss", text);
	int rc = unit_time_us(seconds ? seconds : text, ret_us, err);

	free(seconds);
	if (!rc && (*ret_us <= 0 || *ret_us > TIME_MAX_US))
		rc = err_set(err, -EINVAL, "\"%s\" is no time to wait; write 10s, say, and at most 1d", text);
	return rc ? err_prefix(err, rc, "option --timeout: ") : 0;
}

int tool_port_parse(const char *text, unsigned short *ret, struct err *err)
{
	uint64_t port;
	int rc = unit_u64(text, &port, err);

	if (!rc && (port < 1 || port > 65535))
		rc = err_set(err, -EINVAL, "\"%s\" is no port; write a number from 1 to 65535", text);
	if (rc)
		return err_prefix(err, rc, "option --port: ");
	*ret = (unsigned short)port;
	return 0;
}

int tool_peer_parse(const char *host, const char *port, char **ret_host, unsigned short *ret_port, struct err *err)
{
	int rc = tool_port_parse(TOOL_PORT_DFLT, ret_port, err);

	if (!rc)
		rc = hostport_parse(host, ret_host, ret_port, err);
	if (!rc && port)
		rc = tool_port_parse(port, ret_port, err);
	return rc;
}
