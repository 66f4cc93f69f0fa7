/* prom.c - the text of Prometheus exporters, and the sampler that scrapes them, without a server: what it says of its
 * attributes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "core/base/buf.h"
#include "plugins/prom_text.h"
#include "samp_rig.h"

/* -- the text ------------------------------------------------------------------------------------------------------- */

/* All samples as text: "name{labels} value kind time|..."; or what is wrong. */
static const char *parse(const char *text, size_t len)
{
	static struct buf out;
	struct prom_sample s;
	struct err err = { "" };
	struct prom_text t;
	int rc;

	buf_reset(&out);
	prom_init(&t, text, len);
	while ((rc = prom_next(&t, &s, &err)) > 0) {
		assert_int_equal(strncmp(s.text + s.name_len + (s.labels_len != 0), s.labels, s.labels_len), 0);
		buf_addf(&out, "%s%s %.17g %s", out.len ? "|" : "", s.text, s.value, prom_kind_name(s.kind));
		if (s.time_ms)
			buf_addf(&out, " %lld", (long long)s.time_ms);
	}
	prom_fini(&t);
	if (rc) {
		assert_int_equal(rc, -EPROTO);
		buf_reset(&out);
		buf_addf(&out, "%s", err.msg);
	}
	return buf_str(&out);
}

static void test_good_texts(void **state)
{
	static const struct {
		const char *text, *want;
	} good[] = {
		{ "", "" },
		{ "\n# a word\n#\n \t\n# HELP a b\n", "" },
		{ "a 1\n", "a 1 untyped" },
		{ "a{} 1\n", "a 1 untyped" },
		{ "\ta\t1  \n", "a 1 untyped" },
		{ "a:b_0 -1.5e3 1700000000123\n", "a:b_0 -1500 untyped 1700000000123" },
		{ "a 1 -5\n", "a 1 untyped -5" },
		{ "a NaN\nb +Inf\nc -Inf\nd Inf\n", "a nan untyped|b inf untyped|c -inf untyped|d inf untyped" },
		{ "a { b = \"c\" , d = \"\" , } 1\n", "a{b=\"c\",d=\"\"} 1 untyped" },
		{ "a{b=\"\\\\ \\\" \\n {}, \xc3\xa9\"} 1\n", "a{b=\"\\\\ \\\" \\n {}, \xc3\xa9\"} 1 untyped" },
		{ "# TYPE a counter\na 1\na{b=\"c\"} 2\nb 3\n", "a 1 counter|a{b=\"c\"} 2 counter|b 3 untyped" },
		{ "#TYPE a gauge\na 1\na_sum 1\n", "a 1 gauge|a_sum 1 untyped" },
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 2\nh_count 3\nh_other 4\nhh 5\n",
		  "h_bucket{le=\"1\"} 1 histogram|h_sum 2 histogram|h_count 3 histogram|h_other 4 untyped|hh 5 "
		  "untyped" },
		{ "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_bucket 3\n",
		  "s{quantile=\"0.5\"} 1 summary|s_sum 2 summary|s_bucket 3 untyped" },
		{ "# TYPE a untyped\na 1\n", "a 1 untyped" },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_string_equal(parse(good[i].text, strlen(good[i].text)), good[i].want);
}

static void test_bad_texts(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "a 1", "line 1 has no end: the text was cut: a 1" },
		{ "a 1\n\nb\n", "line 3 has no number as its value: b" },
		{ "1a 1\n", "begins with no name" },
		{ "a-b 1\n", "names have not" },
		{ "a.5\n", "names have not" },
		{ "a{b} 1\n", "wants = behind a label's name" },
		{ "a{b=c} 1\n", "in double quotes" },
		{ "a{b=\"c} 1\n", "without an end" },
		{ "a{b=\"\\t\"} 1\n", "an escape other than" },
		{ "a{b=\"\\\n\"} 1\n", "an escape other than" },
		{ "a{b=\"c\" d=\"e\"} 1\n", "wants , or }" },
		{ "a{b:c=\"d\"} 1\n", "wants = behind" },
		{ "a{,} 1\n", "wants a label's name, or }" },
		{ "a{b=\"c\",\n", "wants a label's name, or }" },
		{ "a one\n", "no number as its value" },
		{ "a nan(1)\n", "no number as its value" },
		{ "a 1e\n", "no number as its value" },
		{ "a 1 2.5\n", "a time that is no number" },
		{ "a 1 99999999999999999999\n", "a time that is no number" },
		{ "a 1 2 3\n", "goes on behind its time" },
		{ "# TYPE a colour\n", "wants # TYPE NAME" },
		{ "# TYPE a\n", "wants # TYPE NAME" },
		{ "a{b=\"\xff\"} 1\n", "is no UTF-8: a{b=\"?\"} 1" },
	};
	char text[PROM_LABELS_MAX + 32];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!strstr(parse(bad[i].text, strlen(bad[i].text)), bad[i].words))
			fail_msg("%s: %s", bad[i].text, parse(bad[i].text, strlen(bad[i].text)));
	assert_non_null(strstr(parse("a\0 1\n", 5), "is no UTF-8"));
	memset(text, 'a', sizeof(text));
	memcpy(text + PROM_NAME_MAX + 1, " 1\n", 3);
	assert_non_null(strstr(parse(text, PROM_NAME_MAX + 4), "a name that is too long"));
	assert_non_null(strstr(parse(text + 1, PROM_NAME_MAX + 3), " 1 untyped"));
	memset(text, 'a', sizeof(text));
	memcpy(text, "a{b=\"", 5);
	memcpy(text + sizeof(text) - 5, "\"} 1\n", 5);
	assert_non_null(strstr(parse(text, sizeof(text)), "labels that are too long"));
}

/* -- the sampler ---------------------------------------------------------------------------------------------------- */

static void test_bad_attributes(void **state)
{
	static const struct {
		const char *conf, *words;
	} bad[] = {
		{ "", "the attribute url= is missing; give it, as in url=http://localhost:9100/metrics" },
		{ "url=localhost:9100", "url=localhost:9100: must begin with http:// or https://" },
		{ "url=file:///etc/passwd", "must begin with http" },
		{ "url=http://localhost include=(", "include=: regular expression '('" },
		{ "url=http://localhost exclude=(", "exclude=: regular expression '('" },
		{ "url=http://localhost max=0", "max=0: must lie between 1 and" },
		{ "url=http://localhost deadline=0", "deadline=0: must be a time above 0" },
		{ "url=http://localhost deadline=soon", "deadline=soon: must be a time above 0" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = { 0 };

		assert_int_equal(try_config(f, "prom", bad[i].conf, &err), -EINVAL);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("%s: %s", bad[i].conf, err.msg);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_texts),
		cmocka_unit_test(test_bad_texts),
		TEST(test_bad_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
