/* netdev.c - see netdev.h */
#include "plugins/netdev.h"

const struct metric_def netdev_members[] = {
	{ "name", V_CHAR_ARRAY, "", METRIC_GAUGE, "interface", NETDEV_NAME },
	{ "rx_bytes", V_U64, "bytes", METRIC_COUNTER, "received bytes", 1 },
	{ "rx_packets", V_U64, "packets", METRIC_COUNTER, "received packets", 1 },
	{ "rx_errs", V_U64, "packets", METRIC_COUNTER, "receive errors", 1 },
	{ "rx_drop", V_U64, "packets", METRIC_COUNTER, "received packets dropped", 1 },
	{ "rx_fifo", V_U64, "events", METRIC_COUNTER, "overruns of the receive queue", 1 },
	{ "rx_frame", V_U64, "events", METRIC_COUNTER, "framing errors", 1 },
	{ "rx_compressed", V_U64, "packets", METRIC_COUNTER, "compressed packets received", 1 },
	{ "rx_multicast", V_U64, "packets", METRIC_COUNTER, "multicast packets received", 1 },
	{ "tx_bytes", V_U64, "bytes", METRIC_COUNTER, "sent bytes", 1 },
	{ "tx_packets", V_U64, "packets", METRIC_COUNTER, "sent packets", 1 },
	{ "tx_errs", V_U64, "packets", METRIC_COUNTER, "send errors", 1 },
	{ "tx_drop", V_U64, "packets", METRIC_COUNTER, "packets dropped instead of sent", 1 },
	{ "tx_fifo", V_U64, "events", METRIC_COUNTER, "overruns of the send queue", 1 },
	{ "tx_colls", V_U64, "events", METRIC_COUNTER, "collisions", 1 },
	{ "tx_carrier", V_U64, "events", METRIC_COUNTER, "losses of the carrier", 1 },
	{ "tx_compressed", V_U64, "packets", METRIC_COUNTER, "compressed packets sent", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
