/* opt.c - options from tables, --help, and "did you mean" */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/opt.h"

#define ARGS_MAX 16

struct options {
	bool help, long_form;
	int verbose;
	const char *host, *box;
	struct opt_list conf;
	int64_t interval_us;
	uint64_t mem, num;
};

static const struct opt opts[] = {
	{ 'c', "conf", OPT_LIST, "FILE", offsetof(struct options, conf), "read this file" },
	{ 'h', "host", OPT_TEXT, "HOST", offsetof(struct options, host), "the host to ask (localhost)" },
	{ 0, "box", OPT_MAYBE, "KIND", offsetof(struct options, box), "in a box" },
	{ 0, "interval", OPT_TIME, "TIME", offsetof(struct options, interval_us), "how often (1s)" },
	{ 'l', "long", OPT_FLAG, NULL, offsetof(struct options, long_form), "with values" },
	{ 0, "mem", OPT_SIZE, "SIZE", offsetof(struct options, mem), "memory (512M)" },
	{ 'n', NULL, OPT_NUM, "NUM", offsetof(struct options, num), "a number" },
	{ 'v', "verbose", OPT_COUNT, NULL, offsetof(struct options, verbose), "more of it" },
	{ 0, "help", OPT_FLAG, NULL, offsetof(struct options, help), "this text" },
	{ 0 },
};

struct run {
	struct options o;
	struct err err;
	char *argv[ARGS_MAX];
	int rc;
};

/* Parse the words behind the command's name, ended by NULL. */
static struct run *parse(struct run *r, ...)
{
	int argc = 1;
	va_list ap;
	char *arg;

	*r = (struct run){ .argv = { (char *)"ldms-test" } };
	va_start(ap, r);
	while ((arg = va_arg(ap, char *)))
		r->argv[argc++] = arg;
	va_end(ap);
	r->rc = opt_parse(opts, argc, r->argv, &r->o, &r->err);
	return r;
}

static void test_forms(void **state)
{
	struct run r;

	assert_int_equal(parse(&r, NULL)->rc, 0);
	assert_null(r.argv[1]);

	assert_int_equal(parse(&r, "--host", "n1", "--interval=200ms", "--mem", "128M", "-n", "0x10", NULL)->rc, 0);
	assert_string_equal(r.o.host, "n1");
	assert_int_equal(r.o.interval_us, 200000);
	assert_int_equal(r.o.mem, 128 << 20);
	assert_int_equal(r.o.num, 16);

	assert_int_equal(parse(&r, "-hn1", "-h", "n2", "-n7", "--host=", NULL)->rc, 0);
	assert_string_equal(r.o.host, ""); /* the last one wins */
	assert_int_equal(r.o.num, 7);

	assert_int_equal(parse(&r, "-vlv", "-lvhn3", "--verbose", "--interval", "-100ms", NULL)->rc, 0);
	assert_int_equal(r.o.verbose, 4);
	assert_true(r.o.long_form);
	assert_false(r.o.help);
	assert_string_equal(r.o.host, "n3");
	assert_int_equal(r.o.interval_us, -100000);

	assert_int_equal(parse(&r, "--host=a=b", NULL)->rc, 0);
	assert_string_equal(r.o.host, "a=b");
}

/* A value only where it is written behind the name. */
static void test_maybe(void **state)
{
	struct run r;

	(void)state;
	assert_int_equal(parse(&r, "-l", NULL)->rc, 0);
	assert_null(r.o.box);
	assert_int_equal(parse(&r, "--box", "word", NULL)->rc, 1);
	assert_string_equal(r.o.box, "");
	assert_string_equal(r.argv[1], "word");
	assert_int_equal(parse(&r, "--box=small", NULL)->rc, 0);
	assert_string_equal(r.o.box, "small");
	assert_int_equal(parse(&r, "--box=", NULL)->rc, 0);
	assert_string_equal(r.o.box, "");
}

static void test_list(void **state)
{
	struct run r;

	assert_int_equal(parse(&r, "-c", "a", "--conf=b", "-cc", NULL)->rc, 0);
	assert_int_equal(r.o.conf.n, 3);
	assert_string_equal(r.o.conf.v[0], "a");
	assert_string_equal(r.o.conf.v[1], "b");
	assert_string_equal(r.o.conf.v[2], "c");
	opt_list_fini(&r.o.conf);
	assert_int_equal(r.o.conf.n, 0);
}

static void test_operands(void **state)
{
	struct run r;

	assert_int_equal(parse(&r, "a", "-v", "b", "-h", "n1", "-", "--", "-l", "--host", "--", NULL)->rc, 6);
	assert_string_equal(r.argv[0], "ldms-test");
	assert_string_equal(r.argv[1], "a");
	assert_string_equal(r.argv[2], "b");
	assert_string_equal(r.argv[3], "-");
	assert_string_equal(r.argv[4], "-l");
	assert_string_equal(r.argv[5], "--host");
	assert_string_equal(r.argv[6], "--");
	assert_null(r.argv[7]);
	assert_int_equal(r.o.verbose, 1);
	assert_false(r.o.long_form);
}

static void check_bad(struct run *r, const char *words)
{
	assert_int_equal(r->rc, -EINVAL);
	assert_string_equal(r->err.msg, words);
}

static void test_bad(void **state)
{
	struct run r;

	check_bad(parse(&r, "--hots", "n1", NULL), "unknown option --hots; did you mean --host?");
	check_bad(parse(&r, "--intervall=1s", NULL), "unknown option --intervall; did you mean --interval?");
	check_bad(parse(&r, "--colour", NULL), "unknown option --colour; --help lists the options");
	check_bad(parse(&r, "-lq", NULL), "unknown option -q; --help lists the options");
	check_bad(parse(&r, "--host", NULL), "option --host: the value is missing; write --host HOST");
	check_bad(parse(&r, "-vh", NULL), "option --host: the value is missing; write --host HOST");
	check_bad(parse(&r, "-n", NULL), "option -n: the value is missing; write -n NUM");
	check_bad(parse(&r, "--long=yes", NULL), "option --long takes no value, \"yes\" is one; write --long alone");
	parse(&r, "--interval", "5 parsecs", NULL);
	assert_int_equal(r.rc, -EINVAL);
	assert_int_equal(strncmp(r.err.msg, "option --interval: time \"5 parsecs\": unknown unit", 49), 0);
	/* nothing of argv has moved */
	parse(&r, "-v", "a", "--nope", NULL);
	assert_string_equal(r.argv[1], "-v");
	assert_string_equal(r.argv[2], "a");
}

static void test_help(void **state)
{
	static const struct cmd_usage usage = {
		.synopsis = "ldms test [-lv] [-h HOST] [NAME ...]\nldms test --help",
		.brief = "tests",
		.about = "Tests options.",
		.opts = opts,
		.examples = "ldms test -l\nldms test -h n1",
	};
	static const struct opt wide[] = {
		{ 'x', "xprt", OPT_LIST, "XPRT:PORT[:HOST]", 0,
		  "listen on this transport, port and address; may be given several times (sock:411)" },
		{ 0 },
	};
	struct cmd_usage other = { .synopsis = "ldms x", .brief = "xs", .opts = wide };
	char *text;
	size_t len;
	FILE *f;

	f = open_memstream(&text, &len);
	opt_help(f, &usage);
	fclose(f);
	assert_string_equal(text, "usage: ldms test [-lv] [-h HOST] [NAME ...]\n"
				  "       ldms test --help\n"
				  "\n"
				  "Tests options.\n"
				  "\n"
				  "options:\n"
				  "  -c, --conf FILE           read this file\n"
				  "  -h, --host HOST           the host to ask (localhost)\n"
				  "      --box[=KIND]          in a box\n"
				  "      --interval TIME       how often (1s)\n"
				  "  -l, --long                with values\n"
				  "      --mem SIZE            memory (512M)\n"
				  "  -n NUM                    a number\n"
				  "  -v, --verbose             more of it\n"
				  "      --help                this text\n"
				  "\n"
				  "examples:\n"
				  "  ldms test -l\n"
				  "  ldms test -h n1\n");
	free(text);

	f = open_memstream(&text, &len);
	opt_help(f, &other);
	fclose(f);
	assert_string_equal(text, "usage: ldms x\n"
				  "\n"
				  "xs\n"
				  "\n"
				  "options:\n"
				  "  -x, --xprt XPRT:PORT[:HOST]\n"
				  "                            listen on this transport, port and address; may be\n"
				  "                            given several times (sock:411)\n");
	free(text);
}

static void test_help_without_options(void **state)
{
	static const struct cmd_usage usage = { .synopsis = "ldms x", .brief = "xs" };
	char *text;
	size_t len;
	FILE *f;

	f = open_memstream(&text, &len);
	opt_help(f, &usage);
	fclose(f);
	assert_string_equal(text, "usage: ldms x\n\nxs\n");
	free(text);
}

static void test_nearest(void **state)
{
	static const char *const names[] = { "meminfo", "loadavg", "vmstat", "procstat", "procnet", NULL };
	static const char *const none[] = { NULL };
	char *huge = calloc(1, 5000);

	memset(huge, 'm', 4999);
	assert_string_equal(nearest("memnifo", names), "meminfo");
	assert_string_equal(nearest("memifo", names), "meminfo");
	assert_string_equal(nearest("loadavgs", names), "loadavg");
	assert_string_equal(nearest("VMSTAT", names), "vmstat");
	assert_string_equal(nearest("procstat2", names), "procstat");
	assert_string_equal(nearest("procnett", names), "procnet");
	assert_null(nearest("infiniband", names));
	assert_null(nearest("x", names));
	assert_null(nearest("", names));
	assert_null(nearest(huge, names));
	assert_null(nearest("meminfo", none));
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),   cmocka_unit_test(test_maybe),
		cmocka_unit_test(test_list),    cmocka_unit_test(test_operands),
		cmocka_unit_test(test_bad),     cmocka_unit_test(test_help),
		cmocka_unit_test(test_nearest), cmocka_unit_test(test_help_without_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
