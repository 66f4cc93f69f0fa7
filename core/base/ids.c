/* ids.c - see ids.h */
#include "core/base/ids.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define TEXT_MAX (1u << 20) /* bytes of one entry; the members of the largest groups */

static bool user_find(const char *name, char *buf, size_t len, uint32_t *ret, int *rc)
{
	struct passwd pw, *found = NULL;

	*rc = getpwnam_r(name, &pw, buf, len, &found);
	if (found)
		*ret = pw.pw_uid;
	return found;
}

static bool group_find(const char *name, char *buf, size_t len, uint32_t *ret, int *rc)
{
	struct group gr, *found = NULL;

	*rc = getgrnam_r(name, &gr, buf, len, &found);
	if (found)
		*ret = gr.gr_gid;
	return found;
}

static int parse(const char *what, const char *text, uint32_t *ret, struct err *err,
		 bool (*find)(const char *name, char *buf, size_t len, uint32_t *ret, int *rc))
{
	bool found = false;
	int rc = ERANGE;
	uint64_t v;

	if (isdigit((unsigned char)*text)) {
		if (unit_u64(text, &v, NULL) || v > UINT32_MAX)
			return err_set(err, -EINVAL, "%s: is no number of a %s", text, what);
		*ret = (uint32_t)v;
		return 0;
	}
	for (size_t len = 4096; rc == ERANGE && len <= TEXT_MAX; len *= 4) {
		char *buf = xmalloc(len);

		found = find(text, buf, len, ret, &rc);
		free(buf);
	}
	return found ? 0 : err_set(err, -EINVAL, "%s: there is no such %s here; use its number", text, what);
}

int ids_user(const char *text, uint32_t *ret, struct err *err)
{
	return parse("user", text, ret, err, user_find);
}

int ids_group(const char *text, uint32_t *ret, struct err *err)
{
	return parse("group", text, ret, err, group_find);
}
