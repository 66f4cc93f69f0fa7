/* words.c - see words.h */
#include "core/ctl/words.h"

#include <errno.h>
#include <regex.h>

#include "core/base/regex_tame.h"

#define MISSING  "The attribute '%s' is missing."
#define REQUIRED "The attribute '%s' is required."
#define GROUP    "missing `%s` attribute"
#define AUTH     "Attribute '%s' is required"

#define LISTEN    "The attribute '%s' is required,"
#define PORT      "The attribute 'port' is required."
#define RECONNECT "The given 'reconnect' is invalid."
#define RAIL      "'rail' attribute must be a positive integer, got '%s'"
#define QUOTA     "'quota' attribute must be greater than -2, got '%s'"
#define RX_RATE   "'rx_rate' attribute must be greater than -2, got '%s'"
#define INTERVAL  "The given update interval value (%s) is invalid."
#define OFFSET    "The given update offset value (%s) is invalid."

/* What regcomp() says, with its own number for an errno. */
static const char REGCOMP[] = "22%s\n";
/* This comes with another errno. */
static const char FLUSH[] = "The specified flush interval, \"%s\", is invalid.";

/* %s in `missing` is the attribute's name, in `bad` the value. */
static const struct words {
	uint16_t verb;
	enum attr_id attr;
	const char *missing, *bad;
} words[] = {
	{ 0x100, ATTR_NAME, REQUIRED, NULL }, /* prdcr_add */
	{ 0x100, ATTR_TYPE, REQUIRED, "The attribute type '%s' is invalid." },
	{ 0x100, ATTR_PORT, NULL, PORT },
	{ 0x100, ATTR_INTERVAL, NULL, RECONNECT },
	{ 0x100, ATTR_RAIL, NULL, RAIL },
	{ 0x100, ATTR_QUOTA, NULL, QUOTA },
	{ 0x100, ATTR_RX_RATE, NULL, RX_RATE },
	{ 0x102, ATTR_INTERVAL, NULL, "The 'reconnect' value (%s) is invalid." }, /* prdcr_start */
	{ 0x105, ATTR_REGEX, NULL, REGCOMP },                                     /* prdcr_start_regex */
	{ 0x106, ATTR_REGEX, NULL, REGCOMP },                                     /* prdcr_stop_regex */
	{ 0x109, ATTR_REGEX, NULL, REGCOMP },                                     /* prdcr_subscribe */
	{ 0x10a, ATTR_REGEX, NULL, REGCOMP },                                     /* prdcr_unsubscribe */
	{ 0x10c, ATTR_NAME, REQUIRED, NULL },                                     /* bridge_add */
	{ 0x10c, ATTR_HOST, REQUIRED, NULL },
	{ 0x10c, ATTR_PORT, NULL, PORT },
	{ 0x10c, ATTR_INTERVAL, NULL, RECONNECT },
	{ 0x10c, ATTR_RAIL, NULL, RAIL },
	{ 0x10c, ATTR_QUOTA, NULL, QUOTA },
	{ 0x10c, ATTR_RX_RATE, NULL, RX_RATE },
	{ 0x10d, ATTR_NAME, REQUIRED, NULL }, /* advertiser_add */
	{ 0x10d, ATTR_HOST, REQUIRED, NULL },
	{ 0x10d, ATTR_PORT, NULL, PORT },
	{ 0x10d, ATTR_INTERVAL, NULL, RECONNECT },
	{ 0x111, ATTR_NAME, REQUIRED, NULL }, /* prdcr_listen_add */
	{ 0x111, ATTR_TYPE, NULL, "The type value '%s' is invalid." },
	{ 0x111, ATTR_REGEX, NULL, "The regular expression string '%s' is invalid." },
	{ 0x112, ATTR_NAME, LISTEN, NULL },    /* prdcr_listen_del */
	{ 0x113, ATTR_NAME, LISTEN, NULL },    /* prdcr_listen_start */
	{ 0x114, ATTR_NAME, LISTEN, NULL },    /* prdcr_listen_stop */
	{ 0x200, ATTR_INTERVAL, NULL, FLUSH }, /* strgp_add */
	{ 0x300, ATTR_NAME, REQUIRED, NULL },  /* updtr_add */
	{ 0x300, ATTR_INTERVAL, "The '%s' attribute is required.", INTERVAL },
	{ 0x300, ATTR_OFFSET, NULL, OFFSET },
	{ 0x300, ATTR_AUTO_INTERVAL, NULL, "The auto_interval option requires either 'true', or 'false'\n" },
	{ 0x302, ATTR_NAME, "The updater %s must be specified.", NULL }, /* updtr_start */
	{ 0x302, ATTR_INTERVAL, NULL, INTERVAL },
	{ 0x302, ATTR_OFFSET, NULL, OFFSET },
	{ 0x303, ATTR_NAME, "The updater %s must be specified.", NULL }, /* updtr_stop */
	{ 0x307, ATTR_REGEX, NULL, "The regex value '%s' is invalid." }, /* updtr_match_add */
	{ 0x307, ATTR_MATCH, NULL, "The value '%s' for match= is invalid." },
	{ 0x308, ATTR_MATCH, NULL, "Unrecognized match type '%s'" }, /* updtr_match_del */
	{ 0x502, ATTR_INTERVAL, NULL, "interval '%s' invalid" },     /* start */
	{ 0x502, ATTR_OFFSET, NULL, "The given 'offset' (%s) is invalid." },
	{ 0x600, ATTR_INSTANCE, REQUIRED, NULL }, /* udata */
	{ 0x600, ATTR_METRIC, REQUIRED, NULL },
	{ 0x600, ATTR_UDATA, REQUIRED, "User data '%s' is invalid." },
	{ 0x601, ATTR_INSTANCE, REQUIRED, NULL }, /* udata_regex */
	{ 0x601, ATTR_REGEX, REQUIRED, REGCOMP },
	{ 0x601, ATTR_BASE, REQUIRED, "User data base '%s' invalid." },
	{ 0x602, ATTR_LEVEL, REQUIRED, NULL },                                        /* log_level */
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
	{ 0x700, ATTR_PEER_NAME, "failover_config: %s attribute is required", NULL },
	{ 0x70a, ATTR_NAME, GROUP, NULL },                                                /* failover_ping */
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

/* Those that regcomp() takes are refused for a reason of ours, which stands in `err`. */
static int regcomp_bad(const char *regex, int rc, struct err *err)
{
	char why[128];
	regex_t re;
	int code;

	if (!regex_is_tame(regex))
		return rc;
	code = regcomp(&re, regex, REG_EXTENDED | REG_NOSUB);
	if (!code) {
		regfree(&re);
		return rc;
	}
	regerror(code, &re, why, sizeof(why));
	return say(err, -code, REGCOMP, why);
}

int words_bad(const struct verb *v, const struct attr_use *u, const char *value, int rc, struct err *err)
{
	const struct words *w = find(v, u);

	if (w && w->bad == REGCOMP)
		return regcomp_bad(value, rc, err);
	return w && w->bad ? say(err, w->bad == FLUSH ? -ENOENT : rc, w->bad, value) : rc;
}
