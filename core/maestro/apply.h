/* apply.h - commands on their way to a daemon: many at once, in order. */
#ifndef CORE_MAESTRO_APPLY_H
#define CORE_MAESTRO_APPLY_H

#include "core/maestro/compare.h"
#include "core/maestro/link.h"

struct apply;

struct apply_events {
	/* May this start go out now?  If not, and in any case once more, apply_go() asks again. */
	bool (*may)(void *arg, const struct book_step *st);
	/* It was carried out. */
	void (*did)(void *arg, const struct book_step *st);
	/* The daemon refused, with its words: the object's other commands are left out. */
	void (*refused)(void *arg, const struct book_step *st, int rc, const char *words);
	/* All has its answer; rc -ENOTCONN when the daemon went away.  apply_free() it. */
	void (*done)(void *arg, int rc);
};

/* How to send what was compared.  `ldmsd`: that a thing is there already, runs or is stopped is no error. */
struct apply *apply_new(struct link *l, const struct compared *c, bool ldmsd, const struct apply_events *ev, void *arg);
/* Send what may be sent.  NULL is fine. */
void apply_go(struct apply *a);
/* How many there are, and how many were carried out and changed something. */
size_t apply_n(const struct apply *a);
size_t apply_did(const struct apply *a);
/* Not while answers are owed, unless its link was freed before.  NULL is fine. */
void apply_free(struct apply *a);

#endif
