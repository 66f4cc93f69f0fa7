/* loadavg.c - the run queue's averages and the number of processes: "0.52 0.58 0.59 1/597 4321" */
#include <errno.h>

#include "plugins/namelist.h"
#include "plugins/proc.h"
#include "plugins/samp.h"

#define SOURCE "/proc/loadavg"

static const struct metric_def metrics[] = {
	{ "load1min", V_D64, "", METRIC_GAUGE, "runnable and waiting tasks, average of 1 minute", 1 },
	{ "load5min", V_D64, "", METRIC_GAUGE, "the same of 5 minutes", 1 },
	{ "load15min", V_D64, "", METRIC_GAUGE, "the same of 15 minutes", 1 },
	{ "runnable", V_U64, "", METRIC_GAUGE, "tasks that could run now", 1 },
	{ "scheduling_entities", V_U64, "", METRIC_GAUGE, "tasks that exist", 1 },
	{ "newest_pid", V_U64, "", METRIC_GAUGE, "number of the process made last", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { LOADS = 3, FIELDS = 6 };

static const struct samp_attr attrs[] = {
	{ "metrics", "all", "names of the metrics to keep, separated by commas" },
	{ "force_integer", NULL, "loads as whole numbers of hundredths (u64)" },
	{ NULL, NULL, NULL },
};

struct loadavg {
	struct proc_file file;
	struct set *set;
	bool integer;
	void *slots[FIELDS]; /* where a field goes, or `ignored` */
	uint64_t ignored;
};

/* Which fields does the list of names keep?  A bit each. */
static int fields_parse(const char *list, unsigned int *ret, struct err *err)
{
	const char *name;
	size_t n;

	*ret = 0;
	while ((n = namelist_next(&list, &name))) {
		unsigned int i;

		for (i = 0; i < FIELDS; i++)
			if (strlen(metrics[i].name) == n && !memcmp(metrics[i].name, name, n))
				break;
		if (i == FIELDS)
			return err_set(err, -EINVAL,
				       "metrics=: unknown metric %.*s; use load1min, load5min, load15min, runnable, "
				       "scheduling_entities, newest_pid",
				       (int)n, name);
		*ret |= 1u << i;
	}
	return 0;
}

/* The schema of a subset is named after it: loadavg100100, loadavgi, loadavgi100100. */
static struct schema *loadavg_schema(struct samp *sp, unsigned int fields, bool integer, struct err *err)
{
	char name[sizeof("loadavgi") + FIELDS] = "loadavg";
	size_t n = strlen(name);
	struct schema *s;

	if (integer)
		name[n++] = 'i';
	if (fields != (1u << FIELDS) - 1)
		for (unsigned int i = 0; i < FIELDS; i++)
			name[n++] = fields & (1u << i) ? '1' : '0';
	name[n] = 0;
	s = samp_schema_new(sp, name, err);
	for (unsigned int i = 0; s && i < FIELDS; i++) {
		struct metric_def def = metrics[i];

		if (integer)
			def.type = V_U64;
		if (fields & (1u << i) && schema_add_defs(s, &def, 1, err) < 0) {
			schema_free(s);
			s = NULL;
		}
	}
	return s;
}

static int loadavg_check(struct samp *sp, struct err *err)
{
	const char *list = samp_attr(sp, "metrics");
	unsigned int fields;

	return list ? fields_parse(list, &fields, err) : 0;
}

static int loadavg_open(struct samp *sp, struct err *err)
{
	struct loadavg *la = samp_state(sp);
	const char *list = samp_attr(sp, "metrics");
	unsigned int fields = (1u << FIELDS) - 1;
	struct schema *s;
	int rc, next;

	la->integer = samp_attr_has(sp, "force_integer");
	rc = list ? fields_parse(list, &fields, err) : 0;
	if (!rc)
		rc = proc_open(&la->file, samp_root(sp), SOURCE, err);
	if (rc)
		return rc;
	s = loadavg_schema(sp, fields, la->integer, err);
	if (!s)
		return -EINVAL;
	next = schema_find(s, "app_id") + 1;
	la->set = samp_set_new(sp, s, "", err);
	if (!la->set)
		return -ENOMEM;
	for (unsigned int i = 0; i < FIELDS; i++)
		la->slots[i] = fields & (1u << i) ? set_slot(la->set, next++) : &la->ignored;
	return 0;
}

static void put(void *slot, uint64_t v)
{
	*(uint64_t *)slot = htole64(v);
}

/* "12.34" as 1234; false when it is none.  The kernel prints two decimals. */
static bool hundredths(const char **p, uint64_t *ret)
{
	const char *from = *p = proc_blanks(*p);
	uint64_t v = proc_digits(p);

	if (*p == from || **p != '.')
		return false;
	from = ++*p;
	*ret = 100 * v + proc_digits(p);
	return *p == from + 2;
}

static int loadavg_sample(struct samp *sp, struct err *err)
{
	struct loadavg *la = samp_state(sp);
	int rc = proc_read(&la->file, err);
	const char *p = la->file.buf;
	uint64_t load[LOADS], runnable;

	if (rc)
		return rc;
	for (int i = 0; i < LOADS; i++)
		if (!hundredths(&p, &load[i]))
			goto bad;
	runnable = proc_u64(&p);
	if (*p++ != '/')
		goto bad;
	samp_begin(sp, la->set);
	for (int i = 0; i < LOADS; i++) {
		double d = (double)load[i] / 100.0; /* both exact, so this is the double nearest to what is printed */

		if (!la->integer)
			memcpy(&load[i], &d, sizeof(d));
		put(la->slots[i], load[i]);
	}
	put(la->slots[3], runnable);
	put(la->slots[4], proc_u64(&p));
	put(la->slots[5], proc_u64(&p));
	samp_end(sp, la->set);
	return 0;
bad:
	return err_set(err, -EPROTO, "%s: is not `0.00 0.00 0.00 1/100 1000` but `%.40s`; is it the right file?",
		       la->file.path, la->file.buf);
}

static void loadavg_close(struct samp *sp)
{
	proc_close(&((struct loadavg *)samp_state(sp))->file);
}

const struct samp_type samp_loadavg = {
	.name = "loadavg",
	.brief = "load averages and number of processes",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct loadavg),
	.check = loadavg_check,
	.open = loadavg_open,
	.sample = loadavg_sample,
	.close = loadavg_close,
};
