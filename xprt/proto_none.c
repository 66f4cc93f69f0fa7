/* proto_none.c - messages that ask for nothing and tell nothing that is wanted: they are let pass. */
#include "xprt/proto.h"

void ignored_got(struct msg *m)
{
	proto_odd(m->x, "news that this daemon has no use for");
}
