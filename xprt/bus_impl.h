/* bus_impl.h - inside the message bus: shared by bus*.c and proto_msg.c, and by nobody else. */
#ifndef XPRT_BUS_IMPL_H
#define XPRT_BUS_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <uthash.h>

#include "core/base/regex.h"
#include "xprt/bus.h"

/* -- a message (bus_body.c) ---------------------------------------------------------------------------------------- */

/* As it stands on the wire:
 *
 *   offset  size  field     order   meaning
 *      0    20    src       BE      family u16, port u16, address 16; family 0: unknown
 *     24    32    -         -       unused, like the 4 before
 *     56     8    gn        BE      the originator's number
 *     64     4    len       BE      of name and data
 *     68     4    type      BE      enum bus_type
 *     72    12    who       BE      uid, gid, permission
 *     84     4    hash      raw     of the name (bus_hash)
 *     88     4    hop_cnt   BE
 *     96   288    hops      BE      9 times: received i64 s, i64 ns; sent i64 s, i64 ns
 *    384     -    name      -       with NUL
 *      -     -    data      -
 */
#define BUS_HDR_SZ   384
#define BUS_SRC_SZ   20
#define BUS_HOP_SZ   32
#define BUS_HOPS_OFF 96

struct bus_body { /* shared by all who have it still to deliver */
	atomic_uint refs;
	struct bus *bus;         /* whose memory it counts for */
	struct bus_origin *from; /* who is paid when it goes; NULL: nobody */
	struct bus_msg m;        /* points into the image */
	uint32_t cost;           /* name and data: what it counts in quotas */
	uint32_t hash;
	uint32_t size; /* of the image */
	uint8_t image[];
};

uint32_t bus_hash(const char *name);
/* Which of n connections carries it. */
unsigned int bus_lane(const struct bus_body *body, unsigned int n);
/* A message of this process; -EINVAL, -EMSGSIZE, -ENOBUFS in words.  bus NULL: it counts for nobody's memory. */
int bus_body_new(struct bus *b, const struct bus_msg *m, struct bus_body **ret, struct err *err);
/* The image of a message that came; -EPROTO: it is none, -ENOBUFS: there is no room for it now. */
int bus_body_parse(struct bus *b, const void *image, size_t len, struct bus_body **ret, struct err *err);
/* The channel in an image (borrowed) and what it costs; NULL: these bytes are no message. */
const char *bus_image_channel(const void *image, size_t len, uint32_t *ret_cost);
/* It arrived here now, from a peer at that address (where its source is not known yet). */
void bus_body_arrived(struct bus_body *body, const void *sockaddr);
/* What is to be written over the image when it is sent: the hop record of this process. */
void bus_body_stamp(const struct bus_body *body, uint8_t *image);
void bus_body_put(struct bus_body *body);

/* Who is paid for messages: one connection.  Its messages may outlive it. */
struct bus_origin {
	atomic_uint refs;
	pthread_mutex_t lock;
	struct loop *loop;
	struct loop_job job;
	void (*pay)(void *arg, uint64_t bytes); /* on the loop */
	void *arg;                              /* NULL: gone */
	uint64_t owed;
	bool posted;
	uint64_t unpaid; /* bytes that came and are not paid back; of the loop */
};

struct bus_origin *bus_origin_new(struct loop *loop, void (*pay)(void *arg, uint64_t bytes), void *arg);
struct bus_origin *bus_origin_get(struct bus_origin *o);
void bus_origin_put(struct bus_origin *o);
/* So many bytes are done with; any thread. */
void bus_origin_owe(struct bus_origin *o, uint64_t bytes);
/* Nobody is paid any more; on its loop. */
void bus_origin_close(struct bus_origin *o);

/* -- receivers ----------------------------------------------------------------------------------------------------- */

struct bus_chan;

/* A subscriber on a channel. */
struct bus_want {
	struct bus_sub *sub;
	struct bus_chan *chan;
	struct bus_tally tally;
	LIST_ENTRY(bus_want) of_sub;
};

struct bus_item { /* a message that waits */
	STAILQ_ENTRY(bus_item) entry;
	struct bus_body *body; /* a reference is held */
	struct bus_want *want;
};

/* Where messages leave: one connection of a peer, or a subscriber of this process.  It lives on a loop. */
struct bus_port {
	struct bus *bus; /* NULL: not open */
	struct loop *loop;
	struct loop_job job; /* turn */
	void (*turn)(struct bus_port *p);
	STAILQ_HEAD(, bus_item) items; /* guarded by the bus's lock, as all below */
	size_t bytes;
	unsigned int n;
	bool stalled;         /* what comes is dropped; changed on the loop alone, which may look at it without */
	unsigned long passed; /* dropped since it stalled */
};

struct bus_sub {
	struct bus *bus;
	LIST_ENTRY(bus_sub) entry; /* bus->subs */
	LIST_ENTRY(bus_sub) peers; /* the peer's list of its own */
	char *match, *desc, *dest;
	bool regex;
	struct rx rx;
	int64_t rate; /* bytes of data in a second of the wall clock; negative: any */
	int64_t rate_s;
	uint64_t rate_used;
	struct bus_port *const *ports; /* borrowed */
	unsigned int n_ports;
	struct bus_tally tally;
	uint64_t waiting, waiting_bytes;
	LIST_HEAD(, bus_want) wants;
};

struct bus_chan {
	struct bus_count rx;
	uint64_t lost[BUS_LOSSES]; /* before anybody was asked */
	struct bus_want **wants;
	unsigned int n, cap;
	unsigned int waiting; /* items in queues that point here */
	bool told;            /* that the bus is off */
	UT_hash_handle hh;
	TAILQ_ENTRY(bus_chan) used; /* longest unused first */
	char name[];
};

struct bus {
	struct bus_limits lim;
	atomic_bool on;
	atomic_size_t held;
	_Atomic uint64_t gn;
	pthread_mutex_t lock; /* guards all below, and the queues of ports */
	LIST_HEAD(, bus_sub) subs;
	struct bus_chan *chans;
	TAILQ_HEAD(bus_chans, bus_chan) used;
	unsigned int n_chans;
	uint64_t lost[BUS_LOSSES];
};

/* One more of so many bytes. */
void bus_count(struct bus_count *c, uint64_t bytes, int64_t now);

/* -- queues (bus_port.c) ------------------------------------------------------------------------------------------- */

void bus_port_open(struct bus_port *p, struct bus *b, struct loop *loop, void (*turn)(struct bus_port *p));
/* On its loop, subscribers that use it first.  Its job may be queued still: free the memory by a later one. */
void bus_port_close(struct bus_port *p);

/* With the bus locked: a message begins to wait, or is lost; what waits for one subscriber (NULL: for all) is dropped,
 * and how many it was; a delivery does not take place. */
void bus_port_put(struct bus_port *p, struct bus_want *w, struct bus_body *body, int64_t now);
unsigned long bus_port_purge(struct bus_port *p, const struct bus_sub *of, enum bus_loss why);
void bus_delivery_lost(struct bus *b, struct bus_want *w, uint32_t bytes, enum bus_loss why, int64_t now);
/* On the port's loop: the message whose turn it is, borrowed; NULL: none waits. */
struct bus_body *bus_port_head(struct bus_port *p);
/* It is delivered, or lost.  The reference is the caller's: bus_body_put(). */
struct bus_body *bus_port_done(struct bus_port *p);
struct bus_body *bus_port_lose(struct bus_port *p, enum bus_loss why);
/* Drop what waits and what comes, until told otherwise.  How many it was until then. */
unsigned long bus_port_stall(struct bus_port *p, bool stalled);

/* -- subscribers and channels (bus.c) ------------------------------------------------------------------------------ */

struct bus_sub_conf {
	const char *match, *desc, *dest;
	bool regex;
	int64_t rate;
	struct bus_port *const *ports;
	unsigned int n_ports;
};
/* -EINVAL: no expression. */
int bus_sub_new(struct bus *b, const struct bus_sub_conf *conf, struct bus_sub **ret, struct err *err);
/* With the ports' loop held. */
void bus_sub_free(struct bus_sub *s);

/* Give it to all who want it; any thread.  The caller keeps its reference. */
void bus_route(struct bus *b, struct bus_body *body);
/* A message that goes no further. */
void bus_lose(struct bus *b, const char *channel, uint64_t bytes, enum bus_loss why);
/* Somebody publishes while the bus is off: say so, once for each channel. */
void bus_tell_off(struct bus *b, const char *channel, const char *who);

#endif
