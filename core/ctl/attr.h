/* attr.h - the attributes of control verbs: their numbers on the wire, frozen (wire: man ldms-wire, "attributes"). */
#ifndef CORE_CTL_ATTR_H
#define CORE_CTL_ATTR_H

#include <stdbool.h>
#include <stdint.h>

enum attr_id {
	ATTR_NAME = 1,
	ATTR_INTERVAL = 2,
	ATTR_OFFSET = 3,
	ATTR_REGEX = 4,
	ATTR_TYPE = 5,
	ATTR_PRODUCER = 6,
	ATTR_INSTANCE = 7,
	ATTR_XPRT = 8,
	ATTR_HOST = 9,
	ATTR_PORT = 10,
	ATTR_MATCH = 11,
	ATTR_PLUGIN = 12,
	ATTR_CONTAINER = 13,
	ATTR_SCHEMA = 14,
	ATTR_METRIC = 15,
	ATTR_STRING = 16,
	ATTR_UDATA = 17,
	ATTR_BASE = 18,
	ATTR_INCR = 19,
	ATTR_LEVEL = 20,
	ATTR_PATH = 21,
	ATTR_TIME = 22,
	ATTR_PUSH = 23,
	ATTR_TEST = 24,
	ATTR_REC_LEN = 25,
	ATTR_JSON = 26,
	ATTR_PERM = 27,
	ATTR_AUTO_SWITCH = 28,
	ATTR_PEER_NAME = 29,
	ATTR_TIMEOUT_FACTOR = 30,
	ATTR_AUTO_INTERVAL = 31,
	ATTR_UID = 32,
	ATTR_GID = 33,
	ATTR_STREAM = 34,
	ATTR_AUTH = 35,
	ATTR_RESET = 36,
	ATTR_DECOMPOSITION = 37,
	ATTR_RAIL = 38,
	ATTR_QUOTA = 39,
	ATTR_RX_RATE = 40,
	ATTR_SUMMARY = 41,
	ATTR_SIZE = 42,
	ATTR_CACHE_IP = 43,
	ATTR_ASK_INTERVAL = 44,
	ATTR_ASK_MARK = 45,
	ATTR_ASK_AMOUNT = 46,
	ATTR_RESET_INTERVAL = 47,
	ATTR_EXCLUSIVE_THREAD = 48,
	ATTR_MESSAGE_TAG = 49,
	ATTR_IDS = 50, /* one more than the last */
};

/* What a value must look like; checked, and turned into a number where it is one, before the handler sees it. */
enum attr_type {
	AT_TEXT,
	AT_WORD, /* one of `words` */
	AT_TIME, /* microseconds */
	AT_SIZE, /* bytes; -1: no limit */
	AT_NUM,
	AT_PORT,
	AT_PERM, /* C notation: 0770 octal, 770 decimal */
	AT_OCTAL, /* a permission, always octal */
	AT_USER, /* by name or number */
	AT_GROUP,
	AT_BOOL,
	AT_REGEX,
	AT_FLAG, /* a keyword without value */
	AT_REST, /* everything of the line that is no other attribute of the verb */
};

/* One attribute as one verb takes it. */
struct attr_use {
	enum attr_id id;
	const char *name; /* as written in files; several rows may share an id (aliases) */
	enum attr_type type;
	bool required;
	const char *dflt; /* for people; NULL: none */
	const char *words; /* AT_WORD: "active|passive"; AT_REST: the only names that may stand there */
	const char *help;
};

#endif
