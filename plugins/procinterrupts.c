/* procinterrupts.c - /proc/interrupts: a metric irq.NAME#PROCESSOR for each number
 *
 *	           CPU0       CPU1
 *	 24:          1          0  ITS-MSI   0 Edge      vmd
 *	NMI:          0          0   Non-maskable interrupts
 *	ERR:          0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/cells.h"
#include "plugins/names.h"
#include "plugins/samp.h"

#define SOURCE "/proc/interrupts"

static const struct metric_def metrics[] = {
	{ "irq.NAME#PROCESSOR", V_U64, "", METRIC_COUNTER, "interrupts of that name on that processor", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

struct irq {
	uint64_t *slots;
	uint32_t n; /* numbers of its line */
};

struct procinterrupts {
	struct proc_file file;
	struct cells cells;
	struct set *set;
	char *header; /* the first line: a word for each processor */
	size_t header_len;
	uint32_t cpus;
	struct names names;
	struct irq *irqs; /* of the names */
	size_t lines;
};

static uint32_t words_count(const char *p)
{
	uint32_t n = 0;

	for (size_t len; (len = proc_word(p = proc_blanks(p), ' ')); p += len)
		n++;
	return n;
}

/* The line at p: behind its colon, and its name; NULL when it has none. */
static const char *irq_line(const char *p, const char **name, size_t *len)
{
	*name = proc_blanks(p);
	*len = proc_word(*name, ':');
	return *len && (*name)[*len] == ':' ? *name + *len + 1 : NULL;
}

/* A metric for each number that stands behind p; how many. */
static int irq_add(struct schema *s, const char *p, uint32_t cpus, const char *irq, size_t len, struct err *err)
{
	uint64_t v;
	int n = 0;

	for (; n < (int)cpus && proc_number(&p, &v); n++) {
		char name[METRIC_NAME_MAX + 1];
		struct metric_def def = metrics[0];
		int rc;

		snprintf(name, sizeof(name), "irq.%.*s#%d", (int)len, irq, n);
		def.name = name;
		rc = schema_add_defs(s, &def, 1, err);
		if (rc < 0)
			return rc;
	}
	return n;
}

static int shape_read(struct procinterrupts *pi, struct schema *s, struct err *err)
{
	const char *p = pi->file.buf, *name, *numbers;
	size_t len;
	int n = 0;

	pi->header_len = (size_t)(proc_next_line(p) - p);
	pi->header = xstrndup(p, pi->header_len);
	pi->cpus = words_count(p);
	pi->file.record_max = pi->header_len + PROC_RECORD_MAX; /* lines are this long, and what they say */
	for (p += pi->header_len; *p && n >= 0; p = proc_next_line(p)) {
		numbers = irq_line(p, &name, &len);
		if (!numbers || len > METRIC_NAME_MAX / 2)
			continue;
		pi->lines++;
		names_rewind(&pi->names);
		if (names_find(&pi->names, name, len) >= 0)
			continue; /* for the second time */
		n = irq_add(s, numbers, pi->cpus, name, len, err);
		pi->irqs = xrealloc(pi->irqs, (pi->names.n + 1) * sizeof(*pi->irqs));
		pi->irqs[names_add(&pi->names, name, len)].n = n > 0 ? (uint32_t)n : 0;
	}
	if (n >= 0 && (!pi->cpus || !pi->names.n))
		n = err_set(err, -ENODATA, "%s: is no table of interrupts and processors; is it the right file?",
			    pi->file.path);
	return n < 0 ? n : 0;
}

static int procinterrupts_open(struct samp *sp, struct err *err)
{
	struct procinterrupts *pi = samp_state(sp);
	int rc = proc_open(&pi->file, samp_root(sp), SOURCE, err);
	struct schema *s;
	uint64_t *slots;
	int first;

	pi->file.record_max = pi->file.page; /* lines may be long: read until there is nothing more */
	if (!rc)
		rc = proc_read(&pi->file, err);
	if (rc)
		return rc;
	s = samp_schema_new(sp, "procinterrupts", err);
	if (!s)
		return -EINVAL;
	first = (int)schema_card(s);
	rc = shape_read(pi, s, err);
	if (rc) {
		schema_free(s);
		return rc;
	}
	pi->set = samp_set_new(sp, s, "", err);
	if (!pi->set)
		return -ENOMEM;
	slots = set_slot(pi->set, first - 1); /* app_id: there is no metric when no line has a number */
	slots++;
	for (uint32_t i = 0; i < pi->names.n; i++) {
		pi->irqs[i].slots = slots;
		slots += pi->irqs[i].n;
	}
	return 0;
}

/* Write the numbers of all lines; false when they are not those that the set was made for. */
static bool irqs_learn(struct procinterrupts *pi)
{
	const char *p = pi->file.buf, *name, *numbers;
	size_t lines = 0, len;

	if (pi->file.len < pi->header_len || memcmp(p, pi->header, pi->header_len))
		return false;
	cells_begin(&pi->cells);
	cells_line(&pi->cells, p);
	names_rewind(&pi->names);
	for (p += pi->header_len; *p; p = proc_next_line(p)) {
		const struct irq *irq;
		int i;

		cells_line(&pi->cells, p);
		numbers = irq_line(p, &name, &len);
		if (!numbers || len > METRIC_NAME_MAX / 2)
			continue;
		i = names_find(&pi->names, name, len);
		if (i < 0)
			return false;
		irq = &pi->irqs[i];
		for (uint32_t k = 0; k < irq->n; k++)
			if (!cells_number(&pi->cells, &numbers, irq->slots + k))
				return false;
		lines++;
	}
	if (lines != pi->lines)
		return false;
	cells_end(&pi->cells, &pi->file);
	return true;
}

static int procinterrupts_sample(struct samp *sp, struct err *err)
{
	struct procinterrupts *pi = samp_state(sp);
	int rc = proc_read(&pi->file, err);

	if (rc)
		return rc;
	samp_begin(sp, pi->set);
	if (!cells_update(&pi->cells, &pi->file) && !irqs_learn(pi)) {
		samp_cancel(sp, pi->set);
		return err_set(err, -ESTALE, "%s: interrupts or processors have come or gone", pi->file.path);
	}
	samp_end(sp, pi->set);
	return 0;
}

static void procinterrupts_close(struct samp *sp)
{
	struct procinterrupts *pi = samp_state(sp);

	proc_close(&pi->file);
	cells_fini(&pi->cells);
	names_fini(&pi->names);
	free(pi->irqs);
	free(pi->header);
}

const struct samp_type samp_procinterrupts = {
	.name = "procinterrupts",
	.brief = "interrupts, by kind and processor",
	.source = SOURCE,
	.metrics = metrics,
	.state_size = sizeof(struct procinterrupts),
	.open = procinterrupts_open,
	.sample = procinterrupts_sample,
	.close = procinterrupts_close,
};
