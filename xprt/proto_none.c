/* proto_none.c - requests for what this daemon does not have: quota groups have no answer that says no; they are let
 * pass.
 */
#include "xprt/proto.h"

void ignored_got(struct msg *m)
{
	proto_odd(m->x, "a request or news that this daemon has no use for");
}
