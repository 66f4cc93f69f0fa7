/* regex.c - see regex.h */
#include "core/base/regex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/regex_tame.h"
#include "core/base/xalloc.h"

static int compile(struct rx *rx, const char *text, int flags, struct err *err)
{
	char why[128];
	int rc;

	*rx = (struct rx){ 0 };
	if (!regex_is_tame(text))
		return err_set(
			err, -EINVAL,
			"regular expression '%.64s': repetitions of repetitions, or \\1: it could take all memory; "
			"write it more simply",
			text);
	rc = regcomp(&rx->re, text, REG_EXTENDED | flags);
	if (rc) {
		regerror(rc, &rx->re, why, sizeof(why));
		return err_set(err, -EINVAL, "regular expression '%s': %s", text, why);
	}
	rx->text = xstrdup(text);
	return 0;
}

int rx_init(struct rx *rx, const char *text, struct err *err)
{
	int rc = compile(rx, text, REG_NOSUB, err);
	size_t n;

	if (rc)
		return rc;
	/* what configurations made by programs have by the thousand: the name of one producer */
	n = strlen(text);
	if (n > 1 && text[0] == '^' && text[n - 1] == '$' && strcspn(text + 1, ".[]()*+?{}|\\^$") == n - 2)
		rx->literal = xstrndup(text + 1, n - 2);
	return 0;
}

void rx_fini(struct rx *rx)
{
	if (!rx->text)
		return;
	regfree(&rx->re);
	free(rx->text);
	free(rx->literal);
	rx->literal = NULL;
	rx->text = NULL;
}

bool rx_match(const struct rx *rx, const char *s)
{
	if (rx->literal)
		return !strcmp(rx->literal, s);
	return !regexec(&rx->re, s, 0, NULL, 0);
}

int rx_init_find(struct rx *rx, const char *text, struct err *err)
{
	return compile(rx, text, REG_NEWLINE, err);
}

bool rx_find(const struct rx *rx, const char *s, size_t *ret_from, size_t *ret_len)
{
	regmatch_t at[2] = { { -1, -1 }, { -1, -1 } };
	const regmatch_t *m;

	if (regexec(&rx->re, s, 2, at, 0))
		return false;
	m = at[1].rm_so >= 0 ? &at[1] : &at[0];
	*ret_from = (size_t)m->rm_so;
	*ret_len = (size_t)(m->rm_eo - m->rm_so);
	return true;
}
