/* prom_text.h - what Prometheus exporters say: the text format, version 0.0.4
 *
 *	# HELP http_requests_total The total number of HTTP requests.
 *	# TYPE http_requests_total counter
 *	http_requests_total{method="post",code="200"} 1027 1395066363000
 *
 * Strict as Prometheus is: a text with one wrong line is refused, with the line's number.
 */
#ifndef PLUGINS_PROM_TEXT_H
#define PLUGINS_PROM_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define PROM_NAME_MAX   200  /* bytes */
#define PROM_LABELS_MAX 2048 /* bytes, all of a sample's */

enum prom_kind { PROM_UNTYPED, PROM_COUNTER, PROM_GAUGE, PROM_HISTOGRAM, PROM_SUMMARY };
/* As the format has it. */
const char *prom_kind_name(enum prom_kind kind);

struct prom_sample {        /* texts are borrowed until the next one */
	const char *text;   /* NUL-terminated: name{labels}, or name alone when it has none */
	const char *labels; /* code="200",method="post"; with \\ \" \n as they were written */
	size_t name_len, labels_len;
	double value;    /* may be NaN, and either infinity */
	int64_t time_ms; /* 0: it says none */
	enum prom_kind kind;
};

struct prom_text {
	const char *p, *end;
	unsigned int line;  /* of p, from 1 */
	const char *family; /* that the last TYPE was about */
	size_t family_len;
	enum prom_kind kind;
	struct buf text;
};

/* Over text that stays where it is until prom_fini(). */
void prom_init(struct prom_text *t, const char *text, size_t len);
void prom_fini(struct prom_text *t);
/* 1: a sample.  0: the end.  -EPROTO with words. */
int prom_next(struct prom_text *t, struct prom_sample *ret, struct err *err);

#endif
