/* ctl_tables.c - what people are shown of the answers of control verbs.
 *
 * To add one: its tables, and a row at the end.  The forms of columns are explained in show.h.
 */
#include "cmd/ctl_show.h"

#include "cmd/show.h"

/* clang-format off */
#define TEXT(title, path)      { title, path, SHOW_TEXT }
#define NUM(title, path)       { title, path, SHOW_NUM }
#define US(title, path)        { title, path, SHOW_US }
#define SEC(title, path)       { title, path, SHOW_SEC }
#define SIZE(title, path)      { title, path, SHOW_SIZE }
#define WHEN(title, path)      { title, path, SHOW_WHEN }
#define SHARE(title, path)     { title, path, SHOW_SHARE }
#define LIST(title, path)      { title, path, SHOW_LIST }
#define PAIR_WHEN(title, path) { title, path, SHOW_PAIR_WHEN }
#define PAIR_SPAN(title, path) { title, path, SHOW_PAIR_SPAN }
/* clang-format on */
#define COLS(...)   ((const struct show_col[]){ __VA_ARGS__, TEXT(NULL, NULL) })
#define TABLES(...) ((const struct show_table[]){ __VA_ARGS__, { .rows = NULL } })

/* -- producers ----------------------------------------------------------------------------------------------------- */

static const struct show_table show_prdcr_status[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Name", "name"), TEXT("Host", "host"), NUM("Port", "port"), TEXT("Xprt", "transport"),
		       TEXT("Auth", "auth"), NUM("Rail", "rail"), NUM("Quota", "quota"), NUM("Rx rate", "rx_rate"),
		       US("Reconnect", "reconnect_us"), TEXT("Type", "type"), TEXT("State", "state"),
		       NUM("Updates", "updates"), NUM("Skipped", "skipped"), NUM("Missed", "missed"),
		       NUM("Failed", "failed"), TEXT("Why", "why")),
	  .subs = TABLES({ .rows = "sets>*",
			   .cols = COLS(TEXT("Set", "inst_name"), TEXT("Schema", "schema_name"), TEXT("State", "state"),
					NUM("Missed", "missed")) }) },
	{ .rows = NULL },
};

static const struct show_table show_prdcr_set_status[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Set", "inst_name"), TEXT("Schema", "schema_name"), TEXT("State", "state"),
		       TEXT("Origin", "origin"), TEXT("Producer", "producer"), PAIR_WHEN("Sampled", "timestamp"),
		       PAIR_SPAN("Took", "duration")) },
	{ .rows = NULL },
};

static const struct show_table show_prdcr_hint_tree[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Producer", "name")),
	  .subs = TABLES(
		  { .rows = "hints>*",
		    .cols = COLS(US("Interval", "interval_us"), US("Offset", "offset_us"), LIST("Sets", "sets")) }) },
	{ .rows = NULL },
};

static const struct show_table show_prdcr_listen_status[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Name", "name"), TEXT("State", "state"), TEXT("Type", "type"), TEXT("From", "IP range"),
		       TEXT("Regex", "regex"), NUM("Quota", "quota"), NUM("Rx rate", "rx_rate"), TEXT("Xprt", "xprt"),
		       NUM("Port", "port"), TEXT("Auth", "auth_dom"), NUM("Rail", "rail_sz"),
		       TEXT("Reconnect", "reconnect"), NUM("Max", "max"), NUM("Taken", "taken"),
		       NUM("Refused", "refused")),
	  .subs = TABLES({ .rows = ".", .facts = true, .cols = COLS(LIST("producers", "producers")) }) },
	{ .rows = NULL },
};

static const struct show_table show_prdcr_stats[] = {
	{ .rows = ".",
	  .facts = true,
	  .cols = COLS(TEXT("producers", "prdcr_count"), TEXT("stopped", "stopped_count"),
		       TEXT("disconnected", "disconnected_count"), TEXT("connecting", "connecting_count"),
		       TEXT("connected", "connected_count"), TEXT("stopping", "stopping_count"),
		       TEXT("standby", "standby_count"), TEXT("sets", "set_count"),
		       US("computed in", "compute_time")) },
	{ .rows = NULL },
};

static const struct show_table show_prdcr_stream_status[] = {
	{ .rows = "*>*",
	  .cols = COLS(TEXT("Stream", "@1"), TEXT("Producer", "@0"), TEXT("Mode", "mode"),
		       NUM("Received", "recv>count"), SIZE("Bytes", "recv>total_bytes"), WHEN("First", "recv>first_ts"),
		       WHEN("Last", "recv>last_ts")) },
	{ .rows = NULL },
};

/* -- sets, updaters ------------------------------------------------------------------------------------------------ */

static const struct show_table show_set_stats[] = {
	{ .rows = ".",
	  .facts = true,
	  .cols = COLS(TEXT("active", "active_count"), TEXT("deleting", "deleting_count"),
		       TEXT("memory, kB", "mem_total_kb"), TEXT("free, kB", "mem_free_kb"),
		       TEXT("used, kB", "mem_used_kb"), TEXT("updates, bytes/s", "set_load"),
		       US("computed in", "compute_time")) },
	{ .rows = NULL },
};

static const struct show_table show_updtr_status[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Name", "name"), US("Interval", "interval"), US("Offset", "offset"), TEXT("Sync", "sync"),
		       TEXT("Auto", "auto"), TEXT("Mode", "mode"), TEXT("State", "state")),
	  .subs = TABLES({ .rows = "producers>*",
			   .cols = COLS(TEXT("Name", "name"), TEXT("Host", "host"), NUM("Port", "port"),
					TEXT("Xprt", "transport"), TEXT("State", "state")) }) },
	{ .rows = NULL },
};

static const struct show_table show_updtr_task[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Name", "name")),
	  .subs = TABLES({ .rows = "tasks>*",
			   .cols = COLS(US("Interval", "interval_us"), US("Offset", "offset_us"),
					TEXT("Default", "default_task")) }) },
	{ .rows = NULL },
};

static const struct show_table show_updtr_match_list[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Name", "name")),
	  .subs = TABLES({ .rows = "match>*", .cols = COLS(TEXT("Of", "selector"), TEXT("Regex", "regex")) }) },
	{ .rows = NULL },
};

static const struct show_table show_update_time_stats[] = {
	{ .rows = "*>*>*",
	  .cols = COLS(TEXT("Updater", "@2"), TEXT("Producer", "@1"), TEXT("Set", "@0"), NUM("Updates", "cnt"),
		       US("Min", "min"), US("Average", "avg"), US("Max", "max"), NUM("Skipped", "skipped_cnt"),
		       NUM("Oversampled", "oversampled_cnt")) },
	{ .rows = NULL },
};

/* -- storage policies, plugins ------------------------------------------------------------------------------------- */

static const struct show_table show_strgp_status[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Name", "name"), TEXT("Container", "container"), TEXT("Schema", "schema"),
		       TEXT("Regex", "regex"), TEXT("Plugin", "plugin"), SEC("Flush", "flush"), TEXT("State", "state"),
		       TEXT("Decomposition", "decomp"), NUM("Produced", "produced"), NUM("Stored", "stored"),
		       NUM("Queued", "queued"), NUM("Spooled", "spooled"), NUM("Dropped", "dropped"),
		       NUM("Rows", "rows"), NUM("Refused", "refused"), NUM("Errors", "errors"), WHEN("Since", "since"),
		       NUM("Retry (s)", "retry_in"), TEXT("Why", "why"), WHEN("Refused since", "refused_since"),
		       TEXT("Refused why", "refused_why")),
	  .subs = TABLES({ .rows = ".",
			   .facts = true,
			   .cols = COLS(LIST("producers", "producers"), LIST("metrics", "metrics")) }) },
	{ .rows = NULL },
};

static const struct show_table show_store_time_stats[] = {
	{ .rows = "*>sets>*",
	  .cols = COLS(TEXT("Policy", "@1"), TEXT("Set", "@0"), TEXT("Producer", "producer"), TEXT("Schema", "schema"),
		       TEXT("Thread", "thread_id"), NUM("Stored", "stats>count"), US("Min", "stats>min"),
		       US("Average", "stats>avg"), US("Max", "stats>max"), WHEN("Since", "stats>start_ts"),
		       WHEN("Last", "stats>end_ts")) },
	{ .rows = NULL },
};

static const struct show_table show_plugn_status[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Name", "name"), TEXT("Plugin", "plugin"), TEXT("Type", "type"), TEXT("State", "state"),
		       TEXT("Degraded", "degraded"), TEXT("Overdue", "overdue"), NUM("Samples", "samples"),
		       NUM("Errors", "errors"), NUM("Missed", "missed"), NUM("Sets", "sets"),
		       US("Late 50%", "late_p50_us"), US("99%", "late_p99_us"), US("Max", "late_max_us"),
		       NUM("Stored", "stored"), NUM("Queued", "queued"), NUM("Dropped", "dropped"),
		       NUM("Refused", "refused"), TEXT("Why", "why"), US("Retry in", "retry_in_us"),
		       TEXT("From", "libpath")) },
	{ .rows = NULL },
};

static const struct show_table show_plugn_sets[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Plugin", "plugin")),
	  .subs = TABLES({ .rows = "sets>*", .cols = COLS(TEXT("Set", ".")) }) },
	{ .rows = NULL },
};

/* -- the daemon ---------------------------------------------------------------------------------------------------- */

static const struct show_col refused_cols[] = {
	TEXT("Reason", "reason"), NUM("Count", "count"), TEXT("Last peer", "last_peer"),
	TEXT("What", "what"),     TEXT(NULL, NULL),
};

#define THREADS(words, rows_)                                                                                          \
	{                                                                                                              \
		.rows = rows_, .title = words,                                                                         \
		.cols = COLS(TEXT("Name", "name"), NUM("Tid", "tid"), SHARE("Busy", "utilization"),                    \
			     US("Window", "refresh_us"), US("Busy in all", "active_tot"),                              \
			     US("Idle in all", "idle_tot"), NUM("Endpoints", "n_eps"), NUM("Queued", "sq_sz"),         \
			     NUM("Events", "ev_cnt"))                                                                  \
	}

static const struct show_table show_daemon_status[] = {
	{ .rows = ".",
	  .facts = true,
	  .cols = COLS(TEXT("state", "state"), TEXT("user", "user"), TEXT("capabilities", "caps"),
		       TEXT("sandbox", "sandbox")) },
	{ .rows = "refused>*", .title = "Refused", .cols = refused_cols },
	THREADS("I/O threads", "thread_stats>io_threads>*"),
	THREADS("Worker threads", "thread_stats>worker_threads>*"),
	THREADS("Exclusive threads", "thread_stats>xthreads>*"),
	{ .rows = NULL },
};

static const struct show_table show_thread_stats[] = {
	THREADS("I/O threads", "io_threads>*"),
	THREADS("Worker threads", "worker_threads>*"),
	THREADS("Exclusive threads", "xthreads>*"),
	{ .rows = NULL },
};

static const struct show_table show_version[] = {
	{ .rows = ".",
	  .facts = true,
	  .cols = COLS(TEXT("ldms", "ldms"), TEXT("LDMSD", "LDMSD Version"), TEXT("protocol", "LDMS Protocol Version"),
		       TEXT("plugin interface", "LDMSD Plugin Interface Version"), TEXT("git", "git-SHA")) },
	{ .rows = NULL },
};

static const struct show_table show_log_status[] = {
	{ .rows = "*", .cols = COLS(TEXT("Name", "name"), TEXT("Level", "level"), TEXT("What", "desc")) },
	{ .rows = NULL },
};

static const struct show_table show_xprt_stats[] = {
	{ .rows = ".",
	  .facts = true,
	  .cols = COLS(
		  SEC("over", "duration"), TEXT("connected", "connect_count"), TEXT("connecting", "connecting_count"),
		  TEXT("listening", "listen_count"), TEXT("closing", "close_count"),
		  TEXT("connects/s", "connect_rate_s"), TEXT("requests to connect/s", "connect_request_rate_s"),
		  TEXT("disconnects/s", "disconnect_rate_s"), TEXT("rejected/s", "reject_rate_s"),
		  TEXT("auth failed/s", "auth_fail_rate_s"), TEXT("incoming", "incoming"), TEXT("guests", "guests"),
		  SIZE("memory", "memory"), SIZE("bytes in", "bytes_in"), SIZE("bytes out", "bytes_out"),
		  TEXT("pushed", "pushes>out"), TEXT("pushes received", "pushes>in"),
		  TEXT("pushes merged", "pushes>merged"), TEXT("pushes odd", "pushes>odd")) },
	{ .rows = "rails>*",
	  .title = "Connections",
	  .cols = COLS(TEXT("State", "state"), TEXT("Host", "remote_host"), TEXT("Peer", "peer"),
		       NUM("Endpoints", "n_eps")) },
	{ .rows = "op_stats>*",
	  .title = "Operations",
	  .cols = COLS(TEXT("Operation", "@0"), NUM("Count", "count"), US("Min", "min_us"), US("Mean", "mean_us"),
		       US("Max", "max_us"), TEXT("Slowest peer", "max_peer")) },
	{ .rows = "refused>*", .title = "Refused", .cols = refused_cols },
	{ .rows = "auth_failed>*",
	  .title = "Failed authentications",
	  .cols = COLS(TEXT("Why", "@0"), NUM("Count", ".")) },
	{ .rows = NULL },
};

/* -- messages ------------------------------------------------------------------------------------------------------ */

static const struct show_table show_stream_status[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Stream", "@0"), TEXT("Mode", "mode"), NUM("Received", "recv>count"),
		       SIZE("Bytes", "recv>total_bytes"), NUM("/s", "recv>count/sec"),
		       SIZE("Bytes/s", "recv>bytes/sec"), WHEN("First", "recv>first_ts"), WHEN("Last", "recv>last_ts"),
		       NUM("Published", "pub>count"), SIZE("Bytes", "pub>total_bytes")),
	  .subs = TABLES({ .rows = "publishers>*",
			   .cols = COLS(TEXT("Producer", "@0"), NUM("Received", "recv>count"),
					SIZE("Bytes", "recv>total_bytes"), WHEN("Last", "recv>last_ts")) }) },
	{ .rows = NULL },
};

static const struct show_table show_stream_client_dump[] = {
	{ .rows = "streams>*",
	  .cols = COLS(TEXT("Stream", "name")),
	  .subs = TABLES({ .rows = "clients>*", .cols = COLS(TEXT("Client", "cb_fn"), TEXT("Context", "ctxt")) }) },
	{ .rows = NULL },
};

#define SENT                                                                                                           \
	NUM("Sent", "tx>count"), SIZE("Bytes", "tx>bytes"), WHEN("Last", "tx>last_ts"), NUM("Dropped", "drops>count"), \
	{                                                                                                              \
		"Last", "drops>last_ts", SHOW_WHEN                                                                     \
	}

static const struct show_table show_msg_stats[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Channel", "name"), NUM("Received", "rx>count"), SIZE("Bytes", "rx>bytes"),
		       WHEN("First", "rx>first_ts"), WHEN("Last", "rx>last_ts")),
	  .subs = TABLES({ .rows = "clients>*",
			   .cols = COLS(TEXT("To", "client_match"), TEXT("What", "client_desc"), TEXT("Where", "dest"),
					SENT) }) },
	{ .rows = NULL },
};

static const struct show_table show_msg_client_stats[] = {
	{ .rows = "*",
	  .cols = COLS(TEXT("Wants", "match"), TEXT("What", "desc"), TEXT("Where", "dest"), SENT,
		       NUM("Waiting", "waiting>count")),
	  .subs = TABLES({ .rows = "channels>*", .cols = COLS(TEXT("Channel", "name"), SENT) }) },
	{ .rows = NULL },
};

static const struct show_table show_failover_status[] = {
	{ .rows = ".",
	  .facts = true,
	  .cols = COLS(TEXT("state", "failover_state"), TEXT("peer", "peer_name"), TEXT("host", "host"),
		       NUM("port", "port"), TEXT("connection", "conn_state"), TEXT("why", "why"),
		       NUM("stands in", "peercfg_activated"), NUM("knows what it has", "flags>PEERCFG_RECEIVED"),
		       US("pings every", "ping_interval"), US("slowest answer", "ping_max"),
		       NUM("pings skipped", "ping_skipped")) },
	{ .rows = NULL },
};

static const struct show_table show_qgroup_info[] = {
	{ .rows = ".",
	  .facts = true,
	  .cols = COLS(TEXT("state", "state"), SIZE("left", "quota"), SIZE("quota", "config>quota"),
		       SIZE("asks below", "config>ask_mark"), SIZE("asks for", "config>ask_amount"),
		       US("asks every", "config>ask_usec"), US("window", "config>reset_usec")) },
	{ .rows = "members>*",
	  .title = "Members",
	  .cols = COLS(TEXT("Host", "host"), NUM("Port", "port"), TEXT("Xprt", "xprt"), TEXT("Auth", "auth"),
		       TEXT("State", "state")) },
	{ .rows = NULL },
};

#define SHOW(name)                                                                                                     \
	{                                                                                                              \
#name, show_##name                                                                                     \
	}
const struct ctl_tables ctl_tables[] = {
	SHOW(daemon_status),
	SHOW(failover_status),
	SHOW(log_status),
	SHOW(msg_client_stats),
	SHOW(msg_stats),
	SHOW(plugn_sets),
	SHOW(plugn_status),
	SHOW(prdcr_hint_tree),
	SHOW(prdcr_listen_status),
	SHOW(prdcr_set_status),
	SHOW(prdcr_stats),
	SHOW(prdcr_status),
	SHOW(prdcr_stream_status),
	SHOW(qgroup_info),
	SHOW(set_stats),
	SHOW(store_time_stats),
	SHOW(stream_client_dump),
	SHOW(stream_status),
	SHOW(strgp_status),
	SHOW(thread_stats),
	SHOW(update_time_stats),
	SHOW(updtr_match_list),
	SHOW(updtr_status),
	SHOW(updtr_task),
	SHOW(version),
	SHOW(xprt_stats),
	{ NULL, NULL },
};
