/* regex.c - see regex.h */
#include "core/base/regex.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

int rx_init(struct rx *rx, const char *text, struct err *err)
{
	char why[128];
	int rc = regcomp(&rx->re, text, REG_EXTENDED | REG_NOSUB);

	if (rc) {
		regerror(rc, &rx->re, why, sizeof(why));
		return err_set(err, -EINVAL, "regular expression '%s': %s", text, why);
	}
	rx->text = xstrdup(text);
	return 0;
}

void rx_fini(struct rx *rx)
{
	if (!rx->text)
		return;
	regfree(&rx->re);
	free(rx->text);
	rx->text = NULL;
}

bool rx_match(const struct rx *rx, const char *s)
{
	return !regexec(&rx->re, s, 0, NULL, 0);
}
