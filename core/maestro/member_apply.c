/* member_apply.c - what is wanted of a daemon is compared with what runs on it, and the difference sent */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/secret_hide.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_text.h"
#include "core/maestro/ldmsd.h"
#include "core/maestro/maestro_impl.h"

#define WORDS_MAX 4096 /* of what was refused, for people */

/* Tell what an operator has changed, once. */
static void tell_drift(struct member *mb, const struct compared *c)
{
	struct buf b = { 0 };
	const char *text;

	buf_add(&b, c->drift.p, c->drift.len);
	text = buf_str(&b);
	if (c->drift_n && (!mb->drift || strcmp(mb->drift, text))) {
		char *copy = xstrdup(text), *at = copy, *line;

		while ((line = strsep(&at, "\n")))
			if (*line)
				log_warning("maestro", "%s: drift; %s: %s", mb->name,
					    mb->m->conf.enforce ? "repaired by" : "the file has", line);
		free(copy);
	}
	if (mb->drift && !c->drift_n)
		log_info("maestro", "%s: the drift is gone", mb->name);
	free(mb->drift);
	mb->drift = c->drift_n ? xstrdup(text) : NULL;
	buf_fini(&b);
}

struct book *member_wanted(const struct member *mb, struct err *err)
{
	struct book *b = book_new();
	struct buf lines = { 0 };
	int rc;

	if (mb->leaving)
		return b; /* nothing */
	plan_lines(mb->m->plan, mb->daemon, mb->m->share, mb->ldmsd ? PLAN_STANDBY : 0, &lines);
	rc = book_take(b, buf_str(&lines), err);
	buf_fini(&lines);
	if (!rc)
		return b;
	book_free(b);
	return NULL;
}

/* -- sending ------------------------------------------------------------------------------------------------------- */

static bool may_start(void *arg, const struct book_step *st)
{
	const struct member *mb = arg;

	return st->kind != BOOK_PRDCR || !mb->shares || groups_may_start(mb, st->name);
}

/* Who else waits for a producer to be stopped here wants to know at once. */
static void on_did(void *arg, const struct book_step *st)
{
	struct member *mb = arg;
	struct book_item *it = NULL;

	if ((mb->shares || mb->leaving) && st->kind == BOOK_PRDCR)
		it = book_find(mb->have, BOOK_PRDCR, st->name);
	if (!it)
		return;
	if (st->what == BOOK_STEP_HALT)
		it->on = false;
	else if (st->what == BOOK_STEP_DEL)
		book_del(mb->have, BOOK_PRDCR, it);
	else
		return;
	groups_woken(mb);
}

static void on_refused(void *arg, const struct book_step *st, int rc, const char *words)
{
	struct member *mb = arg;
	struct buf line = { 0 };
	const struct book_item *it = book_find(mb->want, st->kind, st->name), *was;

	book_line_put(&line, st->line);
	secrets_hide(&line, 0);
	log_error("maestro", "%s: refused: %s: %s%s%s", mb->name, buf_str(&line), words, *words ? "" : err_name(rc),
		  rc == EPERM ? "; it takes commands from root, and from its own user and group" : "");
	if (mb->words.len < WORDS_MAX)
		buf_addf(&mb->words, "%s%s: %s", mb->words.len ? "; " : "", buf_str(&line),
			 *words ? words : err_name(rc));
	buf_fini(&line);
	mb->refused++;
	mb->refused_all |= rc == EPERM;
	was = mb->sent ? book_find(mb->sent, st->kind, st->name) : NULL;
	if (it)
		book_put_item(mb->not_sent, st->kind, it);
	else if (was)
		book_put_item(mb->owed, st->kind, was);
}

void member_refusals_forget(struct member *mb)
{
	mb->refused = 0;
	mb->refused_all = false;
	book_free(mb->not_sent);
	book_free(mb->owed);
	mb->not_sent = book_new();
	mb->owed = book_new();
}

/* From now on what differs from this is drift. */
static void note_sent(struct member *mb)
{
	if (mb->refused_all)
		return;
	book_free(mb->sent);
	mb->sent = book_copy(mb->want);
	for (int k = 0; k < BOOK_KINDS; k++) {
		for (const struct book_item *it = mb->not_sent->items[k]; it; it = it->hh.next)
			book_del(mb->sent, (enum book_kind)k, book_find(mb->sent, (enum book_kind)k, it->name));
		for (const struct book_item *it = mb->owed->items[k]; it; it = it->hh.next)
			book_put_item(mb->sent, (enum book_kind)k, it);
	}
	mb->m->dirty = true;
}

static void on_applied(void *arg, int rc)
{
	struct member *mb = arg;
	size_t n = apply_n(mb->apply);

	mb->did = apply_did(mb->apply);
	apply_free(mb->apply);
	mb->apply = NULL;
	if (rc < 0)
		return; /* it went away, and will be met again */
	note_sent(mb);
	log_info("maestro", "%s: %zu command%s sent, %zu refused", mb->name, n, n == 1 ? "" : "s", mb->refused);
	mb->verify = !mb->stale; /* or something else is wanted by now: that is another turn */
	if (mb->stale && mb->did)
		mb->outcome = OUTCOME_APPLIED;
	member_read(mb);
}

static const struct apply_events apply_events = {
	.may = may_start,
	.did = on_did,
	.refused = on_refused,
	.done = on_applied,
};

static void apply(struct member *mb, const struct compared *c)
{
	mb->state = MEMBER_APPLYING;
	buf_reset(&mb->words);
	member_refusals_forget(mb);
	mb->apply = apply_new(mb->link, c, mb->ldmsd, &apply_events, mb);
	apply_go(mb->apply);
}

void member_wake(struct member *mb)
{
	apply_go(mb->apply);
}

/* -- comparing ----------------------------------------------------------------------------------------------------- */

static void differs(struct member *mb, const struct compared *c)
{
	buf_reset(&mb->words);
	book_diff_put(&mb->words, c->diff);
	buf_add(&mb->words, c->drift.p, c->drift.len);
	member_settle(mb, mb->words.len ? OUTCOME_DIFFERS : OUTCOME_UNCHANGED);
}

static void agreed(struct member *mb, const struct compared *c)
{
	bool applied = (mb->verify && mb->did) || mb->outcome == OUTCOME_APPLIED;

	if (!mb->verify) {
		member_refusals_forget(mb);
		note_sent(mb);
	}
	buf_reset(&mb->words);
	if (c->drift_n)
		buf_add(&mb->words, c->drift.p, c->drift.len);
	member_settle(mb, c->drift_n ? OUTCOME_DIFFERS : applied ? OUTCOME_APPLIED : OUTCOME_UNCHANGED);
}

static bool is_ours(void *arg, enum book_kind kind, const char *name)
{
	const struct member *mb = arg;

	return kind == BOOK_PRDCR && mb->shares && groups_have(mb, name);
}

void member_compare(struct member *mb)
{
	struct maestro *m = mb->m;
	struct compare_conf conf = {
		.ldmsd = mb->ldmsd,
		.enforce = m->conf.enforce && !mb->verify,
		.is_ours = is_ours,
		.arg = mb,
	};
	struct err err = { "" };
	struct book *made = NULL;
	struct compared c;

	book_free(mb->want);
	mb->want = member_wanted(mb, &err);
	if (!mb->want) { /* half of it would take the other half away */
		log_error("maestro", "%s: left as it is: what %s says of it: %s", mb->name, m->conf.file, err.msg);
		buf_reset(&mb->words);
		buf_addf(&mb->words, "%s: %s", m->conf.file, err.msg);
		member_settle(mb, OUTCOME_REFUSED);
		return;
	}
	if (mb->ldmsd)
		ldmsd_fill(mb->have, mb->sent, mb->want);
	conf.want = mb->want;
	conf.have = mb->have;
	made = mb->leaving && mb->sent ? leavers_sent(mb) : NULL;
	conf.sent = made ? made : mb->sent;
	conf.port = link_port(mb->link);
	compare(&c, &conf);
	if (!mb->leaving)
		tell_drift(mb, &c);
	if (c.fixed.len && !mb->sent)
		log_info("maestro", "%s: only its own start brings this, and it is left as it is: %s", mb->name,
			 buf_str(&c.fixed));
	if (m->conf.mode == MAESTRO_DIFF)
		differs(mb, &c);
	else if (compared_same(&c))
		agreed(mb, &c);
	else if (mb->verify && !mb->stale)
		member_settle(mb, mb->refused ? OUTCOME_REFUSED : c.drift_n ? OUTCOME_DIFFERS : OUTCOME_APPLIED);
	else
		apply(mb, &c);
	compared_fini(&c);
	book_free(made);
}
