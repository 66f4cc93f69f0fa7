/* old_words.c - see old_words.h
 *
 * Scripts look for these lines, so they are ldmsd_controller's to the letter, oddities included: a verb's words are not
 * always those of its neighbours.
 */
#include "cmd/old_words.h"

#include <string.h>

/* {NAME} is the value of that attribute, None where it was not given; {errno} the daemon's answer. */
static const struct {
	const char *verb, *words;
} rows[] = {
	{ "advertiser_add", "Error adding advertiser {name}: " },
	{ "advertiser_del", "Error deleting advertiser {name}: " },
	{ "advertiser_start", "Error starting advertiser {name}: " },
	{ "advertiser_stop", "Error stopping advertiser {name}: " },
	{ "bridge_add", "Error adding Bridge {name}: " },
	{ "bridge_del", "Error deleting prdcr {name}: " },
	{ "bridge_start", "Error starting prdcr {name}: " },
	{ "bridge_stop", "Error stopping prdcr {name}: " },
	{ "config", "Error configuring the '{name}' plugin: " },
	{ "dump_cfg", "Error {errno} printing current configuration: " },
	{ "failover_config", "Error with failover config: " },
	{ "failover_peercfg_start", "Error starting failover peer configuration: " },
	{ "failover_peercfg_stop", "Error stopping failover peer configuration: " },
	{ "failover_start", "Error starting failover service: " },
	{ "failover_stop", "Error stopping failover service: " },
	{ "greeting", "" },
	{ "include", "" },
	{ "listen", "Error adding listener {xprt} on port {port}: " },
	{ "load", "" },
	{ "log_level", "Error changing log level to {level}: " },
	{ "loglevel", "Error changing log level to {level}: " },
	{ "msg_client_stats", "msg_client_stats error: {errno}, msg: " },
	{ "msg_stats", "msg_stats error: {errno}, msg: " },
	{ "prdcr_add", "Error adding prdcr {name}: " },
	{ "prdcr_del", "Error deleting prdcr {name}: " },
	{ "prdcr_listen_add", "Error adding producer listen {name}: " },
	{ "prdcr_listen_del", "Error deleting producer listen {name}: " },
	{ "prdcr_listen_start", "Error starting producer listen {name}: " },
	{ "prdcr_listen_stop", "Error stopping producer listen {name}: " },
	{ "prdcr_start", "Error starting prdcr {name}: " },
	{ "prdcr_start_regex", "Error starting prdcr(s) with regex {regex}: " },
	{ "prdcr_stop", "Error stopping prdcr {name}: " },
	{ "prdcr_stop_regex", "Error stopping prdcr(s) with regex {regex}: " },
	{ "prdcr_subscribe", "Error subscribing to stream {stream}: " },
	{ "prdcr_unsubscribe", "Error unsubscribing from stream {stream}: " },
	{ "qgroup_config", "qgroup_config error: " },
	{ "qgroup_member_add", "qgroup_member_add error: " },
	{ "qgroup_start", "qgroup_start error: " },
	{ "qgroup_stop", "qgroup_stop error: " },
	{ "set_sec_mod", "Error changing sets' security parameters. " },
	{ "setgroup_add", "Error creating new set group {name}: " },
	{ "setgroup_del", "Error deleting set {name}: " },
	{ "setgroup_ins", "Error inserting sets into group: " },
	{ "setgroup_mod", "Error modifying set group {name}: " },
	{ "setgroup_rm", "Error removing sets from group: " },
	{ "start", "Error starting {name} plugin: " },
	{ "stop", "Error stopping {name} plugin: " },
	{ "strgp_add", "Error adding storage policy {name}: " },
	{ "strgp_del", "Error deleting storage policy {name}: " },
	{ "strgp_metric_add", "Error adding metric {metric} to storage policy {name}: " },
	{ "strgp_metric_del", "Error deleting metric {metric} to storage policy {name}: " },
	{ "strgp_prdcr_add", "Error adding producer(s) {regex} to storage policy {name}: " },
	{ "strgp_prdcr_del", "Error removing producer(s) {regex} from storage policy {name} match list: " },
	{ "strgp_start", "Error starting storage policy {name}: " },
	{ "strgp_stop", "Error stopping storage policy {name}: " },
	{ "term", "Error terminating plugin {name}: " },
	{ "udata", "Error setting udata: " },
	{ "updtr_add", "Error adding updtr {name}: " },
	{ "updtr_del", "Error removing updater: " },
	{ "updtr_match_add", "Error adding match condition {match} to {name}: " },
	{ "updtr_match_del", "Error deleting match condition {match} to {name}: " },
	{ "updtr_prdcr_add", "Error adding prdcr {name}: " },
	{ "updtr_prdcr_del", "Error deleting prdcr {name}: " },
	{ "updtr_start", "Error starting updtr {name}: " },
	{ "updtr_stop", "Error stopping updater {name}: " },
};

static const char *value_of(const struct line *l, const char *name, size_t len)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->args[i].name && l->args[i].value && strlen(l->args[i].name) == len &&
		    !memcmp(l->args[i].name, name, len))
			return l->args[i].value;
	return "None";
}

void old_words_put(struct buf *to, const struct line *l, int code)
{
	const char *words = "Error {errno}: ";

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].verb, l->verb->name))
			words = rows[i].words;
	for (size_t n; *words; words += n) {
		n = strcspn(words, "{");
		buf_add(to, words, n);
		words += n;
		if (!*words)
			break;
		n = strcspn(words, "}") + 1;
		if (!strncmp(words, "{errno}", n))
			buf_addf(to, "%d", code);
		else
			buf_addf(to, "%s", value_of(l, words + 1, n - 2));
	}
}
