/* runs.c - see runs.h */
#include "core/maestro/runs.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/ctl/book_text.h"
#include "core/maestro/ldmsd.h"

#define OURS "\"ldms-" /* in the answer to `version`: a daemon that has dump_cfg */

struct reading {
	struct runs runs;
	struct link *l;
	runs_fn fn;
	void *arg;
	const struct ldmsd_question *q;
	int rc;
	struct err why;
};

static void done(struct reading *r)
{
	r->fn(r->arg, r->rc, &r->runs, r->why.msg);
	book_free(r->runs.have);
	free(r);
}

static void fail(struct reading *r, const char *verb, int rc, const char *text)
{
	r->rc = rc;
	err_set(&r->why, 0, "%s: %s%s%s", verb, rc < 0 ? "no answer: " : "", rc < 0 ? err_name(rc) : text,
		rc == EPERM ? " (who runs this is neither root, nor the daemon's user or group)" : "");
	done(r);
}

static void on_dump(void *arg, int rc, const char *text)
{
	struct reading *r = arg;

	if (rc)
		return fail(r, "dump_cfg", rc, text);
	book_take_all(r->runs.have, text);
	done(r);
}

static void question_next(struct reading *r);

static void on_status(void *arg, int rc, const char *text)
{
	struct reading *r = arg;
	struct err err = { "" };

	if (rc)
		return fail(r, r->q->verb, rc, text);
	rc = r->q->take(r->runs.have, text, &err);
	if (rc)
		return fail(r, r->q->verb, -rc, err.msg);
	r->q++;
	question_next(r);
}

static void question_next(struct reading *r)
{
	if (r->q->verb)
		link_ask(r->l, r->q->verb, on_status, r);
	else
		done(r);
}

static void on_count(void *arg, int rc, const char *text)
{
	struct reading *r = arg;

	if (rc)
		return fail(r, "cfg_cntr", rc, text);
	r->runs.count = (unsigned int)strtoul(text, NULL, 10);
	if (r->runs.ldmsd)
		question_next(r);
	else
		link_ask(r->l, "dump_cfg", on_dump, r);
}

static void on_version(void *arg, int rc, const char *text)
{
	struct reading *r = arg;

	if (rc)
		return fail(r, "version", rc, text);
	r->runs.ldmsd = !strstr(text, OURS);
	link_ask(r->l, "cfg_cntr", on_count, r);
}

void runs_read(struct link *l, runs_fn fn, void *arg)
{
	struct reading *r = xcalloc(1, sizeof(*r));

	r->l = l;
	r->fn = fn;
	r->arg = arg;
	r->runs.have = book_new();
	r->q = ldmsd_questions;
	link_ask(l, "version", on_version, r);
}
