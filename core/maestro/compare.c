/* compare.c - see compare.h */
#include "core/maestro/compare.h"

#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"
#include "core/ctl/book_text.h"

/* What becomes of a kind of objects. */
static const struct manner {
	bool hidden; /* an ldmsd does not show it */
	bool stays;  /* ... and keeps it when it is deleted */
	bool object; /* who has one that nobody sent has drifted; settings of a daemon's own are its own affair */
} manners[BOOK_KINDS] = {
	[BOOK_ENV] = { .hidden = true },
	[BOOK_SETTING] = { .hidden = true },
	[BOOK_LOG] = { .hidden = true },
	[BOOK_LIMIT] = { .hidden = true },
	[BOOK_AUTH] = { .hidden = true },
	[BOOK_LISTEN] = { .hidden = true },
	[BOOK_SUB] = { .hidden = true, .object = true },
	[BOOK_SEC_MOD] = { .hidden = true },
	[BOOK_UDATA] = { .hidden = true },
	[BOOK_PLUGIN] = { .object = true },
	[BOOK_PRDCR] = { .stays = true, .object = true },
	[BOOK_ADVERTISER] = { .stays = true, .object = true },
	[BOOK_PRDCR_LISTEN] = { .stays = true, .object = true },
	[BOOK_SETGROUP] = { .hidden = true, .object = true },
	[BOOK_UPDTR] = { .object = true },
	[BOOK_STRGP] = { .object = true },
	[BOOK_QGROUP_MEMBER] = { .hidden = true },
	[BOOK_QGROUP] = { .hidden = true },
	[BOOK_FAILOVER] = { .hidden = true },
};

struct comparing {
	const struct compare_conf *conf;
	struct compared *c;
	struct book *want; /* variables replaced where that can be known */
	struct book *drift_from, *drift_to;
};

static void drop(struct book *b, enum book_kind kind, const char *name)
{
	struct book_item *it = book_find(b, kind, name);

	if (it)
		book_del(b, kind, it);
}

static void drifted(struct comparing *cg, enum book_kind kind, const struct book_item *have,
		    const struct book_item *want)
{
	if (have)
		book_put_item(cg->drift_from, kind, have);
	if (want)
		book_put_item(cg->drift_to, kind, want);
}

/* The port by which it is reached is its own affair, as are those that nobody here has opened.  An ldmsd closes none. */
static void listen_compare(struct comparing *cg, const struct book_item *want, const struct book_item *have,
			   const struct book_item *sent, bool changed)
{
	struct compared *c = cg->c;
	const char *name = (want ? want : have)->name, *port = strrchr(name, ':');
	bool comm = port && (unsigned short)strtoul(port + 1, NULL, 10) == cg->conf->port;

	if (!cg->conf->ldmsd && !comm && have && changed)
		return; /* closed, and opened anew if it is wanted otherwise */
	if (want && comm)
		drop(c->to, BOOK_LISTEN, name);
	else if (want && have)
		book_put_item(c->to, BOOK_LISTEN, have);
	else if (want)
		return;
	if (!have)
		return;
	if (!want && sent)
		buf_addf(&c->fixed, "%slisten %s stays open", c->fixed.len ? ", " : "", name);
	if (!want || !book_find(c->to, BOOK_LISTEN, name))
		drop(c->from, BOOK_LISTEN, name);
}

static void wanted_compare(struct comparing *cg, enum book_kind kind, const struct book_item *raw)
{
	const struct compare_conf *conf = cg->conf;
	const struct book_item *sent = conf->sent ? book_find(conf->sent, kind, raw->name) : NULL;
	const struct book_item *have = book_find(conf->have, kind, raw->name);
	const struct book_item *want = book_find(cg->want, kind, raw->name);
	struct compared *c = cg->c;

	if (kind == BOOK_LISTEN && (have || !conf->ldmsd)) {
		listen_compare(cg, want, have, sent, sent && !book_item_same(sent, raw));
		return;
	}
	if (sent && !book_item_same(sent, raw))
		want = raw; /* a variable has taken the place of another one */
	book_put_item(c->to, kind, want);
	if (have && book_item_same(want, have))
		return;
	if (kind == BOOK_SETTING && !book_setting_is_live(raw->name))
		return; /* told as such */
	if (sent && book_item_same(sent, raw)) {
		drifted(cg, kind, have, want);
		if (conf->enforce)
			return;
		if (have)
			book_put_item(c->to, kind, have);
		else
			drop(c->to, kind, raw->name);
	} else if (conf->ldmsd && manners[kind].hidden && !have) {
		if (kind == BOOK_LISTEN)
			listen_compare(cg, want, have, sent, false);
		if (!book_find(c->to, kind, raw->name))
			return;
		book_put_item(c->from, kind, want);
		if (kind != BOOK_SUB)
			buf_addf(&c->again, "%s\n", want->line);
	}
}

static void unwanted_compare(struct comparing *cg, enum book_kind kind, const struct book_item *have)
{
	const struct compare_conf *conf = cg->conf;
	const struct book_item *sent = conf->sent ? book_find(conf->sent, kind, have->name) : NULL;

	if (kind == BOOK_LISTEN) {
		listen_compare(cg, NULL, have, sent, sent);
		return;
	}
	/* an ldmsd deletes no producer that ever ran: stopped is as good as gone */
	if (conf->ldmsd && manners[kind].stays && !have->on) {
		drop(cg->c->from, kind, have->name);
		return;
	}
	if (sent || (conf->is_ours && conf->is_ours(conf->arg, kind, have->name)))
		return; /* it goes */
	if (manners[kind].object)
		drifted(cg, kind, have, NULL);
	if (!conf->enforce || !manners[kind].object)
		drop(cg->c->from, kind, have->name);
}

/* An ldmsd tells those producers of a subscription that are there when it is said. */
static void subs_again(struct comparing *cg)
{
	const struct compare_conf *conf = cg->conf;
	bool came = false, unknown = false;

	for (const struct book_item *it = conf->want->items[BOOK_SUB]; it; it = it->hh.next)
		unknown |= !conf->sent || !book_find(conf->sent, BOOK_SUB, it->name);
	for (const struct book_item *it = conf->want->items[BOOK_PRDCR]; it; it = it->hh.next)
		came |= !book_find(conf->have, BOOK_PRDCR, it->name);
	for (const struct book_item *it = came || unknown ? conf->want->items[BOOK_SUB] : NULL; it; it = it->hh.next)
		buf_addf(&cg->c->again_subs, "%s\n", it->line);
}

/* ... and does not show who samples. */
static void starts_again(struct comparing *cg)
{
	const struct compare_conf *conf = cg->conf;

	for (const struct book_item *it = conf->want->items[BOOK_PLUGIN]; it; it = it->hh.next) {
		const struct book_item *from = book_find(cg->c->from, BOOK_PLUGIN, it->name);

		if (it->on && it->run && from && (!conf->sent || !book_find(conf->sent, BOOK_PLUGIN, it->name)))
			buf_addf(&cg->c->again_starts, "%s\n", it->run);
	}
}

void compare(struct compared *ret, const struct compare_conf *conf)
{
	struct comparing cg = {
		.conf = conf,
		.c = ret,
		.want = book_copy(conf->want),
		.drift_from = book_new(),
		.drift_to = book_new(),
	};
	struct book_diff *drift;

	*ret = (struct compared){ .from = book_copy(conf->have), .to = book_copy(conf->want), .ldmsd = conf->ldmsd };
	book_unify(cg.want, conf->have);
	for (int k = 0; k < BOOK_KINDS; k++) {
		for (const struct book_item *it = conf->want->items[k]; it; it = it->hh.next)
			wanted_compare(&cg, (enum book_kind)k, it);
		for (const struct book_item *it = conf->have->items[k]; it; it = it->hh.next)
			if (!book_find(conf->want, (enum book_kind)k, it->name))
				unwanted_compare(&cg, (enum book_kind)k, it);
	}
	if (conf->ldmsd) {
		subs_again(&cg);
		starts_again(&cg);
	}
	ret->diff = (conf->ldmsd ? book_diff_new_ldmsd : book_diff_new)(ret->from, ret->to);
	book_diff_fixed(&ret->fixed, ret->diff);
	book_diff_leave_fixed(ret->diff);
	drift = book_diff_new(cg.drift_from, cg.drift_to);
	ret->drift_n = book_diff_n(drift);
	book_diff_put(&ret->drift, drift);
	book_diff_free(drift);
	book_free(cg.drift_from);
	book_free(cg.drift_to);
	book_free(cg.want);
}

void compared_fini(struct compared *c)
{
	book_diff_free(c->diff);
	book_free(c->from);
	book_free(c->to);
	buf_fini(&c->drift);
	buf_fini(&c->fixed);
	buf_fini(&c->again);
	buf_fini(&c->again_subs);
	buf_fini(&c->again_starts);
	*c = (struct compared){ 0 };
}

/* -- the commands -------------------------------------------------------------------------------------------------- */

struct stepping {
	const struct compared *c;
	book_step_fn *fn;
	void *arg;
	bool subs_said;
};

static int say_lines(struct stepping *s, const struct buf *lines, enum book_step_kind what, enum book_kind kind,
		     struct err *err)
{
	char *copy = lines->len ? xstrndup((const char *)lines->p, lines->len) : NULL, *at = copy, *line;
	int rc = 0;

	while (!rc && (line = strsep(&at, "\n"))) {
		struct book_step st = { .what = what, .kind = kind, .name = "", .line = line };

		if (*line)
			rc = s->fn(s->arg, &st, err);
	}
	free(copy);
	return rc;
}

static int say_subs(struct stepping *s, struct err *err)
{
	if (s->subs_said)
		return 0;
	s->subs_said = true;
	return say_lines(s, &s->c->again_subs, BOOK_STEP_MAKE, BOOK_SUB, err);
}

static int on_step(void *arg, const struct book_step *st, struct err *err)
{
	struct stepping *s = arg;
	int rc = 0;

	if (s->c->ldmsd && st->kind == BOOK_LISTEN && st->what == BOOK_STEP_DEL)
		return 0; /* it has no command for that */
	if (st->what == BOOK_STEP_RUN)
		rc = say_subs(s, err);
	return rc ? rc : s->fn(s->arg, st, err);
}

int compared_steps(const struct compared *c, book_step_fn *fn, void *arg, struct err *err)
{
	struct stepping s = { .c = c, .fn = fn, .arg = arg };
	int rc = say_lines(&s, &c->again, BOOK_STEP_MAKE, BOOK_AUTH, err);

	if (!rc)
		rc = book_diff_steps(c->diff, on_step, &s, err);
	if (!rc)
		rc = say_subs(&s, err);
	if (!rc)
		rc = say_lines(&s, &c->again_starts, BOOK_STEP_RUN, BOOK_PLUGIN, err);
	return rc;
}

bool compared_same(const struct compared *c)
{
	return !book_diff_n(c->diff) && !c->again.len && !c->again_subs.len && !c->again_starts.len;
}
