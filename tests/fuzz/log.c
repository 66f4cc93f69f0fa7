/* log.c - whatever a peer gets into a line of the log
 *
 * Reaches every format: the first byte says which, the rest is the text.  It stays one line, in which nothing moves a
 * cursor; JSON is JSON.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/base/log_impl.h"
#include "core/base/utf8.h"
#include "tests/json_valid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_one_line(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	while (p < end) {
		size_t n = utf8_len(p, (size_t)(end - p));

		assert(n && *p >= ' ' && *p != 0x7f && !utf8_misleads(p, n));
		p += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "text", "ldmsd", "json", "logfmt" };
	static char to[LOG_BYTES_MAX]; /* its bounds are watched */
	struct log_entry e = { .subsys = "xprt" };
	size_t n, head;

	if (!size || size > LOG_TEXT_MAX)
		return -1;
	e.level = data[0] / 8 % LOG_QUIET_;
	e.text = (const char *)data + 1;
	e.len = size - 1;
	assert(!log_format_set(names[data[0] % 4], NULL));
	n = log_format(&e, to);
	assert(n <= sizeof(to) && to[n - 1] == '\n');
	is_one_line(to, n - 1);
	if (data[0] % 4 == 2)
		assert(json_valid(to, n - 1));
	n = log_format_syslog(&e, to);
	is_one_line(to, n);
	n = log_format_journal(&e, to);
	head = (size_t)((char *)memmem(to, n, "MESSAGE=", 8) - to);
	is_one_line(to + head, n - head - 1);
	return 0;
}
