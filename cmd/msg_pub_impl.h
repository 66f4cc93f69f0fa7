/* msg_pub_impl.h - publishing under way, as msg_pub.c (the connection) and msg_pub_send.c (the messages) know it. */
#ifndef CMD_MSG_PUB_IMPL_H
#define CMD_MSG_PUB_IMPL_H

#include "cmd/msg.h"
#include "core/ctl/ask.h"

struct pub {
	struct msg_conn m;
	struct pub_opts *o;
	const char *channel;
	uint32_t perm, uid, gid;
	/* source */
	int fd; /* -1: the message is there */
	ev_io readable;
	struct buf in; /* read; with --line, more than the message */
	bool eof;
	/* the message in hand, its NUL included; points into `in`, or at the argument */
	struct buf msg;
	bool ready;
	ev_timer pause, retry;
	uint64_t loops; /* of the file so far */
	uint64_t left;  /* times that it is still to be sent */
	/* account */
	uint64_t number; /* of the message in hand, from 1 */
	uint64_t sent, taken, bytes;
	bool refused, was_up;
	struct asks asks;  /* streams */
	unsigned int open; /* without answer */
};

/* Nothing more is awaited. */
void pub_over(struct pub *p, int status);
/* ... the bus, or streams, are off there. */
void pub_off(struct pub *p);
/* The text becomes the message in hand, with a NUL behind. */
int pub_message_set(struct pub *p, const void *text, size_t len, struct err *err);
/* There is something in the file. */
void pub_readable(struct ev_loop *ev, ev_io *w, int events);
/* That there will be messages under this name. */
void pub_announce(struct pub *p);
/* Send what can be sent, and see whether that was all. */
void pub_go(struct pub *p);
/* Messages that the daemon has not taken yet. */
uint64_t pub_waiting(const struct pub *p);

#endif
