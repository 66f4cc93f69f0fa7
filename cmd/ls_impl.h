/* ls_impl.h - a listing under way, as ls.c (the directory) and ls_items.c (what is in the sets) know it. */
#ifndef CMD_LS_IMPL_H
#define CMD_LS_IMPL_H

#include "cmd/ls.h"
#include "cmd/ls_dir.h"
#include "cmd/print.h"

enum ls_phase { PHASE_CONNECT, PHASE_DIR, PHASE_SETS, PHASE_OVER };

struct ls;

/* One set whose contents are wanted. */
struct ls_item {
	struct ls *ls;
	const struct dir_set *d;
	struct rset *rs;   /* while it is read */
	struct snap *snap; /* what came */
	bool over;         /* came, or will not */
};

struct ls {
	const char *self; /* "ldms ls", or the name it was called by */
	char *peer;       /* "n17:411" */
	const struct ls_opts *o;
	struct ls_names names;
	int64_t time_us;
	char time_text[32];

	struct xprt_env env;
	struct loop *loop;
	struct xprt *x;
	ev_timer deadline;
	enum ls_phase phase;

	struct ls_dir dir;
	const struct dir_set **picked;
	size_t picked_n;
	struct ls_item *items;     /* picked_n, in the order in which they are shown */
	size_t asked, came, shown; /* items[0..asked) were asked for, `came` of them are over, [0..shown) are shown */
	bool asking;               /* in ls_items_ask(), which must not be entered twice */
	bool late;                 /* the deadline passed */

	struct print p;
	enum exit_status status;
};

/* A line on standard error: who says it, and of which peer. */
void ls_say(struct ls *ls, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Write what is gathered. */
void ls_flush(struct ls *ls);
/* Nothing more is awaited; what the transport still has to tell in this turn of the loop is not listened to. */
void ls_over(struct ls *ls, enum exit_status status);

/* -- ls_items.c -- */
/* Ask for the next sets; each is shown as soon as it and all before it are there. */
void ls_items_ask(struct ls *ls);
/* The items that are not over, when something ended the run: show what came, name what did not. */
void ls_items_end(struct ls *ls);

#endif
