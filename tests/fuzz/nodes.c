/* nodes.c - a list of nodes: words, or a host map in JSON; and the cluster file that is made for them, which is one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/maestro/draft.h"
#include "core/maestro/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLANNED_MAX 200

static void on_note(void *arg, const struct conf_note *note)
{
	(void)arg;
	(void)note;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draft_samp samp = { .name = "meminfo", .sets = 1, .data = 500, .image = 3000 };
	struct draft d = { .samps = &samp,
			   .n_samps = 1,
			   .interval_us = 1000000,
			   .port = 411,
			   .aggs = { .n = 1 + size % 3, .port = 411 },
			   .stores = { .n = size % 2, .port = 412 },
			   .asked = "fuzz" };
	struct plan *p = NULL;
	struct buf b = { 0 };
	struct err err;

	if (nodes_parse("fuzz", (const char *)data, size, &d.nodes, &err))
		return 0;
	if (!d.nodes.n)
		abort();
	if (!draft_check(&d, &err)) {
		draft_put(&d, &b);
		/* what cannot be: a node that is called as an aggregator, or twice */
		if (d.nodes.n <= PLANNED_MAX && !plan_parse("draft", (char *)b.p, b.len, on_note, NULL, &p, &err) &&
		    p->n_daemons != d.nodes.n + d.aggs.n * (1 + d.stores.n))
			abort();
		plan_free(p);
	}
	nodes_fini(&d.nodes);
	buf_fini(&b);
	return 0;
}
