/* ctl_greet.c - the verbs that try out the control protocol itself: what is asked comes back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "core/ctl/record.h"
#include "core/ctl/session.h"
#include "core/ctl/verbs.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/records.h"

#define GREETING   0x2
#define DIGITS_MAX (1 << 20) /* of an answer */
#define LEVEL_MAX  8         /* records of an answer */

/* -- greeting path: who is behind us, asked of one producer after the other --------------------------------------- */

struct path {
	struct daemon *d;
	struct ctl_later *later;
	char *words;
	int rc;
};

static void path_cb(void *arg)
{
	struct path *p = arg;
	char *text = p->rc ? xstrdup(p->words) : xasprintf("%s:%s", p->words, p->d->name);

	ctl_later_text(p->later, p->rc, text);
	free(text);
	free(p->words);
	free(p);
}

/* On the producer's loop. */
static void path_answered(void *arg, int rc, const char *words)
{
	struct path *p = arg;

	p->rc = -abs(rc);
	p->words = rc < 0 ? xstrdup("the producer went before it answered; ask again") : xstrdup(words);
	loop_call(p->d->main, path_cb, p);
}

/* Ask it of the first producer; true when its answer comes. */
static bool path_ask(struct ctl *c, struct prdcr *first)
{
	const struct record_pair pair = { ATTR_PATH, "" };
	struct path *p = xcalloc(1, sizeof(*p));
	bool asked = false;

	p->d = c->d;
	loop_enter(prdcr_loop(first));
	if (prdcr_xprt(first))
		asked = !records_ask(c->d, prdcr_xprt(first), GREETING, &pair, 1, path_answered, p, NULL);
	loop_leave(prdcr_loop(first));
	/* the answer is handed to this loop, so it cannot be here yet */
	if (asked)
		p->later = ctl_defer(c);
	else
		free(p);
	return asked;
}

static int greet_path(struct ctl *c, struct err *err)
{
	node_sort(&c->d->prdcrs);
	if (c->d->prdcrs && c->from) {
		if (path_ask(c, (struct prdcr *)c->d->prdcrs))
			return 0;
		return err_set(err, -ENOTCONN, "greeting: the first producer, %s, is not connected",
			       c->d->prdcrs->name);
	}
	buf_addf(&c->reply, "%s", c->d->name);
	return 0;
}

/* -- the others -----------------------------------------------------------------------------------------------------
 */

static int greet_name(struct ctl *c, struct err *err)
{
	(void)err;
	buf_addf(&c->reply, "Hello '%s'", ctl_text(c, ATTR_NAME, ""));
	return 0;
}

/* The number, with as many digits as it says. */
static int greet_digits(struct ctl *c, struct err *err)
{
	int64_t n = ctl_num(c, ATTR_OFFSET, 0);

	if (n < 1 || n > DIGITS_MAX)
		return err_set(err, -EINVAL, "greeting: offset=%lld: 1 to %d", (long long)n, DIGITS_MAX);
	buf_addf(&c->reply, "%0*lld", (int)n, (long long)n);
	return 0;
}

/* So many records, each filled by one text. */
static int greet_records(struct ctl *c, struct err *err)
{
	const size_t len = RECORD_MAX - RECORD_HDR_SZ - RECORD_ATTR_SZ - 2 * RECORD_ATTR_SZ;
	const char *text = ctl_text(c, ATTR_LEVEL, "");
	char *end, *fill;
	long n = strtol(text, &end, 0);

	if (*end || n < 1)
		return err_set(err, -EINVAL, "Invalid. level >= 1");
	if (n > LEVEL_MAX)
		return err_set(err, -EINVAL, "Invalid. level <= %d", LEVEL_MAX);
	if (n == 1) {
		buf_addf(&c->reply, "single record 0");
		return 0;
	}
	fill = xmalloc(len);
	for (long i = 0; i < n; i++) {
		memset(fill, ' ', len);
		fill[0] = (char)('0' + i);
		record_put(&c->reply, ATTR_STRING, fill, len);
	}
	free(fill);
	c->raw = true;
	return 0;
}

static int greet_hi(struct ctl *c, struct err *err)
{
	(void)err;
	buf_addf(&c->reply, "Hi");
	return 0;
}

int ctl_greeting(struct ctl *c, struct err *err)
{
	static const struct {
		enum attr_id id;
		int (*greet)(struct ctl *c, struct err *err);
	} ways[] = { /* the first that is asked for */
		     { ATTR_NAME, greet_name },
		     { ATTR_OFFSET, greet_digits },
		     { ATTR_LEVEL, greet_records },
		     { ATTR_TEST, greet_hi },
		     { ATTR_PATH, greet_path }
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (ctl_has(c, ways[i].id))
			return ways[i].greet(c, err);
	return 0;
}

int ctl_example(struct ctl *c, struct err *err)
{
	(void)err;
	c->json = true;
	buf_addf(&c->reply, "[");
	for (size_t i = 0; i < c->args_n; i++) {
		const char *value = c->args[i].value;

		buf_addf(&c->reply, "%s{ \"attr_len\":%zu,\"attr_id\":%u,\"attr_value\": ", i ? ",\n" : "",
			 value ? strlen(value) + 1 : 0, c->args[i].id);
		json_put_str(&c->reply, value ? value : "");
		buf_addf(&c->reply, " }");
	}
	buf_addf(&c->reply, "]");
	return 0;
}
