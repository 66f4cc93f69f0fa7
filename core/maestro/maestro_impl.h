/* maestro_impl.h - what the parts of maestro share: maestro.c is the whole, member.c one daemon, group.c who runs the
 * producers of the dead. */
#ifndef CORE_MAESTRO_MAESTRO_IMPL_H
#define CORE_MAESTRO_MAESTRO_IMPL_H

#include "core/ctl/book.h"
#include "core/maestro/advert.h"
#include "core/maestro/apply.h"
#include "core/maestro/link.h"
#include "core/maestro/maestro.h"
#include "core/maestro/share.h"

enum member_state {
	MEMBER_AWAY,     /* not connected */
	MEMBER_READING,  /* it was asked what runs */
	MEMBER_WAITING,  /* it is known what runs; who runs which producer of its group is not known yet */
	MEMBER_APPLYING, /* commands are on their way */
	MEMBER_STILL,    /* nothing to do */
};

struct member {
	struct maestro *m;
	size_t daemon;     /* of the plan */
	struct link *link; /* NULL: it has no endpoint */
	char *name;
	enum member_state state;
	bool stale;  /* what is wanted has changed meanwhile: look again */
	bool verify; /* reads what was applied just now */
	bool ldmsd;
	enum outcome outcome;
	struct buf words; /* why it is unreachable, what it refused, what differs */
	/* as long as it has been running */
	struct book *sent;  /* NULL: it is not known */
	unsigned int count; /* of changes of its configuration; 0: not known */
	/* at the moment */
	struct book *have, *want;
	struct apply *apply;
	size_t did, refused;   /* commands of the last turn */
	bool refused_all;      /* nothing of this turn is known to be carried out */
	struct book *not_sent; /* what was refused */
	struct book *owed;     /* what was to go, and was not let go */
	char *drift;           /* as it was told last */
	int64_t asked_us;      /* monotonic: when it was last looked at */
	bool asking;
	/* an aggregator that shares producers */
	bool shares;
	bool tried;      /* it was asked once, or could not be */
	bool dead;       /* its producers are run by others */
	int64_t lost_us; /* monotonic; 0: it is connected */
	enum xprt_fail fail;
	int64_t newest_us, fresh_us, looked_us; /* its newest sample elsewhere, since when, and when it was looked */
	bool trusted;                           /* cannot be reached, but it lives: that was said */
	bool doubted;                           /* somebody is asked whether it lives */
	double bytes;                           /* a second, of its own sets; negative: not known */
	/* who advertises to it */
	struct advert *adverts;
	bool adverts_known, adverts_asking, adverts_refused;
	size_t adverts_open; /* commands without answer */
	int64_t adverts_us;  /* monotonic: when it was asked */
	/* who is not in the file any more */
	bool leaving;
	int64_t left_s; /* wall clock: since then */
	struct member *next;
};

struct maestro {
	struct maestro_conf conf;
	char *file; /* of the conf, from the root on; as it is written: links may be replaced */
	struct loop *loop;
	struct links *links;
	struct plan *plan;
	struct share *share;
	struct member **members; /* as the plan's daemons */
	struct member *leavers;  /* whom the file has lost; none is of the plan (daemon: PLAN_NONE) */
	bool inherited;          /* homes are those of the file before this one: not to be found out */
	bool *known;             /* groups: it was seen who runs what */
	struct ev_timer tick;
	bool leads;
	bool measured; /* somebody's bytes a second are known now */
	bool dirty;    /* what was sent is to be remembered */
	int64_t began_us, saved_us, said_us;
	size_t said[OUTCOMES];
	size_t progress;
	size_t doubted; /* daemons of a file that has lost most of them: it is to be said twice; 0: there is none */
};

/* -- one daemon (member.c) -- */
struct member *member_new(struct maestro *m, size_t daemon);
void member_free(struct member *mb);
struct leaving;
/* One that the file has lost; takes what it was sent. */
struct member *member_new_leaving(struct maestro *m, struct leaving *l);
struct link_conf link_conf_of(const struct plan_daemon *d);
/* Is it reached where the plan says? */
bool member_is_at(const struct member *mb, const struct plan_daemon *d);
/* What is wanted of it may have changed. */
void member_touch(struct member *mb);
/* Ask what runs. */
void member_read(struct member *mb);
/* Nothing is to be done for now. */
void member_settle(struct member *mb, enum outcome o);
/* -- member_apply.c */
/* What the plan says of it; yours, NULL when that cannot be carried out. */
struct book *member_wanted(const struct member *mb, struct err *err);
void member_refusals_forget(struct member *mb);
/* Compare what was read with what is wanted, and go on. */
void member_compare(struct member *mb);
/* A start that waited may go out now. */
void member_wake(struct member *mb);
bool member_runs(const struct member *mb, const char *prdcr);

/* -- groups (group.c; doubt.c) -- */
void groups_init(struct maestro *m);
/* A member of groups was read, or could not be reached. */
void groups_met(struct member *mb);
/* ... is dead: its producers are run by others. */
void groups_died(struct member *mb);
/* ... was lost: is it dead? */
void groups_doubt(struct member *mb);
void groups_tick(struct maestro *m);
/* Is it one of the producers that it shares? */
bool groups_have(const struct member *mb, const char *prdcr);
bool groups_known(const struct member *mb);
/* May it start that producer, or does another one still run it? */
bool groups_may_start(const struct member *mb, const char *prdcr);
void groups_woken(const struct member *mb);
void groups_measured(struct maestro *m);

/* -- who advertises to aggregators of a group (group_adverts.c) -- */
void adverts_tick(struct maestro *m);
/* Its connection is new: what is known of it is old. */
void adverts_up(struct member *mb);
/* It is dead: others collect from who advertised to it, too. */
void adverts_died(struct member *mb);

/* -- daemons that the file has lost (leave.c) -- */
/* How many daemons of the one plan are in the other neither by name nor by place. */
size_t plan_lost(const struct plan *was, const struct plan *now);
struct leaving {
	char *name;
	struct link_conf at; /* borrowed from those below; host NULL: it is not known where it was */
	char *xprt, *host, *auth;
	struct kv auth_args;
	struct book *sent; /* NULL: nothing is known to be taken away */
	unsigned int count;
	int64_t left_s; /* wall clock: since then */
};
void leaving_at(struct leaving *l, const struct link_conf *at);
void leavings_free(struct leaving *v, size_t n);
/* These were in the file, or remembered, and have no member: all members of the plan are there.  Returns how many the file
 * has lost; nothing becomes of them without `go`, which may be said later. */
size_t leavers_take(struct maestro *m, struct leaving *v, size_t n, bool go);
/* The same when the file was read anew: who left before may be back. */
void leavers_replace(struct maestro *m, struct leaving *v, size_t n);
void leavers_tick(struct maestro *m);
/* Is it known to be none of those in the file? */
bool leaver_may_go(const struct member *mb);
void leavers_free(struct maestro *m);
/* `late`: who cannot be reached is not waited for any more. */
bool leavers_done(const struct maestro *m, bool late);
/* Does one of them still run that producer? */
bool leavers_run(const struct maestro *m, const char *prdcr);
/* What one was sent and is still so; yours. */
struct book *leavers_sent(const struct member *mb);

/* -- what was sent, over maestro's own end (remember.c) -- */
struct remembered;
struct remembered *remembered_parse(const char *text);
struct remembered *remembered_read(const char *path);
void remembered_free(struct remembered *r);
/* Was it sent by that file (struct maestro's)?  Older ones do not say so, and are of any. */
bool remembered_is_of(const struct remembered *r, const char *file);
/* Yours, or NULL; *count: the changes of configuration by then. */
struct book *remembered_take(struct remembered *r, const char *daemon, unsigned int *count);
/* All of them; for leavings_free(). */
size_t remembered_all(struct remembered *r, struct leaving **ret);
int remembered_write(const struct maestro *m, struct err *err);

#endif
