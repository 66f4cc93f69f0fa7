/* verbs.h - the handlers that verbs.c names; each is only its own idea. */
#ifndef CORE_CTL_VERBS_H
#define CORE_CTL_VERBS_H

#include "core/ctl/verb.h"

#define H(name) int ctl_##name(struct ctl *c, struct err *err)

/* ctl_auth.c */
H(auth_add);
H(auth_del);
H(default_auth);
/* -ENOENT when the request names an authentication domain that is not there. */
int ctl_auth_check(const struct ctl *c, struct err *err);
/* ctl_plugin.c */
H(load);
H(config);
H(start);
H(stop);
H(term);
/* ctl_plugin_stat.c */
H(plugn_status);
H(plugn_sets);
H(usage);
/* ctl_prdcr.c */
H(prdcr_add);
H(prdcr_del);
H(prdcr_start);
H(prdcr_stop);
H(prdcr_start_regex);
H(prdcr_stop_regex);
H(bridge_add);
/* ctl_prdcr_stat.c */
H(prdcr_status);
H(prdcr_set_status);
H(prdcr_hint_tree);
H(prdcr_stats);
/* ctl_advert.c */
H(advertiser_add);
H(advertiser_start);
H(advertiser_stop);
H(advertiser_del);
H(prdcr_listen_add);
H(prdcr_listen_start);
H(prdcr_listen_stop);
H(prdcr_listen_del);
H(prdcr_listen_status);
H(advertise);
/* ctl_prdcr_sub.c */
H(prdcr_subscribe);
H(prdcr_unsubscribe);
H(prdcr_stream_status);
/* ctl_stream.c */
H(stream_enable);
H(stream_disable);
H(stream_status);
H(stream_client_dump);
H(publish);
H(peer_only);
/* ctl_updtr.c */
H(updtr_add);
H(updtr_del);
H(updtr_start);
H(updtr_stop);
H(updtr_prdcr_add);
H(updtr_prdcr_del);
H(updtr_match_add);
H(updtr_match_del);
/* ctl_updtr_stat.c */
H(updtr_status);
H(updtr_task);
H(updtr_match_list);
H(update_time_stats);
/* ctl_strgp.c */
H(strgp_add);
H(strgp_del);
H(strgp_start);
H(strgp_stop);
H(strgp_prdcr_add);
H(strgp_prdcr_del);
H(strgp_metric_add);
H(strgp_metric_del);
/* ctl_strgp_stat.c */
H(strgp_status);
H(store_time_stats);
/* ctl_msg.c */
H(msg_enable);
H(msg_disable);
H(msg_stats);
H(msg_client_stats);
H(default_quota);
/* ctl_qgroup.c */
H(qgroup_config);
H(qgroup_member_add);
H(qgroup_member_del);
H(qgroup_start);
H(qgroup_stop);
H(qgroup_info);
/* ctl_failover.c */
H(failover_config);
H(failover_start);
H(failover_stop);
H(failover_status);
H(failover_peercfg_start);
H(failover_peercfg_stop);
H(failover_pair);
H(failover_reset);
H(failover_ping);
H(failover_peercfg);
/* ctl_set.c */
H(metric_sets_default_authz);
H(set_sec_mod);
H(udata);
H(udata_regex);
H(set_stats);
H(setgroup_add);
H(setgroup_mod);
H(setgroup_del);
H(setgroup_ins);
H(setgroup_rm);
/* ctl_daemon.c */
H(listen);
H(listen_del);
H(env);
H(option);
H(daemon_name);
H(memory);
H(log_level);
H(log_file);
H(log_status);
H(logrotate);
H(daemon_status);
H(version);
H(config_count);
H(needless);
H(pid_file);
H(unsupported);
H(daemon_exit);
/* ctl_greet.c */
H(example);
H(greeting);
/* ctl_include.c */
H(include);
/* ctl_thread.c */
H(stats_reset);
H(thread_stats);
/* The threads as JSON. */
void ctl_put_threads(struct buf *b, struct daemon *d);
/* ctl_reload.c */
H(dump_cfg);
H(reload);
/* ctl_xprt.c */
H(limits);
H(xprt_stats);
/* A JSON list of what peers were refused, and how much that was in all. */
unsigned long ctl_put_refused(struct buf *b, struct xprt_env *env);

/* What updtr_start says of an updater's schedule (ctl_updtr.c). */
struct updtr;
int ctl_updtr_schedule(const struct ctl *c, struct updtr *u, struct err *err);

/* Attributes that several verbs take. */
struct xprt_quota;
int ctl_quota(struct ctl *c, struct xprt_quota *ret, struct err *err); /* quota=, rx_rate= (ctl_msg.c) */

#undef H

#endif
