/* reply.c - see reply.h */
#include "core/ctl/reply.h"

#include "core/base/json_put.h"

void reply_size(struct buf *b, int64_t bytes)
{
	static const char units[] = "KMGT";
	int unit = -1;

	if (bytes <= 0)
		bytes = -1;
	while (bytes > 0 && bytes % 1024 == 0 && units[unit + 1]) {
		bytes /= 1024;
		unit++;
	}
	if (unit < 0)
		buf_addf(b, "\"%lld\"", (long long)bytes);
	else
		buf_addf(b, "\"%lld%cB\"", (long long)bytes, units[unit]);
}

void reply_string(struct buf *b, const char *s)
{
	json_put_str(b, s ? s : "-");
}
