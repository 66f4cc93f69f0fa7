/* keep.c - see keep.h */
#include "store/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"

/* Times end in a small letter of theirs; sizes in B, or in a letter that times have not. */
static int part(const char *text, struct keep *k, struct err *err)
{
	size_t len = strlen(text);
	int64_t us = 0;
	uint64_t bytes = 0;
	int rc;

	if (len && strchr("smhd", text[len - 1])) {
		rc = unit_time_us(text, &us, err);
		if (!rc && (us <= 0 || k->age_us))
			rc = err_set(err, -EINVAL, "\"%s\": one time above 0 goes there", text);
		if (!rc)
			k->age_us = us;
	} else {
		rc = len && strchr("0123456789", text[len - 1])
			     ? err_set(err, -EINVAL, "\"%s\" has no unit; write 30d or 20G, say", text)
			     : unit_size(text, &bytes, err);
		if (!rc && (!bytes || k->bytes))
			rc = err_set(err, -EINVAL, "\"%s\": one size above 0 goes there", text);
		if (!rc)
			k->bytes = bytes;
	}
	return rc;
}

int keep_parse(const char *text, struct keep *ret, struct err *err)
{
	struct keep k = { 0 };
	char *copy, *slash;
	int rc;

	if (!text) {
		*ret = k;
		return 0;
	}
	copy = xstrdup(text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	rc = part(copy, &k, err);
	if (!rc && slash)
		rc = part(slash + 1, &k, err);
	free(copy);
	if (rc)
		return err_prefix(err, rc, "keep: ");
	*ret = k;
	return 0;
}
