/* unit.c - see unit.h */
#include "core/base/unit.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/str.h"

#define MIN_US  (60 * SEC_US)
#define HOUR_US (60 * MIN_US)
#define DAY_US  (24 * HOUR_US)
/* A century: longer than any interval means, exact in a double, and sums of a few do not overflow. */
#define TIME_MAX_US (36525 * DAY_US)

static const struct time_unit {
	const char *word;
	bool whole; /* the whole word; otherwise its beginning */
	int64_t us;
} time_units[] = {
	{ "us", false, 1 },          { "micro", false, 1 },   { "ms", false, MSEC_US },
	{ "milli", false, MSEC_US }, { "s", false, SEC_US },  { "m", true, MIN_US },
	{ "min", false, MIN_US },    { "h", false, HOUR_US }, { "d", false, DAY_US },
};

/* Largest first.  `letter` is what we print; either case is read. */
static const struct size_unit {
	char letter;
	unsigned int shift;
} size_units[] = { { 'T', 40 }, { 'G', 30 }, { 'M', 20 }, { 'k', 10 } };

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char *skip_blanks(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static const struct time_unit *time_unit_find(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(time_units); i++) {
		const struct time_unit *u = &time_units[i];
		size_t n = strlen(u->word);

		if (len >= n && !strncmp(word, u->word, n) && (!u->whole || len == n))
			return u;
	}
	return NULL;
}

int unit_time_us(const char *text, int64_t *ret_us, struct err *err)
{
	int64_t unit_us = 1;
	const char *word;
	double v, us;
	size_t len;
	char *end;

	v = strtod(text, &end);
	if (end == text || !isfinite(v))
		return err_set(err, -EINVAL,
			       "time \"%.32s\": no number; write one with a unit, as in 1s, 200ms or 1.5h", text);
	word = skip_blanks(end);
	len = strlen(word);
	while (len && isspace((unsigned char)word[len - 1]))
		len--;
	if (len) {
		const struct time_unit *u = time_unit_find(word, len);

		if (!u)
			return err_set(err, -EINVAL,
				       "time \"%.32s\": unknown unit \"%.16s\"; the units are us ms s m h d, and none "
				       "means us",
				       text, word);
		unit_us = u->us;
	}
	us = v * (double)unit_us;
	if (fabs(us) > (double)TIME_MAX_US)
		return err_set(err, -EINVAL, "time \"%.32s\": more than a century; is the unit right?", text);
	*ret_us = llround(us);
	return 0;
}

int unit_size(const char *text, uint64_t *ret_bytes, struct err *err)
{
	const char *p = skip_blanks(text);
	unsigned int shift = 0;
	uint64_t v;

	if (!str_digits(&p, &v))
		return err_set(err, -EINVAL,
			       "size \"%.32s\": no whole number that fits; write one with a unit, as in 128M", text);
	p = skip_blanks(p);
	for (size_t i = 0; i < ARRAY_LEN(size_units); i++)
		if (toupper((unsigned char)*p) == toupper((unsigned char)size_units[i].letter))
			shift = size_units[i].shift;
	if (shift) {
		p++;
		if (*p == 'i' && (p[1] == 'B' || p[1] == 'b'))
			p++;
	}
	if (*p == 'B' || *p == 'b')
		p++;
	if (*skip_blanks(p))
		return err_set(
			err, -EINVAL,
			"size \"%.32s\": \"%.16s\" is no unit; the units are k M G T (of 1024), and none means bytes%s",
			text, p, *p == '.' ? "; a fraction is not taken, write 1536M for 1.5G" : "");
	if (v > UINT64_MAX >> shift)
		return err_set(err, -EINVAL, "size \"%.32s\": more than 64 bits can count; is the unit right?", text);
	*ret_bytes = v << shift;
	return 0;
}

int unit_u64(const char *text, uint64_t *ret, struct err *err)
{
	const char *p = text;
	uint64_t v = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		char *end;

		errno = 0;
		v = strtoull(p + 2, &end, 16);
		/* strtoull would take blanks, a sign and a second 0x */
		if (!isxdigit((unsigned char)p[2]) || tolower((unsigned char)p[3]) == 'x' || errno || *end)
			p = NULL;
	} else if (!str_digits(&p, &v) || *p) {
		p = NULL;
	}
	if (!p)
		return err_set(err, -EINVAL,
			       "number \"%.32s\": not a whole number that 64 bits hold; write decimal digits, or 0x "
			       "and hexadecimal ones",
			       text);
	*ret = v;
	return 0;
}

int unit_bool(const char *text, bool *ret, struct err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "true", true }, { "false", false }, { "yes", true }, { "no", false },
		{ "on", true },   { "off", false },   { "1", true },   { "0", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcasecmp(text, words[i].word)) {
			*ret = words[i].value;
			return 0;
		}
	return err_set(err, -EINVAL,
		       "\"%.32s\" is neither true nor false; write true, yes, on or 1, or false, no, off or 0", text);
}

/* n / unit with what is left as a fraction of `places` digits, less the zeros at its end. */
static const char *decimal(bool minus, uint64_t n, uint64_t unit, int places, const char *word, char *out)
{
	uint64_t whole = n / unit, rest = n % unit;

	while (places && rest % 10 == 0) {
		rest /= 10;
		places--;
	}
	if (places)
		sprintf(out, "%s%" PRIu64 ".%0*" PRIu64 "%s", minus ? "-" : "", whole, places, rest, word);
	else
		sprintf(out, "%s%" PRIu64 "%s", minus ? "-" : "", whole, word);
	return out;
}

const char *unit_time_text(int64_t us, char *out)
{
	static const struct {
		const char *word;
		uint64_t us;
	} large[] = { { "d", DAY_US }, { "h", HOUR_US }, { "m", MIN_US } };
	bool minus = us < 0;
	uint64_t n = minus ? -(uint64_t)us : (uint64_t)us;

	for (size_t i = 0; i < ARRAY_LEN(large); i++)
		if (n && n % large[i].us == 0)
			return decimal(minus, n, large[i].us, 0, large[i].word, out);
	if (!n || n >= SEC_US)
		return decimal(minus, n, SEC_US, 6, "s", out);
	if (n >= MSEC_US)
		return decimal(minus, n, MSEC_US, 3, "ms", out);
	return decimal(minus, n, 1, 0, "us", out);
}

const char *unit_size_text(uint64_t bytes, char *out)
{
	for (size_t i = 0; i < ARRAY_LEN(size_units); i++) {
		unsigned int shift = size_units[i].shift;

		if (bytes && bytes == bytes >> shift << shift) {
			sprintf(out, "%" PRIu64 "%c", bytes >> shift, size_units[i].letter);
			return out;
		}
	}
	sprintf(out, "%" PRIu64, bytes);
	return out;
}
