/* maestro.c - what a daemon may say of itself to maestro: a configuration that it dumps, or the status answers of an ldmsd;
 * who advertises to it, and the state file.  Then the comparison with what is wanted, and the commands.
 *
 * The first byte says which: 0 to 6 an answer to that question of ldmsd_questions[], 7 a state file, 127 prdcr_status of
 * aggregators that are advertised to, else a dump; its
 * upper bit: something was sent before.  A comparison must not change what it compares.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"
#include "core/ctl/book_text.h"
#include "core/maestro/compare.h"
#include "core/maestro/ldmsd.h"
#include "core/maestro/maestro_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char wanted[] =
	"listen port=411\nload name=mem plugin=meminfo\nconfig name=mem schema=m component_id=${ID}\n"
	"start name=mem interval=1s\nprdcr_add name=p type=active host=h port=1\nprdcr_start name=p\n"
	"prdcr_subscribe regex=.* message_tag=x\nprdcr_listen_add name=l\nprdcr_listen_start name=l\n"
	"updtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=.*\n"
	"updtr_match_add name=u regex=m\nupdtr_start name=u\nload name=csv plugin=store_csv\n"
	"strgp_add name=s plugin=csv schema=m container=c\nstrgp_prdcr_add name=s regex=p\n"
	"strgp_start name=s\n";

static struct book *book_of(const char *text)
{
	struct book *b = book_new();

	if (book_take(b, text, NULL))
		abort();
	return b;
}

static int on_step(void *arg, const struct book_step *st, struct err *err)
{
	struct buf *b = arg;

	(void)err;
	book_line_put(b, st->line);
	buf_u8(b, '\n');
	return 0;
}

static void state_file(const char *text)
{
	struct remembered *r = remembered_parse(text);
	struct leaving *rest;
	unsigned int count;
	size_t n;

	book_free(remembered_take(r, "n1", &count));
	n = remembered_all(r, &rest);
	leavings_free(rest, n);
	remembered_free(r);
}

/* Two aggregators that say the same. */
static void on_settled(void *arg, size_t agg, const char *name, bool start)
{
	assert(agg < 2 && *name);
	(void)start;
	++*(size_t *)arg;
}

static void status(const char *text)
{
	struct advert *a = NULL, *b = NULL;
	size_t n = 0;

	if (!adverts_take(&a, text, NULL) && !adverts_take(&b, text, NULL) && !adverts_take(&b, text, NULL)) {
		struct advert_agg aggs[] = { { .all = a, .told = true }, { .all = b, .told = true } };

		for (struct advert *x = a; x; x = x->hh.next)
			assert(adverts_find(b, x->name));
		adverts_settle(aggs, 2, strlen(text) & 1, on_settled, &n);
		assert(n <= 3 * HASH_COUNT(a));
	}
	adverts_free(&a);
	adverts_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compare_conf conf = { .port = 411 };
	struct buf steps = { 0 }, was = { 0 }, is = { 0 };
	struct book *sent;
	struct compared c;
	unsigned int which;
	char *text;

	if (!size)
		return 0;
	which = data[0] & 0x7f;
	text = xstrndup((const char *)data + 1, size - 1);
	if (which == 0x7f) {
		status(text);
		free(text);
		return 0;
	}
	sent = data[0] & 0x80 ? book_of(wanted) : NULL;
	conf.want = book_of(wanted);
	conf.have = book_new();
	conf.sent = sent;
	conf.ldmsd = which < 7;
	conf.enforce = size & 1;
	if (which < 7)
		ldmsd_questions[which].take(conf.have, text, NULL);
	else if (which == 7)
		state_file(text);
	else
		book_take_all(conf.have, text);
	if (conf.ldmsd)
		ldmsd_fill(conf.have, sent, conf.want);
	book_put(&was, conf.have);
	compare(&c, &conf);
	compared_steps(&c, on_step, &steps, NULL);
	book_put(&is, conf.have);
	assert(!strcmp(buf_str(&was), buf_str(&is)));
	compared_fini(&c);
	buf_fini(&steps);
	buf_fini(&was);
	buf_fini(&is);
	book_free(sent);
	book_free(conf.want);
	book_free(conf.have);
	free(text);
	return 0;
}
