/* cluster_fault_ls.c - `ldms cluster fault ls`: what is wrong, in words and as JSON */
#include <stdlib.h>
#include <string.h>

#include "cmd/cluster_fault.h"
#include "core/base/hostlist.h"
#include "core/base/json_put.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

void fault_json(const struct cluster *c, const struct faults *f, struct buf *b)
{
	const char *between = "";

	buf_addf(b, "{\"nodes\":{");
	for (size_t i = 0; i < f->n; i++) {
		const struct fault_node *n = &f->nodes[i];

		if (!memcmp(n, &(struct fault_node){ 0 }, sizeof(*n)))
			continue;
		buf_addf(b, "%s\n", between);
		json_put_str(b, c->nodes[i].name);
		buf_addf(b, ":{\"cut\":%s,\"paused\":%s,\"loss_percent\":%g,\"bandwidth_bits\":%llu,",
			 n->cut ? "true" : "false", n->paused ? "true" : "false", n->loss_ppm * 100.0 / FAULT_PPM,
			 (unsigned long long)n->bits);
		buf_addf(b, "\"delay_us\":%lld,\"jitter_us\":%lld,\"clock_s\":%lld}", (long long)n->delay_us,
			 (long long)n->jitter_us, (long long)n->clock_s);
		between = ",";
	}
	buf_addf(b, "},\"splits\":[");
	for (size_t k = 0; k < f->n_splits; k++) {
		buf_addf(b, "%s[", k ? "," : "");
		for (int side = SIDE_A; side <= SIDE_B; side++) {
			between = "";
			buf_addf(b, "%s[", side == SIDE_A ? "" : ",");
			for (size_t i = 0; i < f->n; i++)
				if (f->splits[k][i] == side) {
					buf_addf(b, "%s", between);
					json_put_str(b, c->nodes[i].name);
					between = ",";
				}
			buf_addf(b, "]");
		}
		buf_addf(b, "]");
	}
	buf_addf(b, "]}\n");
}

void fault_text(const struct cluster *c, const struct faults *f, struct buf *b)
{
	char t[32], j[32];

	for (size_t i = 0; i < f->n; i++) {
		const struct fault_node *n = &f->nodes[i];
		const char *name = c->nodes[i].name;

		if (n->cut)
			buf_addf(b, "%-16s cut\n", name);
		if (n->paused)
			buf_addf(b, "%-16s paused\n", name);
		if (n->loss_ppm)
			buf_addf(b, "%-16s loss %g%%\n", name, n->loss_ppm * 100.0 / FAULT_PPM);
		if (n->bits)
			buf_addf(b, "%-16s bandwidth %llu bit/s\n", name, (unsigned long long)n->bits);
		if (n->delay_us)
			buf_addf(b, "%-16s delay %s%s%s\n", name, unit_time_text(n->delay_us, t),
				 n->jitter_us ? " +- " : "", n->jitter_us ? unit_time_text(n->jitter_us, j) : "");
		if (n->clock_s)
			buf_addf(b, "%-16s clock %+llds\n", name, (long long)n->clock_s);
	}
	for (size_t k = 0; k < f->n_splits; k++)
		for (int side = SIDE_A; side <= SIDE_B; side++) {
			const char **names = xcalloc(f->n + 1, sizeof(*names));
			size_t n = 0;

			for (size_t i = 0; i < f->n; i++)
				if (f->splits[k][i] == side)
					names[n++] = c->nodes[i].name;
			hostlist_fold(names, n, 0, b);
			buf_addf(b, "%s", side == SIDE_A ? " cut from " : "\n");
			free(names);
		}
}
