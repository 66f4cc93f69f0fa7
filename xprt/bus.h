/* bus.h - the message bus of a process: who wants which channel, and what became of every message.
 *
 * A message is kept once, however many want it.  Each receiver has a bounded queue of its own on the loop where it
 * lives, so that nobody waits for the slowest; what does not fit is dropped there, and counted with its reason.  Where
 * the bytes came from is paid back (the wire's SEND_QUOTA) when the last receiver is done with them: a peer with a
 * finite quota can so never have more than that in our queues.
 *
 * Messages may go in circles when daemons subscribe at each other: one is forwarded as long as its header has a free
 * record for the next hop, that is by eight daemons, and then only handed to receivers in the process.
 *
 * The bus may be used on any thread.  Locks: the bus's is taken with loops held, and none but loop_post()'s is taken
 * under it.
 */
#ifndef XPRT_BUS_H
#define XPRT_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/loop.h"

struct bus; /* xprt_env.bus; NULL: this process has none */
struct bus_sub;

enum bus_type { BUS_STRING = 0, BUS_JSON = 1, BUS_AVRO = 2 };

#define BUS_HOPS      9       /* records in the header of a message: the originator's, and eight daemons' */
#define BUS_NAME_MAX  1024    /* bytes of a channel's name, NUL included */
#define BUS_MSG_MAX   1048104 /* bytes of channel name with NUL and data: what one message on the wire holds */
#define BUS_UNLIMITED (-1)    /* a rate or a quota */

struct bus_hop { /* wall clock, ns since 1970; 0: not known */
	int64_t recv_ns, send_ns;
};

/* A message; borrowed in callbacks.  To publish one, only the first part is filled in. */
struct bus_msg {
	const char *channel;
	const void *data;
	uint32_t len; /* as published: a string's NUL counts */
	enum bus_type type;
	uint32_t uid, gid, perm; /* of the originator */
	/* filled in by the bus */
	struct {
		uint16_t family; /* AF_INET, AF_INET6; 0: not known (an originator on the host of the first receiver) */
		uint16_t port;
		uint8_t addr[16];
	} src;
	uint64_t gn;      /* the originator's number of it */
	uint32_t hop_cnt; /* processes that it came through: hops[0] is the originator's */
	struct bus_hop hops[BUS_HOPS];
};

/* Of one bus. */
struct bus_limits {
	size_t queue_bytes; /* waiting for one receiver (one connection of it) */
	unsigned int queue_msgs;
	size_t held_bytes;     /* messages in all queues, each counted once */
	unsigned int channels; /* that are remembered, with counts; the longest unused is forgotten for a new one */
	int64_t stall_us;  /* a receiver that takes nothing for so long is passed over until it takes something again */
	int64_t credit_us; /* the same for one that takes it, but gives no credit back */
};
extern const struct bus_limits bus_limits_dflt;

struct bus *bus_new(const struct bus_limits *limits); /* disabled; NULL: bus_limits_dflt */
/* No peer and no subscriber is left. */
void bus_free(struct bus *b);
void bus_enable(struct bus *b, bool on);
bool bus_enabled(const struct bus *b);

/* From this process.  -ENOTSUP: the bus is off (logged once for each channel); -EMSGSIZE, -EINVAL: nobody could take
 * that; -ENOBUFS: too much is waiting in this process.  That nobody wants it is no error. */
int bus_publish(struct bus *b, const struct bus_msg *m, struct err *err);

/* A subscriber in this process: fn comes on `loop`.  The channel `match`, or those that match the expression. */
struct bus_sub *bus_subscribe(struct bus *b, const char *match, bool regex, struct loop *loop,
			      void (*fn)(void *arg, const struct bus_msg *m), void *arg, struct err *err);
/* With the loop held, also from fn; what waits is dropped.  NULL is fine. */
void bus_unsubscribe(struct bus_sub *s);

/* -- what became of messages --------------------------------------------------------------------------------------- */

enum bus_loss {
	BUS_LOST_FULL,    /* the receiver's queue was full */
	BUS_LOST_STALLED, /* the receiver takes nothing */
	BUS_LOST_RATE,    /* beyond what it subscribed to a second */
	BUS_LOST_QUOTA,   /* larger than all that the receiver lets be outstanding, or than its rate */
	BUS_LOST_LONG,    /* does not fit one message of the wire */
	BUS_LOST_HOPS,    /* came through too many daemons */
	BUS_LOST_ACCESS,  /* the receiver may not read it */
	BUS_LOST_GONE,    /* the receiver went, or its bus was switched off */
	BUS_LOST_FORGED,  /* came in the name of a user who did not send it */
	BUS_LOST_MEMORY,  /* too much was waiting in this process */
	BUS_LOST_OVERRUN, /* its sender has more outstanding than we let it */
	BUS_LOSSES
};
const char *bus_loss_name(enum bus_loss why);

struct bus_count {
	uint64_t bytes, count;
	int64_t first_ns, last_ns; /* wall clock; count 0: 0 */
};

struct bus_tally { /* of one receiver */
	struct bus_count tx, drops;
	uint64_t lost[BUS_LOSSES];
};

struct bus_sub_stats { /* borrowed */
	const char *match, *desc, *dest;
	bool regex;
	struct bus_tally all;
	uint64_t waiting, waiting_bytes;
};

struct bus_stats_walk { /* called with the bus locked: print, and no more */
	/* a channel; then its receivers, or a receiver; then its channels */
	void (*channel)(void *arg, const char *name, const struct bus_count *rx, const uint64_t lost[BUS_LOSSES]);
	void (*client)(void *arg, const struct bus_sub_stats *s);
	void (*pair)(void *arg, const char *channel, const struct bus_sub_stats *s, const struct bus_tally *t);
	void *arg;
};
/* Channels in order of name: channel(), then pair() for each who wants it.  `reset` begins all counts anew after. */
void bus_walk_channels(struct bus *b, bool (*wanted)(void *arg, const char *name), const struct bus_stats_walk *w,
		       bool reset);
/* Receivers: client(), then pair() for each channel. */
void bus_walk_clients(struct bus *b, const struct bus_stats_walk *w, bool reset);
/* All losses of the process since its start, and what is held now. */
void bus_totals(struct bus *b, uint64_t lost[BUS_LOSSES], size_t *ret_held);

#endif
