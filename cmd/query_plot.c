/* query_plot.c - series in a terminal: lines of braille dots, two by four in each character */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/query.h"
#include "core/base/term.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define LEGEND_MAX 8 /* lines with a colour and a word of their own; more share one */
#define GUTTER     9 /* columns of the axis' numbers and its line */

struct canvas {
	unsigned int width, height; /* characters */
	uint8_t *dots;              /* by character: braille's eight bits */
	uint8_t *owner;             /* the line that drew there last, plus 1 */
};

static void dot(struct canvas *cv, int x, int y, uint8_t owner)
{
	static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
	size_t at;

	if (x < 0 || y < 0 || x >= (int)cv->width * 2 || y >= (int)cv->height * 4)
		return;
	at = (size_t)(y / 4) * cv->width + (size_t)x / 2;
	cv->dots[at] |= bits[y % 4][x % 2];
	cv->owner[at] = owner;
}

static void stroke(struct canvas *cv, int x0, int y0, int x1, int y1, uint8_t owner)
{
	int n = abs(x1 - x0) > abs(y1 - y0) ? abs(x1 - x0) : abs(y1 - y0);

	for (int i = 0; i <= n; i++)
		dot(cv, n ? x0 + (x1 - x0) * i / n : x0, n ? y0 + (y1 - y0) * i / n : y0, owner);
}

static void line_draw(struct canvas *cv, const struct query_chart *c, const struct query_axis *axis, size_t i)
{
	const struct query_agg_conf *conf = query_agg_conf(c->agg);
	const struct query_line *l = &c->lines[i];
	uint8_t owner = (uint8_t)(c->n > LEGEND_MAX ? 1 : i + 1);
	int w = (int)cv->width * 2 - 1, h = (int)cv->height * 4 - 1, px = 0, py = 0;
	size_t last = 0;
	bool any = false;

	for (size_t s = 0; s < conf->n_slots; s++) {
		double v;
		int x, y;

		if (!query_agg_at(c->agg, l->group, l->metric, s, &v) || !query_drawable(v))
			continue;
		x = conf->n_slots > 1 ? (int)(s * (size_t)w / (conf->n_slots - 1)) : w / 2;
		y = h - (int)lround((v - axis->low) / (axis->high - axis->low) * h);
		stroke(cv, any && s - last <= l->gap ? px : x, any && s - last <= l->gap ? py : y, x, y, owner);
		px = x;
		py = y;
		last = s;
		any = true;
	}
}

static void colour(FILE *to, bool colours, unsigned int owner)
{
	static const unsigned char codes[LEGEND_MAX] = { 36, 33, 35, 32, 34, 31, 96, 93 };

	if (colours)
		fprintf(to, "\033[%dm", owner ? codes[(owner - 1) % LEGEND_MAX] : 0);
}

static void canvas_print(FILE *to, const struct canvas *cv, const struct query_axis *axis, bool colours)
{
	unsigned int ticks = (unsigned int)lround((axis->high - axis->low) / axis->step);

	for (unsigned int y = 0; y < cv->height; y++) {
		char label[QUERY_LABEL_MAX] = "";
		unsigned int owner = 0;

		for (unsigned int t = 0; t <= ticks; t++)
			if ((unsigned int)lround((double)t / ticks * (cv->height - 1)) == y)
				query_axis_value(axis->high - t * axis->step, axis->step, label);
		fprintf(to, "%*.*s %s", GUTTER - 2, GUTTER - 2, label, *label ? "┤" : "│");
		for (unsigned int x = 0; x < cv->width; x++) {
			size_t at = (size_t)y * cv->width + x;
			unsigned int code = 0x2800 + cv->dots[at];

			if (cv->dots[at] && cv->owner[at] != owner)
				colour(to, colours, owner = cv->owner[at]);
			if (cv->dots[at])
				fprintf(to, "%c%c%c", 0xe0 | code >> 12, 0x80 | (code >> 6 & 0x3f),
					0x80 | (code & 0x3f));
			else
				fputc(' ', to);
		}
		if (owner)
			colour(to, colours, 0);
		fputc('\n', to);
	}
}

/* The line below, with a mark at each round time, and the times. */
static void times_print(FILE *to, const struct query_chart *c, unsigned int width)
{
	const struct query_agg_conf *conf = query_agg_conf(c->agg);
	int64_t end = conf->begin_us + (int64_t)(conf->n_slots - 1) * conf->every_us, first, step;
	char *labels = xmalloc(width + QUERY_LABEL_MAX + 1), text[QUERY_LABEL_MAX];
	bool *mark = xcalloc(width + 1, sizeof(*mark));
	size_t used = 0;

	step = query_axis_times(conf->begin_us, end, width / 14, &first);
	memset(labels, ' ', width + QUERY_LABEL_MAX);
	for (int64_t t = first; t <= end; t += step) {
		size_t x = end > conf->begin_us ? (size_t)((t - conf->begin_us) * (width - 1) / (end - conf->begin_us))
						: 0;
		size_t len = strlen(query_axis_time(t, step, text)), at = x > len / 2 ? x - len / 2 : 0;

		mark[x] = true;
		if ((used && at < used + 1) || at + len > width)
			continue;
		memcpy(labels + at, text, len);
		used = at + len;
	}
	labels[used] = '\0';
	fprintf(to, "%*s └", GUTTER - 2, "");
	for (unsigned int x = 0; x < width; x++)
		fputs(mark[x] ? "┬" : "─", to);
	fprintf(to, "\n%*s%s\n", GUTTER, "", labels);
	free(labels);
	free(mark);
}

static void legend_print(FILE *to, const struct query_chart *c, bool colours)
{
	struct buf b = { 0 };

	if (c->n > LEGEND_MAX) {
		struct buf folded = { 0 };
		const char **names = xcalloc(c->n, sizeof(*names));

		for (size_t i = 0; i < c->n; i++)
			names[i] = c->lines[i].name;
		buf_addf(&b, "%zu series: ", c->n);
		hostlist_fold(names, c->n, 200, &folded);
		term_put(&b, (const char *)folded.p, folded.len, TERM_LINE);
		buf_fini(&folded);
		free(names);
		fprintf(to, "%*s", GUTTER, "");
		colour(to, colours, 1);
		fputs("━━ ", to);
		colour(to, colours, 0);
		fprintf(to, "%s\n", buf_str(&b));
	}
	for (size_t i = 0; c->n <= LEGEND_MAX && i < c->n; i++) {
		buf_reset(&b);
		term_put(&b, c->lines[i].name, strlen(c->lines[i].name), TERM_LINE);
		fprintf(to, "%*s", i ? 3 : GUTTER, "");
		colour(to, colours, (unsigned int)i + 1);
		fputs("━━ ", to);
		colour(to, colours, 0);
		fputs(buf_str(&b), to);
	}
	if (c->n && c->n <= LEGEND_MAX)
		fputc('\n', to);
	buf_fini(&b);
}

void query_plot(FILE *to, const struct query_chart *c, unsigned int width, unsigned int height, bool colours)
{
	struct canvas cv = { .width = width > GUTTER + 20 ? width - GUTTER : 20, .height = height > 4 ? height : 4 };
	struct query_axis axis = query_axis_values(c->low, c->high, cv.height / 4);
	struct buf title = { 0 };
	char every[32];

	term_put(&title, c->title, strlen(c->title), TERM_LINE);
	cv.dots = xcalloc((size_t)cv.width * cv.height, 1);
	cv.owner = xcalloc((size_t)cv.width * cv.height, 1);
	for (size_t i = 0; i < c->n; i++)
		line_draw(&cv, c, &axis, i);
	fprintf(to, "%*s%s%s%s, every %s\n", GUTTER, "", buf_str(&title), *c->unit ? ", " : "", c->unit,
		unit_time_text(query_agg_conf(c->agg)->every_us, every));
	canvas_print(to, &cv, &axis, colours);
	times_print(to, c, cv.width);
	legend_print(to, c, colours);
	buf_fini(&title);
	free(cv.dots);
	free(cv.owner);
}
