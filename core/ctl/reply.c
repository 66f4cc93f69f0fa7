/* reply.c - see reply.h */
#include "core/ctl/reply.h"

#include "core/base/json_put.h"

void reply_string(struct buf *b, const char *s)
{
	json_put_str(b, s ? s : "-");
}
