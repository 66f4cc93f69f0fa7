/* procstat2.c - what the processors spend their time on, and the kernel's counters, from /proc/stat
 *
 * Three sets: NAME (a record for all processors together, then one each, then scalars), and when asked for NAME_intr
 * and NAME_softirq (a list of the numbers of that line, the sum first).
 */
#include <errno.h>

#include "plugins/attr.h"
#include "plugins/proc.h"
#include "plugins/rows.h"
#include "plugins/samp.h"
#include "plugins/scalars.h"

#define SOURCE        "/proc/stat"
#define CPU_NAME_SIZE 8

/* The record's members, then the scalars. */
static const struct metric_def metrics[] = {
	{ "name", V_CHAR_ARRAY, "", METRIC_GAUGE, "cpu: all together; cpu0, cpu1, ...", CPU_NAME_SIZE },
	{ "user", V_U64, "jiffies", METRIC_COUNTER, "programs", 1 },
	{ "nice", V_U64, "jiffies", METRIC_COUNTER, "programs of lower priority", 1 },
	{ "system", V_U64, "jiffies", METRIC_COUNTER, "the kernel", 1 },
	{ "idle", V_U64, "jiffies", METRIC_COUNTER, "nothing", 1 },
	{ "iowait", V_U64, "jiffies", METRIC_COUNTER, "nothing, with disk I/O under way", 1 },
	{ "irq", V_U64, "jiffies", METRIC_COUNTER, "interrupts", 1 },
	{ "softirq", V_U64, "jiffies", METRIC_COUNTER, "soft interrupts", 1 },
	{ "steal", V_U64, "jiffies", METRIC_COUNTER, "taken by the hypervisor", 1 },
	{ "guest", V_U64, "jiffies", METRIC_COUNTER, "guests (in user, too)", 1 },
	{ "guest_nice", V_U64, "jiffies", METRIC_COUNTER, "guests of lower priority (in nice, too)", 1 },
	{ "ctxt", V_U64, "", METRIC_COUNTER, "context switches", 1 },
	{ "btime", V_U64, "seconds", METRIC_GAUGE, "time of boot", 1 },
	{ "processes", V_U64, "", METRIC_COUNTER, "processes ever made", 1 },
	{ "procs_running", V_U64, "", METRIC_GAUGE, "processes that could run now", 1 },
	{ "procs_blocked", V_U64, "", METRIC_GAUGE, "processes that wait for I/O", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
/* What the lines of the scalars begin with. */
static const char *const words[] = { "ctxt ", "btime ", "processes ", "procs_running ", "procs_blocked " };
enum { TIMES = 10, MEMBERS = 1 + TIMES, SCALARS = sizeof(words) / sizeof(*words) };

struct cpu_row { /* a record's values in the set */
	char name[CPU_NAME_SIZE];
	uint64_t times[TIMES];
};

static const struct samp_attr attrs[] = {
	{ "interrupt", "false", "a second set NAME_intr: the interrupts, by number" },
	{ "soft_interrupt", "false", "another set NAME_softirq: the soft interrupts, by kind" },
	{ "intr_max", "as many as there are", "room for so many numbers in each of these" },
	{ NULL, NULL, NULL },
};

/* A line of numbers that is a set of its own. */
struct numbers {
	struct set *set; /* NULL: not asked for */
	struct rows rows;
	bool seen; /* was there the line? */
};

struct procstat2 {
	struct proc_file file;
	struct cells cells;
	struct set *set;
	struct rows cpus;
	struct scalar scalars[SCALARS];
	struct numbers intr, softirq;
};

static bool is_word(const char *p, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(p, word, n) && p[n] == ' ';
}

static bool is_cpu(const char *p)
{
	return p[0] == 'c' && p[1] == 'p' && p[2] == 'u';
}

/* The line that begins with `word`, behind the word; NULL when there is none. */
static const char *find_line(const char *p, const char *word)
{
	for (; *p; p = proc_next_line(p))
		if (is_word(p, word))
			return p + strlen(word);
	return NULL;
}

static size_t cpus_count(const char *p)
{
	size_t n = 0;

	for (; *p; p = proc_next_line(p))
		n += is_cpu(p);
	return n;
}

static int procstat2_check(struct samp *sp, struct err *err)
{
	uint64_t max;
	bool wanted;
	int rc = attr_bool(sp, "interrupt", false, &wanted, err);

	if (!rc)
		rc = attr_bool(sp, "soft_interrupt", false, &wanted, err);
	return rc ? rc : attr_range(sp, "intr_max", 0, 0, SCHEMA_CARD_MAX, &max, err);
}

static size_t numbers_count(const char *text, const char *word)
{
	const char *p = find_line(text, word);
	size_t n = 0;
	uint64_t v;

	while (p && proc_number(&p, &v))
		n++;
	return n;
}

/* The attribute `attr`: is the set NAME`suffix` of the line `word` wanted?  Then make it. */
static int numbers_open(struct numbers *nu, struct samp *sp, const char *attr, const char *word, const char *schema,
			const char *suffix, const char *metric, struct err *err)
{
	struct procstat2 *ps = samp_state(sp);
	const char *text = ps->file.buf;
	size_t n = numbers_count(text, word);
	struct schema *s;
	uint64_t max;
	bool wanted;
	int list, rc;

	rc = attr_bool(sp, attr, false, &wanted, err);
	if (rc || !wanted)
		return rc;
	/* as ldmsd: without intr_max= both lists have the room that the interrupts take */
	rc = attr_range(sp, "intr_max", numbers_count(text, "intr"), 0, SCHEMA_CARD_MAX, &max, err);
	if (rc)
		return rc;
	s = samp_schema_new(sp, schema, err);
	if (!s)
		return -EINVAL;
	list = schema_add_list(s, metric, "", (uint32_t)schema_list_heap(V_U64, 1, max > n ? max : n), err);
	if (list < 0) {
		schema_free(s);
		return list;
	}
	nu->set = samp_set_new(sp, s, suffix, err);
	if (!nu->set)
		return -ENOMEM;
	nu->rows = (struct rows){ .set = nu->set, .list = list, .record = ROWS_U64 };
	return 0;
}

static int cpus_open(struct procstat2 *ps, struct samp *sp, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "procstat2", err);
	int record, list, scalars;

	if (!s)
		return -EINVAL;
	record = list = scalars = schema_add_record(s, "cpu_rec", metrics, MEMBERS, err);
	if (record >= 0)
		list = scalars = schema_add_list(
			s, "cpu_list", "", (uint32_t)schema_record_heap(s, record, cpus_count(ps->file.buf)), err);
	if (list >= 0)
		scalars = schema_add_defs(s, metrics + MEMBERS, SCALARS, err);
	if (scalars < 0) {
		schema_free(s);
		return scalars;
	}
	ps->set = samp_set_new(sp, s, "", err);
	if (!ps->set)
		return -ENOMEM;
	for (int i = 0; i < SCALARS; i++)
		scalar_set(&ps->scalars[i], words[i], set_slot(ps->set, scalars + i));
	ps->cpus = (struct rows){ .set = ps->set, .list = list, .record = record };
	return 0;
}

static int procstat2_open(struct samp *sp, struct err *err)
{
	struct procstat2 *ps = samp_state(sp);
	int rc;

	rc = proc_open(&ps->file, samp_root(sp), SOURCE, err);
	ps->file.whole = true;
	if (!rc)
		rc = proc_read(&ps->file, err);
	if (!rc && !is_cpu(ps->file.buf))
		rc = err_set(err, -ENODATA, "%s: does not begin with `cpu`; is it the right file?", ps->file.path);
	if (!rc)
		rc = cpus_open(ps, sp, err);
	if (!rc)
		rc = numbers_open(&ps->intr, sp, "interrupt", "intr", "procstat2_intr", "_intr", "intr_list", err);
	if (!rc)
		rc = numbers_open(&ps->softirq, sp, "soft_interrupt", "softirq", "procstat2_softirq", "_softirq",
				  "softirq_list", err);
	return rc;
}

/* The processors' lines, at the front of the file; behind the last of them, or NULL when there are too many. */
static const char *cpus_learn(struct procstat2 *ps)
{
	const char *p;
	size_t n;

	do {
		cells_begin(&ps->cells);
		p = ps->file.buf;
		for (n = 0; is_cpu(p); n++, p = proc_next_line(p)) {
			struct cpu_row *row = rows_at(&ps->cpus, n);
			size_t len = proc_word(p, ' ');
			const char *times = p + len;

			if (!row)
				return NULL;
			memset(row->name, 0, sizeof(row->name));
			memcpy(row->name, p, len < sizeof(row->name) ? len : sizeof(row->name));
			cells_line(&ps->cells, p);
			for (int i = 0; i < TIMES; i++)
				if (!cells_number(&ps->cells, &times, &row->times[i]))
					row->times[i] = 0;
		}
	} while (rows_cut(&ps->cpus, n));
	return p;
}

/* The numbers of the line at p, a list; false when there are too many. */
static bool numbers_learn(struct numbers *nu, const char *p, struct cells *c)
{
	const struct cells before = *c;
	size_t n;

	do {
		const char *from = p + proc_word(p, ' '), *end = from;
		uint64_t v, *slot;

		c->n = before.n; /* when the list was longer its places are others, and it is done once more */
		c->n_lines = before.n_lines;
		c->line = before.line;
		cells_line(c, p);
		for (n = 0; proc_number(&end, &v); n++, from = end) {
			slot = rows_at(&nu->rows, n);
			if (!slot)
				return false;
			*slot = htole64(v);
			cells_add(c, from, end, slot);
		}
	} while (rows_cut(&nu->rows, n));
	return true;
}

/* All of the file; false when something does not fit, and *what does not. */
static bool stat_learn(struct procstat2 *ps, const char **what)
{
	const struct {
		struct numbers *nu;
		const char *word;
	} lists[] = { { &ps->intr, "intr" }, { &ps->softirq, "softirq" } };
	size_t scalar = 0, i;
	const char *p;

	*what = "processors";
	p = cpus_learn(ps);
	if (!p)
		return false;
	ps->intr.seen = ps->softirq.seen = false;
	for (; *p; p = proc_next_line(p)) {
		for (i = 0; i < 2 && !(lists[i].nu->set && is_word(p, lists[i].word)); i++)
			;
		if (i == 2) {
			scalars_learn(ps->scalars, SCALARS, &scalar, p, &ps->cells);
			continue;
		}
		*what = "interrupts";
		lists[i].nu->seen = true;
		if (!numbers_learn(lists[i].nu, p, &ps->cells))
			return false;
	}
	for (i = 0; i < 2; i++)
		if (lists[i].nu->set && !lists[i].nu->seen)
			rows_cut(&lists[i].nu->rows, 0);
	cells_end(&ps->cells, &ps->file);
	return true;
}

static int procstat2_sample(struct samp *sp, struct err *err)
{
	struct procstat2 *ps = samp_state(sp);
	struct set *const sets[] = { ps->set, ps->intr.set, ps->softirq.set };
	int rc = proc_read(&ps->file, err);
	const char *what;

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (sets[i])
			samp_begin(sp, sets[i]);
	if (!cells_update(&ps->cells, &ps->file) && !stat_learn(ps, &what))
		rc = err_set(err, -ESTALE, "%s: has more %s than fit", ps->file.path, what);
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (sets[i])
			(rc ? samp_cancel : samp_end)(sp, sets[i]);
	return rc;
}

static void procstat2_close(struct samp *sp)
{
	struct procstat2 *ps = samp_state(sp);

	proc_close(&ps->file);
	cells_fini(&ps->cells);
	rows_fini(&ps->cpus);
	rows_fini(&ps->intr.rows);
	rows_fini(&ps->softirq.rows);
}

const struct samp_type samp_procstat2 = {
	.name = "procstat2",
	.brief = "time of the processors, interrupts, context switches",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct procstat2),
	.check = procstat2_check,
	.open = procstat2_open,
	.sample = procstat2_sample,
	.close = procstat2_close,
};
