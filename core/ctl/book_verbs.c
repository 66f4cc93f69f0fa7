/* book_verbs.c - what each verb does to the configuration that is noted, and what kinds of objects there are.  See
 * book.h.
 *
 * A verb that configures something and has no row here would be lost by dump_cfg and by a reload: tests/unit/book.c
 * compares with verbs.c, and knows those that rightly have none.
 */
#include "core/ctl/book.h"

const struct book_kind_row book_kinds[BOOK_KINDS] = {
	[BOOK_ENV] = { .word = "env", .live = true },
	[BOOK_SETTING] = { .word = "setting", .live = true },
	[BOOK_LOG] = { .word = "log_level", .key = { ATTR_NAME, ATTR_REGEX }, .live = true },
	[BOOK_LIMIT] = { .word = "limit", .live = true },
	[BOOK_AUTH] = { .word = "auth", .key = { ATTR_NAME }, .del = "auth_del" },
	[BOOK_LISTEN] = { .word = "listen", .key = { ATTR_XPRT, ATTR_PORT }, .del = "listen_del" },
	[BOOK_PLUGIN] = { .word = "plugin",
			  .key = { ATTR_NAME },
			  .del = "term",
			  .run = "start",
			  .halt = "stop",
			  .own_run = true },
	[BOOK_PRDCR] = { .word = "prdcr",
			 .key = { ATTR_NAME },
			 .del = "prdcr_del",
			 .run = "prdcr_start",
			 .halt = "prdcr_stop" },
	[BOOK_SUB] = { .word = "subscription",
		       .key = { ATTR_REGEX, ATTR_STREAM, ATTR_MESSAGE_TAG },
		       .del = "prdcr_unsubscribe" },
	[BOOK_ADVERTISER] = { .word = "advertiser",
			      .key = { ATTR_NAME },
			      .del = "advertiser_del",
			      .run = "advertiser_start",
			      .halt = "advertiser_stop" },
	[BOOK_PRDCR_LISTEN] = { .word = "prdcr_listen",
				.key = { ATTR_NAME },
				.del = "prdcr_listen_del",
				.run = "prdcr_listen_start",
				.halt = "prdcr_listen_stop" },
	[BOOK_SETGROUP] = { .word = "setgroup", .key = { ATTR_NAME }, .del = "setgroup_del", .unpart = "setgroup_rm" },
	[BOOK_SEC_MOD] = { .word = "set_sec_mod", .key = { ATTR_REGEX }, .live = true },
	[BOOK_UDATA] = { .word = "udata", .key = { ATTR_INSTANCE, ATTR_METRIC, ATTR_REGEX }, .live = true },
	[BOOK_UPDTR] = { .word = "updtr",
			 .key = { ATTR_NAME },
			 .del = "updtr_del",
			 .run = "updtr_start",
			 .halt = "updtr_stop" },
	[BOOK_STRGP] = { .word = "strgp",
			 .key = { ATTR_NAME },
			 .del = "strgp_del",
			 .run = "strgp_start",
			 .halt = "strgp_stop" },
	[BOOK_QGROUP_MEMBER] = { .word = "qgroup_member", .key = { ATTR_HOST, ATTR_PORT }, .del = "qgroup_member_del" },
	[BOOK_FAILOVER] = { .word = "failover", .run = "failover_start", .halt = "failover_stop", .live = true },
	[BOOK_QGROUP] = { .word = "qgroup", .run = "qgroup_start", .halt = "qgroup_stop", .live = true },
};

const struct book_ref book_refs[] = {
	{ BOOK_LISTEN, ATTR_AUTH, BOOK_AUTH },
	{ BOOK_PRDCR, ATTR_AUTH, BOOK_AUTH },
	{ BOOK_ADVERTISER, ATTR_AUTH, BOOK_AUTH },
	{ BOOK_PRDCR_LISTEN, ATTR_AUTH, BOOK_AUTH },
	{ BOOK_QGROUP_MEMBER, ATTR_AUTH, BOOK_AUTH },
	{ BOOK_STRGP, ATTR_PLUGIN, BOOK_PLUGIN },
	{ 0 },
};

/* Its handler only makes, changes and deletes objects: a draft carries it out.  The others are felt outside. */
#define MAKES(verb, act, kind, of)                                                                                     \
	{                                                                                                              \
		verb, BOOK_##act, BOOK_##kind, of, true                                                                \
	}
#define FELT(verb, act, kind, of)                                                                                      \
	{                                                                                                              \
		verb, BOOK_##act, BOOK_##kind, of, false                                                               \
	}

const struct book_verb book_verbs[] = {
	FELT("env", WORDS, ENV, NULL),
	MAKES("limits", WORDS, LIMIT, NULL),
	FELT("daemon_name", SET, SETTING, NULL),
	MAKES("default_auth", FIRST, SETTING, NULL),
	MAKES("default_quota", SET, SETTING, NULL),
	FELT("log_file", SET, SETTING, NULL),
	FELT("log_level", SET, LOG, NULL),
	FELT("loglevel", SET, LOG, NULL),
	FELT("memory", SET, SETTING, "memory"),
	FELT("set_memory", SET, SETTING, "memory"),
	MAKES("metric_sets_default_authz", SET, SETTING, NULL),
	MAKES("msg_disable", SET, SETTING, "msg"),
	MAKES("msg_enable", SET, SETTING, "msg"),
	FELT("option", SET, SETTING, NULL),
	FELT("pid_file", SET, SETTING, NULL),
	MAKES("stream_disable", SET, SETTING, "stream"),
	MAKES("stream_enable", SET, SETTING, "stream"),

	MAKES("auth_add", ADD, AUTH, NULL),
	MAKES("auth_del", DEL, AUTH, NULL),
	FELT("listen", ADD, LISTEN, NULL),
	FELT("listen_del", DEL, LISTEN, NULL),

	MAKES("load", ADD, PLUGIN, NULL),
	MAKES("config", PART, PLUGIN, NULL),
	FELT("start", RUN, PLUGIN, NULL),
	FELT("stop", HALT, PLUGIN, NULL),
	MAKES("term", DEL, PLUGIN, NULL),

	MAKES("bridge_add", ADD, PRDCR, NULL),
	MAKES("bridge_del", DEL, PRDCR, NULL),
	FELT("bridge_start", RUN, PRDCR, NULL),
	FELT("bridge_stop", HALT, PRDCR, NULL),
	MAKES("prdcr_add", ADD, PRDCR, NULL),
	MAKES("prdcr_del", DEL, PRDCR, NULL),
	FELT("prdcr_start", RUN, PRDCR, NULL),
	FELT("prdcr_start_regex", RUN, PRDCR, NULL),
	FELT("prdcr_stop", HALT, PRDCR, NULL),
	FELT("prdcr_stop_regex", HALT, PRDCR, NULL),
	MAKES("prdcr_subscribe", FIRST, SUB, NULL),
	MAKES("prdcr_unsubscribe", DEL, SUB, NULL),

	MAKES("advertiser_add", ADD, ADVERTISER, NULL),
	MAKES("advertiser_del", DEL, ADVERTISER, NULL),
	FELT("advertiser_start", RUN, ADVERTISER, NULL),
	FELT("advertiser_stop", HALT, ADVERTISER, NULL),
	MAKES("prdcr_listen_add", ADD, PRDCR_LISTEN, NULL),
	MAKES("prdcr_listen_del", DEL, PRDCR_LISTEN, NULL),
	FELT("prdcr_listen_start", RUN, PRDCR_LISTEN, NULL),
	FELT("prdcr_listen_stop", HALT, PRDCR_LISTEN, NULL),

	MAKES("setgroup_add", ADD, SETGROUP, NULL),
	MAKES("setgroup_del", DEL, SETGROUP, NULL),
	MAKES("setgroup_ins", PART, SETGROUP, NULL),
	MAKES("setgroup_mod", MOD, SETGROUP, NULL),
	MAKES("setgroup_rm", UNPART, SETGROUP, "setgroup_ins"),
	FELT("set_sec_mod", SET, SEC_MOD, NULL),
	FELT("udata", SET, UDATA, NULL),
	FELT("udata_regex", SET, UDATA, NULL),

	MAKES("updtr_add", ADD, UPDTR, NULL),
	MAKES("updtr_del", DEL, UPDTR, NULL),
	MAKES("updtr_match_add", PART, UPDTR, NULL),
	MAKES("updtr_match_del", UNPART, UPDTR, "updtr_match_add"),
	MAKES("updtr_prdcr_add", PART, UPDTR, NULL),
	MAKES("updtr_prdcr_del", UNPART, UPDTR, "updtr_prdcr_add"),
	FELT("updtr_start", RUN, UPDTR, NULL),
	FELT("updtr_stop", HALT, UPDTR, NULL),

	MAKES("strgp_add", ADD, STRGP, NULL),
	MAKES("strgp_del", DEL, STRGP, NULL),
	MAKES("strgp_metric_add", PART, STRGP, NULL),
	MAKES("strgp_metric_del", UNPART, STRGP, "strgp_metric_add"),
	MAKES("strgp_prdcr_add", PART, STRGP, NULL),
	MAKES("strgp_prdcr_del", UNPART, STRGP, "strgp_prdcr_add"),
	FELT("strgp_start", RUN, STRGP, NULL),
	FELT("strgp_stop", HALT, STRGP, NULL),

	MAKES("qgroup_config", SET, QGROUP, "qgroup"),
	MAKES("qgroup_member_add", ADD, QGROUP_MEMBER, NULL),
	MAKES("qgroup_member_del", DEL, QGROUP_MEMBER, NULL),
	FELT("qgroup_start", RUN, QGROUP, "qgroup"),
	FELT("qgroup_stop", HALT, QGROUP, "qgroup"),

	MAKES("failover_config", SET, FAILOVER, "failover"),
	FELT("failover_start", RUN, FAILOVER, "failover"),
	FELT("failover_stop", HALT, FAILOVER, "failover"),
	{ .verb = NULL },
};
