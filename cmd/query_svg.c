/* query_svg.c - series as a picture: SVG that any browser shows, and any drawing program takes */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/query.h"
#include "core/base/unit.h"
#include "core/base/utf8.h"

/* The picture's places, in pixels. */
#define WIDTH      960
#define LEFT       80
#define RIGHT      920
#define TOP        52
#define BOTTOM     430
#define LEGEND     490 /* the first line of it */
#define LINE       20
#define COLUMN     215 /* of the legend */
#define LEGEND_MAX 40

static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
				       "#56b4e9", "#6a3d9a", "#b15928", "#666666", "#a6761d" };
#define COLOURS (sizeof(colours) / sizeof(*colours))
/* When they are used up: the same again, in dashes. */
static const char *const dashes[] = { "", " stroke-dasharray=\"7 4\"", " stroke-dasharray=\"2 4\"" };
#define DASHES (sizeof(dashes) / sizeof(*dashes))

/* Text as XML has it: what is no UTF-8, and control characters, as '?'. */
static void text_put(struct buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t left = strlen(s), n; left; p += n, left -= n) {
		n = utf8_len(p, left);
		if (*p == '&' || *p == '<' || *p == '>' || *p == '"')
			buf_addf(b, "&#%d;", *p);
		else if (!n || *p < ' ' || *p == 0x7f)
			buf_u8(b, '?');
		else
			buf_add(b, p, n);
		n = n ? n : 1;
	}
}

static double y_of(const struct query_axis *a, double v)
{
	return BOTTOM - (v - a->low) / (a->high - a->low) * (BOTTOM - TOP);
}

static double x_of(const struct query_agg_conf *conf, double slot)
{
	return conf->n_slots > 1 ? LEFT + slot / (double)(conf->n_slots - 1) * (RIGHT - LEFT) : (LEFT + RIGHT) / 2.0;
}

static void values_put(struct buf *b, const struct query_chart *c, const struct query_axis *a)
{
	unsigned int ticks = (unsigned int)lround((a->high - a->low) / a->step);
	char label[QUERY_LABEL_MAX];

	for (unsigned int i = 0; i <= ticks; i++) {
		double v = a->low + i * a->step, y = y_of(a, v);

		buf_addf(b, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", LEFT, y, RIGHT, y);
		buf_addf(b, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 8, y + 4,
			 query_axis_value(v, a->step, label));
	}
	buf_addf(b, "<text transform=\"translate(18 %d) rotate(-90)\" text-anchor=\"middle\">", (TOP + BOTTOM) / 2);
	text_put(b, c->unit);
	buf_addf(b, "</text>\n");
}

static void times_put(struct buf *b, const struct query_agg_conf *conf)
{
	int64_t end = conf->begin_us + (int64_t)(conf->n_slots - 1) * conf->every_us, first;
	int64_t step = query_axis_times(conf->begin_us, end, 8, &first);
	char label[QUERY_LABEL_MAX], from[QUERY_TIME_MAX], to[QUERY_TIME_MAX];

	for (int64_t t = first; t <= end; t += step) {
		double x = x_of(conf, conf->every_us ? (double)(t - conf->begin_us) / (double)conf->every_us : 0);

		buf_addf(b, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", x, TOP, x,
			 BOTTOM + 5);
		buf_addf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x, BOTTOM + 20,
			 query_axis_time(t, step, label));
	}
	buf_addf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s to %s</text>\n", (LEFT + RIGHT) / 2, BOTTOM + 40,
		 query_time_text(conf->begin_us, from), query_time_text(end, to));
}

static void line_put(struct buf *b, const struct query_chart *c, const struct query_axis *a, size_t i)
{
	const struct query_agg_conf *conf = query_agg_conf(c->agg);
	const struct query_line *l = &c->lines[i];
	size_t last = 0;
	bool any = false;
	double v;

	buf_addf(b,
		 "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" stroke-linejoin=\"round\" "
		 "stroke-linecap=\"round\" d=\"",
		 colours[i % COLOURS], c->n > COLOURS ? "1" : "1.8");
	for (size_t s = 0; s < conf->n_slots; s++) {
		if (!query_agg_at(c->agg, l->group, l->metric, s, &v) || !query_drawable(v))
			continue;
		if (any && s - last <= l->gap)
			buf_addf(b, "L%.1f %.1f", x_of(conf, (double)s), y_of(a, v));
		else /* a point, also where no line follows */
			buf_addf(b, "M%.1f %.1fh0", x_of(conf, (double)s), y_of(a, v));
		last = s;
		any = true;
	}
	buf_addf(b, "\"%s><title>", dashes[i / COLOURS % DASHES]);
	text_put(b, l->name);
	buf_addf(b, "</title></path>\n");
}

static void legend_put(struct buf *b, const struct query_chart *c)
{
	for (size_t i = 0; i < c->n && i < LEGEND_MAX; i++) {
		int x = LEFT + (int)(i % 4) * COLUMN, y = LEGEND + (int)(i / 4) * LINE;

		buf_addf(b, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\"3\"%s/>\n", x,
			 y - 4, x + 22, y - 4, colours[i % COLOURS], dashes[i / COLOURS % DASHES]);
		buf_addf(b, "<text x=\"%d\" y=\"%d\">", x + 28, y);
		text_put(b, c->lines[i].name);
		buf_addf(b, "</text>\n");
	}
	if (c->n > LEGEND_MAX)
		buf_addf(b, "<text x=\"%d\" y=\"%d\">and %zu more</text>\n", LEFT, LEGEND + LEGEND_MAX / 4 * LINE,
			 c->n - LEGEND_MAX);
}

void query_svg(struct buf *b, const struct query_chart *c)
{
	size_t rows = (c->n < LEGEND_MAX ? c->n + 3 : LEGEND_MAX + 4) / 4;
	int height = LEGEND + (int)rows * LINE;
	struct query_axis a = query_axis_values(c->low, c->high, 6);
	char every[32];

	buf_addf(b,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
		 "<style>text{font:12px sans-serif;fill:#333}.grid{stroke:#ddd}.title{font-size:16px;font-weight:bold}"
		 "</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		 WIDTH, height, WIDTH, height);
	buf_addf(b, "<text class=\"title\" x=\"%d\" y=\"28\">", LEFT);
	text_put(b, c->title);
	buf_addf(b, "<tspan dx=\"10\" font-size=\"12\" font-weight=\"normal\">every %s</tspan></text>\n",
		 unit_time_text(query_agg_conf(c->agg)->every_us, every));
	values_put(b, c, &a);
	times_put(b, query_agg_conf(c->agg));
	buf_addf(b, "<path fill=\"none\" stroke=\"#333\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
	for (size_t i = 0; i < c->n; i++)
		line_put(b, c, &a, i);
	legend_put(b, c);
	buf_addf(b, "</svg>\n");
}
