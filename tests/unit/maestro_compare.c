/* What maestro does at a daemon: from what is wanted, what runs, and what was sent, the commands in their order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"
#include "core/ctl/book_text.h"
#include "core/maestro/compare.h"
#include "core/maestro/ldmsd.h"

static struct book *book_of(const char *text)
{
	struct book *b = book_new();
	struct err err = { "" };

	if (book_take(b, text, &err))
		fail_msg("%s\n%s", err.msg, text);
	return b;
}

static int put_step(void *arg, const struct book_step *st, struct err *err)
{
	(void)err;
	book_line_put(arg, st->line);
	buf_u8(arg, '\n');
	return 0;
}

struct test_case {
	const char *what, *sent /* NULL: not known */, *have, *want;
	bool ldmsd, enforce;
	const char *steps, *drift, *fixed;
};

static bool is_home(void *arg, enum book_kind kind, const char *name)
{
	(void)arg;
	return kind == BOOK_PRDCR && !strcmp(name, "shared");
}

static void check(const struct test_case *t)
{
	struct book *want = book_of(t->want), *have = book_of(t->have), *sent = t->sent ? book_of(t->sent) : NULL;
	const struct compare_conf conf = {
		.want = want,
		.have = have,
		.sent = sent,
		.ldmsd = t->ldmsd,
		.enforce = t->enforce,
		.is_ours = is_home,
		.port = 411,
	};
	struct buf steps = { 0 };
	struct compared c;

	if (t->ldmsd)
		ldmsd_fill(have, sent, want);
	compare(&c, &conf);
	compared_steps(&c, put_step, &steps, NULL);
	if (strcmp(buf_str(&steps), t->steps ? t->steps : ""))
		fail_msg("%s: steps:\n%s", t->what, buf_str(&steps));
	if (strcmp(buf_str(&c.drift), t->drift ? t->drift : ""))
		fail_msg("%s: drift:\n%s", t->what, buf_str(&c.drift));
	if (strcmp(buf_str(&c.fixed), t->fixed ? t->fixed : ""))
		fail_msg("%s: fixed: %s", t->what, buf_str(&c.fixed));
	assert_int_equal(compared_same(&c), !t->steps);
	assert_int_equal(c.drift_n != 0, t->drift != NULL);
	compared_fini(&c);
	buf_fini(&steps);
	book_free(want);
	book_free(have);
	book_free(sent);
}

#define MEM    "load name=mem plugin=meminfo\nconfig name=mem schema=m component_id=${ID}\n"
#define MEM_7  "load name=mem plugin=meminfo\nconfig name=mem schema=m component_id=7\n"
#define START  "start name=mem interval=1s\n"
#define P      "prdcr_add name=p type=active host=h port=1 xprt=sock reconnect=1s\nprdcr_start name=p\n"
#define Q      "prdcr_add name=q type=active host=h port=2 xprt=sock reconnect=1s\nprdcr_start name=q\n"
#define SHARED "prdcr_add name=shared type=active host=h port=3 xprt=sock reconnect=1s\nprdcr_start name=shared\n"
#define U      "updtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n"
#define SUB    "prdcr_subscribe regex=.* message_tag=x\n"

static const struct test_case cases[] = {
	{ .what = "nothing runs",
	  .have = "listen xprt=sock port=411\n",
	  .want = "listen xprt=sock port=411 host=n1\n" MEM START,
	  .steps = MEM START },
	{ .what = "a variable is what the daemon made of it", .have = MEM_7 START, .want = MEM START },
	{ .what = "another variable",
	  .sent = MEM START,
	  .have = MEM_7 START,
	  .want = "load name=mem plugin=meminfo\nconfig name=mem schema=m component_id=${OTHER}\n" START,
	  .steps = "stop name=mem\nterm name=mem\nload name=mem plugin=meminfo\n"
		   "config name=mem schema=m component_id=${OTHER}\n" START },
	{ .what = "another interval",
	  .have = MEM_7 START,
	  .want = MEM "start name=mem interval=2s\n",
	  .steps = "stop name=mem\nstart name=mem interval=2s\n" },
	{ .what = "starts are last, producers behind updaters",
	  .have = "",
	  .want = P U SUB,
	  .steps = "prdcr_add name=p type=active host=h port=1 xprt=sock reconnect=1s\n" SUB
		   "updtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\nprdcr_start "
		   "name=p\n" },
	{ .what = "what was sent and is wanted no more goes",
	  .sent = P Q U,
	  .have = P Q U,
	  .want = P U,
	  .steps = "prdcr_stop name=q\nprdcr_del name=q\n" },
	{ .what = "what nobody sent is somebody else's",
	  .sent = P U,
	  .have = P Q U,
	  .want = P U,
	  .drift = "- prdcr q\n" },
	{ .what = "... and repaired when asked to",
	  .sent = P U,
	  .have = P Q U,
	  .want = P U,
	  .enforce = true,
	  .drift = "- prdcr q\n",
	  .steps = "prdcr_stop name=q\nprdcr_del name=q\n" },
	{ .what = "a producer that another one of the group is to run",
	  .have = P SHARED U,
	  .want = P U,
	  .steps = "prdcr_stop name=shared\nprdcr_del name=shared\n" },
	{ .what = "what an operator changed stays",
	  .sent = P U,
	  .have = P "updtr_add name=u interval=5s\n",
	  .want = P U,
	  .drift = "~ updtr u interval 5s -> 1s +updtr_prdcr_add regex=.* (restart)\n" },
	{ .what = "what an operator deleted stays away",
	  .sent = P U,
	  .have = U,
	  .want = P U,
	  .drift = "+ prdcr p type=active host=h port=1 reconnect=1s\n" },
	{ .what = "... until the file changes it",
	  .sent = P U,
	  .have = U,
	  .want = "prdcr_add name=p type=active host=h port=9 xprt=sock reconnect=1s\nprdcr_start name=p\n" U,
	  .steps = "prdcr_add name=p type=active host=h port=9 xprt=sock reconnect=1s\nprdcr_start name=p\n" },
	{ .what = "settings of the daemon's own are its own",
	  .have = "daemon_name name=x\nmemory size=1M\nmsg_enable\n" P,
	  .want = P },
	{ .what = "what only a start brings",
	  .have = "",
	  .want = "option --set_memory 64m\nmsg_enable\n",
	  .steps = "msg_enable\n",
	  .fixed = "option --set_memory 64m" },
	{ .what = "... is no drift",
	  .sent = "option --set_memory 64m\nmsg_enable\n",
	  .have = "msg_enable\n",
	  .want = "option --set_memory 64m\nmsg_enable\n",
	  .fixed = "option --set_memory 64m" },
	{ .what = "ports are opened, and closed",
	  .sent = "listen xprt=sock port=412\n",
	  .have = "listen xprt=sock port=411\nlisten xprt=sock port=412\n",
	  .want = "listen xprt=sock port=411\nlisten xprt=sock port=413\n",
	  .steps = "listen_del port=412\nlisten xprt=sock port=413\n" },
	{ .what = "... or opened anew, but for the one by which it is reached, and those of its own",
	  .sent = "listen xprt=sock port=411\nlisten xprt=sock port=412\nlisten xprt=sock port=413 host=h\n",
	  .have = "listen xprt=sock port=411\nlisten xprt=sock port=412\nlisten xprt=sock port=413\n"
		  "listen xprt=sock port=414\n",
	  .want = "listen xprt=sock port=412 host=n1\nlisten xprt=sock port=413 host=h\n",
	  .steps = "listen_del port=412\nlisten xprt=sock port=412 host=n1\n",
	  .fixed = "listen sock:411 stays open" },
	{ .what = "ldmsd: ports are opened, and not closed",
	  .ldmsd = true,
	  .sent = "listen xprt=sock port=412\n",
	  .have = "listen xprt=sock port=411\nlisten xprt=sock port=412\n",
	  .want = "listen xprt=sock port=411\nlisten xprt=sock port=413\n",
	  .steps = "listen xprt=sock port=413\n",
	  .fixed = "listen sock:412 stays open" },

	{ .what = "ldmsd: first met, all runs; what it does not show is said again",
	  .ldmsd = true,
	  .have = "load name=mem plugin=meminfo\n" P U,
	  .want = "auth_add name=a plugin=none\n" MEM START P U SUB,
	  .steps = "auth_add name=a plugin=none\n" SUB START },
	{ .what = "ldmsd: all was sent",
	  .ldmsd = true,
	  .sent = MEM START P U SUB,
	  .have = "load name=mem plugin=meminfo\n" P U,
	  .want = MEM START P U SUB },
	{ .what = "ldmsd: updaters know the producers that were there before",
	  .ldmsd = true,
	  .sent = P U SUB,
	  .have = P U,
	  .want = P Q U SUB,
	  .steps = "updtr_stop name=u\nupdtr_del name=u\n"
		   "prdcr_add name=q type=active host=h port=2 xprt=sock reconnect=1s\n"
		   "updtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=.*\n" SUB
		   "updtr_start name=u\nprdcr_start name=q\n" },
	{ .what = "ldmsd: a takeover is a start",
	  .ldmsd = true,
	  .sent = P "prdcr_add name=q type=active host=h port=2 xprt=sock reconnect=1s\n" U,
	  .have = P "prdcr_add name=q type=active host=h port=2 xprt=sock reconnect=1s quota=-1 rx_rate=-1\n" U,
	  .want = P Q U,
	  .steps = "prdcr_start name=q\n" },
	{ .what = "ldmsd: a policy shows its plugin, and not the instance",
	  .ldmsd = true,
	  .sent = NULL,
	  .have = "load name=csv plugin=store_csv\nstrgp_add name=s plugin=store_csv container=c schema=m\nstrgp_start "
		  "name=s\n",
	  .want = "load name=csv plugin=store_csv\nconfig name=csv path=/x\n"
		  "strgp_add name=s plugin=csv container=c schema=m\nstrgp_start name=s\n" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check(&cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
