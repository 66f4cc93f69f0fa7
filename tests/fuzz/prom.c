/* prom.c - the text of Prometheus exporters (plugins/prom_text.h): what is taken is well formed, and taken again as it
 * was written */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "plugins/prom_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sample as a line of text says the same. */
static void check_again(const struct prom_sample *s)
{
	struct prom_sample got;
	struct prom_text t;
	struct buf b = { 0 };

	buf_addf(&b, "%s %.17g %lld\n", s->text, s->value, (long long)s->time_ms);
	prom_init(&t, (const char *)b.p, b.len);
	assert(prom_next(&t, &got, NULL) == 1);
	assert(!strcmp(got.text, s->text) && got.time_ms == s->time_ms);
	assert(got.value == s->value || (isnan(got.value) && isnan(s->value)));
	assert(prom_next(&t, &got, NULL) == 0);
	prom_fini(&t);
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* its end is not to be passed */
	struct prom_sample s;
	struct err err = { "" };
	struct prom_text t;
	int rc;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text = realloc(text, size ? size : 1);
	prom_init(&t, text, size);
	while ((rc = prom_next(&t, &s, &err)) > 0) {
		assert(s.name_len && s.name_len <= PROM_NAME_MAX && s.labels_len <= PROM_LABELS_MAX);
		assert(strlen(s.text) == s.name_len + (s.labels_len ? s.labels_len + 2 : 0));
		assert(*prom_kind_name(s.kind));
		check_again(&s);
	}
	assert(!rc || *err.msg);
	prom_fini(&t);
	free(text);
	return 0;
}
