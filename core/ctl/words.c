/* words.c - see words.h */
#include "core/ctl/words.h"

#include <errno.h>

#define MISSING  "The attribute '%s' is missing."
#define REQUIRED "The attribute '%s' is required."
#define GROUP    "missing `%s` attribute"
#define AUTH     "Attribute '%s' is required"

/* %s in `missing` is the attribute's name, in `bad` the value. */
static const struct words {
	uint16_t verb;
	enum attr_id attr;
	const char *missing, *bad;
} words[] = {
	{ 0x602, ATTR_LEVEL, REQUIRED, NULL },                                         /* log_level */
	{ 0x610, ATTR_XPRT, REQUIRED, NULL },                                          /* listen */
	{ 0x611, ATTR_UID, NULL, "uid value \"%s\" is not a valid UID or user name" }, /* metric_sets_default_authz */
	{ 0x611, ATTR_GID, NULL, "gid value \"%s\" is not a valid GID or user name" },
	{ 0x611, ATTR_PERM, NULL, "String to permission bits conversion failed" },
	{ 0x613, ATTR_REGEX, "'%s' is required.", NULL }, /* set_sec_mod */
	{ 0x613, ATTR_UID, NULL, "Unknown user '%s'" },
	{ 0x613, ATTR_GID, NULL, "Unknown group '%s'" },
	{ 0x613, ATTR_PERM, NULL, "String to permission bits conversion failed." },
	{ 0x616, ATTR_PLUGIN, MISSING, NULL },                                           /* default_auth */
	{ 0x617, ATTR_SIZE, MISSING, NULL },                                             /* memory */
	{ 0x618, ATTR_PATH, MISSING, NULL },                                             /* log_file */
	{ 0x61a, ATTR_NAME, MISSING, NULL },                                             /* daemon_name */
	{ 0x61b, ATTR_SIZE, MISSING, "Failed to process the 'worker_threads' command" }, /* worker_threads */
	{ 0x61c, ATTR_QUOTA, MISSING, NULL },                                            /* default_quota */
	{ 0x61d, ATTR_PATH, MISSING, NULL },                                             /* pid_file */
	{ 0x61e, ATTR_LEVEL, MISSING, NULL },                                            /* banner */
	{ 0x800, ATTR_NAME, GROUP, NULL },                                               /* setgroup_add */
	{ 0x801, ATTR_NAME, GROUP, NULL },                                               /* setgroup_mod */
	{ 0x802, ATTR_NAME, GROUP, NULL },                                               /* setgroup_del */
	{ 0x803, ATTR_NAME, GROUP, NULL },                                               /* setgroup_ins */
	{ 0x804, ATTR_NAME, GROUP, NULL },                                               /* setgroup_rm */
	{ 0x901, ATTR_NAME, "The stream name is missing.", NULL },                       /* subscribe */
	{ 0xa00, ATTR_NAME, AUTH, NULL },                                                /* auth_add */
	{ 0xa01, ATTR_NAME, AUTH, NULL },                                                /* auth_del */
	{ 0xb01, ATTR_HOST, "Missing '%s' attribute.", NULL },                           /* qgroup_member_add */
	{ 0xb02, ATTR_HOST, "Missing '%s' attribute.", NULL },                           /* qgroup_member_del */
};

static const struct words *find(const struct verb *v, const struct attr_use *u)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].verb == v->id && words[i].attr == u->id)
			return &words[i];
	return NULL;
}

/* `fmt` with its one %s, if it has it: formats that stand in a table are not handed to printf. */
static int say(struct err *err, int rc, const char *fmt, const char *what)
{
	const char *at = strstr(fmt, "%s");

	if (!at)
		return err_set(err, rc, "%s", fmt);
	return err_set(err, rc, "%.*s%s%s", (int)(at - fmt), fmt, what, at + 2);
}

int words_missing(const struct verb *v, const struct attr_use *u, int rc, struct err *err)
{
	const struct words *w = find(v, u);

	if (w && w->missing)
		return say(err, rc, w->missing, u->name);
	return err_set(err, rc, "The attribute '%s' is required by %s.", u->name, v->name);
}

int words_bad(const struct verb *v, const struct attr_use *u, const char *value, int rc, struct err *err)
{
	const struct words *w = find(v, u);

	return w && w->bad ? say(err, rc, w->bad, value) : rc;
}
