/* Texts for people and logs, without the secrets in them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/secret_hide.h"

static void test_what_is_hidden(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "", "" },
		{ "+ plugin k +config path=/x password=p sasl.password=q r=s",
		  "+ plugin k +config path=/x password=*** sasl.password=*** r=s" },
		{ "~ env DB_PASSWORD DB_PASSWORD=a=b -> DB_PASSWORD=c\n- x\n",
		  "~ env DB_PASSWORD DB_PASSWORD=*** -> DB_PASSWORD=***\n- x\n" },
		{ "secretword=w", "secretword=***" },
		{ "token=t token_file=/t password_file=/p ssl.key.location=/k",
		  "token=*** token_file=/t password_file=/p ssl.key.location=/k" },
		{ "password= =x password = y", "password= =x password = y" },
		{ "url=https://me:p@x@h:1/w a=//b@c", "url=https://***@h:1/w a=//b@c" },
		{ "~ plugin k url=http://h/w?u=me&p=x -> url=http://h/@ b@c?d",
		  "~ plugin k url=http://h/w?*** -> url=http://h/@ b@c?d" },
		{ "  Api-Token=t  ", "  Api-Token=***  " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = { 0 };

		buf_addf(&b, "password=kept %s", rows[i].text);
		secrets_hide(&b, strlen("password=kept "));
		assert_memory_equal(buf_str(&b), "password=kept ", strlen("password=kept "));
		assert_string_equal(buf_str(&b) + strlen("password=kept "), rows[i].shown);
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_is_hidden) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
